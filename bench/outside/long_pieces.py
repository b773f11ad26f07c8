"""Pieces of a minute: composed ones, and what modes make of a clip that the model painted from a caption."""

import io
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from diffusers import AutoencoderKL

from outside.clips import Clip
from riffusion.generate import Clip as Made
from riffusion.generate import Generator, NoControl
from riffusion.geometry import CLIP_COLUMNS, COLUMNS_PER_S, DEFAULT
from riffusion.requests import parse
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.training.data.composer import compose
from riffusion.training.data.music import Genre
from riffusion.training.data.soundfont import Synth
from riffusion.training.models.vae import decode, encode

Samples = npt.NDArray[np.float32]

CLIP_S = CLIP_COLUMNS / COLUMNS_PER_S
_PAINTED = {"quality": "draft", "format": "wav"}
_UPLOAD = {"upload": "u" * 22}
_FIRST_SEED = 4_000_000
_JOINED = 3  # clips, which show what happens without a mode


class _Long(Genre):
    """A genre whose pieces last a minute and more, at any tempo."""

    @property
    def bars(self) -> int:
        return 64


class LongPieces:
    """Makes pieces of so many clips' lengths, as mono samples [T] at 44.1 kHz."""

    def __init__(self, generator: Generator, model: Path, clips: int) -> None:
        """
        Args:
            model: the folder that the generator loaded, for the autoencoder.
            clips: that make up a piece.
        """
        self._generator, self._model, self._clips = generator, model, clips

    @cached_property
    def columns(self) -> Mapping[str, Callable[[Clip, int], Samples]]:
        """How each column's piece number `n` is made."""
        return {
            "real": self._real,
            "joined": self._joined,
            "extend": self._extended,
            "loop": self._looped,
            "interpolate": self._interpolated,
        }

    @cached_property
    def _synth(self) -> Synth:
        return Synth()

    @cached_property
    def _autoencoder(self) -> AutoencoderKL:
        return AutoencoderKL.from_pretrained(self._model / "vae")

    def _real(self, clip: Clip, n: int) -> Samples:
        """A long composition of the same kind, genre, lead and tempo, through codec and autoencoder."""
        piece, columns = clip.piece, self._clips * CLIP_COLUMNS
        genre = _Long(**{field.name: getattr(piece.genre, field.name) for field in fields(Genre)})
        rng = Random(f"continuity/{n}")
        composed = compose(rng, piece.kind, genre, piece.lead, piece.bpm)
        samples = self._synth.render(composed, DEFAULT.seconds(columns + 1))
        grey = SpectrogramCodec().encode(torch.from_numpy(samples[None]).clamp(-1, 1)).grey[:, :columns]
        parts = np.stack(np.split(grey, self._clips, axis=1))
        through = decode(self._autoencoder, encode(self._autoencoder, parts))
        sound: Samples = SpectrogramCodec().decode(Canvas.blank(np.concatenate(list(through), axis=1)))[0].numpy()
        return sound

    def _joined(self, clip: Clip, n: int) -> Samples:
        """Clips of one caption and several seeds, one after another."""
        return np.concatenate([_samples(self._first(clip, n + 1000 * k)) for k in range(_JOINED)])

    def _extended(self, clip: Clip, n: int) -> Samples:
        seconds = (self._clips - 1) * CLIP_S
        return _samples(self._of(self._first(clip, n), "extend", n, prompt=clip.caption, seconds=seconds))

    def _looped(self, clip: Clip, n: int) -> Samples:
        """A loop of all whole bars, repeated."""
        loop = self._of(self._first(clip, n), "loop", n, prompt=clip.caption, bpm=clip.piece.bpm)
        return np.resize(_samples(loop), round(self._clips * CLIP_S * DEFAULT.sample_rate))

    def _interpolated(self, clip: Clip, n: int) -> Samples:
        """From one seed to another."""
        ends = [{"prompt": clip.caption, "seed": _FIRST_SEED + n + shift} for shift in (0, 1000)]
        return _samples(self._made("interpolate", start=ends[0], end=ends[1], clips=self._clips))

    def _first(self, clip: Clip, n: int) -> Made:
        return self._made("text-to-audio", prompt=clip.caption, seed=_FIRST_SEED + n)

    def _of(self, made: Made, mode: str, n: int, **asked: Any) -> Made:
        return self._made(mode, {"init": made.png}, init=_UPLOAD, seed=_FIRST_SEED + n, **asked)

    def _made(self, mode: str, inputs: Mapping[str, bytes] | None = None, **asked: Any) -> Made:
        return self._generator.run(parse({"mode": mode, **_PAINTED, **asked}), inputs or {}, NoControl())


def _samples(made: Made) -> Samples:
    samples: Samples = soundfile.read(io.BytesIO(made.audio), dtype="float32")[0]
    return samples
