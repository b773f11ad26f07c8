"""The unit tests of the JavaScript modules, and their axis beside the codec's, on node; neither needs a browser."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.mel import mel_filters
from web.assets import STATIC

NODE = Path(sys.executable).parent / "node"


def node(*arguments: str) -> str:
    """What node prints."""
    ran = subprocess.run([NODE, *arguments], capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_unit_tests() -> None:
    assert "\n# fail 0\n" in node("--test", "--test-reporter=tap", "*.test.js")


def test_heights_and_frequencies_are_the_codecs() -> None:
    params = SpectrogramParams()
    bin_hz = params.sample_rate / params.n_fft
    bands = (mel_filters(params).argmax(0) * bin_hz).tolist()
    script = f"""
        import {{ hzAt }} from "{STATIC.as_uri()}/js/spectrogram/mel.js";
        const hz = Array.from({{ length: {len(bands)} }}, (_, band) => hzAt((band + 0.5) / {len(bands)}));
        console.log(JSON.stringify(hz));
    """
    assert json.loads(node("--input-type=module", "--eval", script)) == pytest.approx(bands, abs=bin_hz)
