"""The sizes, working folder and files of a training of the bundled model."""

from dataclasses import dataclass
from pathlib import Path

from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.runs.trainer import TrainerOptions

DECODED = "vae-decoder"
"""The part with the further trained decoder, which is exported; the part "vae" is the one that encoded the latents."""


@dataclass(frozen=True)
class TinyRun:
    """A training of the bundled model."""

    folder: Path
    """The working folder."""
    trainer: TrainerOptions
    """Of the UNet's training; its `processes` are used for all stages."""
    clips: int = 9216
    held_out_clips: int = 1024
    text_steps: int = 1500
    extension_steps: int = 2600
    """Of the text encoder's training on further words."""
    autoencoder_steps: int = 1800
    decoder_steps: tuple[int, int] = (1000, 900)
    """Without and with a discriminator."""
    small_decoder_steps: int = 1350
    """Without one."""
    seed: int = 0
    start: Path | None = None
    """A model folder, as `export` writes it, whose weights to start from; None starts from random weights."""

    @property
    def train_set(self) -> ComposedSet:
        """The clips to train on."""
        return ComposedSet(self.folder, "train", self.clips, self.seed)

    @property
    def held_out_set(self) -> ComposedSet:
        """The clips that the judge is tested on and whose captions clips are generated from."""
        return ComposedSet(self.folder, "held-out", self.held_out_clips, self.seed)

    def part(self, name: str) -> Path:
        """The folder of a trained part, as in a Stable Diffusion model folder."""
        return self.folder / "parts" / name

    def latents_path(self, shard: int) -> Path:
        """The file with the scaled latents [SHARD, 4, 64, 64] float16 of a shard of the training clips."""
        return self.folder / f"latents-{self.seed}" / f"{shard:04d}.npy"


def tiny_run(
    folder: Path,
    *,
    clips: int,
    processes: int,
    seed: int,
    steps: int = 1,
    batch: int = 8,
    compiled: bool = False,
    start: Path | None = None,
) -> TinyRun:
    """A training of the usual sizes."""
    trainer = TrainerOptions(steps, batch, processes=processes, compiled=compiled, seed=seed)
    return TinyRun(folder, trainer, clips, seed=seed, start=start)
