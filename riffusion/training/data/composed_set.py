"""The composed data set: numbered pieces that follow from a seed, rendered into shards of spectrogram pictures on disk.

Only pictures are stored. The pieces and their captions are composed again from the seed whenever they are needed.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from riffusion.training.data.array_files import save_array, saved_array
from riffusion.training.data.clip_pictures import FRAMES, picture_of
from riffusion.training.data.composer import compose
from riffusion.training.data.piece import Piece
from riffusion.training.data.soundfont import Synth

Split = Literal["train", "held-out"]
SHARD = 128  # clips in a file
CLIP_SECONDS = 5.13  # a little over 512 frames, so that the last one is whole


@dataclass(frozen=True)
class ComposedSet:
    """The pieces of one split. Splits and seeds share no piece."""

    folder: Path
    """Holds the shards of all splits and seeds."""
    split: Split
    count: int
    """Pieces in this split."""
    seed: int = 0

    def piece(self, index: int) -> Piece:
        """The piece of this number; its notes depend on seed, split and number alone."""
        return compose(self._rng(index, "piece"))

    def caption_rng(self, index: int, wording: int = 0) -> Random:
        """The random generator for one of a piece's captions."""
        return self._rng(index, f"caption {wording}")

    def _rng(self, index: int, purpose: str) -> Random:
        return Random(f"{self.seed}/{self.split}/{index}/{purpose}")

    def shard_path(self, shard: int) -> Path:
        """The file with the pictures [SHARD, 512, 512] of the pieces from `shard * SHARD` on."""
        return self.folder / f"{self.split}-{self.seed}" / f"{shard:04d}.npy"

    @property
    def shards(self) -> int:
        """The number of files."""
        return -(-self.count // SHARD)

    def render(self, processes: int) -> None:
        """Renders the shards that aren't on disk yet, in parallel. A stopped rendering resumes at the last whole shard.

        Raises:
            ToolMissing: FluidSynth or the soundfont isn't installed.
        """
        missing = [shard for shard in range(self.shards) if saved_array(self.shard_path(shard)) is None]
        with (
            tqdm(total=self.count, initial=(self.shards - len(missing)) * SHARD, unit="clip", desc=self.split) as bar,
            # FluidSynth uses OpenMP, as torch does: a fork of a process in which either has run hangs.
            ProcessPoolExecutor(processes, get_context("spawn")) as pool,
        ):
            for done in as_completed([pool.submit(self._render_shard, shard) for shard in missing]):
                bar.update(done.result())

    def _render_shard(self, shard: int) -> int:
        path = self.shard_path(shard)
        synth = Synth()
        indices = range(shard * SHARD, min((shard + 1) * SHARD, self.count))
        pictures = np.stack([picture_of(synth.render(self.piece(index), CLIP_SECONDS)) for index in indices])
        save_array(path, pictures)
        return len(pictures)

    def pictures(self) -> Iterator[npt.NDArray[np.uint8]]:
        """The rendered pictures [512, 512] in order, with one shard in memory at a time."""
        for shard in range(self.shards):
            pictures: npt.NDArray[np.uint8] = np.load(self.shard_path(shard))
            assert pictures.shape[1:] == (FRAMES, FRAMES)  # noqa: S101 - this module wrote it
            yield from pictures
