"""The sounds of clips as WAV files: rendered, through codec, through codec and autoencoder, and generated.

Files are named after the digest of all that they follow from, so that another model's clips join those that are there.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import torch
import worker_clips
from diffusers import StableDiffusionPipeline

from outside.clips import Clip
from riffusion.generate import Generator, NoControl
from riffusion.spectrogram.canvas import Canvas, Grey
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.training.data.clip_pictures import SAMPLE_RATE, picture_of
from riffusion.training.data.composed_set import CLIP_SECONDS
from riffusion.training.data.soundfont import Synth
from riffusion.training.data.whole_file import whole_file
from riffusion.training.evaluation.sampler import GUIDANCE, STEPS, sample
from riffusion.training.models.vae import decode, encode

Samples = npt.NDArray[np.float32]
COLUMNS = ("real", "codec", "vae", "generated")
_FIRST_SEED = 3_000_000
_PEAK = 0.9
_BATCH = 4  # clips at a time
_SEED_ROOM = 1_000_000


class Sounds:
    """Makes the missing sounds of clips, in one process."""

    def __init__(self, folder: Path, model: Path, quality: str | None = None) -> None:
        """
        Args:
            folder: holds a subfolder for each column.
            model: of the autoencoder and of the generated clips.
            quality: of the generated clips, as a worker makes them; None is 20 steps of diffusers' own pipeline.
        """
        self._folder, self._model, self._quality = folder, model, quality

    @cached_property
    def _pipeline(self) -> StableDiffusionPipeline:
        pipeline = StableDiffusionPipeline.from_pretrained(self._model, torch_dtype=torch.float32)
        for part in (pipeline.unet, pipeline.vae):
            part.to(memory_format=torch.channels_last)
        return pipeline

    @cached_property
    def _generator(self) -> Generator:
        return worker_clips.generator(self._model)

    @cached_property
    def _synth(self) -> Synth:
        return Synth()

    @cached_property
    def _vae_digest(self) -> str:
        return _digest(*_files(self._model / "vae"))

    @cached_property
    def _model_digest(self) -> str:
        return _digest(*_files(self._model))

    def path(self, column: str, clip: Clip) -> Path:
        """The WAV file of a clip; it may not exist yet."""
        piece = repr(clip.piece)
        follows_from: dict[str, tuple[object, ...]] = {
            "real": (piece,),
            "codec": (piece,),
            "vae": (piece, self._vae_digest),
            "generated": (clip.caption, seed_of(clip), self._model_digest, self._guidance, self._quality or STEPS),
        }
        return self._folder / column / f"{_digest(*follows_from[column])[:24]}.wav"

    @cached_property
    def _guidance(self) -> float:
        """The checkpoint's own guidance scale."""
        defaults = self._model / "defaults.json"
        known = json.loads(defaults.read_text()) if defaults.exists() else {}
        return float(known.get("guidance", GUIDANCE))

    def make(self, column: str, clips: Sequence[Clip]) -> None:
        """Writes those sounds of a column that aren't on disk yet."""
        torch.set_num_threads(1)
        missing = [clip for clip in clips if not self.path(column, clip).exists()]
        for first in range(0, len(missing), _BATCH):
            batch = missing[first : first + _BATCH]
            for clip, samples in zip(batch, self._samples(column, batch), strict=True):
                _write(self.path(column, clip), samples)

    @torch.no_grad()
    def _samples(self, column: str, clips: Sequence[Clip]) -> list[Samples]:
        """Mono samples [T] of each clip."""
        if column == "generated":
            captions, seeds = [clip.caption for clip in clips], [seed_of(clip) for clip in clips]
            if self._quality:
                return [_sound(self._painted(*each)) for each in zip(captions, seeds, strict=True)]
            made = sample(self._pipeline, captions, seeds, batch=_BATCH, guidance_scale=self._guidance)
            return [_sound(picture) for picture in made]
        rendered = [self._synth.render(clip.piece, CLIP_SECONDS) for clip in clips]
        if column == "real":
            return rendered
        pictures = np.stack([picture_of(samples) for samples in rendered])
        if column == "vae":
            pictures = decode(self._pipeline.vae, encode(self._pipeline.vae, pictures))
        return [_sound(picture) for picture in pictures]

    def _painted(self, caption: str, seed: int) -> Grey:
        asked = worker_clips.request(caption, seed, quality=self._quality, format="wav")
        return worker_clips.picture_of(self._generator.run(asked, {}, NoControl()))


def seed_of(clip: Clip) -> int:
    """The noise's seed: fixed by the caption, and no seed that training or other benches use."""
    return _FIRST_SEED + int(hashlib.sha256(clip.caption.encode()).hexdigest(), 16) % _SEED_ROOM


def make_all(sounds: Sounds, column: str, clips: Sequence[Clip], processes: int) -> list[Path]:
    """The WAV files of a column's clips, made where they are missing."""
    missing = [clip for clip in clips if not sounds.path(column, clip).exists()]
    shares = [missing[n::processes] for n in range(processes)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(partial(sounds.make, column), filter(None, shares)))
    return [sounds.path(column, clip) for clip in clips]


def _sound(picture: npt.NDArray[np.uint8]) -> Samples:
    """Mono samples [T] of grey levels [512, 512]."""
    samples: Samples = SpectrogramCodec().decode(Canvas.blank(picture))[0].numpy()
    return samples


def at_one_peak(samples: Samples) -> Samples:
    """Scaled to the peak that all sounds have, since judges may mind the level."""
    scaled: Samples = samples * (_PEAK / max(float(np.abs(samples).max()), 1e-6))
    return scaled


def _write(path: Path, samples: Samples) -> None:
    with whole_file(path) as file:
        soundfile.write(file, at_one_peak(samples), SAMPLE_RATE, format="WAV", subtype="PCM_16")


def _files(folder: Path) -> list[bytes]:
    """The weights and settings in a folder; not its card and pictures."""
    kinds = (".safetensors", ".json", ".txt")
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix in kinds]


def _digest(*parts: object) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode()
        hashed.update(hashlib.sha256(content).digest())
    return hashed.hexdigest()
