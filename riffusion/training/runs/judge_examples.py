"""What the judge is trained and tested on: renderings, what the autoencoder makes of them, and faulty ones of both."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL

from riffusion.generate.generator import BUNDLED_FOLDER
from riffusion.training.data.clip_pictures import picture_of
from riffusion.training.data.composed_set import CLIP_SECONDS, SHARD, ComposedSet
from riffusion.training.data.music import INSTRUMENTS
from riffusion.training.data.piece import Piece
from riffusion.training.data.soundfont import Synth
from riffusion.training.evaluation.counterexamples import FAULTS, counterexample, difference
from riffusion.training.evaluation.judge import IGNORED, Classes
from riffusion.training.evaluation.judge_features import features, loudness_of
from riffusion.training.models.vae import decode, encode

Floats = npt.NDArray[np.float32]
Example = tuple[Floats, list[int]]
"""Loudness [512, 512] and class indices [3]."""
_CLASSES = Classes()
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_UNHEARD = (-1.0, -0.4)  # strengths of faults that still count as right
_TOLERATED, _REJECTED = 1, 2  # examples of each lead with faults that aren't heard, and with such that are
_LAYERED = 3  # further examples of each solo: with a bass, drums and chords of other clips
_LEAST_DIFFERENCE = 0.12
_THROUGH_AUTOENCODER = 0.3  # share of the clips; faults are put on these, too
_THROUGH_AFTERWARDS = 0.05  # share of the counterexamples that pass through the autoencoder after the fault
_TWINS = 0.1  # share of the clips that are rendered with a wrong instrument, too, which lends its upper partials
_LATENT_NOISE = 0.1  # at most, in standard deviations of the latents: no decoder hears it
_KEEPS_TIME = ("inharmonic", "drifting", "bent", "hazy")  # faults after which the tempo is still known


@functools.cache
def _autoencoder() -> AutoencoderKL:
    torch.set_num_threads(1)
    vae = AutoencoderKL.from_pretrained(BUNDLED_FOLDER / "vae").eval()
    return vae.to(memory_format=torch.channels_last)


@functools.cache
def _synth() -> Synth:
    return Synth()


def through_autoencoder(loudness: Floats, rng: np.random.Generator) -> Floats:
    """Loudness [512, 512] after the bundled autoencoder, with a little noise on the latents."""
    vae = _autoencoder()
    latents = encode(vae, np.round(255 * (1 - loudness[None, ::-1])).astype(np.uint8))
    noise = rng.uniform(0, _LATENT_NOISE) * rng.standard_normal(latents.shape)
    return loudness_of(decode(vae, latents + torch.from_numpy(noise).float())[0])


def with_wrong_lead(piece: Piece, rng: np.random.Generator) -> Floats:
    """Loudness [512, 512] of the piece with a lead of another family."""
    assert piece.lead  # noqa: S101 - the caller's clips have leads
    strangers = [each for each in INSTRUMENTS if each.family != piece.lead.family]
    lead = strangers[rng.integers(len(strangers))]
    parts = (replace(piece.parts[0], program=lead.program), *piece.parts[1:])
    return loudness_of(picture_of(_synth().render(replace(piece, parts=parts), CLIP_SECONDS)))


@dataclass(frozen=True)
class _Shard:
    """The pieces of a shard and their loudness."""

    pieces: Sequence[Piece]
    plain: Sequence[Floats]

    @classmethod
    def load(cls, clips: ComposedSet, number: int) -> "_Shard":
        pictures = np.load(clips.shard_path(number))
        pieces = [clips.piece(number * SHARD + n) for n in range(len(pictures))]
        return cls(pieces, [loudness_of(each) for each in pictures])

    def other(self, n: int, rng: np.random.Generator) -> int:
        """A clip of the same kind whose lead is of another family; itself where there is none."""
        piece = self.pieces[n]
        family = piece.lead and piece.lead.family
        others = [
            m
            for m, each in enumerate(self.pieces)
            if each.kind == piece.kind and each.lead and each.lead.family != family
        ]
        return int(rng.choice(others)) if others else n


def examples(clips: ComposedSet, number: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Features [N, F] and class indices [N, 3] of a shard's training examples."""
    rng = np.random.default_rng([clips.seed, number])
    shard = _Shard.load(clips, number)
    rows = [row for n in range(len(shard.pieces)) for row in _examples_of(shard, n, rng)]
    return np.stack([features(loudness) for loudness, _ in rows]), np.array([label for _, label in rows])


def _examples_of(shard: _Shard, n: int, rng: np.random.Generator) -> Iterator[Example]:
    """A clip plain and through the autoencoder; where it has a lead, with faults heard and unheard, too."""
    piece, right, bases = shard.pieces[n], _CLASSES.of(shard.pieces[n]), [shard.plain[n]]
    if rng.random() < _THROUGH_AUTOENCODER:
        bases.append(through_autoencoder(shard.plain[n], rng))
    yield from ((base, right) for base in bases)
    if not piece.lead:
        return
    twin = with_wrong_lead(piece, rng) if rng.random() < _TWINS else None
    yield from _with_faults(shard, n, bases, twin, rng)
    if piece.kind == "solo":
        layered = [_layered(shard, bases[rng.integers(len(bases))], rng) for _ in range(_LAYERED)]
        yield from ((each, [IGNORED, right[1], IGNORED]) for each in layered)
        for loudness, label in _with_faults(shard, n, layered, twin, rng):
            yield loudness, [IGNORED, label[1], IGNORED]


def _with_faults(
    shard: _Shard, n: int, bases: Sequence[Floats], twin: Floats | None, rng: np.random.Generator
) -> Iterator[Example]:
    """Pictures of a clip with faults, on `bases` in turn; `twin` is the clip with a wrong instrument."""
    right = _CLASSES.of(shard.pieces[n])
    for example in range(_TOLERATED + _REJECTED):
        heard = example >= _TOLERATED
        fault = str(rng.choice(list(FAULTS)))
        base = bases[example % len(bases)]
        other = shard.plain[shard.other(n, rng)] if twin is None else twin
        strength = rng.uniform(0, 1) if heard else rng.uniform(*_UNHEARD)
        changed = counterexample(fault, base, other, strength, rng)
        if not heard:
            yield changed, right
        elif min(difference(changed, base), difference(changed, other)) >= _LEAST_DIFFERENCE:
            in_time = fault in _KEEPS_TIME or (fault == "mixed" and twin is not None)
            changed = through_autoencoder(changed, rng) if rng.random() < _THROUGH_AFTERWARDS else changed
            yield changed, _CLASSES.rejected(right, tempo_stays=in_time)


def _layered(shard: _Shard, solo: Floats, rng: np.random.Generator) -> Floats:
    """A solo with a bass, mostly drums and sometimes chords of other clips, at about the composer's levels."""
    magnitude = solo**4
    for kind, share, level in (("bass", 1.0, 0.8), ("drums", 0.8, 0.8), ("chords", 0.5, 0.3)):
        clips = [m for m, piece in enumerate(shard.pieces) if piece.kind == kind]
        if clips and rng.random() < share:
            layer = shard.plain[rng.choice(clips)] ** 4
            loudest = float(np.sqrt((magnitude**2).mean() / (layer**2).mean().clip(1e-9)))
            magnitude = magnitude + level * rng.uniform(0.7, 1.4) * min(loudest, 3.0) * layer
    layered: Floats = ((magnitude / magnitude.max().clip(1e-9)) ** 0.25).astype(np.float32)
    return layered


@dataclass(frozen=True)
class Trial:
    """A picture to test the judge with."""

    piece: Piece
    source: str
    """"plain", "through_autoencoder" or a fault."""
    strength: float
    inputs: Floats
    """Its features [F]."""


def trials(clips: ComposedSet, number: int) -> list[Trial]:
    """A shard's clips plain, through the autoencoder, and with each fault, in turn at each of `STRENGTHS`."""
    rng = np.random.default_rng([clips.seed, number])
    shard, result = _Shard.load(clips, number), []
    for n, (piece, plain) in enumerate(zip(shard.pieces, shard.plain, strict=True)):
        decoded = through_autoencoder(plain, rng)
        result += [Trial(piece, "plain", 0, features(plain)), Trial(piece, "through_autoencoder", 0, features(decoded))]
        for place, fault in enumerate(FAULTS if piece.lead else ()):
            strength = STRENGTHS[(n + place) % len(STRENGTHS)]
            base, other = (plain, decoded)[n % 2], shard.plain[shard.other(n, rng)]
            changed = counterexample(fault, base, other, strength, rng)
            if min(difference(changed, base), difference(changed, other)) >= _LEAST_DIFFERENCE:
                result.append(Trial(piece, fault, strength, features(changed)))
    return result
