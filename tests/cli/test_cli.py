"""The command as a whole: quick, light, and plain about what goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from riffusion.cli import SERVICE, TOOLS, cli, main
from riffusion.errors import Conflict, Gone, NotFound, QueueFull, RiffusionError
from riffusion.requests import MODES

PURPOSES = {
    **{name: purpose for name, (_, purpose) in (SERVICE | TOOLS).items()},
    **{mode.COMMAND: mode.PURPOSE for mode in MODES},
}


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "riffusion", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, **env}, timeout=120,
    )  # fmt: skip


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys; from riffusion.cli import cli; cli.main(['--help'], standalone_mode=False); "
        "sys.exit(bool({'torch', 'numpy', 'flask', 'celery', 'httpx', 'riffusion.cli.make'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout
    for name, purpose in PURPOSES.items():
        assert f"  {name} " in shown
        assert purpose.split()[0] in shown


@pytest.mark.parametrize("name", PURPOSES)
def test_every_command_says_what_it_takes(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


def test_help_for_a_mode_does_not_wait_for_torch() -> None:
    code = "import sys, riffusion.cli.make, riffusion.cli.demo; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("arguments", "env", "status", "said"),
    [
        (["generate", "bells", "--steps", "1", "-o", "a.mp3"], {}, 2, "riffusion: steps: "),
        (["recipe", "pyproject.toml"], {}, 1, "riffusion: The file carries no recipe"),
        (
            [
                "submit",
                "bells",
                "--url",
                "http://127.0.0.1:1",
            ],
            {},
            1,
            "riffusion: The server at",
        ),
        (
            ["jobs", "list"],
            {"RIFFUSION_REDIS_URL": "redis://:hidden@127.0.0.1:1/0"},
            1,
            "riffusion: The job store doesn't respond; try again later. It is redis://127.0.0.1:1/0 "
            "(RIFFUSION_REDIS_URL).",
        ),
        (["worker"], {"RIFFUSION_SLOTS": "0"}, 1, "riffusion: RIFFUSION_SLOTS: "),
    ],
)
def test_what_goes_wrong_is_one_line(arguments: list[str], env: dict[str, str], status: int, said: str) -> None:
    result = run(*arguments, **env)
    assert result.returncode == status
    assert result.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in result.stderr
    assert "hidden" not in result.stderr


@pytest.mark.parametrize("error", [NotFound, Conflict, Gone, QueueFull])
def test_what_is_refused_or_not_there_ends_with_1(
    error: type[RiffusionError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_options: object) -> None:
        raise error("No.")

    monkeypatch.setattr(cli, "main", refuse)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "riffusion: No.\n"


@pytest.mark.parametrize("name", SERVICE)
def test_no_short_help_is_cut(name: str) -> None:
    text = CliRunner().invoke(cli, [name, "--help"], catch_exceptions=False).output
    assert "..." not in text.partition("Commands:")[2]


def test_warnings_that_no_user_can_act_on_are_left_out() -> None:
    code = """if True:
        import contextlib, os, sys, warnings
        from celery.platforms import ROOT_DISCOURAGED, SecurityWarning
        from riffusion.cli import main
        sys.argv = ["riffusion", "--version"]
        with contextlib.suppress(SystemExit):
            main()
        warnings.warn(ROOT_DISCOURAGED.format(uid=0, euid=0, gid=0, egid=0), SecurityWarning)
        print(os.environ["TRANSFORMERS_VERBOSITY"])
    """
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert shown.stderr == ""
    assert shown.stdout.splitlines()[-1] == "error"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mutagen.py").write_text("raise ModuleNotFoundError('No module named mutagen', name='mutagen')")
    (tmp_path / "clip.mp3").write_bytes(b"")
    result = run("recipe", str(tmp_path / "clip.mp3"), PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith("riffusion: this command needs mutagen: in the project's folder, pip install ")
