"""The options of trainings of a checkpoint: those that all have, and those of a fine-tuning."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from riffusion.errors import SetupError

Method = Literal["lora", "full"]
OptimizerName = Literal["adamw", "adamw-8bit"]
Shape = Mapping[str, str | int | float | bool | None]
"""What a training's weights and its optimizer depend on, by the option that sets it."""
_RATES: Mapping[Method, float] = {"lora": 1e-4, "full": 1e-5}


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What to train and for how long. A run with the same output folder resumes at its last checkpoint."""

    checkpoint: str
    """A folder, or a hub id."""
    data: Path
    output: Path
    """The folder of results, samples and checkpoints."""
    revision: str | None = None
    """The commit, for a hub id."""
    method: Method = "lora"
    rank: int = 16
    """Of the LoRA matrices."""
    steps: int = 2000
    batch: int = 4
    """Rows per batch and process."""
    accumulation: int = 1
    """Batches per step."""
    optimizer: OptimizerName = "adamw"
    rate: float | None = None
    """Peak learning rate; None is 1e-4 for a LoRA and 1e-5 for all weights."""
    warmup: int = 100
    """Steps over which the rate rises, at most half of all; 0 for none."""
    mixed_precision: Literal["no", "fp16", "bf16"] = "no"
    gradient_checkpointing: bool = False
    """Whether activations are computed again in the backward pass: less memory, more time."""
    checkpoint_every: int = 500
    sample_every: int = 500
    prompts: tuple[str, ...] = ()
    """To sample with; by default, captions of the data."""
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate: linear warm-up, times a half cosine to 0."""
        peak = _RATES[self.method] if self.rate is None else self.rate
        rising = min(1.0, (step + 1) / max(1, min(self.warmup, self.steps // 2)))
        return peak * (rising * (1 + math.cos(math.pi * min(1.0, step / self.steps))) / 2)

    @property
    def shape(self) -> Shape:
        """What has to be the same again to resume; everything else may change."""
        return {
            "--method": self.method,
            "--rank": self.rank if self.method == "lora" else None,
            "--optimizer": self.optimizer,
            "--mixed-precision": self.mixed_precision,
        }


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions(TrainingOptions):
    """Options of a fine-tuning on `data`, a folder of audio.

    Raises:
        SetupError: two of the options exclude each other.
    """

    train_text_encoder: bool = False
    """Whether the text encoder is trained beside the UNet, by the same method."""
    caption_dropout: float = 0.1
    """Share of the captions that are replaced by the empty one."""
    min_snr_gamma: float | None = None
    """Limits the weight of timesteps with little noise; 5 is usual. None weighs all alike."""
    held_out: float = 0.1
    """Share of the tracks that are kept for testing."""
    on_beats: bool = True
    """Whether clips begin on beats."""
    sample_steps: int = 30
    single_file: bool = False
    """Whether all weights are also written into one file with the names of the original Stable Diffusion."""

    @property
    def shape(self) -> Shape:
        """What has to be the same again to resume."""
        return {**super().shape, "--train-text-encoder": self.train_text_encoder}

    def __post_init__(self) -> None:
        if self.single_file and self.method == "lora":
            raise SetupError(
                "One file of all weights is the result of a full fine-tuning: add --method full, or leave out "
                "--single-file. A LoRA always has a file for other programs beside that of diffusers."
            )
