import threading
from typing import Any

import pytest
import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import DenoiseRequest, Row
from riffusion.diffusion.running_prediction import RunningPrediction

SHAPE = (4, 16, 16)


class Recorder:
    """A UNet that remembers the sizes of its batches."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet
        self.sizes: list[int] = []

    def __call__(self, latents: Tensor, *args: Any, **options: Any) -> Any:
        self.sizes.append(len(latents))
        return self._unet(latents, *args, **options)

    def __len__(self) -> int:
        raise TypeError("a module that torch has compiled has no length, and so no truth value")


@pytest.fixture
def unet(checkpoint: Checkpoint) -> Recorder:
    return Recorder(checkpoint.unet)


def row(
    checkpoint: Checkpoint,
    prompts: PromptEncoder,
    guidance: float = 4.0,
    prompt: str = "funk",
    guidance_end: float = 1.0,
) -> Row:
    positive, negative = prompts.encode(prompt, "")
    request = DenoiseRequest(
        positive, negative, guidance, SeededNoise(1), SHAPE, "dpm++2m", 3, guidance_end=guidance_end
    )
    row = Row(request, checkpoint.scheduler_config, lambda: None, RunningPrediction())
    row.join(torch.device("cpu"))
    return row


def test_guidance_fills_two_batch_entries_and_no_guidance_one(
    checkpoint: Checkpoint, prompts: PromptEncoder, unet: Recorder
) -> None:
    denoiser = Denoiser(checkpoint, compiler=lambda _: unet)
    denoiser.warm_up(SHAPE, (77, 16), batch_size=4)
    unet.sizes.clear()
    rows = [row(checkpoint, prompts, guidance) for guidance in (1.0, 4.0, 0.0)]
    predictions = denoiser.predict(rows)
    assert unet.sizes == [4]
    assert [row.cost for row in rows] == [3, 6, 3]
    assert torch.allclose(predictions[0], predictions[2], atol=1e-5)
    assert not torch.allclose(predictions[0], predictions[1])


@pytest.mark.parametrize(("end", "sizes"), [(0.01, [2, 1, 1]), (0.34, [2, 1, 1]), (0.6, [2, 2, 1]), (1.0, [2, 2, 2])])
def test_after_the_end_of_guidance_a_row_fills_one_entry(
    checkpoint: Checkpoint, prompts: PromptEncoder, unet: Recorder, end: float, sizes: list[int]
) -> None:
    denoiser = Denoiser(checkpoint)
    denoiser._unet = unet
    ending = row(checkpoint, prompts, guidance_end=end)
    assert ending.cost == sum(sizes)
    while not ending.finished:
        ending.advance(denoiser.predict([ending])[0])
    assert unet.sizes == sizes
    assert row(checkpoint, prompts, 1.0, guidance_end=end).cost == 3


def test_a_cpu_that_compiles_nothing_is_not_warmed_up(checkpoint: Checkpoint, unet: Recorder) -> None:
    denoiser = Denoiser(checkpoint)
    denoiser._unet = unet
    denoiser.warm_up(SHAPE, (77, 16), batch_size=16)
    assert not unet.sizes


def test_compiled_batches_are_padded_to_sizes_that_are_warm(
    checkpoint: Checkpoint, prompts: PromptEncoder, unet: Recorder
) -> None:
    plain, padded = Denoiser(checkpoint), Denoiser(checkpoint, compiler=lambda _: unet)
    padded.warm_up(SHAPE, (77, 16), batch_size=6)
    assert unet.sizes == [6, 6, 6, 4, 4, 4, 2, 2, 2, 1, 1, 1]  # the largest graph first: the others fit into its memory
    unet.sizes.clear()
    rows = [row(checkpoint, prompts, guidance) for guidance in (4.0, 1.0)]
    for ours, theirs in zip(padded.predict(rows), plain.predict(rows), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    assert unet.sizes == [4]
    padded.predict([row(checkpoint, prompts, prompt="x" * 200)])
    assert unet.sizes == [4]  # a length that isn't warmed up is never compiled while rows wait


def test_a_longer_prompt_in_the_batch_changes_nothing(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    denoiser = Denoiser(checkpoint)
    short, long = row(checkpoint, prompts), row(checkpoint, prompts, prompt="x" * 200)
    with torch.inference_mode():
        alone, beside = denoiser.predict([short])[0], denoiser.predict([long, short])[1]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_a_unet_that_can_not_be_compiled_runs_uncompiled(
    checkpoint: Checkpoint, prompts: PromptEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA graphs aren't possible here")

    caplog.set_level("WARNING", "riffusion")  # the command line's programs raise it
    denoiser = Denoiser(checkpoint, compiler=lambda _: broken)
    denoiser.warm_up(SHAPE, (77, 16), batch_size=4)
    rows = [row(checkpoint, prompts)]
    assert torch.equal(denoiser.predict(rows)[0], Denoiser(checkpoint).predict(rows)[0])
    assert [record.message for record in caplog.records] == ["the UNet can't be compiled: it runs uncompiled"]


def test_cuda_graphs_have_their_state_in_the_thread_that_warms_up(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module that keeps it is imported by another thread before, whose state alone it then sets."""
    from torch._inductor import cudagraph_trees

    kept: list[Any] = []

    def graphed(latents: Tensor, *_: Any, **__: Any) -> Any:
        kept.append(cudagraph_trees.get_obj(cudagraph_trees.local, "tree_manager_containers"))
        return (latents,)

    denoiser = Denoiser(checkpoint, compiler=lambda _: graphed)
    denoiser.device = torch.device("cuda")
    monkeypatch.setattr(denoiser, "probe", lambda shape, _, size: graphed(torch.zeros(size, *shape)))
    warm_up = threading.Thread(target=denoiser.warm_up, args=(SHAPE, (77, 16), 2))
    warm_up.start()
    warm_up.join()
    assert len(kept) == 2 * 3
    assert all(each is kept[0] for each in kept)
