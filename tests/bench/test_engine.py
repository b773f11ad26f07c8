"""What bench/engine.py compares with: diffusers' pipelines, on whatever precision a worker has."""

import pytest
import torch
from engine import Pipelines, requests_of

from riffusion.diffusion.checkpoint import load_checkpoint
from riffusion.generate.generator import BUNDLED_FOLDER


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_pipelines_serve_every_mode(dtype: torch.dtype) -> None:
    pipelines = Pipelines(load_checkpoint(BUNDLED_FOLDER, None, torch.device("cpu"), dtype))
    for request in requests_of(3):
        sampler = {"steps": 2} | ({"denoising": 1.0} if "denoising" in request.model_fields_set else {})
        assert pipelines.serve(request.model_copy(update=sampler))
