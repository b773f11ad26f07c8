"""Trains the bundled model's UNet on cached latents, in several single-threaded processes that average their weights.

On a CPU, two such processes need half the time per step of one process with two threads. Each has its own Adam moments
and random numbers; every `average_every` steps the weights are averaged over all processes. Only then are checkpoints
written, one by each process, and training resumes from them exactly.
"""

import math
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from diffusers import DDPMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel

from riffusion.errors import SetupError
from riffusion.training.data.whole_file import whole_file
from riffusion.training.models.ema import WeightAverage
from riffusion.training.models.text_encoder import encode_prompt
from riffusion.training.models.unet import compiled, noise_schedule, prepared, velocity_loss
from riffusion.training.runs.metrics_log import MetricsLog

_CAPTION_DROPOUT = 0.1
_ALL_NOISE = 0.12  # share of the steps, at the end, that draw timesteps of all noise levels alike


@dataclass(frozen=True)
class TrainerOptions:
    """How long and how to train. A resumed training may have other `steps`: the learning rate follows."""

    steps: int
    batch: int = 4
    """Clips per step and process."""
    rate: float = 1e-3
    """Peak learning rate."""
    warmup: int = 200
    """Steps over which the rate rises."""
    decay: float = 0.3
    """Share of the steps, at the end, over which the rate falls to 0."""
    average_every: int = 8
    """Steps between two averages over all processes."""
    checkpoint_every: int = 400
    processes: int = 2
    bf16: bool = True
    compiled: bool = False
    """Whether the UNet is compiled first; `check_compiler` says what that needs."""
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate: linear warm-up, constant, then a half cosine to 0."""
        falling = self.steps * self.decay
        left = max(0.0, min(1.0, (self.steps - step) / max(1.0, falling)))
        return self.rate * min(1.0, (step + 1) / self.warmup) * (1 - math.cos(math.pi * left)) / 2

    def on_notes(self, step: int) -> bool:
        """Whether the training is focused on where notes stand: in all but the last steps."""
        return step < self.steps * (1 - _ALL_NOISE)


@dataclass(frozen=True)
class TrainingData:
    """Latents of clips and their captions."""

    latents: np.ndarray[Any, np.dtype[np.float16]]
    """Scaled latents [N, 4, 64, 64]."""
    captions: torch.Tensor
    """Token ids [N, wordings, 77] of each clip's captions."""
    empty: torch.Tensor
    """Token ids [77] of the empty caption."""

    def batch(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Random latents [count, 4, 64, 64] and the ids [count, 77] of one caption each, a tenth of them empty."""
        rows = torch.randint(len(self.latents), (count,), generator=generator)
        wordings = torch.randint(self.captions.shape[1], (count,), generator=generator)
        ids = self.captions[rows, wordings].long()
        dropped = torch.rand(count, generator=generator) < _CAPTION_DROPOUT
        ids[dropped] = self.empty
        return torch.from_numpy(self.latents[rows.numpy()]).float(), ids


class Trainer:
    """One process's share of the training, on the device that UNet and text encoder are on."""

    def __init__(
        self, unet: UNet2DConditionModel, encoder: CLIPTextModel, data: TrainingData, options: TrainerOptions, rank: int
    ) -> None:
        self.unet, self.encoder, self.data, self.options, self.rank = (
            prepared(unet),
            encoder.train(False),
            data,
            options,
            rank,
        )
        self.model = compiled(self.unet) if options.compiled else self.unet
        self.device = next(unet.parameters()).device
        self.schedule: DDPMScheduler = noise_schedule()
        self.optimizer = torch.optim.AdamW(unet.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01)
        self.average = WeightAverage(unet.parameters())
        self.random = torch.Generator().manual_seed(options.seed * 1000 + rank)
        self.step = 0

    def train_step(self) -> float:
        """Takes one optimizer step on a batch of this process; returns its loss."""
        latents, ids = (each.to(self.device) for each in self.data.batch(self.options.batch, self.random))
        prompt_embeds = encode_prompt(self.encoder, ids)
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate_at(self.step)
        loss = velocity_loss(
            self.model, self.schedule, latents, prompt_embeds, self.random,
            on_notes=self.options.on_notes(self.step), bf16=self.options.bf16,
        )  # fmt: skip
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

    @torch.no_grad()
    def average_weights(self) -> None:
        """Replaces the weights by their mean over all processes, and updates the moving average."""
        weights = list(self.unet.parameters())
        flat = torch.cat([weight.reshape(-1) for weight in weights])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for weight, mean in zip(weights, torch.split(flat, [weight.numel() for weight in weights]), strict=True):
            weight.copy_(mean.view_as(weight))
        self.average.update(weights, self.options.average_every)

    def save(self, folder: Path) -> None:
        """Writes this process's state; a kill leaves the old or the new one."""
        state = {
            "step": self.step,
            "unet": self.unet.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "random": self.random.get_state(),
        }
        with whole_file(folder / f"state-{self.rank}-{self.step}.pt") as file:
            torch.save(state, file)

    def load(self, path: Path) -> None:
        """Resumes from a file that `save` wrote."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        self.unet.load_state_dict(state["unet"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load_state_dict(state["average"])
        self.random.set_state(state["random"])
        self.step = state["step"]


def last_checkpoint(folder: Path, processes: int) -> int | None:
    """The newest step that every process has saved."""
    common = set.intersection(*(set(_states(folder, n)) for n in range(processes)))
    return max(common) if common else None


def check_checkpoint(folder: Path, options: TrainerOptions) -> None:
    """Checks that a training with these options can resume at its last checkpoint, if it has one.

    Raises:
        SetupError: the checkpoint is of a later step than the last one, or can't be read.
    """
    found = last_checkpoint(folder, options.processes)
    if found is None:
        return
    if found >= options.steps + options.average_every:
        raise SetupError(
            f"The UNet in {folder} has been trained for {found} steps, more than --steps {options.steps}. Give at "
            "least as many, or another --folder."
        )
    for path in (_states(folder, n)[found] for n in range(options.processes)):
        try:
            torch.load(path, weights_only=True, map_location="cpu", mmap=True)
        except Exception as error:
            raise SetupError(f"The checkpoint {path} can't be read. Delete it to train the UNet again.") from error


def _states(folder: Path, rank: int) -> dict[int, Path]:
    """The files that `Trainer.save` wrote in a process, by their steps."""
    named = ((re.fullmatch(rf"state-{rank}-([0-9]+)\.pt", path.name), path) for path in folder.glob("state-*.pt"))
    return {int(found[1]): path for found, path in named if found}


def run(trainer: Trainer, folder: Path) -> None:
    """Trains to the first average at or after the last step, or until SIGTERM; resumes from the last checkpoint."""
    options, rank = trainer.options, trainer.rank
    found = last_checkpoint(folder, options.processes)
    if found is not None:
        trainer.load(folder / f"state-{rank}-{found}.pt")
    stopping = _StopSignal()
    log = MetricsLog(folder) if rank == 0 else None
    losses: list[float] = []
    while trainer.step < options.steps or trainer.step % options.average_every:
        losses.append(trainer.train_step())
        if trainer.step % options.average_every:
            continue
        trainer.average_weights()
        stop = stopping.agreed()
        if log and trainer.step % 80 < options.average_every:
            log.write(trainer.step, loss=float(np.mean(losses)), rate=options.rate_at(trainer.step))
            losses.clear()
        if stop or trainer.step % options.checkpoint_every == 0 or trainer.step >= options.steps:
            _checkpoint(trainer, folder)
        if stop:
            break
    if log:
        log.close()


def _checkpoint(trainer: Trainer, folder: Path) -> None:
    """Saves, and deletes older states once all processes have saved."""
    trainer.save(folder)
    dist.barrier()
    for step, path in _states(folder, trainer.rank).items():
        if step != trainer.step:
            path.unlink()


class _StopSignal:
    """Whether to stop on SIGTERM, agreed on by all processes so that they stop at the same step."""

    def __init__(self) -> None:
        self._received = False
        signal.signal(signal.SIGTERM, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self._received = True

    def agreed(self) -> bool:
        """Whether any process has received SIGTERM."""
        received = torch.tensor([float(self._received)])
        dist.all_reduce(received, dist.ReduceOp.MAX)
        return bool(received.item())
