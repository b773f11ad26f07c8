"""Makes the README's pictures of the playground: `python -m tools.make_screenshots --url http://127.0.0.1:8000`.

Any running stack will do, and Debian's chromium. Everything lands in `docs/images/`.
"""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import click
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

OUT = Path(__file__).parents[1] / "docs" / "images"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
TIMEOUT_MS = 300_000
COLOURS = 96
MELODY = (0.62, 0.5, 0.56, 0.44, 0.5, 0.62)


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The API.")
def main(url: str) -> None:
    """Uses the playground as a visitor would, and takes the screenshots."""
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, scheme, width, shot in (
            ("studio", "dark", 1280, _studio),
            ("draw", "light", 1280, _draw),
            ("jam", "light", 1280, _jam),
            ("phone", "dark", 390, _phone),
        ):
            page = _visit(browser, url, scheme, width)
            shot(page)
            _keep(page, name)
            page.context.close()


def _visit(browser: Browser, url: str, scheme: str, width: int) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 1040 if width > 1000 else 844},  # noqa: PLR2004
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.goto(url)
    return page


def _play(page: Page, prompt: str) -> None:
    page.fill("#prompt", prompt)
    page.click("#go")
    page.wait_for_selector(".spectrogram.playing")


def _studio(page: Page) -> None:
    _play(page, "jazz piano solo with drums")
    for verb in ("vary", "extend"):
        page.click(f"[data-verb={verb}]")
        page.wait_for_selector(".spectrogram:not(.playing)")
        page.wait_for_selector(".spectrogram.playing")
    page.click(".node .open >> nth=1")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector(".spectrogram.playing")
    page.wait_for_timeout(2500)
    page.hover("#workbench .plate", position={"x": 760, "y": 250})


def _draw(page: Page) -> None:
    page.check("#tools [value=draw]", force=True)
    _stroke(page, lambda x: MELODY[min(len(MELODY) - 1, int(x * len(MELODY)))])
    page.check("[name=brush][value=brush]", force=True)
    _stroke(page, lambda x: 0.2 - 0.1 * x)
    page.check("[name=brush][value=hit]", force=True)
    for beat in range(8):
        _stroke(page, (lambda _: 0.95) if beat % 2 else (lambda _: 0.15), start=beat / 8, end=beat / 8)
    page.fill("#prompt", "string orchestra with drums")


def _jam(page: Page) -> None:
    page.click("#to-jam")
    page.fill("#prompt", "deep house synth lead")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('ready.')")
    page.wait_for_timeout(7000)


def _phone(page: Page) -> None:
    _play(page, "funk bassline with drums")
    page.wait_for_timeout(1500)
    page.evaluate("scrollTo(0, 40)")


def _stroke(page: Page, height: Callable[[float], float], start: float = 0.04, end: float = 0.96) -> None:
    box = page.locator("#workbench .plate").bounding_box()
    assert box is not None  # noqa: S101 - the spectrogram is always visible
    points = [start + (end - start) * n / 80 for n in range(81)]
    for n, x in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + height(x) * box["height"])
        if n == 0:
            page.mouse.down()
    page.mouse.up()


def _keep(page: Page, name: str) -> None:
    """In few colours, which keeps the file small and hardly shows in a page of two hues."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.FLOYDSTEINBERG).save(OUT / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
