"""The jam: endless, without a gap, and honest when the server is behind. Times are those of the Web Audio clock."""

import array
from itertools import pairwise

import pytest
from playwright.sync_api import Page

SILENT = 1e-4
GAP_S = 0.05

# Every clip that starts, and when.
WATCH_STARTS = """
window.starts = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (at = 0, ...rest) {
  window.starts.push(at);
  return start.call(this, at, ...rest);
};
"""


@pytest.fixture
def jam(page: Page) -> Page:
    """The jam's page, with a beat of 5.12 s."""
    page.add_init_script(WATCH_STARTS)
    page.goto(f"{page.url}#jam")
    page.reload()
    page.wait_for_selector("[name=seed-image] option", state="attached")
    page.fill("#prompt", "deep house synth lead")
    page.fill("#jam-volume", "1")
    return page


def record(page: Page, seconds: float) -> list[float]:
    """What the loudspeakers get for some seconds, sample by sample: windows read so often that they overlap."""
    heard: list[float] = []
    at: float | None = None
    while len(heard) < seconds * 44_100:
        window = page.evaluate("() => { const w = heard(); return { ...w, samples: [...w.samples] } }")
        samples, rate = array.array("f", window["samples"]), window["rate"]
        fresh = len(samples) if at is None else round((window["at"] - at) * rate)
        assert fresh <= len(samples), "the machine was too slow to hear everything"
        heard.extend(samples[len(samples) - fresh :])
        at = window["at"]
        page.wait_for_timeout(150)
    return heard


def longest_silence(samples: list[float], rate: int = 44_100) -> float:
    """Seconds."""
    longest = current = 0
    for sample in samples:
        current = current + 1 if abs(sample) < SILENT else 0
        longest = max(longest, current)
    return longest / rate


def test_clips_are_joined_on_the_bar_without_a_gap(jam: Page) -> None:
    jam.click("#jam-play")
    jam.wait_for_function("starts.length >= 1 && tap.context.currentTime > starts[0] + 0.2")
    heard = record(jam, 11.5)
    jam.wait_for_function("starts.length >= 3")
    starts = jam.evaluate("starts")
    assert all(abs(later - earlier - 5.12) < 1e-6 for earlier, later in pairwise(starts))
    assert longest_silence(heard) < GAP_S
    assert "ready ahead" in jam.inner_text("#jam-status")


def test_it_moves_to_another_prompt(jam: Page) -> None:
    jam.click("#jam-play")
    jam.wait_for_selector("#jam-status:has-text('ready ahead')")
    jam.fill("#prompt", "celtic fiddle")
    jam.click("#go")
    jam.wait_for_selector("#jam-status:has-text('“deep house synth lead” → “celtic fiddle”, 25 % of the way')")


def test_it_repeats_on_the_bar_and_says_so_when_the_server_is_behind(jam: Page) -> None:
    jam.click("#jam-play")
    jam.wait_for_function("starts.length >= 1")
    jam.route("**/jobs", lambda route: route.abort())
    jam.fill("#prompt", "nobody makes this")
    jam.click("#go")
    jam.wait_for_selector("#jam-status:has-text('The server can’t be reached')")
    jam.wait_for_function("tap.context.currentTime > starts.at(-1) + 6")
    assert longest_silence(record(jam, 1)) < GAP_S
    jam.unroute("**/jobs")
    jam.wait_for_selector("#jam-status:has-text('nobody makes this')")
    starts = jam.evaluate("starts")
    bars = (starts[-1] - starts[0]) / 5.12
    assert bars > 1.5
    assert abs(bars - round(bars)) < 1e-6


def test_it_stops_when_nobody_touches_the_page(page: Page) -> None:
    page.clock.install()
    page.goto(f"{page.url}#jam")
    page.reload()
    page.fill("#prompt", "deep house synth lead")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('ready ahead')")
    page.clock.fast_forward("10:30")
    page.wait_for_selector("#jam-status:has-text('Stopped after ten minutes')")
    assert page.get_attribute("#jam-play", "aria-label") == "Start the jam"
