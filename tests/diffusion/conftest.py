"""One tiny model and one engine for all tests of this folder."""

from collections.abc import Iterator

import pytest
import torch

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.testing import tiny_checkpoint


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()


@pytest.fixture(scope="session")
def prompts(checkpoint: Checkpoint) -> PromptEncoder:
    return PromptEncoder(checkpoint)


@pytest.fixture(scope="session")
def engine(checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine(Denoiser(checkpoint), max_rows=4)
    yield engine
    engine.close()
