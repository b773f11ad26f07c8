"""The model's parts on a fake CUDA device, which isn't the current one: what waits for what, and what is copied."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.lora import Factors, LoraSet
from riffusion.diffusion.memory import rows_within
from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import DenoiseRequest
from riffusion.diffusion.running_prediction import RunningPrediction
from riffusion.diffusion.streams import PartStream
from riffusion.errors import OutOfMemory
from riffusion.requests import Scheduler
from riffusion.testing import tiny_checkpoint
from tests.diffusion.fake_cuda import DEVICE, FakeCuda, Streams

SHAPE = (4, 16, 16)


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    return Streams(monkeypatch)


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def on_cuda() -> Checkpoint:
    """A tiny model that says that it is on the device; its parts are put there once they are made."""
    return replace(tiny_checkpoint(), device=DEVICE, dtype=torch.float16)


@pytest.fixture
def engine(on_cuda: Checkpoint, cuda: FakeCuda, streams: Streams) -> Iterator[Engine]:
    denoiser = Denoiser(on_cuda)
    cuda.put(on_cuda.unet)
    engine = Engine(denoiser, max_rows=10, warm_up=cuda.enter_thread)
    yield engine
    engine.close()


def request(
    cuda: FakeCuda, scheduler: Scheduler = "dpm++2m", guidance: float = 4.0, masked: bool = False, **options: Any
) -> DenoiseRequest:
    """As the painter makes it: embeddings and initial latents on the device, noise and mask on the host."""
    embeds = cuda.tensor(torch.zeros(77, 16))
    init = cuda.tensor(torch.zeros(SHAPE), torch.float32) if masked else None
    mask = torch.ones(1, 16, 16) if masked else None
    return DenoiseRequest(
        embeds, embeds, guidance, SeededNoise(1), SHAPE, scheduler, 4, 0.6, init, mask, **options
    )  # fmt: skip


def test_steps_neither_wait_for_the_device_nor_mix_devices(engine: Engine, cuda: FakeCuda, streams: Streams) -> None:
    kinds = [(scheduler, masked) for scheduler in get_args(Scheduler) for masked in (False, True)]
    predictions = [RunningPrediction() for _ in kinds]
    for prediction in predictions:
        prediction.ask()
    futures = [
        engine.submit(request(cuda, scheduler, 1.0 + masked, masked), prediction=prediction)
        for (scheduler, masked), prediction in zip(kinds, predictions, strict=True)
    ]
    made = [future.result(60) for future in futures]
    made += [latents for prediction in predictions if (latents := prediction.take()) is not None]
    assert len(made) == 2 * len(kinds)
    engine.close()  # while its thread runs an operation, torch gives the device of every fake tensor as "meta"
    for latents in made:
        assert (latents.shape, latents.device, latents.dtype) == (SHAPE, DEVICE, torch.float32)
    assert not cuda.waits
    noisy_steps = 3 * (3 + 1)  # of three samplers: each but the last of 4, and of the masked row's 2
    assert cuda.uploads == len(futures) + noisy_steps


def test_the_engine_uses_its_own_stream_on_its_own_device(engine: Engine, cuda: FakeCuda, streams: Streams) -> None:
    engine.submit(request(cuda)).result(60)
    engine.close()
    [stream] = streams.created
    assert {entry for entry in streams.log if entry[0] == "record"} == {("record", stream)}
    waits = [index for index, entry in enumerate(streams.log) if entry == ("wait", stream, streams.default)]
    uses = [index for index, entry in enumerate(streams.log) if entry[:2] == ("use", stream)]
    assert len(uses) == 2  # its embeddings', which the job may free while it steps
    assert waits[-1] < uses[0]  # once it has joined, so after what the job had queued


def test_a_row_that_fails_to_join_fails_alone(engine: Engine, cuda: FakeCuda) -> None:
    broken = replace(request(cuda, masked=True), init_latents=cuda.tensor(torch.zeros(4, 3, 3)))
    futures = [engine.submit(each) for each in (request(cuda), broken, request(cuda))]
    with pytest.raises(RuntimeError):
        futures[1].result(60)
    assert futures[0].result(60).shape == futures[2].result(60).shape == SHAPE


def test_each_part_has_one_stream(on_cuda: Checkpoint, cuda: FakeCuda, streams: Streams) -> None:
    on_cuda.vae.half()
    autoencoder, prompts = Autoencoder(on_cuda), PromptEncoder(on_cuda)
    cuda.put(on_cuda.vae)
    cuda.put(on_cuda.text_encoder)
    with cuda.entered():
        for _ in range(3):
            latents = autoencoder.encode(np.zeros((64, 64), np.uint8))
            picture = autoencoder.decode(latents)
            embeds = prompts.encode("funk", "")
    assert picture.shape == (64, 64)
    assert {each.device for each in (latents, *embeds)} == {DEVICE}
    assert [stream.device for stream in streams.created] == [DEVICE] * 2


def test_results_are_finished_and_kept_for_the_stream_of_the_job(cuda: FakeCuda, streams: Streams) -> None:
    part = PartStream(DEVICE)
    [stream] = streams.created

    def work() -> list[Tensor]:
        streams.log.append(("work", streams.current(DEVICE)))
        return [made]

    made = cuda.tensor(torch.zeros(3))
    assert part.run(work) == [made]
    assert [entry[:2] for entry in streams.log] == [
        ("wait", stream), ("enter", stream), ("work", stream), ("use", streams.default), ("synchronize", stream),
    ]  # fmt: skip


@pytest.mark.parametrize(("error", "raised"), [(ZeroDivisionError(), ZeroDivisionError), (MemoryError(), OutOfMemory)])
def test_after_an_error_too_nothing_is_left_that_reads_the_jobs_memory(
    streams: Streams, error: Exception, raised: type[Exception]
) -> None:
    def fail() -> list[Tensor]:
        raise error

    with pytest.raises(raised):
        PartStream(DEVICE).run(fail)
    assert streams.log[-1] == ("synchronize", streams.created[0])


def test_a_lora_is_merged_after_the_job_has_made_it(on_cuda: Checkpoint, cuda: FakeCuda, streams: Streams) -> None:
    """Otherwise its embeddings would come from half a LoRA, and stay in the cache."""
    prompts = PromptEncoder(on_cuda)
    cuda.put(on_cuda.text_encoder)
    name = next(name for name in prompts._lora_merger._weights if name.endswith("q_proj.weight"))
    prompts._lora_merger._weights = dict(on_cuda.text_encoder.named_parameters())
    factors = Factors(cuda.tensor(torch.zeros(16, 2)), cuda.tensor(torch.zeros(2, 16)))
    with cuda.entered():
        prompts.encode("funk", lora=LoraSet((("one", 0, 1.0),), {"unet": {}, "text_encoder": {name: factors}}))
    [stream] = streams.created
    merged = next(index for index, entry in enumerate(streams.log) if entry[0] == "use")
    assert streams.log[merged][:2] == ("use", stream)
    assert streams.log.index(("wait", stream, streams.default)) < merged


@pytest.mark.parametrize("columns", [32, 256])
def test_wide_pictures_stay_within_the_memory_of_narrow_ones(on_cuda: Checkpoint, cuda: FakeCuda, columns: int) -> None:
    denoiser = Denoiser(on_cuda)
    cuda.put(on_cuda.unet)

    def peak(width: int) -> int:
        shape = (4, 64, width)
        cuda.peak = 0
        with cuda.entered(), torch.inference_mode():
            batch = 2 * rows_within(shape, 16, 16 * 64 * 16)
            denoiser._call(
                torch.zeros(batch, *shape, device=DEVICE), torch.ones(batch, device=DEVICE),
                torch.zeros(batch, 77, 16, device=DEVICE),
            )  # fmt: skip
        return cuda.peak

    assert peak(columns) <= 1.1 * peak(16)


def test_layers_keep_channels_last(on_cuda: Checkpoint, cuda: FakeCuda) -> None:
    """Of what a convolution gets after a group norm; torch's own norm gives it channels first on CUDA."""
    denoiser = Denoiser(on_cuda)
    cuda.put(on_cuda.unet)
    layouts: list[bool] = []
    for name, module in on_cuda.unet.named_modules():
        if name.endswith((".conv1", ".conv2", "conv_out", "proj_in")):
            module.register_forward_pre_hook(
                lambda _, args: layouts.append(args[0].is_contiguous(memory_format=torch.channels_last))
            )
    with cuda.entered(), torch.inference_mode():
        denoiser._call(
            torch.zeros(2, *SHAPE, device=DEVICE), torch.ones(2, device=DEVICE), torch.zeros(2, 77, 16, device=DEVICE)
        )
    assert layouts
    assert all(layouts)
