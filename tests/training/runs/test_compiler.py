"""Whether a machine can compile, with a folder of headers that the test makes."""

import importlib.util
import shutil
import sysconfig
from pathlib import Path

import pytest
import torch

from riffusion.errors import ToolMissing
from riffusion.training.runs.compiler import check_compiler

WITH_COMPILER = pytest.mark.skipif(not shutil.which("g++"), reason="g++ is missing")


@pytest.fixture(autouse=True)
def headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (tmp_path / "Python.h").touch()
    return tmp_path


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolMissing, match=r"no-such-compiler.*install g\+\+ and python3-dev.*without --compile"):
        check_compiler()


@WITH_COMPILER
def test_missing_headers_are_named(headers: Path) -> None:
    check_compiler()
    (headers / "Python.h").unlink()
    with pytest.raises(ToolMissing, match=r"Python\.h.*install g\+\+ and python3-dev.*without --compile"):
        check_compiler()


@WITH_COMPILER
def test_cuda_needs_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    check_compiler()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ToolMissing, match="install triton, or train without --compile"):
        check_compiler()
