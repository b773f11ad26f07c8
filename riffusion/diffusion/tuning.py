"""Choices that suit the device, measured when a worker starts: threads on a CPU, compilation and memory on CUDA."""

import os
import time
from typing import Any

import torch

from riffusion.diffusion.denoiser import Compiler, Denoiser

_MEMORY_SHARE = 0.7  # of what is free; the rest is for the autoencoder, CUDA graphs and fragmentation
_WORTHWHILE = 0.9  # more threads must take at most this share of the time that fewer take
_LARGE_S = 1.0  # a UNet call on one thread that takes this long is of a large model
_HOPELESS = 2.0  # a number of threads that takes this much longer than the best isn't measured again


def compiler_for(device: torch.device) -> Compiler | None:
    """How to compile the UNet; None where compiling isn't worth the wait.

    `reduce-overhead` records CUDA graphs: at small batches a step is thousands of kernels that the CPU can't launch as
    fast as the GPU runs them.
    """
    if device.type != "cuda":
        return None

    def compile_unet(unet: Any) -> Any:
        torch._dynamo.config.recompile_limit = 64  # one for each batch size
        return torch.compile(unet, mode="reduce-overhead", dynamic=False)

    return compile_unet


def choose_threads(
    denoiser: Denoiser, latent_shape: tuple[int, int, int], embeds_shape: tuple[int, int], rounds: int = 2
) -> int:
    """Sets and returns the number of threads with which the CPU runs the UNet fastest; fewer where more hardly help.

    A large model keeps every core busy, and each probe of it takes long: it gets all cores after the first one.
    OMP_NUM_THREADS, where it is set, decides instead.

    Args:
        latent_shape: [4, H, W].
        embeds_shape: [L, D].
    """
    if denoiser.device.type != "cpu" or "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    candidates = sorted({min(1 << power, cores) for power in range(cores.bit_length() + 1)})
    times = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):  # interleaved, so that a busy moment of the machine affects all candidates alike
        for threads in candidates:
            if _HOPELESS * min(times.values()) < times[threads] < float("inf"):
                continue  # on busy cores, threads that wait for each other take seconds
            torch.set_num_threads(threads)
            began = time.perf_counter()
            denoiser.probe(latent_shape, embeds_shape, batch_size=2)
            times[threads] = min(times[threads], time.perf_counter() - began)
            if threads == 1 and times[threads] >= _LARGE_S:
                torch.set_num_threads(cores)
                return cores
    best = candidates[0]
    for threads in candidates[1:]:
        if times[threads] < _WORTHWHILE * times[best]:
            best = threads
    torch.set_num_threads(best)
    return best


def memory_budget(denoiser: Denoiser, latent_shape: tuple[int, int, int], embeds_shape: tuple[int, int]) -> int | None:
    """Latents (H · W of all rows, guided) whose UNet call fits into CUDA's free memory; None elsewhere.

    The memory of a call grows with its latents: twice as wide a picture counts as two.

    Args:
        latent_shape: [4, H, W].
        embeds_shape: [L, D].
    """
    if denoiser.device.type != "cuda":
        return None
    peaks = []
    for batch_size in (2, 4):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(denoiser.device)
        before = torch.cuda.memory_allocated(denoiser.device)
        denoiser.probe(latent_shape, embeds_shape, batch_size)
        peaks.append(torch.cuda.max_memory_allocated(denoiser.device) - before)
    per_row = max(1, peaks[1] - peaks[0])
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(denoiser.device)
    rows = max(1, int((free * _MEMORY_SHARE - (peaks[0] - per_row)) // per_row))
    return rows * latent_shape[1] * latent_shape[2]
