"""The cost that requests are charged against the processor time that they take, for short and long ones of every mode.

    python bench/costs.py [--rounds 3] [--longest 60001] [--only TEXT]

Each request runs alone through the generator with the bundled model, on one thread of the CPU; ffmpeg's processor time
counts too. Rounds are interleaved and their medians printed, with the cost, and with charged over taken: both as
multiples of a standard text-to-audio clip's, so that 2 is charged twice what it takes and 0.5 half. The last line is
JSON: the worst overcharge and undercharge, and the seconds that a unit of cost takes.
"""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")  # before torch and numba read them

import numpy as np
import torch
from processor_time import processor_s

from riffusion.audio.encode import encode_audio
from riffusion.generate import Generator, NoControl
from riffusion.geometry import DEFAULT
from riffusion.requests import (
    CLIP_SIZE,
    MODES,
    AnyRequest,
    InputSize,
    Kind,
    Sizes,
    complete,
    cost,
    parse,
    reference_fields,
    references,
    with_seed,
)
from riffusion.requests.modes import BY_NAME
from riffusion.seeds import list_seeds, open_seed
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec

INPUT = {"upload": "u" * 22}
SECONDS = {"mask": {"seconds": [1, 2]}}
STANDARD = "text-to-audio"


@dataclass
class Case:
    """A request, and the processor time that it took."""

    mode: str
    fields: dict[str, Any] = field(default_factory=dict)
    """In which it differs from the mode's example."""
    size: InputSize = CLIP_SIZE
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name in a row of the table."""
        parts = [f"{key} {value}" for key, value in self.fields.items() if isinstance(value, int | float | str)]
        if INPUT in self.fields.values():
            what = "stereo, " if self.size.channels > 1 else ""
            parts.insert(0, f"of {what}{self.size.columns} columns")
        return ", ".join([self.mode, *parts])

    @property
    def request(self) -> AnyRequest:
        """As a worker gets it."""
        return with_seed(parse({"mode": self.mode, **BY_NAME[self.mode].EXAMPLE, **self.fields}))

    @property
    def sizes(self) -> Sizes:
        """Of its inputs."""
        return dict.fromkeys(references(self.request), self.size)


def cases() -> Iterator[Case]:
    """Every mode's example, and requests from the cheapest to what takes a minute."""
    yield from (Case(mode.MODE) for mode in MODES)
    for fields in (
        {"quality": "fast"}, {"quality": "best"}, {"guidance": 1}, {"format": "wav"}, {"format": "ogg"},
        {"width": 128}, {"width": 1024}, {"width": 2048}, {"steps": 2}, {"steps": 100}, {"scheduler": "euler-a"},
    ):  # fmt: skip
        yield Case(STANDARD, fields)
    for columns in (128, 512, 2048):
        yield Case("riff", {"init": INPUT}, InputSize(columns))
        yield Case("inpaint", {"init": INPUT, **SECONDS}, InputSize(columns))
    yield Case("riff", {"init": INPUT, "denoising": 0.1})
    yield Case("riff", {"init": INPUT, "guidance": 1, "quality": "fast"})
    yield Case("inpaint", {"init": INPUT, "denoising": 0.5, **SECONDS}, InputSize(512, channels=2))
    yield Case("interpolate", {"alpha": None, "clips": 4})
    yield Case("interpolate", {"alpha": None, "clips": 2, "init": INPUT}, InputSize(1024))
    for columns in (100, 512, 513, 3000):  # one column more is a window more
        yield Case("audio-to-audio", {"clip": INPUT}, InputSize(columns))
    yield Case("audio-to-audio", {"clip": INPUT, "denoising": 0.2, "quality": "fast"}, InputSize(3000, channels=2))
    for columns, seconds in ((100, 5), (512, 1), (512, 10), (6000, 5)):
        yield Case("extend", {"init": INPUT, "seconds": seconds}, InputSize(columns))
    for columns in (512, 6000):
        yield Case("loop", {"init": INPUT, "bars": None}, InputSize(columns))
    yield Case("loop", {"init": INPUT, "bars": 1, "bpm": 120}, InputSize(6000))
    for quality in ("fast", "standard", "best"):
        for columns in (512, 3000):
            yield Case("image-to-audio", {"image": INPUT, "quality": quality}, InputSize(columns))
            yield Case("audio-to-image", {"clip": INPUT, "quality": quality}, InputSize(columns))
    for audio_format in ("wav", "flac", "ogg"):
        yield Case("image-to-audio", {"image": INPUT, "format": audio_format}, InputSize(2048))
    yield Case("image-to-audio", {"image": INPUT}, InputSize(2048, channels=2))
    yield Case("audio-to-image", {"clip": INPUT}, InputSize(2048, channels=2))
    yield Case("audio-to-image", {"clip": INPUT}, InputSize(60_001))


@cache
def picture(size: InputSize) -> bytes:
    """A PNG of this size: a seed image, repeated."""
    canvas = Canvas.open(open_seed(list_seeds()[0].name))
    pixels = canvas.pixels[:, :, np.arange(size.columns) % canvas.width]
    return Canvas(np.repeat(pixels, size.channels, axis=0), canvas.params).png()


@cache
def sound(size: InputSize) -> bytes:
    """A FLAC file of this size: the sound of a seed image, repeated."""
    wave = SpectrogramCodec().decode(Canvas.open(picture(CLIP_SIZE)), loop=True)
    samples = DEFAULT.samples(size.columns)
    return encode_audio(
        wave[:, torch.arange(samples) % wave.shape[1]].repeat(size.channels, 1), DEFAULT.sample_rate, "flac"
    )


def run(case: Case, generator: Generator) -> None:
    """Makes the clip once."""
    request = case.request
    kinds = reference_fields(type(request))
    inputs = {name: (sound if kinds[name] is Kind.SOUND else picture)(case.size) for name in references(request)}
    began = processor_s()
    generator.run(request, inputs, NoControl())
    case.seconds.append(processor_s() - began)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--longest", type=int, default=60_001, help="columns; cases of more are left out")
    parser.add_argument("--only", default="", help="only cases whose names hold this text")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [case for case in cases() if case.name == STANDARD or arguments.only in case.name]
    chosen = [case for case in chosen if case.size.columns <= arguments.longest]
    standard = next(case for case in chosen if case.name == STANDARD)
    with Generator.load(Settings(device="cpu", checkpoint="bundled")) as generator:
        card = generator.card
        run(standard, generator)  # the first clip pays for what is loaded late
        standard.seconds.clear()
        for _ in range(arguments.rounds):
            for case in chosen:
                run(case, generator)
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.machine()}  one thread of the CPU  bundled")
    unit = statistics.median(standard.seconds) / cost(complete(standard.request, card))
    print("| request | processor s | cost | charged / taken |\n|---|---|---|---|")
    ratios = {}
    for case in chosen:
        taken = statistics.median(case.seconds)
        charged = cost(complete(case.request, card), case.sizes)
        ratios[case.name] = charged * unit / taken
        print(f"| {case.name} | {taken:.2f} | {charged:.1f} | {ratios[case.name]:.2f} |")
    over, under = max(ratios, key=ratios.__getitem__), min(ratios, key=ratios.__getitem__)
    figures = {"overcharged": ratios[over], "undercharged": ratios[under], "unit_s": unit}
    print(json.dumps({name: round(value, 3) for name, value in figures.items()} | {"most": over, "least": under}))


if __name__ == "__main__":
    main()
