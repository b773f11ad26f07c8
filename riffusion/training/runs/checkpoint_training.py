"""A training of a checkpoint's weights, a LoRA or all of them: its loop, checkpoints, averaged weights and result.

accelerate provides several processes or GPUs, mixed precision and checkpoints on disk; peft provides LoRA. The random
numbers of a step follow from the seed, the step and the process alone, so a resumed training gives the same result as
one that was never stopped.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor, nn

from riffusion.diffusion.checkpoint import load_checkpoint
from riffusion.diffusion.lora import Part
from riffusion.errors import SetupError
from riffusion.training.data.whole_file import publish_folder
from riffusion.training.finetuning.lora_files import save_lora
from riffusion.training.finetuning.loss import objective_of
from riffusion.training.finetuning.optimizers import optimizer_class
from riffusion.training.finetuning.options import Shape, TrainingOptions
from riffusion.training.finetuning.trained_parts import Layers, trained_parts, trained_weights
from riffusion.training.models.ema import WeightAverage
from riffusion.training.models.weights_digest import checkpoint_digest
from riffusion.training.runs.accelerator import new_accelerator
from riffusion.training.runs.checkpoints import Checkpoints
from riffusion.training.runs.export import assemble, save_model
from riffusion.training.runs.metrics_log import MetricsLog


class CheckpointTraining(ABC):
    """One process of a training."""

    def __init__(self, options: TrainingOptions, layers: Layers) -> None:
        """
        Args:
            layers: of each part to train, those that get LoRA.

        Raises:
            CheckpointUnavailable: the model can't be loaded, or predicts neither noise nor velocity.
            SetupError: the output folder has checkpoints of another training, or of later steps; or the device doesn't
                have the precision.
            ToolMissing: the optimizer isn't installed.
        """
        new_optimizer = optimizer_class(options.optimizer)
        self.accelerator = new_accelerator(options)
        self.training_options = options
        self.device = self.accelerator.device
        self.checkpoint = load_checkpoint(options.checkpoint, options.revision, self.device, torch.float32)
        self.schedule = objective_of(self.checkpoint, None).schedule
        self.checkpoint_digest = checkpoint_digest(self.checkpoint)
        self.checkpoints = Checkpoints(options.output, self.shape, options.steps)
        self.prepare()
        self.parts = trained_parts(self.checkpoint, options, layers)
        self.trained = trained_weights(self.parts)
        optimizer = new_optimizer(self.trained, lr=options.rate_at(0), weight_decay=0.01)
        *models, self.optimizer = self.accelerator.prepare(*self.parts.values(), optimizer)
        self.models: Mapping[Part, nn.Module] = dict(zip(self.parts, models, strict=True))
        """The parts in training, to be called in a step by all processes together."""
        self.average = WeightAverage(self.trained)
        self.progress = _Progress()
        self.accelerator.register_for_checkpointing(self.average, self.progress)

    @property
    def shape(self) -> Shape:
        """What has to be the same again to resume."""
        return {**self.training_options.shape, "the digest of --checkpoint": self.checkpoint_digest}

    @abstractmethod
    def prepare(self) -> None:
        """Prepares the data, before any weights are changed or layers added. Every process does."""

    @abstractmethod
    def loss(self, random: torch.Generator) -> Tensor:
        """The loss of one random batch."""

    @abstractmethod
    def evaluate(self, samples: Path) -> dict[str, float]:
        """Writes samples of the averaged weights into a folder; returns measures of them, to be logged."""

    def run(self) -> Path:
        """Trains from the last checkpoint, if there is one, and returns the folder of the result.

        Raises:
            SetupError: the checkpoint can't be read, or the loss isn't a number.
            StorageUnavailable: a checkpoint can't be written.
        """
        self.checkpoints.load(self.accelerator)
        self.accelerator.step = 0  # its count of batches: resumed steps begin with their first, whatever --accumulation
        options = self.training_options
        with MetricsLog(options.output) as log:
            if self.progress.step and not self._samples.exists():
                self._evaluate(log)  # which a kill has interrupted
            while self.progress.step < options.steps:
                rate = options.rate_at(self.progress.step)
                loss = self._step(rate)
                if self.accelerator.is_main_process:
                    log.write(self.progress.step, loss=loss, rate=rate)
                self._evaluate(log)
        return self._save()

    @property
    def _samples(self) -> Path:
        """The folder of the step's samples."""
        return self.training_options.output / "samples" / f"{self.progress.step:06d}"

    def _evaluate(self, log: MetricsLog) -> None:
        """Logs what the weights do now and writes samples, if it is time; a kill leaves no samples of the step."""
        step, options = self.progress.step, self.training_options
        due = step % options.sample_every == 0 or step == options.steps
        if not (due and self.accelerator.is_main_process):
            return
        partial = self._samples.with_suffix(".part")
        for old in (self._samples, partial):
            shutil.rmtree(old, ignore_errors=True)
        partial.mkdir(parents=True)
        measures = self.evaluate(partial)
        if measures:
            log.write(step, **measures)
        publish_folder(partial, self._samples)

    def _step(self, rate: float) -> float:
        """Takes one optimizer step on `accumulation` batches; returns the mean loss."""
        losses = []
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for part in range(self.training_options.accumulation):
            with self.accelerator.accumulate(*self.models.values()):
                loss = self.loss(self._generator(self.progress.step, part))
                self.accelerator.backward(loss)
                self._check_finite(loss)
                if self.accelerator.sync_gradients:
                    norm = self.accelerator.clip_grad_norm_(self.trained, 1.0)
                    if self.accelerator.scaler is None:  # which skips the steps of its first, too large scales
                        self._check_finite(norm)
                self.optimizer.step()
                self.optimizer.zero_grad()
            losses.append(float(loss.detach()))
        self.average.update(self.trained)
        self.progress.step += 1
        options = self.training_options
        if self.progress.step % options.checkpoint_every == 0 or self.progress.step == options.steps:
            self.checkpoints.save(self.accelerator, self.progress.step)
        return float(np.mean(losses))

    def _check_finite(self, measure: Tensor) -> None:
        """Stops before the weights, and then a checkpoint, take over a loss or gradient that isn't a number."""
        if not torch.isfinite(measure):
            raise SetupError(
                f"The loss isn't a number any more at step {self.progress.step + 1}. The checkpoints are of before: "
                "resume with a lower --rate or a longer --warmup, and without --mixed-precision fp16. If it happens at "
                "the first step, the model or its data are broken."
            )

    def _generator(self, step: int, part: int) -> torch.Generator:
        """The random generator of one batch of one process, on the CPU whatever the device."""
        words = np.random.SeedSequence([self.training_options.seed, step, part, self.accelerator.process_index])
        return torch.Generator().manual_seed(int(words.generate_state(1, np.uint64)[0] >> 1))

    @contextmanager
    def inference_mode(self) -> Iterator[None]:
        """Inside the block, the parts in training are as in use, and no gradients are kept.

        They may be called by one process alone: `models` has them without what sends data between processes.
        """
        wrapped, self.models = self.models, self.parts
        for module in self.parts.values():
            module.eval()
        with torch.no_grad():
            yield
        for module in self.parts.values():
            module.train()
        self.models = wrapped

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside the block, the weights are their average, as in use; training continues with the current ones.

        Meanwhile those are in main memory.
        """
        with self.inference_mode():
            kept = [weight.detach().to("cpu", copy=True) for weight in self.trained]
            self.average.copy_to(self.trained)
            yield
            for weight, value in zip(self.trained, kept, strict=True):
                weight.copy_(value)

    def _save(self) -> Path:
        """Writes the averaged weights in the formats that a worker and other programs load."""
        lora = self.training_options.method == "lora"
        result = self.training_options.output / ("lora" if lora else "model")
        if self.accelerator.is_main_process:
            self.average.copy_to(self.trained)
            if lora:
                self.save_lora(result)
            else:
                self.save_full(result)
        self.accelerator.wait_for_everyone()
        return result

    def save_lora(self, folder: Path) -> None:
        """Writes the LoRA."""
        save_lora(self.parts, folder)

    def save_full(self, folder: Path) -> StableDiffusionPipeline:
        """Writes a whole model, and returns it."""
        parts = self.checkpoint
        pipeline = assemble(parts.unet, parts.vae, parts.text_encoder, parts.tokenizer, self.schedule)
        save_model(pipeline, folder, parts.guidance)
        return pipeline


class _Progress:
    """The step, as a part of accelerate's checkpoint."""

    step = 0

    def state_dict(self) -> dict[str, int]:
        return {"step": self.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.step = state["step"]
