"""Renders the built-in seed images from their compositions: `python -m riffusion.training.seed_images.write`."""

import json
from importlib.resources import files
from pathlib import Path

import torch

from riffusion.audio.loudness import normalize_loudness
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.picture_file import write_png
from riffusion.training.seed_images.loops import SeedLoop, seed_loops

_BEATS_PER_BAR = 4


def write_seed_images(folder: Path) -> None:
    """Writes one PNG per loop, and `index.json`, which `riffusion.seeds` reads.

    Raises:
        ToolMissing: FluidSynth or the soundfont isn't installed.
    """
    loops = seed_loops()
    for loop in loops:
        (folder / f"{loop.name}.png").write_bytes(_picture(loop))
    index = [
        {"name": each.name, "title": _title(each), "bpm": each.bpm, "bars": each.bars, "beats_per_bar": _BEATS_PER_BAR}
        for each in loops
    ]
    (folder / "index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _picture(loop: SeedLoop) -> bytes:
    """The PNG of a loop, encoded as a circle, so that the picture too repeats without a seam."""
    codec = SpectrogramCodec()
    wave = normalize_loudness(torch.from_numpy(loop.audio)[None], codec.params.sample_rate)
    texts = {
        "Title": _title(loop),
        "BPM": f"{loop.bpm:g}",
        "Bars": str(loop.bars),
        "Beats per bar": str(_BEATS_PER_BAR),
    }
    return write_png(codec.encode(wave, loop=True).image(), None, **texts)


def _title(loop: SeedLoop) -> str:
    return loop.caption.capitalize()


if __name__ == "__main__":
    write_seed_images(Path(str(files("riffusion.seeds").joinpath("index.json"))).parent)
