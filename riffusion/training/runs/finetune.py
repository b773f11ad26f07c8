"""Fine-tunes any Stable Diffusion 1.x or 2.x on a folder of captioned audio: LoRA, or all weights of the UNet.

accelerate provides several GPUs, mixed precision and checkpoints on disk; peft provides LoRA. The random numbers of a
step follow from the seed, the step and the process alone, so a resumed training gives the same result as one that was
never stopped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration
from diffusers import DDPMScheduler, StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn

from riffusion.diffusion.checkpoint import load_checkpoint
from riffusion.training.data.audio_folder import prepare
from riffusion.training.data.captioned_latents import CaptionedLatents, cached_latents, split
from riffusion.training.evaluation.sample_files import write_samples
from riffusion.training.models.ema import WeightAverage
from riffusion.training.runs.export import assemble
from riffusion.training.runs.metrics_log import MetricsLog

Method = Literal["lora", "full"]
_ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]


@dataclass(frozen=True)
class FinetuneOptions:
    """What to train, on what, and for how long. A run with the same output folder resumes at its last checkpoint."""

    checkpoint: str
    """A folder, or a hub id."""
    data: Path
    """The folder of audio."""
    output: Path
    """The folder of results, samples and checkpoints."""
    revision: str | None = None
    """The commit, for a hub id."""
    method: Method = "lora"
    rank: int = 16
    """Of the LoRA matrices."""
    steps: int = 2000
    batch: int = 4
    """Clips per batch and process."""
    accumulation: int = 1
    """Batches per step."""
    rate: float = 1e-4
    """Peak learning rate."""
    warmup: int = 100
    """Steps over which the rate rises."""
    caption_dropout: float = 0.1
    """Share of the captions that are replaced by the empty one."""
    mixed_precision: Literal["no", "fp16", "bf16"] = "no"
    held_out: float = 0.1
    """Share of the tracks that are kept for testing."""
    on_beats: bool = True
    """Whether clips begin on beats."""
    checkpoint_every: int = 500
    sample_every: int = 500
    prompts: tuple[str, ...] = ()
    """To sample with; by default, captions of held-out clips."""
    sample_steps: int = 30
    seed: int = 0

    def rate_factor(self, step: int) -> float:
        """The learning rate as a share of `rate`: linear warm-up, then a half cosine to 0."""
        return min(1.0, (step + 1) / self.warmup) * (1 + math.cos(math.pi * min(1.0, step / self.steps))) / 2


def finetune(options: FinetuneOptions) -> Path:
    """Trains to the last step and returns the folder of the result: LoRA weights, or a whole model.

    Raises:
        CheckpointUnavailable: the model can't be loaded.
        UnreadableMedia: the folder has no audio from which clips with captions can be cut.
    """
    return Finetuning(options).run()


class Finetuning:
    """One process of a fine-tuning."""

    def __init__(self, options: FinetuneOptions) -> None:
        self.options = options
        self.accelerator = Accelerator(
            mixed_precision=options.mixed_precision,
            gradient_accumulation_steps=options.accumulation,
            project_config=ProjectConfiguration(str(options.output), automatic_checkpoint_naming=True, total_limit=2),
        )
        self.device = self.accelerator.device
        self.parts = load_checkpoint(options.checkpoint, options.revision, self.device, torch.float32)
        self.schedule = DDPMScheduler.from_config(self.parts.scheduler_config, clip_sample=False)
        with self.accelerator.main_process_first():
            folder = prepare(options.data, options.output / "data", options.held_out, on_beats=options.on_beats)
            latents = cached_latents(self.parts, folder, options.output / "data" / "latents.npy")
        self.train, self.held_out = split(latents, folder)
        self.trained = self._trainable()
        self.unet = self.parts.unet
        optimizer = torch.optim.AdamW(self.trained, lr=options.rate, weight_decay=0.01)
        rates = torch.optim.lr_scheduler.LambdaLR(optimizer, options.rate_factor)
        self.model, self.optimizer = self.accelerator.prepare(self.unet, optimizer)
        self.rates = rates
        self.average = WeightAverage(self.trained)
        self.progress = _Progress()
        self.accelerator.register_for_checkpointing(self.average, self.progress, self.rates)

    def _trainable(self) -> list[nn.Parameter]:
        """The weights to train: LoRA layers added to the attention, or all of the UNet's."""
        unet = self.parts.unet
        unet.train()
        if self.options.method == "full":
            unet.requires_grad_(True)
        else:
            torch.manual_seed(self.options.seed)
            rank = self.options.rank
            unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=_ATTENTION))
        return [weight for weight in unet.parameters() if weight.requires_grad]

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
            with self.accelerator.accumulate(self.model):
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
        """Mean squared error of the prediction, of noise or velocity as the checkpoint was trained."""
        clean, captions = data.batch(self.options.batch, random, dropout)
        noise = torch.randn(clean.shape, generator=random)
        timesteps = torch.randint(self.schedule.config.num_train_timesteps, (len(clean),), generator=random)
        noisy = self.schedule.add_noise(clean, noise, timesteps).to(self.device)
        if self.schedule.config.prediction_type == "v_prediction":
            target = self.schedule.get_velocity(clean, noise, timesteps)
        else:
            target = noise
        noise_pred = self.model(noisy, timesteps.to(self.device), self._encode(captions), return_dict=False)[0]
        return F.mse_loss(noise_pred.float(), target.to(self.device))

    @torch.no_grad()
    def _encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings [N, 77, D] of captions."""
        tokenizer = self.parts.tokenizer
        ids = tokenizer(
            list(captions),
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        prompt_embeds: Tensor = self.parts.text_encoder(ids.to(self.device)).last_hidden_state
        return prompt_embeds

    @torch.no_grad()
    def _held_out_loss(self) -> float:
        """The loss on held-out tracks, with the same noise each time."""
        self.unet.eval()
        losses = [float(self._loss(self.held_out, torch.Generator().manual_seed(n), 0.0)) for n in range(8)]
        self.unet.train()
        return float(np.mean(losses))

    def _pipeline(self) -> StableDiffusionPipeline:
        """The model with its current weights."""
        parts = self.parts
        return assemble(self.unet, parts.vae, parts.text_encoder, parts.tokenizer, self.schedule)

    @torch.no_grad()
    def sample(self, folder: Path) -> None:
        """Writes samples of the averaged weights; training continues with the current ones."""
        prompts = (
            self.options.prompts
            or tuple(dict.fromkeys(self.held_out.first_captions() or self.train.first_captions()))[:4]
        )
        kept = [weight.detach().clone() for weight in self.trained]
        self.average.copy_to(self.trained)
        self.unet.eval()
        write_samples(self._pipeline(), prompts, folder, self.options.sample_steps)
        for weight, value in zip(self.trained, kept, strict=True):
            weight.copy_(value)
        self.unet.train()

    def _save(self) -> Path:
        """Writes the averaged weights in the format that a worker loads."""
        result = self.options.output / ("lora" if self.options.method == "lora" else "model")
        if self.accelerator.is_main_process:
            self.average.copy_to(self.trained)
            if self.options.method == "lora":
                layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(self.unet))
                StableDiffusionPipeline.save_lora_weights(result, unet_lora_layers=layers, safe_serialization=True)
            else:
                self._pipeline().save_pretrained(result, safe_serialization=True)
        self.accelerator.wait_for_everyone()
        return result


class _Progress:
    """The step, as a part of accelerate's checkpoint."""

    step = 0

    def state_dict(self) -> dict[str, int]:
        return {"step": self.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.step = state["step"]
