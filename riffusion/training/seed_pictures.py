"""Writes the built-in seed images from their compositions: `python -m riffusion.training.seed_pictures`."""

import json
from importlib.resources import files
from pathlib import Path

import torch

from riffusion.audio.loudness import normalize_loudness
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.picture_file import write_png
from riffusion.training.seeds import SeedClip, seed_clips

_BEATS_PER_BAR = 4


def write_seed_pictures(folder: Path) -> None:
    """One PNG a seed clip, and `index.json`, which `riffusion.seeds` reads.

    Raises:
        ToolMissing: FluidSynth or the soundfont isn't installed.
    """
    clips = seed_clips()
    for clip in clips:
        (folder / f"{clip.name}.png").write_bytes(_picture(clip))
    index = [
        {"name": c.name, "title": _title(c), "bpm": c.bpm, "bars": c.bars, "beats_per_bar": _BEATS_PER_BAR}
        for c in clips
    ]
    (folder / "index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _picture(clip: SeedClip) -> bytes:
    """The clip as a circle, so that the picture too repeats without a seam."""
    codec = SpectrogramCodec()
    wave = normalize_loudness(torch.from_numpy(clip.audio)[None], codec.params.sample_rate)
    texts = {
        "Title": _title(clip),
        "BPM": f"{clip.bpm:g}",
        "Bars": str(clip.bars),
        "Beats per bar": str(_BEATS_PER_BAR),
    }
    return write_png(codec.encode(wave, loop=True).image(), None, **texts)


def _title(clip: SeedClip) -> str:
    return clip.caption.capitalize()


if __name__ == "__main__":
    write_seed_pictures(Path(str(files("riffusion.seeds").joinpath("index.json"))).parent)
