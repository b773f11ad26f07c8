"""What a distillation starts its trajectories from: captions, and clips where the data has them.

Without clips, the teacher's own take their place.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.errors import SetupError, UnreadableMedia
from riffusion.training.data.array_cache import ArrayCache
from riffusion.training.data.array_files import saved_array
from riffusion.training.data.audio_folder import prepare
from riffusion.training.data.captioned_latents import cached_latents, captioned
from riffusion.training.data.captions import write_caption
from riffusion.training.data.composed_set import ComposedSet

_LATENTS = re.compile(r"latents-([0-9]+)")  # in the working folder of a training of the bundled model, with its seed


@dataclass(frozen=True)
class DistillationData:
    """Captions and, in the same order, the latents of their clips, or none."""

    captions: Sequence[Sequence[str]]
    """The wordings of each caption."""
    latents: Sequence[Tensor] | None
    """Scaled latents [4, H, W] float16 or float32 of each."""

    @property
    def digest(self) -> str:
        """A digest of the captions and of the latents."""
        found = hashlib.sha256(repr([tuple(wordings) for wordings in self.captions]).encode())
        for each in self.latents or ():
            found.update(each.contiguous().numpy().tobytes())
        return found.hexdigest()


def read_data(data: Path, cache: Path, checkpoint: Checkpoint) -> DistillationData:
    """The captions of a file, a line each; of a `train tiny` folder with its latents; or of a folder of audio.

    Args:
        cache: the folder for the clips that are cut from audio.

    Raises:
        UnreadableMedia: there are no captions, or there is no audio from which clips with captions can be cut.
    """
    if data.is_file():
        return captions_of(data)
    if data.is_dir() and _encoded(data):
        return composed(data)
    arrays = ArrayCache(cache)
    tracks = prepare(data, arrays, 0.0, on_beats=True)
    clips = captioned(tracks, cached_latents(checkpoint, tracks, arrays), held_out=False)
    return DistillationData(clips.captions, list(clips.latents))


def captions_of(file: Path) -> DistillationData:
    """A caption a line.

    Raises:
        UnreadableMedia: there are none.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableMedia(f"The captions in {file} aren't UTF-8: save the file as UTF-8.") from None
    captions = [line.strip() for line in text.splitlines() if line.strip()]
    if not captions:
        raise UnreadableMedia(f"There are no captions in {file}: write one a line.")
    return DistillationData([(caption,) for caption in captions], None)


def composed(folder: Path) -> DistillationData:
    """The latents that a training of the bundled model has encoded, and a caption of each piece.

    Raises:
        SetupError: some are damaged.
    """
    captions: list[tuple[str]] = []
    latents: list[Tensor] = []
    for seed, encoded in _encoded(folder).items():
        clips = [torch.from_numpy(np.array(each)) for shard in _shards(encoded) for each in shard]
        pieces = ComposedSet(folder, "train", len(clips), seed)
        captions += [(write_caption(pieces.piece(n), pieces.caption_rng(n))[0],) for n in range(len(clips))]
        latents += clips
    return DistillationData(captions, latents)


def _encoded(folder: Path) -> dict[int, Path]:
    """The folders of latents, by the seeds of their clips."""
    named = ((_LATENTS.fullmatch(path.name), path) for path in folder.iterdir() if path.is_dir())
    return dict(sorted((int(found[1]), path) for found, path in named if found))


def _shards(folder: Path) -> Iterator[npt.NDArray[np.float16]]:
    for path in sorted(folder.glob("*.npy")):
        if (shard := saved_array(path)) is None:
            raise SetupError(
                f"The latents {path} are damaged: `riffusion train tiny` with the same --folder makes them again."
            )
        yield shard
