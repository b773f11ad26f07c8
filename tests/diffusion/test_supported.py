import json
from pathlib import Path
from typing import Any

import pytest

from riffusion.diffusion.supported import check_family, check_inputs
from riffusion.errors import CheckpointUnavailable

CLIP = {"tokenizer": ["transformers", "CLIPTokenizer"], "text_encoder": ["transformers", "CLIPTextModel"]}
LATENT = {"unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
PLAIN = {**CLIP, **LATENT, "safety_checker": [None, None]}
UNET = {"in_channels": 4, "addition_embed_type": None, "time_cond_proj_dim": None}


def write(folder: Path, index: Any) -> Path:
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.parametrize(
    "index",
    [
        {"_class_name": "StableDiffusionPipeline", **PLAIN},
        {"_class_name": "RiffusionPipeline", **PLAIN},
        {"_class_name": "StableDiffusionImg2ImgPipeline", **PLAIN, "tokenizer": ["transformers", "CLIPTokenizerFast"]},
    ],
)
def test_stable_diffusion_1_and_2_are_taken_whatever_their_pipeline(tmp_path: Path, index: Any) -> None:
    check_family(tmp_path, tmp_path)  # without an index
    check_family(write(tmp_path, index), tmp_path)
    check_inputs(UNET, tmp_path)


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ({"_class_name": "StableDiffusionXLPipeline", **PLAIN}, "is Stable Diffusion XL"),
        ({"_class_name": "StableDiffusion3Pipeline", "transformer": ["diffusers", "x"]}, "is Stable Diffusion 3"),
        ({"_class_name": "FluxPipeline"}, "is FLUX"),
        ({"_class_name": "LatentConsistencyModelPipeline", **PLAIN}, "LCM-LoRA"),
        ({"_class_name": "CustomPipeline", **PLAIN, "text_encoder_2": ["transformers", "x"]}, "is for CustomPipeline"),
        (
            {"_class_name": "MusicLDMPipeline", **PLAIN, "text_encoder": ["transformers", "ClapModel"]},
            "MusicLDMPipeline",
        ),
        (
            {"_class_name": "TextToVideoSDPipeline", **PLAIN, "unet": ["diffusers", "UNet3DConditionModel"]},
            "TextToVideo",
        ),
    ],
)
def test_other_families_are_refused_by_name_with_what_would_work(tmp_path: Path, index: Any, name: str) -> None:
    with pytest.raises(CheckpointUnavailable, match=name) as caught:
        check_family(write(tmp_path, index), "some/model")
    assert "some/model" in str(caught.value)
    assert "Stable Diffusion 1.x and 2.x work here" in str(caught.value)


@pytest.mark.parametrize("index", [[], {"unet": None}, {"unet": []}])
def test_a_damaged_index_is_named(tmp_path: Path, index: Any) -> None:
    with pytest.raises(CheckpointUnavailable, match="damaged model_index"):
        check_family(write(tmp_path, index), "some/model")


@pytest.mark.parametrize(
    "inputs", [{"in_channels": 9}, {"addition_embed_type": "text_time"}, {"time_cond_proj_dim": 256}]
)
def test_a_unet_that_takes_more_than_a_prompt_is_refused(inputs: dict[str, Any]) -> None:
    with pytest.raises(CheckpointUnavailable, match=r"Stable Diffusion 1\.x and 2\.x work here"):
        check_inputs(UNET | inputs, "some/model")
