"""Playing notes into a drawing and into the jam, by the computer's keys, by MIDI and by pointer."""

import time
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import Site, choose, complaints, posted, until

# A keyboard, played by `midi(0x90, 60, 100)`; the pictures that the page sends; the tones that are heard at once.
MIDI = """
const input = { name: "Fake 25", state: "connected" };
navigator.requestMIDIAccess = async () => ({ inputs: new Map([["1", input]]) });
window.midi = (...bytes) => input.onmidimessage({ data: Uint8Array.from(bytes) });
window.pictures = [];
const convert = OffscreenCanvas.prototype.convertToBlob;
OffscreenCanvas.prototype.convertToBlob = async function (...options) {
  const blob = await convert.apply(this, options);
  const reader = new FileReader();
  window.pictures.push(new Promise((resolve) => (reader.onload = () => resolve(reader.result))));
  reader.readAsDataURL(blob);
  return blob;
};
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...rest) {
  window.tones.push(this.frequency.value);
  return start.apply(this, rest);
};
"""
C5_ROW, A4_ROW = 407, 420  # of 512, from the top
COLUMNS_S = 100  # of a picture


@pytest.fixture
def keys(site: Site, visit: Callable[..., Page]) -> Page:
    """The playground, with a MIDI keyboard."""
    page = visit(f"{site.url}/")
    page.add_init_script(MIDI)
    page.reload()
    page.wait_for_selector("[name=seed-image] option", state="attached")
    return page


def sent_pictures(page: Page) -> list[NDArray[np.uint8]]:
    """Levels [rows, columns], 0 silent, of the pictures that the page has sent."""
    urls = page.evaluate("Promise.all(pictures)")
    images = [Image.open(BytesIO(b64decode(url.split(",")[1]))) for url in urls]
    return [255 - np.asarray(image.convert("L")) for image in images]


def test_keys_are_drawn_at_the_playhead_and_heard_in_the_next_round(keys: Page) -> None:
    choose(keys, "draw")
    keys.click("#draw-keys")
    began = time.monotonic()
    keys.keyboard.down("h")  # the key beside g is A4, wherever it is printed
    assert keys.get_attribute("#keys button.held", "aria-label") == "A4"
    keys.wait_for_timeout(300)
    keys.keyboard.up("h")
    held_s = time.monotonic() - began
    assert keys.evaluate("tones") == [pytest.approx(440, abs=0.01)]
    keys.wait_for_selector(".spectrogram.playing")
    keys.click("#keys .midi")
    keys.wait_for_selector("#keys .message:has-text('Fake 25')")
    began = time.monotonic()
    keys.evaluate("midi(0x90, 72, 127)")
    keys.wait_for_timeout(200)
    keys.evaluate("midi(0x90, 72, 0)")
    midi_held_s = time.monotonic() - began
    keys.fill("#prompt", "ah, a prompt with letters")
    keys.type("#prompt", " adhz")
    assert keys.input_value("#prompt").endswith("letters adhz")
    assert len(keys.evaluate("tones")) == 2
    until(keys, "Number(document.querySelector('#clock').textContent) > 4.5")
    until(keys, "Number(document.querySelector('#clock').textContent) < 1")
    until(keys, "peak() > 0.02")
    levels = sent_pictures(keys)[0]
    drawn = np.flatnonzero(levels.any(axis=0))
    assert drawn[0] <= 10  # the first note starts the loop
    a4, c5 = np.flatnonzero(levels[A4_ROW] > 180), np.flatnonzero(levels[C5_ROW] > 180)
    assert 20 <= len(a4) <= COLUMNS_S * held_s + 30
    assert 15 <= len(c5) <= COLUMNS_S * midi_held_s + 30
    assert a4[-1] < c5[0]
    keys.focus("#workbench .plate")
    keys.keyboard.press("Control+z")
    keys.keyboard.press("Control+z")
    assert keys.is_disabled("#draw .undo")


def start_jam(page: Page) -> None:
    """A jam with its keys open, whose first clip is heard."""
    page.click("#to-jam")
    page.fill("#prompt", "deep house synth lead")
    page.click("#jam [aria-controls=keys]")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('The next')")
    page.wait_for_timeout(500)


def test_notes_played_into_the_jam_are_kept_by_the_next_clips(keys: Page) -> None:
    start_jam(keys)
    with keys.expect_request(
        lambda request: request.url.endswith("/jobs") and "mask" in (request.post_data or "")
    ) as sent:
        keys.hover("#keys [aria-label=A4]")
        keys.mouse.down()
        keys.wait_for_timeout(400)
        keys.mouse.up()
    assert {"upload"} == posted(sent.value)["init"].keys() == posted(sent.value)["mask"].keys()
    pictures = sent_pictures(keys)
    (mask,) = [picture for picture in pictures if set(np.unique(picture)) == {0, 255}]
    (init,) = [picture for picture in pictures if picture is not mask]
    note = np.flatnonzero(mask[A4_ROW])
    assert 30 <= len(note) <= 70
    assert (init[A4_ROW, note] > 200).all()
    assert (mask == 0).mean() > 0.9
    keys.wait_for_selector("#jam-status:has-text('The next')")
    with keys.expect_request(lambda request: request.url.endswith("/jobs") and request.method == "POST") as sent:
        keys.click("#jam-clear")
    assert "seed_image" in posted(sent.value)["init"]


def test_notes_played_into_the_jam_are_undone_until_they_are_heard(keys: Page) -> None:
    keys.click("#to-jam")
    keys.fill("#prompt", "deep house synth lead")
    keys.click("#jam [aria-controls=keys]")
    assert keys.is_disabled("#jam-undo")
    keys.click("#jam-play")
    keys.wait_for_selector("#jam-status:has-text('The next')")
    keys.wait_for_timeout(500)
    with keys.expect_request(lambda request: "mask" in (request.post_data or "")):
        for code in ("h", "k"):  # A4 and C5
            keys.keyboard.down(code)
            keys.wait_for_timeout(300)
            keys.keyboard.up(code)
            keys.wait_for_timeout(200)
        assert keys.is_enabled("#jam-undo")
        keys.keyboard.press("Control+z")  # while its bars are heard
        keys.route("**/jobs", lambda _: None)  # takes its time
    mask = min(sent_pictures(keys), key=lambda picture: len(np.unique(picture)))
    assert mask[A4_ROW].any()
    assert not mask[C5_ROW].any()
    with keys.expect_request(
        lambda request: request.url.endswith("/jobs") and "seed_image" in (request.post_data or "")
    ):
        keys.click("#jam-undo")  # while the next bars are made with it
    assert keys.is_disabled("#jam-undo")
    assert keys.is_visible("#jam-status:has-text('without what you played')")
    keys.unroute("**/jobs")
    keys.fill("#prompt", "its own undo")
    keys.press("#prompt", "Control+z")
    assert keys.input_value("#prompt") != "its own undo"


def test_notes_that_are_heard_are_not_undone(keys: Page) -> None:
    start_jam(keys)
    keys.keyboard.press("h")
    keys.wait_for_selector("#jam-undo:enabled")
    keys.wait_for_selector("#jam-undo:disabled")
    keys.wait_for_selector("#jam-status:has-text('The next')")


def test_the_keyboard_is_one_tab_stop_with_names(keys: Page, axe: str) -> None:
    choose(keys, "draw")
    keys.click("#draw-keys")
    assert keys.get_attribute("#draw-keys", "aria-expanded") == "true"
    keys.focus("#keys [aria-label=C4]")
    keys.keyboard.press("ArrowRight")
    assert keys.evaluate("document.activeElement.ariaLabel") == "C♯4"
    keys.keyboard.press("Enter")
    assert keys.evaluate("tones") == [pytest.approx(277.18, abs=0.01)]
    keys.keyboard.press("x")
    assert keys.evaluate("document.activeElement.ariaLabel") == "C♯5"
    assert complaints(keys, axe) == []
    choose(keys, "listen")
    assert not keys.is_visible("#keys")
    keys.keyboard.press("a")
    assert len(keys.evaluate("tones")) == 1
    keys.set_viewport_size({"width": 390, "height": 800})
    keys.click("#to-jam")
    assert keys.is_visible("#jam-clear")
    assert keys.evaluate("document.documentElement.scrollWidth") <= 390
