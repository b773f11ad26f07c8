"""One command per mode, run in this process; a generator that costs nothing stands in for the model."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import riffusion.generate
from riffusion.cli import cli
from riffusion.generate import Clip, Control
from riffusion.requests import AnyRequest
from riffusion.settings import Settings
from tests.worker.cheap import CheapGenerator

ROOT = Path(__file__).parents[2]


class Recorder(CheapGenerator):
    """Remembers its requests."""

    asked: AnyRequest
    inputs: dict[str, bytes]

    def __init__(self, _settings: Settings) -> None:
        pass

    @classmethod
    def load(cls, settings: Settings) -> "Recorder":
        return cls(settings)

    def run(self, request: AnyRequest, inputs: object, control: Control) -> Clip:
        assert isinstance(inputs, dict)
        type(self).asked, type(self).inputs = request, inputs
        return super().run(request, inputs, control)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("Generator", "Renderer"):
        monkeypatch.setitem(vars(riffusion.generate), name, Recorder)
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def invoke(run: CliRunner, *arguments: str) -> Result:
    return run.invoke(cli, arguments, catch_exceptions=False)


def test_sound_and_picture_go_where_they_were_asked_to(run: CliRunner) -> None:
    result = invoke(run, "generate", "0", "--seed", "7", "-o", "new/clip.FLAC", "-o", "clip.png")
    assert result.exit_code == 0, result.output
    assert (Path("new/clip.FLAC").read_bytes(), Path("clip.png").read_bytes()) == (b"sound", b"picture")
    assert Recorder.asked.format == "flac"
    assert "clip.png  5.12 s, seed 7" in result.output
    assert "riffusion: cheap" in result.output


def test_a_drawn_seed_is_shown(run: CliRunner) -> None:
    result = invoke(run, "generate", "0", "-o", "clip.mp3")
    assert f"seed {Recorder.asked.model_dump()['seed']}" in result.output


def test_files_are_handed_over(run: CliRunner) -> None:
    Path("in.wav").write_bytes(b"recording")
    assert invoke(run, "audio-to-image", "in.wav", "out.png").exit_code == 0
    assert Recorder.inputs == {"clip": b"recording"}
    assert Path("out.png").read_bytes() == b"picture"


def test_a_command_that_paints_nothing_imports_no_model(tmp_path: Path) -> None:
    code = f"""if True:
        import sys
        from riffusion.cli import cli
        picture = "{ROOT / "riffusion/seeds/band.png"}"
        cli.main(["image-to-audio", picture, "clip.mp3"], standalone_mode=False)
        print([name for name in ("diffusers", "transformers", "httpx") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert (tmp_path / "clip.mp3").exists()


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["a.doc"], "Can't write .doc"),
        (["a.mp3", "a.wav"], "one audio format"),
        (["folder/a.mp3"], "folder/a.mp3"),
    ],
)
def test_outputs_that_can_not_be(run: CliRunner, outputs: list[str], said: str) -> None:
    Path("folder").write_text("in the way")
    options = [part for output in outputs for part in ("-o", output)]
    result = invoke(run, "generate", "0", *options)
    assert result.exit_code != 0
    assert said in result.output
