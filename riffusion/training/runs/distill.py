"""Distills any Stable Diffusion 1.x or 2.x to a few steps without guidance: into a LoRA, or into all weights.

First the teacher's trajectories are computed, shared out between the processes; a stopped run resumes at the last whole
file. Then the student is trained on them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from torch import Tensor
from tqdm import tqdm

from riffusion.diffusion.noise import SeededNoise
from riffusion.errors import SetupError
from riffusion.training.data.array_cache import digest
from riffusion.training.data.clip_pictures import Pictures, to_pictures
from riffusion.training.distillation.data import read_data
from riffusion.training.distillation.judgement import TEACHER, Judgement
from riffusion.training.distillation.jump import velocity_of, velocity_of_jump
from riffusion.training.distillation.lessons import LessonSource
from riffusion.training.distillation.options import DistillOptions
from riffusion.training.distillation.preset import export_fast, write_defaults, write_preset
from riffusion.training.distillation.solver import Solver
from riffusion.training.distillation.trajectories import BATCH, Trajectories
from riffusion.training.evaluation.sample_files import write_clips
from riffusion.training.finetuning.caption_embeds import cached_embeds
from riffusion.training.finetuning.options import Shape
from riffusion.training.finetuning.trained_parts import EVERYTHING
from riffusion.training.models.unet import LATENT_SHAPE
from riffusion.training.runs.checkpoint_training import CheckpointTraining
from riffusion.training.runs.file_errors import file_errors
from riffusion.training.runs.run_lock import run_lock

_SAMPLED_PROMPTS = 4


def distill(options: DistillOptions, export_to: Path | None = None) -> Path:
    """Trains to the last step and returns the folder of the result: LoRA weights, or a whole model.

    Args:
        export_to: a model folder that gets the LoRA as its quality `fast`.

    Raises:
        CheckpointUnavailable: the model can't be loaded, or predicts neither noise nor velocity.
        SetupError: a whole model is to become a quality; or another training uses the output folder, or left a
            checkpoint there that doesn't fit; or the loss isn't a number.
        StorageUnavailable: a file can't be read or written.
        ToolMissing: the optimizer isn't installed.
        UnreadableMedia: the data has no captions.
    """
    if export_to and options.method == "full":
        raise SetupError("Only a LoRA can be a model's quality: leave out --export-to or --method full.")
    with run_lock(options.output), file_errors(options.output):
        training = Distillation(options)
        result = training.run()
        if export_to and training.accelerator.is_main_process:
            export_fast(result, export_to)
    return result


class Distillation(CheckpointTraining):
    """One process of a distillation."""

    def __init__(self, options: DistillOptions) -> None:
        self.options = options
        super().__init__(options, EVERYTHING)

    @property
    def _guidance(self) -> float:
        """The teacher's."""
        return self.checkpoint.guidance if self.options.guidance is None else self.options.guidance

    @property
    def _guidance_end(self) -> float | None:
        """Where the teacher's guidance ends, if it does: as in the checkpoint's quality standard."""
        end = self.checkpoint.qualities["standard"].guidance_end
        return None if end == 1 else end

    @property
    def shape(self) -> Shape:
        """The same, and the teacher's guidance, with where it ends, if it does."""
        ends = {"the guidance_end of --checkpoint": self._guidance_end} if self._guidance_end else {}
        return {**super().shape, "--guidance": self._guidance, **ends}

    def prepare(self) -> None:
        """Computes the teacher's trajectories, with the embeddings of all captions."""
        options, parts = self.options, self.checkpoint
        parts.unet.to(memory_format=torch.channels_last)
        with self.accelerator.main_process_first():
            data = read_data(options.data, options.output / "data", parts)
        guidance, end = self._guidance, self._guidance_end
        self.teacher = Solver(
            parts.unet, parts.scheduler_config, "dpm++2m", guidance, options.teacher_steps, end or 1.0
        )
        self.student = Solver(parts.unet, parts.scheduler_config, "euler", 1.0, options.student_steps)
        made_from = self.checkpoint_digest, data.digest, guidance, options.teacher_steps, options.seed
        folder = options.output / "trajectories" / digest(*made_from, options.mixed_precision, *([end] if end else []))
        self.trajectories = Trajectories(folder, data, self.teacher, options.seed)
        pairs = max(1, options.trajectories // (2 * BATCH))
        self.held_out = (2 * pairs, 2 * pairs + 1)
        """The numbers of the trajectories that are kept for testing, from noise and from clips."""
        self.judgement = Judgement(options.judged, options.output)
        self.prompts = options.prompts or tuple(self.trajectories.starts(self.held_out[0]).captions[:_SAMPLED_PROMPTS])
        captions = (each for pair in range(pairs + 1) for each in self.trajectories.starts(2 * pair).captions)
        self.encode = cached_embeds(parts, ["", *self.prompts, *self.judgement.captions, *captions])
        self._compute_trajectories(pairs)
        if self.accelerator.is_main_process and self.judgement.captions:
            self.judgement.judge(TEACHER, lambda: self._pictures(self.teacher, self.judgement.captions))
        self.lessons = LessonSource(self.trajectories, 2 * pairs, self.schedule.alphas_cumprod, options.jump)

    def _compute_trajectories(self, pairs: int) -> None:
        """Each process computes its share of the pairs, and of those held out; then all wait for each other."""
        process, processes = self.accelerator.process_index, self.accelerator.num_processes
        numbers = [number for pair in range(process, pairs + 1, processes) for number in (2 * pair, 2 * pair + 1)]
        with (
            tqdm(total=len(numbers), desc="trajectories", disable=not self.accelerator.is_main_process) as bar,
            self.accelerator.autocast(),
        ):
            self.trajectories.compute(numbers, self.encode, bar.update)
        self.accelerator.wait_for_everyone()

    def loss(self, random: torch.Generator) -> Tensor:
        """The loss of one batch of the student's steps."""
        lessons = self.lessons.draw(self.options.batch, random)
        start, end, timesteps, levels, end_levels = (each.to(self.device) for each in lessons.tensors)
        latents = start.contiguous(memory_format=torch.channels_last)
        embeds = self.encode(lessons.captions).float()
        prediction = self.models["unet"](latents, timesteps, embeds, return_dict=False)[0].float()
        velocity = velocity_of(prediction, start, levels, self.schedule.config.prediction_type)
        return F.mse_loss(velocity, velocity_of_jump(start, end, levels, end_levels))

    def evaluate(self, samples: Path) -> dict[str, float]:
        """Writes samples of the averaged weights and judges them; returns how far the student ends from the teacher."""
        step = self.progress.step
        with self.averaged():
            apart = [self._distance(number) for number in self.held_out]
            write_clips(self._pictures(self.student, self.prompts), self.prompts, samples)
            if self.judgement.captions:
                self.judgement.judge(f"step {step}", lambda: self._pictures(self.student, self.judgement.captions))
        return {"distance": apart[0], "distance_from_clips": apart[1]}

    def save_lora(self, folder: Path) -> None:
        """Writes the LoRA, and how it is to be run."""
        super().save_lora(folder)
        write_preset(self.student, folder)

    def save_full(self, folder: Path) -> StableDiffusionPipeline:
        """Writes a whole model, and how it is to be run; returns it."""
        pipeline = super().save_full(folder)
        write_defaults(self.student, folder)
        return pipeline

    def _distance(self, number: int) -> float:
        """The root mean square of the difference between both one's clean latents, relative to the teacher's own."""
        teachers = self.trajectories.points(number)[-1].float()
        students = self.trajectories.follow(self.student, number, self.encode)[-1].cpu()
        return float((students - teachers).square().mean().sqrt() / teachers.square().mean().sqrt())

    @torch.no_grad()
    def _pictures(self, solver: Solver, captions: Sequence[str]) -> Pictures:
        """Pictures [N, 512, 512] of the captions, from seeds 0, 1, …"""
        vae, pictures = self.checkpoint.vae, []
        for seed, caption in enumerate(captions):
            noise = SeededNoise(seed).draw((1, *LATENT_SHAPE)).to(self.device)
            negative, prompt = self.encode(["", caption]).float().chunk(2)
            with self.accelerator.autocast():
                latents = solver.follow(prompt, negative, noise, None, 1.0)[-1]
            pictures.append(to_pictures(vae.decode(latents / vae.config.scaling_factor).sample.cpu()))
        return np.concatenate(pictures)
