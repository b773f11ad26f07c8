"""The browsers that pages are tested in, of Debian's packages."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[2]
# Of each kind: its Debian package, and where it is installed.
PROGRAMS = {
    "chromium": ("chromium", shutil.which("chromium")),
    "firefox": ("firefox-esr", shutil.which("firefox-esr") or shutil.which("firefox")),
}
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
FIREFOX_PREFERENCES: dict[str, str | float | bool] = {
    "media.cubeb.force_mock_context": True,  # a sound card that nobody hears; without any, its AudioContext never runs
}


def missing(kind: str) -> str | None:
    """Why there is no such browser."""
    package, program = PROGRAMS[kind]
    return None if program else f"there is no {kind}; `apt-get install {package}`"


def launch(playwright: Playwright, kind: str, folder: Path) -> Browser:
    """Starts a browser that may keep files in a folder.

    Raises:
        playwright.sync_api.Error: if it doesn't start.
    """
    program = PROGRAMS[kind][1]
    if kind == "chromium":
        return playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
    launcher = folder / "firefox"
    command = shlex.join([sys.executable, "-m", "tests.browser.bidi_relay", str(program)])
    launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    launcher.chmod(0o700)
    # Firefox refuses a home of somebody else's, which root's may be where tests run.
    env: dict[str, str | float | bool] = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    return playwright.firefox.launch(
        channel="moz-firefox", executable_path=launcher, env=env, firefox_user_prefs=FIREFOX_PREFERENCES
    )
