"""Fine-tunes any Stable Diffusion 1.x or 2.x on a folder of captioned audio: LoRA, or all weights.

accelerate provides several GPUs, mixed precision and checkpoints on disk; peft provides LoRA. The random numbers of a
step follow from the seed, the step and the process alone, so a resumed training gives the same result as one that was
never stopped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration
from torch import Tensor

from riffusion.diffusion.checkpoint import load_checkpoint
from riffusion.training.data.audio_folder import prepare
from riffusion.training.data.captioned_latents import CaptionedLatents, cached_latents, split
from riffusion.training.evaluation.sample_files import write_samples
from riffusion.training.finetuning.caption_embeds import EncodeCaptions, cached_embeds, trained_embeds
from riffusion.training.finetuning.lora_files import save_lora
from riffusion.training.finetuning.loss import objective_of
from riffusion.training.finetuning.optimizers import optimizer_class
from riffusion.training.finetuning.options import FinetuneOptions
from riffusion.training.finetuning.single_file import save_single_file
from riffusion.training.finetuning.trained_parts import trained_parts, trained_weights
from riffusion.training.models.ema import WeightAverage
from riffusion.training.runs.export import assemble, save_model
from riffusion.training.runs.metrics_log import MetricsLog

_SAMPLED_PROMPTS = 4


def finetune(options: FinetuneOptions) -> Path:
    """Trains to the last step and returns the folder of the result: LoRA weights, or a whole model.

    Raises:
        CheckpointUnavailable: the model can't be loaded, or predicts neither noise nor velocity.
        ToolMissing: the optimizer isn't installed.
        UnreadableMedia: the folder has no audio from which clips with captions can be cut.
    """
    return Finetuning(options).run()


class Finetuning:
    """One process of a fine-tuning."""

    def __init__(self, options: FinetuneOptions) -> None:
        self.options = options
        new_optimizer = optimizer_class(options.optimizer)
        self.accelerator = Accelerator(
            mixed_precision=options.mixed_precision,
            gradient_accumulation_steps=options.accumulation,
            project_config=ProjectConfiguration(str(options.output), automatic_checkpoint_naming=True, total_limit=2),
        )
        self.device = self.accelerator.device
        self.checkpoint = load_checkpoint(options.checkpoint, options.revision, self.device, torch.float32)
        self.objective = objective_of(self.checkpoint, options.min_snr_gamma)
        with self.accelerator.main_process_first():
            folder = prepare(options.data, options.output / "data", options.held_out, on_beats=options.on_beats)
            latents = cached_latents(self.checkpoint, folder, options.output / "data" / "latents.npy")
        self.train, self.held_out = split(latents, folder)
        self.prompts = options.prompts or self._captions_to_sample()
        self.parts = trained_parts(self.checkpoint, options)
        self.trained = trained_weights(self.parts)
        optimizer = new_optimizer(self.trained, lr=options.rate, weight_decay=0.01)
        self.rates = torch.optim.lr_scheduler.LambdaLR(optimizer, options.rate_factor)
        *models, self.optimizer = self.accelerator.prepare(*self.parts.values(), optimizer)
        self.models = dict(zip(self.parts, models, strict=True))
        self.encode = self._caption_encoder()
        self.average = WeightAverage(self.trained)
        self.progress = _Progress()
        self.accelerator.register_for_checkpointing(self.average, self.progress, self.rates)

    def _captions_to_sample(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.held_out.first_captions() or self.train.first_captions()))[:_SAMPLED_PROMPTS]

    def _caption_encoder(self) -> EncodeCaptions:
        """The text encoder in training; else the embeddings of everything that will be encoded."""
        if "text_encoder" in self.models:
            return trained_embeds(self.checkpoint, self.models["text_encoder"])
        captions = (each for data in (self.train, self.held_out) for clip in data.clips for each in clip.captions)
        return cached_embeds(self.checkpoint, ["", *self.prompts, *captions])

    def run(self) -> Path:
        """Trains from the last checkpoint, if there is one, and returns the folder of the result."""
        self._resume()
        options = self.options
        with MetricsLog(options.output) as log:
            while self.progress.step < options.steps:
                loss = self._step()
                step = self.progress.step
                if not self.accelerator.is_main_process:
                    continue
                log.write(step, loss=loss, rate=float(self.rates.get_last_lr()[0]))
                if step % options.sample_every == 0 or step == options.steps:
                    if len(self.held_out.latents):
                        log.write(step, held_out_loss=self._held_out_loss())
                    self.sample(options.output / "samples" / f"{step:06d}")
        return self._save()

    def _resume(self) -> None:
        folder = self.options.output / "checkpoints"
        saved = sorted(folder.glob("checkpoint_*"), key=lambda path: int(path.name.rpartition("_")[2]))
        if saved:
            self.accelerator.load_state(str(saved[-1]))
            self.accelerator.project_configuration.iteration = int(saved[-1].name.rpartition("_")[2]) + 1

    def _step(self) -> float:
        """Takes one optimizer step on `accumulation` batches; returns the mean loss."""
        losses = []
        for part in range(self.options.accumulation):
            with self.accelerator.accumulate(*self.models.values()):
                random = self._generator(self.progress.step, part)
                loss = self._loss(self.train, random, dropout=self.options.caption_dropout)
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    self.accelerator.clip_grad_norm_(self.trained, 1.0)
                self.optimizer.step()
                self.optimizer.zero_grad()
            losses.append(float(loss.detach()))
        self.rates.step()
        self.average.update(self.trained)
        self.progress.step += 1
        if self.progress.step % self.options.checkpoint_every == 0 or self.progress.step == self.options.steps:
            self.accelerator.save_state()
        return float(np.mean(losses))

    def _generator(self, step: int, part: int) -> torch.Generator:
        """The random generator of one batch of one process, on the CPU whatever the device."""
        words = np.random.SeedSequence([self.options.seed, step, part, self.accelerator.process_index])
        return torch.Generator().manual_seed(int(words.generate_state(1, np.uint64)[0] >> 1))

    def _loss(self, data: CaptionedLatents, random: torch.Generator, dropout: float) -> Tensor:
        """The loss of one batch with random noise at random timesteps."""
        schedule = self.objective.schedule
        clean, captions = data.batch(self.options.batch, random, dropout)
        noise = torch.randn(clean.shape, generator=random)
        timesteps = torch.randint(schedule.config.num_train_timesteps, (len(clean),), generator=random)
        noisy = schedule.add_noise(clean, noise, timesteps).to(self.device)
        target = self.objective.target(clean, noise, timesteps).to(self.device)
        prompt_embeds = self.encode(captions)
        noise_pred = self.models["unet"](noisy, timesteps.to(self.device), prompt_embeds, return_dict=False)[0]
        return self.objective.loss(noise_pred.float(), target, timesteps)

    @contextmanager
    def _inference_mode(self) -> Iterator[None]:
        """Inside the block, the parts in training are as in use, and no gradients are kept."""
        for module in self.parts.values():
            module.eval()
        with torch.no_grad():
            yield
        for module in self.parts.values():
            module.train()

    def _held_out_loss(self) -> float:
        """The loss on held-out tracks, with the same noise each time."""
        with self._inference_mode():
            losses = [float(self._loss(self.held_out, torch.Generator().manual_seed(n), 0.0)) for n in range(8)]
        return float(np.mean(losses))

    def sample(self, folder: Path) -> None:
        """Writes samples of the averaged weights; training continues with the current ones."""
        parts = self.checkpoint
        with self._inference_mode():
            kept = [weight.detach().clone() for weight in self.trained]
            self.average.copy_to(self.trained)
            write_samples(
                assemble(parts.unet, parts.vae, None, parts.tokenizer, self.objective.schedule),
                self.prompts,
                self.encode(["", *self.prompts]),
                folder,
                steps=self.options.sample_steps,
                guidance_scale=parts.guidance,
            )
            for weight, value in zip(self.trained, kept, strict=True):
                weight.copy_(value)

    def _save(self) -> Path:
        """Writes the averaged weights in the formats that a worker and other programs load."""
        result = self.options.output / ("lora" if self.options.method == "lora" else "model")
        if self.accelerator.is_main_process:
            self.average.copy_to(self.trained)
            if self.options.method == "lora":
                save_lora(self.parts, result)
            else:
                self._save_model(result)
        self.accelerator.wait_for_everyone()
        return result

    def _save_model(self, folder: Path) -> None:
        parts = self.checkpoint
        pipeline = assemble(parts.unet, parts.vae, parts.text_encoder, parts.tokenizer, self.objective.schedule)
        save_model(pipeline, folder, parts.guidance)
        if self.options.single_file:
            save_single_file(pipeline, folder.with_suffix(".safetensors"))


class _Progress:
    """The step, as a part of accelerate's checkpoint."""

    step = 0

    def state_dict(self) -> dict[str, int]:
        return {"step": self.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.step = state["step"]
