"""The page's ES modules: typed throughout, and of one mind with the codec about pitch."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from api.assets import STATIC, asset
from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.mel import mel_filters
from tests.browser.conftest import npm_package

TYPESCRIPT = "typescript@5.9.3"


def test_their_types_hold(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the type checker runs on node, which isn't installed")
    options = {
        "allowJs": True, "checkJs": True, "noEmit": True, "strict": True, "types": [],
        "target": "es2023", "module": "es2022", "moduleResolution": "bundler", "lib": ["es2023", "dom", "dom.iterable"],
    }  # fmt: skip
    project = tmp_path / "tsconfig.json"
    project.write_text(json.dumps({"compilerOptions": options, "include": [f"{STATIC}/js/*.js"]}))
    checker = npm_package(request, TYPESCRIPT) / "lib" / "tsc.js"
    checked = subprocess.run([node, str(checker), "-p", str(project)], capture_output=True, text=True, check=False)
    assert checked.stdout == ""


def test_heights_and_frequencies_are_the_codecs(page: Page) -> None:
    params = SpectrogramParams()
    bin_hz = params.sample_rate / params.n_fft
    bands = (mel_filters(params).argmax(0) * bin_hz).tolist()
    shown = page.evaluate(
        "async ([module, bands]) => { const { hzAt } = await import(module);"
        " return Array.from({ length: bands }, (_, band) => hzAt((band + 0.5) / bands)) }",
        [asset("js/mel.js"), len(bands)],
    )
    assert shown == pytest.approx(bands, abs=bin_hz)


def test_notes_are_named_at_concert_pitch(page: Page) -> None:
    names = page.evaluate(
        "async (module) => { const { noteAt } = await import(module);"
        " return [440, 261.63, 446, 27.5, 8].map((hz) => noteAt(hz) && `${noteAt(hz).name} ${noteAt(hz).cents}`) }",
        asset("js/mel.js"),
    )
    assert names == ["A4 0", "C4 0", "A4 23", "A0 0", None]
