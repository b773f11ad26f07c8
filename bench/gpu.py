"""Stable Diffusion 1.5's exact architecture on a GPU: steps a second, share of the GPU's peak, memory.

    python bench/gpu.py [--batches 1,2,4,8,16] [--steps 50,20] [--runs 5] [--small]

The weights are random, which costs as much as the real ones. All goes through the engine, schedulers and guidance
included: an iteration is one denoising step of the whole batch, both guidance halves. The peak is the rate of a large
matrix product in the same precision on the same device. Needs CUDA; `--small` runs the same code with a tiny model on
the CPU, where the figures mean nothing. The last line is JSON.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import Checkpoint, choose_dtype
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import DenoiseRequest
from riffusion.diffusion.tuning import compiler_for
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.testing import random_stable_diffusion, tiny_checkpoint

SHAPE = (4, 64, 64)
CLIPS = 8


def seconds(work: Callable[[], object], device: torch.device, runs: int) -> float:
    """Median time in seconds of some work, including the device's."""
    times = []
    for _ in range(runs + 1):  # the first one warms up
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def peak_flops(device: torch.device, dtype: torch.dtype, size: int, runs: int) -> float:
    """Floating-point operations a second of a square matrix product."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / seconds(lambda: a @ b, device, runs)


def row_flops(checkpoint: Checkpoint, context: tuple[int, int]) -> float:
    """Floating-point operations of one step of one guided row."""
    counter = FlopCounterMode(display=False)
    with counter:
        Denoiser(checkpoint).probe(SHAPE, context, batch_size=2)
    return float(counter.get_total_flops())


def iterations_a_second(engine: Engine, request: Callable[[int], DenoiseRequest], batch: int, steps: int) -> float:
    """Steps of a batch that starts together, from the end of its first to the end of its last."""
    ends: list[float] = []
    held = threading.Event()

    def hold() -> None:
        held.wait(60)

    blocker = engine.submit(request(0), on_step=hold)  # so that all the others join at the same step
    futures = [engine.submit(request(seed), on_step=lambda: ends.append(time.perf_counter())) for seed in range(batch)]
    blocker.cancel()
    held.set()
    for future in futures:
        future.result()
    return (steps - 1) / (ends[-1] - ends[batch - 1])


def measure(checkpoint: Checkpoint, arguments: argparse.Namespace, matrix: int) -> dict[str, Any]:
    """Prints a table and returns the JSON's keys."""
    device = checkpoint.device
    batches = [int(batch) for batch in arguments.batches.split(",")]
    context = (77, int(checkpoint.unet.config.cross_attention_dim))
    peak, flops = peak_flops(device, checkpoint.dtype, matrix, arguments.runs), row_flops(checkpoint, context)
    denoiser = Denoiser(checkpoint, compiler_for(device))
    began = time.perf_counter()
    engine = Engine(denoiser, max(batches), warm_up=partial(denoiser.warm_up, SHAPE, context, 2 * max(batches)))
    engine.wait_until_ready()
    prompt, negative = PromptEncoder(checkpoint).encode("funk bassline with a jazzy saxophone solo", "")
    warm_up = time.perf_counter() - began
    print(f"peak {peak / 1e12:.1f} TFLOP/s; a guided step {flops / 1e12:.3f} TFLOP; warm-up {warm_up:.0f} s")
    print("steps  batch  it/s  clips/s  share of peak")
    keys: dict[str, Any] = {"warm_up_s": warm_up, "peak_tflops": peak / 1e12}
    for steps in map(int, arguments.steps.split(",")):
        for batch in batches:

            def request(seed: int, steps: int = steps) -> DenoiseRequest:
                return DenoiseRequest(prompt, negative, 7.0, SeededNoise(seed), SHAPE, "dpm++2m", steps)

            rate = statistics.median(iterations_a_second(engine, request, batch, steps) for _ in range(arguments.runs))
            share = rate * batch * flops / peak
            print(f"{steps:5}  {batch:5}  {rate:5.1f}  {rate * batch / steps:7.2f}  {share:13.1%}", flush=True)
            keys |= {f"its_{steps}_{batch}": rate, f"peak_share_{steps}_{batch}": share}
    engine.close()
    return keys | around(checkpoint, arguments.runs)


def around(checkpoint: Checkpoint, runs: int) -> dict[str, Any]:
    """The work beside the steps, decoding pictures and retrieving their sound; and the memory of everything."""
    device = checkpoint.device
    autoencoder, codec = Autoencoder(checkpoint), SpectrogramCodec()
    latents = torch.randn(SHAPE, device=device)
    picture = Canvas.blank(autoencoder.decode(latents))
    decoding = seconds(lambda: autoencoder.decode(latents), device, runs)
    retrieval = seconds(lambda: [codec.decode(picture) for _ in range(CLIPS)], device, runs)
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0
    print(
        f"decoding {1000 * decoding:.1f} ms; sound of {CLIPS} clips {1000 * retrieval:.0f} ms; {memory:.1f} GiB in all"
    )
    return {"decode_ms": 1000 * decoding, "retrieval_8_ms": 1000 * retrieval, "memory_gib": memory}


def main() -> None:
    """Measures and prints, or exits with the reason why it can't."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", default="1,2,4,8,16")
    parser.add_argument("--steps", default="50,20")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    if not arguments.small and not torch.cuda.is_available():
        sys.exit("This needs CUDA, and torch finds none; --small runs the same code on the CPU.")
    device = torch.device("cpu" if arguments.small else "cuda")
    name = "CPU, tiny model" if arguments.small else torch.cuda.get_device_name()
    print(f"{datetime.now(UTC):%Y-%m-%d}  {name}  torch {torch.__version__}")
    checkpoint = tiny_checkpoint() if arguments.small else random_stable_diffusion(device, choose_dtype(device))
    keys = measure(checkpoint, arguments, matrix=256 if arguments.small else 8192)
    rounded = {key: round(value, 3) for key, value in keys.items()}
    print(json.dumps({"device": name, **rounded}))


if __name__ == "__main__":
    main()
