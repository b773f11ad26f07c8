"""One UNet call for many rows: how a batch is put together and run."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.prompt import stack_embeds
from riffusion.diffusion.row import Row

COMPILED_BATCH_SIZES = (1, 2, 4, 6, 8, 12, 16, 24, 32)
"""Batch sizes that kernels are compiled for; a batch is padded to the next larger one."""

Compiler = Callable[[Any], Any]


class Denoiser:
    """Calls the UNet for batches of rows. Used by one thread only, since CUDA graphs belong to a thread."""

    def __init__(self, checkpoint: Checkpoint, compiler: Compiler | None = None) -> None:
        """
        Args:
            compiler: `torch.compile` with its options; with None the UNet runs uncompiled.
        """
        self.device = checkpoint.device
        self.scheduler_config = checkpoint.scheduler_config
        self._dtype = checkpoint.dtype
        self._unet = checkpoint.unet.to(memory_format=torch.channels_last)
        self._lora_merger = checkpoint.lora_mergers["unet"]
        self._compiled = compiler(self._unet) if compiler else None
        self._warm: dict[tuple[int, ...], list[int]] = {}

    def predict(self, rows: Sequence[Row]) -> list[Tensor]:
        """The UNet's prediction [4, H, W] float32 for each row, with classifier-free guidance (Ho and Salimans 2022).

        The rows have latents of one shape and one LoRA set. A guided row fills two entries of the batch, which is
        [guided, unguided, guided with their negative prompts]. Nothing here waits for the device.
        """
        self._lora_merger.apply(rows[0].lora)
        order = sorted(rows, key=lambda row: not row.guided)
        guided = [row for row in order if row.guided]
        latents = torch.stack([row.model_input() for row in order])
        timesteps = torch.stack([row.timestep for row in order + guided])
        prompt_embeds = stack_embeds(
            [row.prompt_embeds for row in order] + [row.negative_prompt_embeds for row in guided]
        )
        output = self._call(torch.cat((latents, latents[: len(guided)])), timesteps, prompt_embeds)
        noise_pred, noise_pred_uncond = output[: len(order)], output[len(order) :]
        if guided:
            guidance_scale = torch.stack([row.guidance_scale for row in guided])[:, None, None, None]
            with_guidance = noise_pred_uncond + guidance_scale * (noise_pred[: len(guided)] - noise_pred_uncond)
            noise_pred = torch.cat((with_guidance, noise_pred[len(guided) :]))
        by_row = {id(row): row_pred for row, row_pred in zip(order, noise_pred, strict=True)}
        return [by_row[id(row)] for row in rows]

    def warm_up(self, latent_shape: tuple[int, int, int], embeds_shape: tuple[int, int], batch_size: int) -> None:
        """Runs the UNet at every compiled batch size up to `batch_size`, so that no job pays for the first call.

        On a CPU nothing is compiled, and a first call costs hardly more than the next: it runs nothing.

        Args:
            latent_shape: [4, H, W].
            embeds_shape: [L, D].
        """
        if self._compiled is None and self.device.type == "cpu":
            return
        sizes = [batch_size]
        if self._compiled is not None:  # a compiled module has no truth value
            sizes = [*(size for size in COMPILED_BATCH_SIZES if size < batch_size), batch_size]
            self._warm[(*latent_shape, embeds_shape[0])] = sizes
        for size in sizes:
            for _ in range(3):  # the first traces, the second records CUDA graphs, the third replays them
                self.probe(latent_shape, embeds_shape, size)

    @torch.inference_mode()
    def probe(self, latent_shape: tuple[int, int, int], embeds_shape: tuple[int, int], batch_size: int) -> None:
        """Calls the UNet once on zeros and waits for the device."""
        latents = torch.zeros(batch_size, *latent_shape, device=self.device)
        timesteps = torch.ones(batch_size, device=self.device)
        self._call(latents, timesteps, torch.zeros(batch_size, *embeds_shape, device=self.device))
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _call(self, latents: Tensor, timesteps: Tensor, prompt_embeds: Tensor) -> Tensor:
        """Output [B, 4, H, W] float32 for latents [B, 4, H, W], timesteps [B] and embeddings [B, L, D]."""
        prompt_embeds = prompt_embeds.to(self._dtype)
        batch_size = len(latents)
        sizes = self._warm.get((*latents.shape[1:], prompt_embeds.shape[1]), [])
        size = next((size for size in sizes if size >= batch_size), None)
        if self._compiled is None or size is None:  # compiling for a new shape would hold up every row
            unet, size = self._unet, batch_size
        else:
            unet = self._compiled
        latents = _padded(latents, size).to(self._dtype, memory_format=torch.channels_last)
        output: Tensor = unet(latents, _padded(timesteps, size), _padded(prompt_embeds, size), return_dict=False)[0]
        return output[:batch_size].float()


def _padded(tensor: Tensor, size: int) -> Tensor:
    """[B, …] as [size, …], the last entry repeated."""
    missing = size - len(tensor)
    return torch.cat((tensor, tensor[-1:].expand(missing, *tensor.shape[1:]))) if missing else tensor
