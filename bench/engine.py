"""The gain of shared UNet calls: clients of mixed modes and step counts on one engine, against serving one by one.

    python bench/engine.py [--clients 1,2,4,8,16] [--rounds 5] [--model bundled|random-tiny|random-sd15|FOLDER]

Each client requests one picture, and all do at once. In each round the same requests are served in three ways:
shared     every client in a thread of its own, all on one engine
serial     one client after another on the same engine
diffusers  one client after another through StableDiffusionPipeline and its image-to-image and inpainting siblings
A client's latency lasts from the moment of all requests until it has its picture. Fairness is Jain's index of the
clients' latencies per requested step: 1 where each waits in proportion to its own work, 1 / clients where one waits for
all the others. Ratios are taken within a round, and their medians over the rounds are printed, with the lowest and
highest. Then clients of few steps join clients of 20 (`bench/engine_few_steps.py`). The last line is JSON.
"""

import argparse
import json
import math
import platform
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from typing import Any

import diffusers
import numpy as np
import torch
from engine_clients import PROMPTS, Served, at_once, one_by_one
from engine_few_steps import measure as measure_few_steps
from PIL import Image
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint, choose_device, choose_dtype, load_checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.row import DenoiseRequest
from riffusion.diffusion.tuning import choose_threads, compiler_for
from riffusion.generate import NoControl
from riffusion.generate.generator import BUNDLED_FOLDER
from riffusion.generate.modes import maker_of
from riffusion.generate.painter import Painter
from riffusion.requests import AnyRequest, ModelCard, parse
from riffusion.requests.base import Painted
from riffusion.requests.modes.inpaint import Inpaint
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.seeds import list_seeds, open_seed
from riffusion.spectrogram.canvas import Canvas
from riffusion.testing import random_stable_diffusion, tiny_checkpoint

STEPS = (20, 12, 30, 16)
SEED_IMAGE = list_seeds()[0].name
MASKED_COLUMNS = slice(128, 384)
SHAPE = (4, 64, 64)


class MeasuredEngine(Engine):
    """Counts the UNet calls that a row waits for before its first one, beyond the call under way."""

    waits: list[int]

    def submit(
        self, request: DenoiseRequest, *, on_step: Callable[[], None] = lambda: None, **options: Any
    ) -> Future[Tensor]:
        """Submits to the engine."""
        asked, steps = self.calls, 0

        def stepped() -> None:
            nonlocal steps
            if steps == 0:
                self.waits.append(self.calls - asked - 1)
            steps += 1
            on_step()

        return super().submit(request, on_step=stepped, **options)


class Pipelines:
    """The same requests through diffusers' pipelines."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        config = checkpoint.scheduler_config

        def in_one_precision(part: torch.nn.Module) -> torch.nn.Module:
            return deepcopy(part).to(checkpoint.dtype)  # a worker's have two on a CPU with bfloat16

        parts = {
            "vae": in_one_precision(checkpoint.vae), "text_encoder": in_one_precision(checkpoint.text_encoder),
            "tokenizer": checkpoint.tokenizer, "unet": checkpoint.unet,
            "scheduler": diffusers.DPMSolverMultistepScheduler.from_config(config),
            "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False,
        }  # fmt: skip
        self._paint = diffusers.StableDiffusionPipeline(**parts)
        self._riff = diffusers.StableDiffusionImg2ImgPipeline(**parts)
        self._inpaint = diffusers.StableDiffusionInpaintPipeline(**parts)
        for pipeline in (self._paint, self._riff, self._inpaint):
            pipeline.set_progress_bar_config(disable=True)
        self._init = Canvas.open(open_seed(SEED_IMAGE)).image().convert("RGB")
        white = np.zeros((512, 512), np.uint8)
        white[:, MASKED_COLUMNS] = 255
        self._mask = Image.fromarray(white)

    def serve(self, request: AnyRequest) -> object:
        """One picture."""
        assert isinstance(request, TextToAudio | Riff | Inpaint)
        options: dict[str, Any] = {
            "prompt": request.prompt, "num_inference_steps": request.sampler.steps, "guidance_scale": request.guidance,
            "generator": torch.Generator().manual_seed(request.seed or 0), "output_type": "np",
        }  # fmt: skip
        match request:
            case TextToAudio():
                return self._paint(height=512, width=512, **options)
            case Riff():
                return self._riff(image=self._init, strength=request.denoising, **options)
            case Inpaint():
                return self._inpaint(image=self._init, mask_image=self._mask, strength=1.0, **options)


def requests_of(clients: int) -> list[AnyRequest]:
    """One request a client: three modes and four step counts in turn."""
    modes: list[dict[str, Any]] = [
        {"mode": "text-to-audio"},
        {"mode": "riff", "init": {"seed_image": SEED_IMAGE}, "denoising": 0.75},
        {
            "mode": "inpaint",
            "init": {"seed_image": SEED_IMAGE},
            "mask": {"seconds": [MASKED_COLUMNS.start / 100, MASKED_COLUMNS.stop / 100]},
        },
    ]
    common = [{"prompt": PROMPTS[i], "steps": STEPS[i], "guidance": 7.0} for i in range(4)]
    return [parse(modes[i % 3] | common[i % 4] | {"seed": i}) for i in range(clients)]


def serve(painter: Painter, init: Canvas, request: AnyRequest) -> object:
    """One picture through the engine."""
    return maker_of(type(request))(painter, request, {"init": init}, NoControl())


def percentile_95(values: Sequence[float]) -> float:
    """The least value that 95 % don't exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def fairness(served: Served, requests: Sequence[AnyRequest]) -> float:
    """Jain's index (Jain, Chiu and Hawe 1984) of latency per step."""
    work = [
        request.sampler.steps * getattr(request, "denoising", 1.0)
        for request in requests
        if isinstance(request, Painted)
    ]
    slowdowns = [latency / steps for latency, steps in zip(served.latencies, work, strict=True)]
    return sum(slowdowns) ** 2 / (len(slowdowns) * sum(value**2 for value in slowdowns))


def checkpoint_of(model: str) -> Checkpoint:
    """The model to measure."""
    device = choose_device("auto")
    dtype = choose_dtype(device)
    match model:
        case "random-tiny":
            return tiny_checkpoint()
        case "random-sd15":
            return random_stable_diffusion(device, dtype)
        case "bundled":
            return load_checkpoint(BUNDLED_FOLDER, None, device, dtype)
    return load_checkpoint(model, None, device, dtype)


def measure(
    painter: Painter, pipelines: Pipelines, engine: MeasuredEngine, clients: int, rounds: int
) -> dict[str, Any]:
    """Medians over the rounds for so many clients."""
    requests = requests_of(clients)
    init = Canvas.open(open_seed(SEED_IMAGE))
    ways: dict[str, Callable[[], Served]] = {
        "shared": partial(at_once, partial(serve, painter, init), requests),
        "serial": partial(one_by_one, partial(serve, painter, init), requests),
        "diffusers": partial(one_by_one, pipelines.serve, requests),
    }
    found: dict[str, list[Served]] = {name: [] for name in ways}
    waits: list[int] = []
    for round_ in range(rounds):
        names = list(ways)[round_ % 3 :] + list(ways)[: round_ % 3]  # each way is first as often as last
        for name in names:
            engine.waits = []
            found[name].append(ways[name]())
            waits += engine.waits if name == "shared" else []
    return summary(found, waits, requests)


def summary(found: dict[str, list[Served]], waits: list[int], requests: Sequence[AnyRequest]) -> dict[str, Any]:
    """Seconds and ratios of one number of clients."""
    clients = len(requests)

    def ratios(other: str, of: Callable[[Served], float]) -> list[float]:
        return [of(a) / of(b) for a, b in zip(found[other], found["shared"], strict=True)]

    throughput = ratios("serial", lambda served: served.total)
    mean_latency = [1 / ratio for ratio in ratios("serial", lambda served: statistics.mean(served.latencies))]
    p95 = [1 / ratio for ratio in ratios("serial", lambda served: percentile_95(served.latencies))]
    return {
        "clients": clients,
        "jobs_per_s": clients / statistics.median(served.total for served in found["shared"]),
        "throughput_ratio": statistics.median(throughput),
        "throughput_spread": (min(throughput), max(throughput)),
        "diffusers_ratio": statistics.median(ratios("diffusers", lambda served: served.total)),
        "mean_latency_s": statistics.median(statistics.mean(served.latencies) for served in found["shared"]),
        "mean_latency_ratio": statistics.median(mean_latency),
        "p95_latency_ratio": statistics.median(p95),
        "fairness": {way: statistics.median(fairness(one, requests) for one in found[way]) for way in found},
        "join_wait_steps": max(waits),
    }


def main() -> None:
    """Measures and prints a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="1,2,4,8,16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="bundled" if any(BUNDLED_FOLDER.glob("unet/*")) else "random-tiny")
    arguments = parser.parse_args()
    checkpoint = checkpoint_of(arguments.model)
    denoiser = Denoiser(checkpoint, compiler_for(checkpoint.device))
    context = (77, int(checkpoint.unet.config.cross_attention_dim))
    threads = choose_threads(denoiser, SHAPE, context)
    engine = MeasuredEngine(denoiser, max_rows=16, warm_up=partial(denoiser.warm_up, SHAPE, context, 32))
    engine.wait_until_ready()
    painter, pipelines = Painter(checkpoint, engine), Pipelines(checkpoint)
    device = torch.cuda.get_device_name() if checkpoint.device.type == "cuda" else f"{threads} threads of a CPU"
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.processor() or platform.machine()}  {device}  {arguments.model}")
    measure(painter, pipelines, engine, clients=1, rounds=1)  # the first call's extra cost isn't counted
    print("clients  jobs/s  ×serial (low–high)  ×diffusers  mean s  ×serial  p95 ×serial  fairness (serial)  join wait")
    rows: dict[int, dict[str, Any]] = {}
    for clients in map(int, arguments.clients.split(",")):
        row = rows[clients] = measure(painter, pipelines, engine, clients=clients, rounds=arguments.rounds)
        low, high = row["throughput_spread"]
        print(
            f"{clients:7}  {row['jobs_per_s']:6.2f}  {row['throughput_ratio']:7.2f} ({low:.2f}–{high:.2f})"
            f"  {row['diffusers_ratio']:10.2f}  {row['mean_latency_s']:6.2f}  {row['mean_latency_ratio']:7.2f}"
            f"  {row['p95_latency_ratio']:11.2f}"
            f"  {row['fairness']['shared']:10.2f} ({row['fairness']['serial']:.2f})  {row['join_wait_steps']:9}",
            flush=True,
        )
    few_steps = measure_few_steps(
        partial(serve, painter, Canvas.open(open_seed(SEED_IMAGE))),
        ModelCard(guidance=checkpoint.guidance, qualities=checkpoint.qualities),
        arguments.rounds,
    )
    engine.close()
    eight, one = rows.get(8, {}), rows.get(1, {})
    keys = {
        "throughput_ratio_8": eight.get("throughput_ratio"),
        "mean_latency_ratio_8": eight.get("mean_latency_ratio"),
        "diffusers_ratio_8": eight.get("diffusers_ratio"),
        "ratio_1": one.get("throughput_ratio"),
        "fairness_8": eight.get("fairness", {}).get("shared"),
        "fairness_serial_8": eight.get("fairness", {}).get("serial"),
        "diffusers_ratio_1": one.get("diffusers_ratio"),
        "join_wait_steps": max(row["join_wait_steps"] for row in rows.values()),
        **few_steps,
        "device": device,
    }
    print(json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in keys.items()}))


if __name__ == "__main__":
    main()
