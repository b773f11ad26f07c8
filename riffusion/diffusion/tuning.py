"""What a device can do, measured when a worker starts: threads on a CPU, memory and compiled kernels on CUDA."""

import os
import time
from typing import Any

import torch

from riffusion.diffusion.denoiser import Compiler, Denoiser

_MEMORY_SHARE = 0.7  # of what is free; the rest is for the autoencoder, CUDA graphs and fragmentation
_WORTHWHILE = 0.9  # of the time that fewer threads take: more threads than that must save


def compiler_for(device: torch.device) -> Compiler | None:
    """How to compile the UNet, or none where it isn't worth the wait.

    `reduce-overhead` records CUDA graphs: at small batches a step is thousands of kernels that the CPU can't launch as
    fast as the GPU runs them.
    """
    if device.type != "cuda":
        return None

    def compile_unet(unet: Any) -> Any:
        torch._dynamo.config.recompile_limit = 64  # one for each batch size
        return torch.compile(unet, mode="reduce-overhead", dynamic=False)

    return compile_unet


def choose_threads(denoiser: Denoiser, shape: tuple[int, int, int], context: tuple[int, int], rounds: int = 3) -> int:
    """Threads with which the CPU runs the UNet fastest, set for this process; fewer where more hardly help.

    A setting of OMP_NUM_THREADS is left as it is.
    """
    if denoiser.device.type != "cpu" or "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    candidates = sorted({min(1 << power, cores) for power in range(cores.bit_length() + 1)})
    times = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):  # interleaved, so that a busy moment of the machine hits all alike
        for threads in candidates:
            torch.set_num_threads(threads)
            began = time.perf_counter()
            denoiser.probe(shape, context, places=2)
            times[threads] = min(times[threads], time.perf_counter() - began)
    best = candidates[0]
    for threads in candidates[1:]:
        if times[threads] < _WORTHWHILE * times[best]:
            best = threads
    torch.set_num_threads(best)
    return best


def largest_batch(denoiser: Denoiser, shape: tuple[int, int, int], context: tuple[int, int], most: int) -> int:
    """Guided rows, at most `most`, whose UNet call fits into the free memory of CUDA; elsewhere `most`."""
    if denoiser.device.type != "cuda":
        return most
    peaks = []
    for places in (2, 4):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(denoiser.device)
        before = torch.cuda.memory_allocated(denoiser.device)
        denoiser.probe(shape, context, places)
        peaks.append(torch.cuda.max_memory_allocated(denoiser.device) - before)
    per_row = max(1, peaks[1] - peaks[0])
    free, _ = torch.cuda.mem_get_info(denoiser.device)
    return max(1, min(most, int((free * _MEMORY_SHARE - (peaks[0] - per_row)) // per_row)))
