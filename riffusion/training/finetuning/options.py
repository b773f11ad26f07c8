"""The options of a fine-tuning."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from riffusion.errors import SetupError

Method = Literal["lora", "full"]
OptimizerName = Literal["adamw", "adamw-8bit"]


@dataclass(frozen=True)
class FinetuneOptions:
    """What to train, on what, and for how long. A run with the same output folder resumes at its last checkpoint.

    Raises:
        SetupError: two of the options exclude each other.
    """

    checkpoint: str
    """A folder, or a hub id."""
    data: Path
    """The folder of audio."""
    output: Path
    """The folder of results, samples and checkpoints."""
    revision: str | None = None
    """The commit, for a hub id."""
    method: Method = "lora"
    train_text_encoder: bool = False
    """Whether the text encoder is trained beside the UNet, by the same method."""
    rank: int = 16
    """Of the LoRA matrices."""
    steps: int = 2000
    batch: int = 4
    """Clips per batch and process."""
    accumulation: int = 1
    """Batches per step."""
    optimizer: OptimizerName = "adamw"
    rate: float = 1e-4
    """Peak learning rate."""
    warmup: int = 100
    """Steps over which the rate rises; 0 for none."""
    caption_dropout: float = 0.1
    """Share of the captions that are replaced by the empty one."""
    min_snr_gamma: float | None = None
    """Limits the weight of timesteps with little noise; 5 is usual. None weighs all alike."""
    mixed_precision: Literal["no", "fp16", "bf16"] = "no"
    gradient_checkpointing: bool = False
    """Whether activations are computed again in the backward pass: less memory, more time."""
    held_out: float = 0.1
    """Share of the tracks that are kept for testing."""
    on_beats: bool = True
    """Whether clips begin on beats."""
    checkpoint_every: int = 500
    sample_every: int = 500
    prompts: tuple[str, ...] = ()
    """To sample with; by default, captions of held-out clips."""
    sample_steps: int = 30
    single_file: bool = False
    """Whether all weights are also written into one file with the names of the original Stable Diffusion."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.single_file and self.method == "lora":
            raise SetupError(
                "One file of all weights is the result of a full fine-tuning: add --method full, or leave out "
                "--single-file. A LoRA always has a file for other programs beside that of diffusers."
            )

    def rate_factor(self, step: int) -> float:
        """The learning rate as a share of `rate`: linear warm-up, then a half cosine to 0."""
        rising = min(1.0, (step + 1) / max(1, self.warmup))
        return rising * (1 + math.cos(math.pi * min(1.0, step / self.steps))) / 2
