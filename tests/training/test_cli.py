"""The commands, whose help doesn't import torch."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from riffusion.training.cli import train


@pytest.mark.parametrize("command", ["data", "tiny", "judge", "finetune"])
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(train, [command, "--help"])
    assert result.exit_code == 0
    assert "--seed" in result.output


def test_help_imports_neither_torch_nor_numpy() -> None:
    code = "import sys, riffusion.training.cli; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
