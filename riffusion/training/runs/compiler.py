"""What `torch.compile` needs of a machine beside PyTorch."""

import importlib.util
import os
import subprocess
import sysconfig

import torch

from riffusion.errors import ToolMissing


def check_compiler() -> None:
    """Checks, in half a second, that what PyTorch generates can be compiled here: C++ with Python's headers.

    Raises:
        ToolMissing: the compiler, the headers or, on CUDA, Triton isn't installed.
    """
    compiler, headers = os.environ.get("CXX") or "g++", sysconfig.get_path("include")
    try:
        subprocess.run(  # noqa: S603  PyTorch would start the same
            [compiler, "-fsyntax-only", "-I", headers, "-x", "c++", "-"],
            input="#include <Python.h>\n", capture_output=True, check=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolMissing(
            f"Compiling the UNet needs a C++ compiler ({compiler}) and Python.h (in {headers}): install g++ and "
            "python3-dev, or train without --compile."
        ) from error
    if torch.cuda.is_available() and not importlib.util.find_spec("triton"):
        raise ToolMissing("Compiling the UNet for CUDA needs Triton: install triton, or train without --compile.")
