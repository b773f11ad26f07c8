"""The package as `npm publish` sends it: installed into an empty folder, and used there against the real API."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.jobs.webhooks.signature import signed_headers
from riffusion.settings import Settings
from tests.api.conftest import wav
from tests.client.in_process_service import serving

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BIN = Path(sys.executable).parent
SECRET = "whsec_c2VjcmV0IG9mIDI0IGJ5dGVzLi4uLg=="


def run(folder: Path, *command: str | Path, **env: str) -> str:
    """What a command prints, with this environment's node."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        command, cwd=folder, env={**os.environ, **env, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a program that has installed the package."""
    folder = tmp_path_factory.mktemp("user")
    run(ROOT / "clients/js", "npm", "pack", "--loglevel=error", "--pack-destination", folder)
    (packed,) = folder.glob("*.tgz")
    (folder / "package.json").write_text('{"type": "module"}')
    run(folder, "npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", packed)
    return folder


def test_it_needs_no_other_and_brings_what_it_names(user: Path) -> None:
    installed = user / "node_modules/riffusion"
    package = json.loads((installed / "package.json").read_text())
    assert "dependencies" not in package
    assert [each.name for each in (user / "node_modules").iterdir() if each.name[0] != "."] == ["riffusion"]
    for entry in package["exports"].values():
        assert all((installed / file).is_file() for file in entry.values())
    assert {"README.md", "LICENSE"} <= {each.name for each in installed.iterdir()}


def test_it_has_the_version_of_the_project() -> None:
    package = json.loads((ROOT / "clients/js/package.json").read_text())
    assert f'\nversion = "{package["version"]}"\n' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("resolution", ["nodenext", "bundler"])
def test_a_program_in_typescript_compiles_and_its_mistakes_do_not(user: Path, resolution: str) -> None:
    shutil.copy(HERE / "user.ts", user)
    module = "nodenext" if resolution == "nodenext" else "esnext"
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", module, "--moduleResolution", resolution)
    run(user, ROOT / "web/node_modules/.bin/tsc", *options, "user.ts")


def test_it_does_what_the_api_does(user: Path, settings: Settings) -> None:
    shutil.copy(HERE / "contract.test.js", user)
    (user / "tone.wav").write_bytes(wav())
    body = json.dumps({"type": "job.succeeded", "data": {"id": "j"}})
    headers = signed_headers("j", int(time.time()), body.encode(), SECRET)
    key, _ = KeyStore(connect(settings), settings).create("me", UNLIMITED)
    with serving(settings) as url:
        ran = run(
            user, "node", "--test", "--test-reporter=tap", "contract.test.js", SERVER=url, KEY=key, SOUND="tone.wav",
            WEBHOOK=json.dumps({"body": body, "headers": headers, "secret": SECRET}),
        )  # fmt: skip
    assert "\n# fail 0\n" in ran
