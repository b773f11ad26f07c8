"""Fine-tunes any Stable Diffusion 1.x or 2.x on a folder of captioned audio: LoRA, or all weights."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from riffusion.training.data.array_cache import ArrayCache
from riffusion.training.data.audio_folder import prepare
from riffusion.training.data.captioned_latents import CaptionedLatents, cached_latents, captioned
from riffusion.training.evaluation.sample_files import write_samples
from riffusion.training.finetuning.caption_embeds import EncodeCaptions, cached_embeds, trained_embeds
from riffusion.training.finetuning.loss import Objective
from riffusion.training.finetuning.options import FinetuneOptions
from riffusion.training.finetuning.single_file import save_single_file
from riffusion.training.finetuning.trained_parts import ATTENTION, ATTENTION_OF_UNET
from riffusion.training.runs.checkpoint_training import CheckpointTraining
from riffusion.training.runs.export import assemble
from riffusion.training.runs.file_errors import file_errors
from riffusion.training.runs.run_lock import run_lock

_SAMPLED_PROMPTS = 4
_HELD_OUT_DRAWS = 64  # clips with noise, of which the held-out loss is the mean


def finetune(options: FinetuneOptions) -> Path:
    """Trains to the last step and returns the folder of the result: LoRA weights, or a whole model.

    Raises:
        CheckpointUnavailable: the model can't be loaded, or predicts neither noise nor velocity.
        SetupError: another training uses the output folder or left a checkpoint there that doesn't fit, or the loss
            isn't a number.
        StorageUnavailable: a file can't be read or written.
        ToolMissing: the optimizer isn't installed.
        UnreadableMedia: the folder has no audio from which clips with captions can be cut.
    """
    with run_lock(options.output), file_errors(options.output):
        return Finetuning(options).run()


class Finetuning(CheckpointTraining):
    """One process of a fine-tuning."""

    def __init__(self, options: FinetuneOptions) -> None:
        self.options = options
        super().__init__(options, ATTENTION if options.train_text_encoder else ATTENTION_OF_UNET)

    def prepare(self) -> None:
        """Cuts the audio into clips, and encodes them."""
        options = self.options
        self.objective = Objective(self.schedule, options.min_snr_gamma)
        with self.accelerator.main_process_first():
            cache = ArrayCache(options.output / "data")
            tracks = prepare(options.data, cache, options.held_out, on_beats=options.on_beats)
            latents = cached_latents(self.checkpoint, tracks, cache)
        self.train = captioned(tracks, latents, held_out=False)
        self.held_out = captioned(tracks, latents, held_out=True)
        self.prompts = options.prompts or self._captions_to_sample()

    def _captions_to_sample(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.held_out.first_captions() or self.train.first_captions()))[:_SAMPLED_PROMPTS]

    @property
    def encode(self) -> EncodeCaptions:
        """The text encoder in training, as `models` has it now; else embeddings of everything that will be encoded."""
        if "text_encoder" in self.models:
            return trained_embeds(self.checkpoint, self.models["text_encoder"])
        return self._embeds

    @cached_property
    def _embeds(self) -> EncodeCaptions:
        captions = (each for data in (self.train, self.held_out) for wordings in data.captions for each in wordings)
        return cached_embeds(self.checkpoint, ["", *self.prompts, *captions])

    def loss(self, random: torch.Generator) -> Tensor:
        """The loss of one batch of clips to train on."""
        return self._loss(self.train, self.options.batch, random, self.options.caption_dropout)

    def _loss(self, data: CaptionedLatents, count: int, random: torch.Generator, dropout: float) -> Tensor:
        """The loss of this many clips with random noise at random timesteps."""
        clean, captions = data.batch(count, random, dropout)
        noise = torch.randn(clean.shape, generator=random)
        timesteps = torch.randint(self.schedule.config.num_train_timesteps, (len(clean),), generator=random)
        noisy = self.schedule.add_noise(clean, noise, timesteps).to(self.device)
        target = self.objective.target(clean, noise, timesteps).to(self.device)
        prompt_embeds = self.encode(captions)
        noise_pred = self.models["unet"](noisy, timesteps.to(self.device), prompt_embeds, return_dict=False)[0]
        return self.objective.loss(noise_pred.float(), target, timesteps)

    def evaluate(self, samples: Path) -> dict[str, float]:
        """Writes samples of the averaged weights; returns their loss on held-out tracks, if there are any."""
        with self.averaged():
            self.sample(samples)
            return {"held_out_loss": self._held_out_loss()} if len(self.held_out.latents) else {}

    def _held_out_loss(self) -> float:
        """The loss on held-out tracks, with the same clips and noise each time, whatever the batch."""
        draws = (torch.Generator().manual_seed(n) for n in range(_HELD_OUT_DRAWS))
        return float(np.mean([float(self._loss(self.held_out, 1, random, 0.0)) for random in draws]))

    def sample(self, folder: Path) -> None:
        """Writes samples."""
        parts = self.checkpoint
        write_samples(
            assemble(parts.unet, parts.vae, None, parts.tokenizer, self.schedule),
            self.prompts,
            self.encode(["", *self.prompts]),
            folder,
            steps=self.options.sample_steps,
            guidance_scale=parts.guidance,
        )

    def save_full(self, folder: Path) -> StableDiffusionPipeline:
        """Writes a whole model, and if asked for, all of it as one file; returns it."""
        pipeline = super().save_full(folder)
        if self.options.single_file:
            save_single_file(pipeline, folder.with_suffix(".safetensors"))
        return pipeline
