"""The playground, used as a visitor would."""

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from riffusion.spectrogram.picture_file import read_png_recipe
from tests.browser.conftest import Site, choose, drag, in_both, nodes, play, posted, until

BUDGET_BYTES = 150_000


@in_both
def test_a_prompt_becomes_sound(page: Page) -> None:
    page.click("#examples button >> nth=1")
    page.click("#go")
    page.wait_for_selector(".spectrogram.playing")
    until(page, "peak() > 0.02")
    before = float(page.inner_text("#clock"))
    until(page, f"Number(document.querySelector('#clock').textContent) > {before} + 0.2")
    page.hover("#workbench .plate", position={"x": 300, "y": 200})
    assert " Hz" in page.inner_text("#workbench .reading") or " kHz" in page.inner_text("#workbench .reading")


def test_the_picture_is_seen_while_it_is_painted(page: Page) -> None:
    page.fill("#prompt", "bells slowly")
    page.click("#settings summary")
    page.fill("[name=steps]", "150")
    page.keyboard.press("Escape")
    page.click("#go")
    # A preview's, which is half as large as the picture, or less where its file would be large; noise has 192.
    until(page, "[128, 256].includes(document.querySelector('#workbench canvas.picture').width)")
    page.wait_for_selector("#notice.waiting:has-text('Step')")
    drawn = page.evaluate("document.querySelector('#workbench canvas.picture').toDataURL()")
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('#workbench canvas.picture').toDataURL()") == drawn  # no noise
    page.click("#cancel")


def test_nothing_typed_plays_the_example_in_the_field(page: Page) -> None:
    page.wait_for_selector(".save[inert]")
    page.click("#go")
    page.wait_for_selector(".spectrogram.playing")
    page.wait_for_selector(".save:not([inert])")
    assert page.get_attribute("#prompt", "placeholder") == f"for example: {page.input_value('#prompt')}"
    assert page.inner_text("#caption") == page.input_value("#prompt")


def test_an_error_is_shown_below_the_prompt_in_place_of_the_hint(page: Page) -> None:
    assert page.is_visible("#hint:has-text('Describe music')")
    page.wait_for_selector("#server:has-text('Ready')")  # its scripts run
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"la la"})
    page.wait_for_selector("#trouble:has-text('neither a sound nor a picture')")
    assert not page.is_visible("#hint")
    below = page.locator("#trouble").bounding_box(), page.locator("#prompt").bounding_box()
    assert below[0]
    assert below[1]
    assert 0 < below[0]["y"] - below[1]["y"] - below[1]["height"] < 40
    page.click("#dice")
    assert page.inner_text("#trouble") == ""
    assert page.is_visible("#hint")


def test_the_page_is_light_and_does_not_jump(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/")
    page.wait_for_selector("#server:not(:empty)")
    page.wait_for_timeout(500)
    weight = page.evaluate(
        """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
             .reduce((sum, entry) => sum + entry.transferSize, 0)"""
    )
    assert 10_000 < weight < BUDGET_BYTES
    shift = page.evaluate(
        """() => new Promise((resolve) => {
             let sum = 0;
             new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
               .observe({ type: 'layout-shift', buffered: true });
             setTimeout(() => resolve(sum), 200);
           })"""
    )
    assert shift < 0.001


def test_playing_seeking_and_repeating_by_keyboard_alone(page: Page) -> None:
    page.focus("#prompt")
    page.keyboard.type("church bells")
    page.keyboard.press("Enter")
    page.wait_for_selector(".spectrogram.playing")
    page.focus("#workbench .plate")
    page.keyboard.press("Space")
    page.wait_for_selector(".spectrogram:not(.playing)")
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#clock") == "1.10"
    assert page.get_attribute("#workbench .plate", "aria-valuetext") == "1.1 of 5.1 seconds"
    page.focus("#repeat")
    page.keyboard.press("Enter")
    page.focus("#workbench .plate")
    page.keyboard.press("End")
    page.keyboard.press("Space")
    until(page, "Number(document.querySelector('#clock').textContent) > 0.1")
    assert page.is_visible(".spectrogram.playing")


def test_a_job_can_be_canceled(page: Page) -> None:
    page.fill("#prompt", "slowly")
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.click("#cancel")
    page.wait_for_selector("#notice:has-text('Canceled.')")
    assert nodes(page) == ["slowly, canceled"]
    assert not page.is_visible("#notice.wrong")


def test_a_reload_in_the_middle_of_a_job_loses_nothing(page: Page) -> None:
    page.fill("#prompt", "slowly")
    page.fill("[name=steps]", "8", force=True) if page.is_visible("[name=steps]") else None
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.reload()
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.wait_for_selector("[data-verb=vary]:enabled")
    assert nodes(page) == ["slowly"]
    page.reload()
    page.wait_for_selector("#play:enabled")
    assert nodes(page) == ["slowly"]


def test_a_reload_before_the_response_makes_the_job_once(site: Site, page: Page) -> None:
    held: list[Route] = []

    def accept_without_responding(route: Route) -> None:
        if route.request.method != "POST" or held:
            return route.fallback()
        held.append(route)
        route.fetch()
        return None

    page.route("**/jobs", accept_without_responding)
    page.fill("#prompt", "church bells, response lost")
    with page.expect_request("**/jobs"):
        page.click("#go")
    page.wait_for_timeout(500)
    page.reload()
    page.wait_for_selector("[data-verb=vary]:enabled")
    assert nodes(page) == ["church bells, response lost"]
    jobs = listed(site, page)
    assert sum(job["request"].get("prompt") == "church bells, response lost" for job in jobs) == 1


def listed(site: Site, page: Page) -> list[Any]:
    """The jobs of this browser, which its secret lists."""
    secret = page.evaluate("localStorage.getItem('secret')")
    jobs: list[Any] = page.request.get(f"{site.url}/jobs", headers={"Riffusion-Secret": secret}).json()["jobs"]
    return jobs


def test_a_response_that_breaks_off_is_requested_again(site: Site, page: Page) -> None:
    break_off = """
    const whole = fetch;
    fetch = async (path, options) => {
      const response = await whole(path, options);
      if (options?.method !== "POST" || window.broken) return response;
      window.broken = true;
      const left = new DOMException("BodyStreamBuffer was aborted", "AbortError");
      return new Response(new ReadableStream({ start: (stream) => stream.error(left) }), response);
    };
    """
    page.add_init_script(break_off)
    page.reload()
    play(page, "church bells, half a response")
    assert page.evaluate("broken")
    jobs = listed(site, page)
    assert sum(job["request"].get("prompt") == "church bells, half a response" for job in jobs) == 1


def test_a_clip_that_was_deleted_on_the_server_is_extended_from_the_copy_in_the_browser(site: Site, page: Page) -> None:
    play(page, "violin")
    (job,) = [job for job in listed(site, page) if job["request"].get("prompt") == "violin"]
    page.request.delete(f"{site.url}/jobs/{job['id']}")
    page.reload()
    page.wait_for_selector("[data-verb=extend]:enabled")
    page.click("#play")
    until(page, "peak() > 0.02")
    page.click("[data-verb=extend]")
    page.wait_for_selector("#caption:has-text('extended from violin')")
    page.wait_for_selector(".spectrogram.playing")
    assert nodes(page)[0] == "violin, extended from violin"


def test_without_event_streams_it_polls(page: Page) -> None:
    page.route("**/events", lambda route: route.abort())
    play(page)


@in_both
def test_a_drawing_is_heard_and_riffed_on(page: Page) -> None:
    choose(page, "draw")
    drag(page, (0.1, 0.6), (0.9, 0.5))
    page.click("#play")
    page.wait_for_selector(".spectrogram.playing")
    until(page, "peak() > 0.02")
    page.fill("#prompt", "string quartet")
    page.click("#go")
    page.wait_for_selector("[data-tool=listen].playing")
    assert nodes(page) == ["a drawing", "string quartet, a riff on a drawing"][::-1]


def test_a_drawing_is_what_its_riff_begins_with(page: Page) -> None:
    assert page.is_visible("#begin")
    assert not page.is_visible("[name=denoising]")
    choose(page, "draw")
    assert not page.is_visible("#begin")
    assert page.is_visible("#hint:has-text('hear the drawing as it is')")
    page.fill("[name=denoising]", "0.4")
    assert page.is_visible("#hint:has-text('strength of 40 %, rhythm and notes stay')")
    drag(page, (0.1, 0.6), (0.9, 0.5))
    with page.expect_request(lambda request: '"riff"' in (request.post_data or "")) as sent:
        page.click("#go")
    assert posted(sent.value)["denoising"] == 0.4
    page.wait_for_selector("[data-tool=listen].playing")
    assert page.is_visible("#begin")
    choose(page, "repaint")
    assert not page.is_visible("#begin")
    assert not page.is_visible("[name=denoising]")
    assert page.is_visible("#hint:has-text('the rest stays as it is')")
    page.click("#to-jam")
    assert page.is_visible("#begin")
    assert page.is_visible("#hint:has-text('how much of the beat')")


def test_drawing_by_keyboard_and_undo(page: Page) -> None:
    choose(page, "draw")
    ink = """() => {
      const canvas = document.querySelector('canvas.picture');
      return new Set(canvas.getContext('2d').getImageData(0, 0, 512, 512).data).size;
    }"""
    blank = page.evaluate(ink)
    page.focus("#workbench .plate")
    for key in ("ArrowUp", "ArrowRight", "Space", "Space"):
        page.keyboard.press(key)
    assert page.evaluate(ink) > blank
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert page.evaluate(ink) == blank


def test_a_box_is_repainted(page: Page) -> None:
    play(page)
    choose(page, "repaint")
    drag(page, (0.25, 0.1), (0.5, 0.8))
    assert 1.2 < float(page.input_value("[name=from-s]")) < 1.35
    page.fill("[name=to-s]", "2.0")
    page.press("[name=to-s]", "Tab")
    page.fill("#prompt", "slowly, bells in a box")
    page.click("#settings summary")
    page.fill("[name=steps]", "4")
    page.keyboard.press("Escape")
    frame = page.locator("#workbench .box").bounding_box()
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click("#go")
    mask = posted(sent.value)["mask"]
    assert mask["seconds"][1] == 2.0
    assert 0 < mask["hertz"][0] < 1000 < mask["hertz"][1] < 10_000
    page.wait_for_selector("text=/Step \\d+ of 4/")
    assert page.locator("#workbench .box").bounding_box() == pytest.approx(frame, abs=3)
    page.wait_for_selector("[data-tool=listen].playing")
    assert not page.is_visible("#workbench .box")
    assert nodes(page)[0] == "slowly, bells in a box, repainted from funk bassline"


def test_a_quality_says_its_steps_and_is_sent(page: Page) -> None:
    page.click("#settings summary")
    assert page.get_attribute("[name=steps]", "placeholder") == "auto, 20"
    page.select_option("[name=quality]", "fast")
    assert page.get_attribute("[name=steps]", "placeholder") == "auto, 10"
    page.keyboard.press("Escape")
    page.fill("#prompt", "banjo")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click("#go")
    assert posted(sent.value)["quality"] == "fast"
    assert "steps" not in posted(sent.value)
    page.wait_for_selector("[data-tool=listen].playing")


@pytest.mark.parametrize("width", [1280, 1000, 640, 360])
def test_the_settings_open_inside_of_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 860})
    page.click("#settings summary")
    sheet = page.locator("#settings .sheet").bounding_box()
    assert sheet
    assert sheet["x"] >= 0
    assert sheet["x"] + sheet["width"] <= width


def test_four_ideas_and_one_is_finished(page: Page) -> None:
    page.fill("#prompt", "banjo")
    page.click("#four")
    page.wait_for_selector(".ideas .primary:enabled >> nth=3")
    assert page.is_visible("text=Press a picture to hear it.")
    for idea in (0, 2):
        page.click(f".ideas .hear >> nth={idea}")
        until(page, f"[...document.querySelectorAll('.node .open')].findIndex((node) => node.ariaCurrent) === {idea}")
    until(page, "peak() > 0.02")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click(".ideas .primary >> nth=2")
    assert not {"quality", "steps"} & posted(sent.value).keys()
    page.wait_for_selector(".spectrogram.playing")
    assert "banjo, finished from banjo" in nodes(page)


@pytest.mark.parametrize("kind", ["mp3", "png"])
def test_a_file_made_here_sets_the_dials_to_its_recipe(page: Page, tmp_path: Path, kind: str) -> None:
    play(page, "flöte – slow")
    page.click(".save summary")
    with page.expect_download() as saved:
        page.click(f"[data-save={kind}]")
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert file.name == f"flöte-slow.{kind}"
    if kind == "png":
        assert json.loads(read_png_recipe(file.read_bytes()))["prompt"] == "flöte – slow"
    page.fill("#prompt", "")
    page.set_input_files("#file", file)
    until(page, "document.querySelector('#prompt').value === 'flöte – slow'")
    assert page.input_value("[name=seed]").isdigit()


def test_a_sound_of_ones_own_becomes_a_clip(page: Page, tmp_path: Path) -> None:
    sound = tmp_path / "beep.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((b"\x00\x20" * 10 + b"\x00\xe0" * 10) * 400)
    page.set_input_files("#file", sound)
    page.wait_for_selector(".spectrogram.playing")
    assert nodes(page) == ["a sound of yours"]


def test_nothing_is_published_before_the_visitor_agrees(page: Page) -> None:
    published: list[str] = []
    page.on("request", lambda request: published.append(request.url) if "/publish" in request.url else None)
    play(page)
    page.click("[data-verb=share]")
    page.wait_for_selector("#publish:has-text('Anyone with the link')")
    assert page.is_visible("#only-here")
    page.click("#publish >> text=Never mind")
    page.wait_for_timeout(200)
    assert not published
    page.click("[data-verb=share]")
    page.click("#publish [value=publish]")
    page.wait_for_selector("#share[open]")
    assert len(published) == 1


def test_a_shared_clip_plays_on_its_own_page_and_is_remixed(visit: Callable[..., Page], page: Page) -> None:
    play(page, "trumpet & <b>choir</b>")
    page.click("[data-verb=share]")
    page.click("#publish [value=publish]")
    page.wait_for_selector("#share[open]")
    guest = visit(page.input_value("#share-link"))
    assert guest.inner_text("h1") == "trumpet & <b>choir</b>"
    guest.wait_for_selector(".spectrogram:not(.empty)")
    guest.evaluate("document.querySelector('audio').play()")
    until(guest, "document.querySelector('audio').currentTime > 0.3")
    guest.click("text=Remix this")
    until(guest, "document.querySelector('#prompt')?.value === 'trumpet & <b>choir</b>'")
