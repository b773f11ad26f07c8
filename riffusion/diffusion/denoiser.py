"""The UNet call that rows share: how a batch is put together and run."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.row import Row

COMPILED_PLACES = (1, 2, 4, 6, 8, 12, 16, 24, 32)
"""Batch sizes that kernels are compiled for; a batch is padded up to the next one."""

Compiler = Callable[[Any], Any]


class Denoiser:
    """Predicts for batches of rows. Called from one thread only, since CUDA graphs belong to a thread."""

    def __init__(self, checkpoint: Checkpoint, compiler: Compiler | None = None) -> None:
        """
        Args:
            compiler: `torch.compile` with its options; none calls the UNet as it is.
        """
        self.device = checkpoint.device
        self.scheduler_config = checkpoint.scheduler_config
        self._dtype = checkpoint.dtype
        self._unet = checkpoint.unet.to(memory_format=torch.channels_last)
        self._wardrobe = checkpoint.wardrobes["unet"]
        self._compiled = compiler(self._unet) if compiler else None
        self._warm: dict[tuple[int, ...], list[int]] = {}

    def predict(self, rows: Sequence[Row]) -> list[Tensor]:
        """What the UNet predicts for each row [4, H, W] float32, guidance included.

        The rows have latents of one shape and wear one LoRA set. Guided ones take two places: the batch is [guided,
        plain, guided without their prompt]. Nothing here waits for the device.
        """
        self._wardrobe.wear(rows[0].lora)
        order = sorted(rows, key=lambda row: not row.guided)
        guided = [row for row in order if row.guided]
        latents = torch.stack([row.model_input() for row in order])
        timesteps = torch.stack([row.timestep for row in order + guided])
        context = _context([row.prompt for row in order] + [row.negative for row in guided])
        output = self._call(torch.cat((latents, latents[: len(guided)])), timesteps, context)
        prediction, unprompted = output[: len(order)], output[len(order) :]
        if guided:
            scale = torch.stack([row.guidance for row in guided])[:, None, None, None]
            steered = unprompted + scale * (prediction[: len(guided)] - unprompted)
            prediction = torch.cat((steered, prediction[len(guided) :]))
        found = {id(row): row_prediction for row, row_prediction in zip(order, prediction, strict=True)}
        return [found[id(row)] for row in rows]

    def warm_up(self, shape: tuple[int, int, int], context: tuple[int, int], places: int) -> None:
        """Runs the UNet at every batch size up to `places`, so that no job pays for what the first call costs.

        Args:
            shape: of the latents, [4, H, W].
            context: of the embeddings, [L, D].
        """
        sizes = [places]
        if self._compiled is not None:  # a compiled module has no truth value
            sizes = [*(size for size in COMPILED_PLACES if size < places), places]
            self._warm[(*shape, context[0])] = sizes
        for size in sizes:
            for _ in range(3):  # the first traces, the second records CUDA graphs, the third replays them
                self.probe(shape, context, size)

    @torch.inference_mode()
    def probe(self, shape: tuple[int, int, int], context: tuple[int, int], places: int) -> None:
        """One UNet call on nothing in particular, waited for."""
        latents = torch.zeros(places, *shape, device=self.device)
        timesteps = torch.ones(places, device=self.device)
        self._call(latents, timesteps, torch.zeros(places, *context, device=self.device))
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _call(self, latents: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        """Output [N, 4, H, W] float32 for latents [N, 4, H, W], timesteps [N] and embeddings [N, L, D]."""
        context = context.to(self._dtype)
        places = len(latents)
        sizes = self._warm.get((*latents.shape[1:], context.shape[1]), [])
        size = next((size for size in sizes if size >= places), None)
        if self._compiled is None or size is None:  # compiling for a shape not met before would hold up every row
            unet, size = self._unet, places
        else:
            unet = self._compiled
        latents = _padded(latents, size).to(self._dtype, memory_format=torch.channels_last)
        output: Tensor = unet(latents, _padded(timesteps, size), _padded(context, size), return_dict=False)[0]
        return output[:places].float()


def _context(embeddings: Sequence[Tensor]) -> Tensor:
    """Embeddings [L, D] as one [N, longest L, D].

    Shorter ones are repeated: attention weighs k copies of every token by 1/k each, so the sum stays what it was. The
    lengths are powers of two times 77, so that they always fit.
    """
    longest = max(len(embedding) for embedding in embeddings)
    return torch.stack([embedding.repeat(longest // len(embedding), 1) for embedding in embeddings])


def _padded(tensor: Tensor, size: int) -> Tensor:
    """[N, ...] as [size, ...], by its last entry."""
    missing = size - len(tensor)
    return torch.cat((tensor, tensor[-1:].expand(missing, *tensor.shape[1:]))) if missing else tensor
