import io
from typing import get_args

import mutagen
import pytest
import torch
from mutagen.id3 import ID3
from PIL import Image

from riffusion.audio.encode import encode_audio
from riffusion.audio.recipe import read_recipe
from riffusion.errors import UnreadableMedia
from riffusion.requests import AudioFormat
from riffusion.spectrogram.picture_file import write_png

TONE = 0.3 * torch.sin(torch.arange(4410) / 9)[None]
RECIPE = {
    "mode": "text-to-audio", "prompt": "Blüten → ☂ \"q\"\n" + "x" * 1900, "negative_prompt": "", "seed": 4294967295,
    "steps": 20, "guidance": 7.0, "scheduler": "dpm++2m", "width": 512, "format": "mp3",
}  # fmt: skip
INTERPOLATION = {"mode": "interpolate", "start": {"prompt": "a"}, "end": {"prompt": "b"}, "alpha": 0.5}


@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
@pytest.mark.parametrize("recipe", [RECIPE, INTERPOLATION, {"mode": "image-to-audio"}])
def test_audio_carries_its_recipe(audio_format: AudioFormat, recipe: dict[str, object]) -> None:
    assert read_recipe(encode_audio(TONE, 44_100, audio_format, recipe)) == recipe


def test_a_picture_carries_its_recipe() -> None:
    assert read_recipe(write_png(Image.new("L", (2, 2)), RECIPE)) == RECIPE


@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
def test_players_see_title_prompt_seed_and_settings(audio_format: AudioFormat) -> None:
    data = encode_audio(TONE, 44_100, audio_format, {**RECIPE, "prompt": "slow jazz", "seed": 7})
    tags = mutagen.File(io.BytesIO(data)).tags
    shown = tags.pprint()
    names = ("TIT2=", "COMM=", "TXXX=seed=") if isinstance(tags, ID3) else ("title=", "comment=", "seed=")
    assert shown.count("slow jazz") >= 3  # title, comment, recipe
    assert all(name in shown for name in names)
    assert "steps 20, guidance 7.0" in shown


def test_the_title_of_an_interpolation_names_both_ends() -> None:
    tags = mutagen.File(io.BytesIO(encode_audio(TONE, 44_100, "flac", INTERPOLATION))).tags
    assert tags["title"] == ["a → b"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing",
        write_png(Image.new("L", (2, 2))),
        write_png(Image.new("L", (2, 2)), recipe=None, recipe_text="x"),
        b"\x89PNG\r\n\x1a\nbroken",
        b"ID3\x04\x00\x00\x00\x00\x00\x05broken",
        b"fLaCbroken",
        encode_audio(TONE, 44_100, "mp3"),
        encode_audio(TONE, 44_100, "wav"),
        encode_audio(TONE, 44_100, "ogg"),
    ],
)
def test_files_without_one(data: bytes) -> None:
    with pytest.raises(UnreadableMedia):
        read_recipe(data)
