"""Every mode from request to files."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pydub
import pytest
from PIL import Image, ImageDraw
from torch import Tensor

from riffusion import requests
from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.audio.recipe import read_recipe
from riffusion.audio_segment import AudioSegment
from riffusion.diffusion import lora_folder
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.errors import CheckpointUnavailable, InvalidRequest, UnknownReference, UnreadableMedia
from riffusion.generate import Clip, Generator, NoControl
from riffusion.generate.generator import UNGUIDED, beside_the_quality
from riffusion.requests import ModelCard, complete, parse, shareable, with_seed
from riffusion.seeds import list_seeds
from riffusion.settings import Settings
from riffusion.spectrogram.exif import from_exif
from riffusion.spectrogram.picture_file import open_picture
from riffusion.testing import chord, save_tiny_checkpoint
from tests.diffusion.lora_files import save_lora

UPLOAD = {"upload": "u" * 20}
COMMON = {"prompt": "funk", "steps": 2, "seed": 1}
SEED = {"init": {"seed_image": list_seeds()[0].name}}


@pytest.fixture(scope="module")
def generator(checkpoint: Checkpoint) -> Iterator[Generator]:
    with Generator(checkpoint, Settings(max_audio_s=20)) as generator:
        yield generator


def png(width: int, height: int = 512, white: tuple[int, int, int, int] = (0, 0, 0, 0)) -> bytes:
    picture = Image.new("L", (width, height), 90)
    ImageDraw.Draw(picture).rectangle(white, fill=255)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def wav(seconds: float, channels: int = 1) -> bytes:
    return encode_audio(chord(seconds, channels=channels), 44_100, "wav")


def run(generator: Generator, fields: dict[str, Any], inputs: Mapping[str, bytes | AudioSegment] | None = None) -> Clip:
    return generator.run(with_seed(parse(fields)), inputs or {}, NoControl())


END = {"prompt": "jazz", "seed": 2}
MODES: list[tuple[dict[str, Any], dict[str, bytes], int, float, int]] = [
    ({"mode": "text-to-audio", "width": 128, **COMMON}, {}, 128, 1.27, 1),
    ({"mode": "riff", "init": UPLOAD, "denoising": 0, **COMMON}, {"init": png(140)}, 140, 1.39, 1),
    ({"mode": "interpolate", "start": END, "end": END, "clips": 2, "steps": 2, "init": UPLOAD},
     {"init": png(64, 256)}, 256, 2.55, 1),
    ({"mode": "crossfade", "start": {**END, "init": UPLOAD}, "end": {**END, **SEED}, "clips": 2, "steps": 2},
     {"start.init": png(64, 256)}, 256, 2.55, 1),
    ({"mode": "inpaint", "init": UPLOAD, "mask": UPLOAD, **COMMON},
     {"init": png(130), "mask": png(64, 64, (0, 0, 9, 63))}, 130, 1.29, 1),
    ({"mode": "audio-to-audio", "clip": UPLOAD, **COMMON, "format": "ogg"}, {"clip": wav(1.234, 2)}, 125, 1.234, 1),
    ({"mode": "image-to-audio", "image": UPLOAD, "format": "wav"}, {"image": png(77, 300)}, 131, 1.30, 1),
    ({"mode": "audio-to-image", "clip": UPLOAD, "format": "flac"}, {"clip": wav(1.0, 2)}, 101, 1.0, 2),
    ({"mode": "extend", "init": UPLOAD, "seconds": 1.5, **COMMON}, {"init": png(100)}, 250, 2.49, 1),
    ({"mode": "loop", "init": UPLOAD, "bpm": 200, "bars": 1, **COMMON}, {"init": png(130)}, 120, 1.20, 1),
]  # fmt: skip


def test_the_table_names_every_mode() -> None:
    assert {case[0]["mode"] for case in MODES} == {mode.MODE for mode in requests.MODES}


@pytest.mark.parametrize("case", MODES, ids=[case[0]["mode"] for case in MODES])
def test_every_mode(generator: Generator, case: tuple[dict[str, Any], dict[str, bytes], int, float, int]) -> None:
    fields, inputs, width, seconds, channels = case
    clip = run(generator, fields, inputs)
    picture = open_picture(clip.png)
    assert picture.size == (clip.width, clip.height) == (width, 512)
    assert from_exif(picture.getexif()).stereo == (channels == 2)
    wave = decode_audio(clip.audio, max_seconds=60)
    assert wave.shape == (channels, round(seconds * 44_100)) == (clip.channels, round(clip.duration_s * 44_100))
    recipe = read_recipe(clip.png)
    assert recipe == read_recipe(clip.audio)
    asked = complete(with_seed(parse(fields)), ModelCard(guidance=7))
    assert recipe == shareable(asked.model_dump(mode="json", exclude_none=True))


def test_the_same_request_gives_the_same_bytes(generator: Generator) -> None:
    fields = {"mode": "text-to-audio", "width": 128, **COMMON}
    first, again = run(generator, fields), run(generator, fields)
    assert first.png == again.png
    assert first.audio == again.audio


def test_a_seed_image_and_its_tempo(generator: Generator) -> None:
    seed = list_seeds()[0]
    clip = run(generator, {"mode": "loop", "bars": 1, **SEED, **COMMON})
    assert clip.duration_s == pytest.approx(seed.beats_per_bar * 60 / seed.bpm, abs=0.006)
    assert open_picture(clip.png).info["BPM"] == f"{seed.bpm:g}"


def test_mixing_stereo_down_is_a_warning(generator: Generator) -> None:
    clip = run(generator, {"mode": "audio-to-audio", "clip": UPLOAD, **COMMON}, {"clip": wav(1.0, 2)})
    assert any("mono" in warning for warning in clip.warnings)


@pytest.mark.parametrize(("guidance", "said"), [(1, True), (3, False)])
def test_a_negative_prompt_without_guidance_is_a_warning(generator: Generator, guidance: float, said: bool) -> None:
    clip = run(generator, {"mode": "text-to-audio", "negative_prompt": "drums", **COMMON, "guidance": guidance})
    assert (UNGUIDED in clip.warnings) is said


def test_what_the_checkpoint_says_of_itself_counts(tmp_path: Path) -> None:
    folder = save_tiny_checkpoint(tmp_path / "model")
    (folder / "defaults.json").write_text('{"guidance": 2.5}')
    (folder / "vocabulary.json").write_text('{"genre": ["funk"], "tempo": ["bpm"]}')
    with Generator.load(Settings(checkpoint=str(folder), device="cpu")) as generator:
        assert generator.card.guidance == 2.5
        ends = {"start": {"prompt": "funk", "guidance": 3, "seed": 1}, "end": {"prompt": "zzz", "seed": 1}}
        clip = run(generator, {"mode": "interpolate", "alpha": 0.5, "steps": 2, **ends})
    recipe = read_recipe(clip.png)
    assert (recipe["start"]["guidance"], recipe["end"]["guidance"]) == (3, 2.5)
    assert len(clip.warnings) == 1
    assert "zzz" in clip.warnings[0]


def test_each_thing_that_a_model_cannot_do_is_said_once(tmp_path: Path) -> None:
    folder = save_tiny_checkpoint(tmp_path / "model")
    (folder / "vocabulary.json").write_text('{"genre": ["funk"], "nearest": {"funk": ["soul"]}}')
    ends = {end: {"prompt": "zzz soul 7/8", "seed": seed} for end, seed in (("start", 1), ("end", 2))}
    with Generator.load(Settings(checkpoint=str(folder), device="cpu")) as generator:
        clip = run(generator, {"mode": "interpolate", "alpha": 0.5, "steps": 2, **ends})
    assert len(clip.warnings) == 3


def test_prompts_are_encoded_in_the_models_words_and_kept_as_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []
    embed = PromptEncoder._embed

    def spy(self: PromptEncoder, prompt: str) -> Tensor:
        encoded.append(prompt)
        return embed(self, prompt)

    monkeypatch.setattr(PromptEncoder, "_embed", spy)
    folder = save_tiny_checkpoint(tmp_path / "model")
    listed = {"instrument": ["piano", "flute"], "synonyms": {"piano": ["Klavier"], "flute": ["Querflöte"]}}
    (folder / "vocabulary.json").write_text(json.dumps(listed))
    alone = {"prompt": "Klavier (pianno:1.3) zzz", "negative_prompt": "querflöte", "steps": 2, "seed": 5}
    ends = {"start": {"prompt": "klavier", "seed": 1}, "end": {"prompt": "pianno", "seed": 2}}
    with Generator.load(Settings(checkpoint=str(folder), device="cpu")) as generator:
        recipe = read_recipe(run(generator, {"mode": "text-to-audio", "width": 128, **alone}).png)
        assert sorted(encoded) == ["", "flute", "piano (piano:1.3) zzz"]
        assert (recipe["prompt"], recipe["negative_prompt"]) == (alone["prompt"], alone["negative_prompt"])
        clip = run(generator, {"mode": "interpolate", "alpha": 0.5, "steps": 2, **ends})
    assert encoded[3:] == ["piano"]  # both ends, encoded once
    assert (read_recipe(clip.png)["start"]["prompt"], clip.warnings) == (
        "klavier", ("The model reads “pianno” as “piano”.",),
    )  # fmt: skip


def test_a_segment_of_pydub_goes_in_and_comes_out(generator: Generator) -> None:
    asked = {"mode": "audio-to-image", "clip": UPLOAD, "format": "wav"}
    segment = pydub.AudioSegment(wav(1.0, 2))
    made = run(generator, asked, {"clip": segment})
    assert made.png == run(generator, asked, {"clip": wav(1.0, 2)}).png
    out = made.segment()
    assert (out.frame_rate, out.channels, len(out)) == (44_100, 2, len(segment))


@pytest.mark.parametrize(
    ("error", "fields", "inputs"),
    [
        (UnreadableMedia, {"mode": "image-to-audio", "image": UPLOAD}, {"image": b"no picture"}),
        (UnreadableMedia, {"mode": "audio-to-image", "clip": UPLOAD}, {"clip": b"no sound"}),
        (UnreadableMedia, {"mode": "audio-to-image", "clip": UPLOAD}, {"clip": wav(21)}),
        (UnknownReference, {"mode": "image-to-audio", "image": UPLOAD}, {}),
        (UnknownReference, {"mode": "riff", "init": {"seed_image": "none"}, **COMMON}, {}),
        (InvalidRequest, {"mode": "image-to-audio", "image": UPLOAD}, {"image": png(2200)}),
        (InvalidRequest, {"mode": "riff", "init": UPLOAD, **COMMON}, {"init": png(64, 8)}),
    ],
)
def test_inputs_that_will_not_do(
    generator: Generator, error: type[Exception], fields: dict[str, Any], inputs: dict[str, bytes]
) -> None:
    with pytest.raises(error):
        run(generator, fields, inputs)


FAST = {"steps": 2, "scheduler": "lcm", "guidance": 1, "lora": {"few": 1}}


def test_fast_is_what_the_model_folder_says_with_its_own_lora(tmp_path: Path) -> None:
    folder = save_tiny_checkpoint(tmp_path / "model")
    (folder / "defaults.json").write_text(json.dumps({"qualities": {"fast": FAST}}))
    save_lora(tmp_path / "loras" / "same", seed=1)
    save_lora(tmp_path / "loras" / "dub", seed=2)
    settings = Settings(checkpoint=str(folder), device="cpu", lora_dir=tmp_path / "loras")
    with pytest.raises(CheckpointUnavailable, match=r"defaults\.json names few"):
        Generator.load(settings)
    save_lora(folder / "lora" / "few", seed=1)
    with Generator.load(settings) as generator:
        assert generator.card.loras == ("dub", "same")
        assert generator.card.qualities["fast"].lora == {"few": 1}
        text = {"mode": "text-to-audio", "prompt": "funk", "width": 128, "seed": 1}
        fast = run(generator, {**text, "quality": "fast"})
        assert FAST.items() <= read_recipe(fast.png).items()
        explicit = {**FAST, "lora": {"same": 1}}
        assert pixels(fast) == pixels(run(generator, {**text, **explicit}))
        assert pixels(fast) != pixels(run(generator, {**text, **explicit, "lora": {}}))
        both = run(generator, {**text, "quality": "fast", "lora": {"dub": 0.5}})
        assert pixels(both) == pixels(run(generator, {**text, **explicit, "lora": {"same": 1, "dub": 0.5}}))


def test_the_loras_of_qualities_are_read_ahead_and_damaged_ones_end_their_requests_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_tiny_checkpoint(tmp_path / "model")
    qualities = {"fast": FAST, "best": {"steps": 3, "lora": {"broken": 1}}}
    (folder / "defaults.json").write_text(json.dumps({"qualities": qualities}))
    save_lora(folder / "lora" / "few", seed=1)
    (folder / "lora" / "broken.safetensors").write_bytes(b"x" * 100)
    text = {"mode": "text-to-audio", "prompt": "funk", "width": 128, "seed": 1}
    with Generator.load(Settings(checkpoint=str(folder), device="cpu")) as generator:
        generator.load_ahead()
        monkeypatch.setattr(lora_folder, "_read", lambda *_: pytest.fail("read late"))
        assert run(generator, {**text, "quality": "fast"}).warnings == ()
        monkeypatch.undo()
        with pytest.raises(CheckpointUnavailable, match="broken"):
            run(generator, {**text, "quality": "best"})


@pytest.mark.parametrize(
    ("own", "fields"),
    [
        ({}, ()),
        ({"lora": {"dub": 0.5}}, ()),
        (FAST, ()),
        ({"guidance": 0.5}, ()),
        ({"guidance": 4}, ("guidance",)),
        ({"steps": 3}, ("steps",)),
        ({"lora": {"few": 0.5}}, ("lora",)),
        ({"scheduler": "ddim"}, ("scheduler", "guidance", "lora")),
        ({"quality": "standard", "steps": 3, "guidance": 1}, ()),
    ],
)
def test_another_sampler_at_a_distilled_quality_is_a_warning(
    distilled: Generator, own: dict[str, Any], fields: tuple[str, ...]
) -> None:
    asked = {"mode": "text-to-audio", "prompt": "funk", "width": 128, "seed": 1, "quality": "fast", **own}
    assert run(distilled, asked).warnings == ((beside_the_quality("fast", fields),) if fields else ())


def test_the_ends_of_an_interpolation_may_be_beside_the_quality(distilled: Generator) -> None:
    ends = {"start": {"prompt": "a", "seed": 1, "guidance": 4}, "end": {"prompt": "b", "seed": 1}}
    for alpha, others in ((0.5, ("guidance",)), (1, ())):
        clip = run(distilled, {"mode": "interpolate", "alpha": alpha, "quality": "fast", **ends})
        assert clip.warnings == ((beside_the_quality("fast", others),) if others else ())


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generator]:
    """A model whose quality fast needs a LoRA of its own."""
    folder = save_tiny_checkpoint(tmp_path_factory.mktemp("distilled") / "model")
    (folder / "defaults.json").write_text(json.dumps({"qualities": {"fast": FAST}}))
    save_lora(folder / "lora" / "few", seed=1)
    save_lora(folder.parent / "loras" / "dub", seed=2)
    settings = Settings(checkpoint=str(folder), device="cpu", lora_dir=folder.parent / "loras")
    with Generator.load(settings) as generator:
        yield generator


def pixels(clip: Clip) -> bytes:
    return open_picture(clip.png).tobytes()


@pytest.mark.parametrize(
    "wrong", ['{"quick": {"steps": 4}}', '{"fast": {"steps": 4, "decoder": "x"}}', '{"fast": {"steps": 0}}']
)
def test_qualities_that_do_not_exist_are_refused(tmp_path: Path, wrong: str) -> None:
    folder = save_tiny_checkpoint(tmp_path / "model")
    (folder / "defaults.json").write_text(f'{{"qualities": {wrong}}}')
    with pytest.raises(CheckpointUnavailable, match="can't be loaded"):
        Generator.load(Settings(checkpoint=str(folder), device="cpu"))
