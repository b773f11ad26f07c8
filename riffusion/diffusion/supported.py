"""Which models work here, refused by name where they don't: Stable Diffusion 1.x and 2.x do, other families don't."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riffusion.errors import CheckpointUnavailable

INDEX_FILE = "model_index.json"  # diffusers' list of a pipeline's parts and their classes; may be missing
LATENT_CHANNELS = 4

_WHAT_WORKS = (
    "Checkpoints of Stable Diffusion 1.x and 2.x work here, such as riffusion/riffusion-model-v1 and "
    "stable-diffusion-v1-5/stable-diffusion-v1-5, and what was fine-tuned from them"
)
_PARTS = {
    "tokenizer": ("CLIPTokenizer", "CLIPTokenizerFast"),
    "text_encoder": ("CLIPTextModel",),
    "unet": ("UNet2DConditionModel",),
    "vae": ("AutoencoderKL",),
}
_FAMILIES = {  # by how the pipeline's class begins
    "StableDiffusionXL": "Stable Diffusion XL",
    "StableDiffusion3": "Stable Diffusion 3",
    "LatentConsistencyModel": "a latent consistency model of its own, in whose place LCM-LoRA works",
    "Flux": "FLUX",
}
_OTHER_INPUTS = ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type", "time_cond_proj_dim")


def check_family(folder: Path, source: str | Path) -> None:
    """Refuses a folder in diffusers format whose index names another family of models.

    Raises:
        CheckpointUnavailable: with the family's name and what would work.
    """
    path = folder / INDEX_FILE
    try:
        index = json.loads(path.read_text()) if path.exists() else {}
        pipeline = str(index.get("_class_name", ""))
        strange = [part for part, classes in _PARTS.items() if part in index and index[part][1] not in classes]
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        raise CheckpointUnavailable(f"The model {source} has a damaged {INDEX_FILE}.") from None
    family = next((name for start, name in _FAMILIES.items() if pipeline.startswith(start)), None)
    if family or strange or "text_encoder_2" in index:
        raise CheckpointUnavailable(f"The model {source} is {family or f'for {pipeline}'}. {_WHAT_WORKS}.")


def check_inputs(config: Mapping[str, Any], source: str | Path) -> None:
    """Refuses a UNet that takes anything but latents, a timestep and a prompt.

    Raises:
        CheckpointUnavailable: with what would work.
    """
    if config["in_channels"] != LATENT_CHANNELS:
        raise CheckpointUnavailable(
            f"The model {source} takes {config['in_channels']} channels instead of {LATENT_CHANNELS}. {_WHAT_WORKS}; "
            "inpainting needs no special model."
        )
    if others := [name for name in _OTHER_INPUTS if config.get(name) is not None]:
        raise CheckpointUnavailable(
            f"The UNet of {source} takes more than a prompt ({', '.join(others)}). {_WHAT_WORKS}."
        )
