"""One tiny model for all tests of this folder."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.generate.painter import Painter
from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.canvas import Canvas, Tempo
from riffusion.testing import tiny_checkpoint
from tests.diffusion.lora_files import save_lora


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()


@pytest.fixture(scope="session")
def painter(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Painter]:
    engine = Engine(Denoiser(checkpoint), max_rows=4)
    folder = tmp_path_factory.mktemp("loras")
    save_lora(folder / "dub", text_encoder=True)
    yield Painter(checkpoint, engine, folder)
    engine.close()


@pytest.fixture(scope="session")
def init() -> Canvas:
    """A picture that nothing else looks like, at 120 BPM: 200 columns a bar."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 512, 210), dtype=np.uint8)
    return Canvas(pixels, SpectrogramParams(), Tempo(120.0))


@pytest.fixture(scope="session")
def stereo() -> Canvas:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 512, 210), dtype=np.uint8)
    return Canvas(pixels, SpectrogramParams(stereo=True))
