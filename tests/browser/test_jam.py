"""The jam: endless, without a gap, and repeating while the server is behind. Times are those of the Web Audio clock."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import Site, in_both, until

GAP_S = 0.05
BAR_S = 2.56

# Counts samples on the audio thread, where none is lost however slow the page is: the longest run of silence.
METER = """
registerProcessor("meter", class extends AudioWorkletProcessor {
  run = 0; longest = 0; total = 0;
  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.run = Math.abs(sample) < 1e-4 ? this.run + 1 : 0;
      this.longest = Math.max(this.longest, this.run);
      this.total++;
    }
    this.port.postMessage({ silence: this.longest / sampleRate, seconds: this.total / sampleRate });
    return true;
  }
});
"""
# Every clip that starts, and when; and a meter on what goes to the loudspeakers.
WATCH = """
const METER = `%s`;
window.starts = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (at = 0, ...rest) {
  window.starts.push(at);
  return start.call(this, at, ...rest);
};
window.measure = async () => {
  const { context } = window.tap;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([METER], { type: "text/javascript" })));
  const meter = new AudioWorkletNode(context, "meter", { numberOfOutputs: 0 });
  meter.port.onmessage = ({ data }) => (window.measured = data);
  window.tap.connect(meter);
};
"""


def allow_blobs(route: Route) -> None:
    """Lets the page load the meter's code, which comes from here."""
    response = route.fetch()
    policy = response.headers["content-security-policy"].replace("script-src", "script-src blob:")
    route.fulfill(response=response, headers=response.headers | {"content-security-policy": policy})


def on_bar_lines(starts: list[float]) -> bool:
    """Whether whole bars lie between the starts of clips: two if each was ready in time, fewer after one was late."""
    bars = [(later - earlier) / BAR_S for earlier, later in pairwise(starts)]
    return all(round(each) >= 1 and abs(each - round(each)) < 1e-6 for each in bars)


@pytest.fixture
def jam(site: Site, visit: Callable[..., Page]) -> Page:
    """The jam's page, with a beat of 5.12 s."""
    page = visit(f"{site.url}/#jam")
    page.route(f"{site.url}/", allow_blobs)
    page.add_init_script(WATCH % METER)
    page.reload()
    page.wait_for_selector("[name=seed-image] option", state="attached")
    page.fill("#prompt", "deep house synth lead")
    page.fill("#jam-volume", "1")
    return page


def longest_silence(page: Page, seconds: float) -> float:
    """In the output of the next seconds, in seconds."""
    page.evaluate("measure()")
    until(page, f"window.measured?.seconds > {seconds}")
    return float(page.evaluate("measured.silence"))


@in_both
def test_clips_are_joined_on_the_bar_without_a_gap(jam: Page) -> None:
    jam.click("#jam-play")
    until(jam, "starts.length >= 1 && tap.context.currentTime > starts[0] + 0.2")
    assert longest_silence(jam, 11.5) < GAP_S
    until(jam, "starts.length >= 3")
    assert on_bar_lines(jam.evaluate("starts"))
    assert "The next" in jam.inner_text("#jam-status")


def test_it_moves_to_another_prompt(jam: Page) -> None:
    jam.click("#jam-play")
    assert jam.is_disabled("#jam-keep")
    jam.wait_for_selector("#jam-status:has-text('The next')")
    jam.click("#jam-keep:has-text('Keep this clip')")
    jam.wait_for_selector("#jam-status:has-text('among your clips')")
    assert jam.inner_text("#jam-keep") == "Kept"
    jam.route("**/jobs", lambda _: None)  # takes its time
    jam.fill("#prompt", "celtic harp")
    jam.click("#go")
    jam.wait_for_selector("#jam-status:has-text('These bars repeat until then.')")
    until(jam, "tap.context.currentTime > starts.at(-1) + 5.5")
    assert "These bars repeat until then." in jam.inner_text("#jam-status")
    jam.unroute("**/jobs")
    jam.fill("#prompt", "celtic fiddle")
    jam.click("#go")
    jam.wait_for_selector("#jam-status:has-text('“deep house synth lead” → “celtic fiddle”, 75 % of the way')")


def test_it_repeats_on_the_bar_while_the_server_is_behind(jam: Page) -> None:
    jam.click("#jam-play")
    until(jam, "starts.length >= 1")
    jam.route("**/jobs", lambda route: route.abort())
    jam.fill("#prompt", "never made")
    jam.click("#go")
    jam.wait_for_selector("#jam-status:has-text('The server can’t be reached')")
    until(jam, "tap.context.currentTime > starts.at(-1) + 6")
    assert longest_silence(jam, 1) < GAP_S
    jam.unroute("**/jobs")
    jam.wait_for_selector("#jam-status:has-text('never made')")
    starts = jam.evaluate("starts")
    assert starts[-1] - starts[0] > 3 * BAR_S
    assert on_bar_lines(starts)


def test_it_stops_without_input(page: Page) -> None:
    page.clock.install()
    page.goto(f"{page.url}#jam")
    page.reload()
    page.fill("#prompt", "deep house synth lead")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('The next')")
    page.clock.fast_forward("10:30")
    page.wait_for_selector("#jam-status:has-text('Stopped after ten minutes')")
    assert page.get_attribute("#jam-play", "aria-label") == "Start the jam"
