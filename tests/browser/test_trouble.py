"""When something is wrong, the page shows what, and what to do."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import Site, in_both, play, until

SILENT = "#trouble:has-text('finds no loudspeakers')"
# As where there is no sound device: the context is suspended, its clock stands still, and nothing resumes it.
LOSE_SOUND = """() => {
  const { context } = window.tap;
  const { resume } = context;
  context.resume = async () => {};
  window.findSound = () => resume.call(context);
  return context.suspend();
}"""


def test_no_worker_a_full_queue_and_a_lost_redis(workerless: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{workerless.url}/")
    page.wait_for_selector("#server:has-text('Nothing is made right now')")
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#notice:has-text('Next in line')")

    page.click("#go")
    page.wait_for_selector("#trouble:has-text('Too many clips are waiting on this server. Try again in')")
    assert re.search(r"in (a|\d+) (second|minute)", page.inner_text("#trouble"))
    assert page.input_value("#prompt") == "church bells"

    workerless.valkey.kill()
    page.click("#go")
    page.wait_for_selector("#trouble:has-text('can’t reach its list of clips')")
    page.wait_for_selector("#server:has-text('The server can’t reach its list of clips')")

    workerless.valkey.run()
    page.wait_for_selector("#notice:has-text('no longer on the server')")  # this Redis is empty: the page must not wait


@pytest.mark.parametrize(
    ("browser", "file"),
    [("chromium", "js/api/problem.js"), ("chromium", "style.css"), ("firefox", "js/api/problem.js")],
    indirect=["browser"],
)
def test_a_page_that_misses_a_file_says_so(site: Site, visit: Callable[..., Page], file: str) -> None:
    page = visit(f"{site.url}/clips/nothing")  # a page without scripts
    page.route(f"**/{file}", lambda route: route.abort())
    page.goto(f"{site.url}/")
    page.wait_for_selector("[role=alert]:has-text('did not load completely')")
    assert page.is_disabled("#go") == file.endswith(".js")
    page.unroute_all()
    page.goto(f"{site.url}/")
    play(page)
    assert not page.is_visible(".incomplete")


def test_what_others_insert_is_no_part_of_the_page(page: Page) -> None:
    page.route("**/others.css", lambda route: route.abort())
    page.evaluate("""() => new Promise((resolve) => {
      const sheet = document.createElement("link");
      Object.assign(sheet, { rel: "stylesheet", href: "/others.css", onerror: resolve });
      document.head.append(sheet);
    })""")
    assert not page.is_visible(".incomplete")


def test_the_beats_and_models_come_once_a_busy_server_responds(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/robots.txt")
    refused = lambda route: route.fulfill(status=503, headers={"Retry-After": "1"})  # noqa: E731
    page.route("**/models", refused)
    page.route("**/seeds", refused, times=1)
    page.goto(f"{site.url}/")
    page.wait_for_selector("[name=from][value=seed]:enabled", state="attached")
    assert page.get_attribute("[name=steps]", "placeholder") == "auto"
    page.unroute_all()
    page.wait_for_selector("[name=steps][placeholder='auto, 20']", state="attached")


def test_a_visitor_by_another_name_of_the_server_hears_clips(site: Site, visit: Callable[..., Page]) -> None:
    play(visit(f"{site.url.replace('127.0.0.1', 'localhost')}/"))


def test_a_jam_without_a_worker_shows_that_it_waits_for_one(workerless: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{workerless.url}/#jam", viewport={"width": 360, "height": 740})
    page.wait_for_selector("#server:has-text('Nothing is made right now')")
    line = page.locator("#server").bounding_box()
    assert line
    assert line["width"] > 200
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('Waiting for the server')")
    assert page.is_disabled("#jam-keep")


def test_a_server_that_stops_in_the_middle_of_a_job(page: Page) -> None:
    page.wait_for_selector("#server:has-text('Ready')")
    page.route("**/events", lambda route: route.abort())
    page.fill("#prompt", "slowly")
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    for path in ("**/jobs", "**/jobs/**", "**/models"):
        page.route(path, lambda route: route.abort())
    page.wait_for_selector("#notice:has-text('This continues by itself')")
    page.wait_for_selector("#server:has-text('The server can’t be reached')", timeout=5_000)
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#trouble:has-text('can’t be reached')")
    page.unroute_all()
    page.wait_for_selector("#server:has-text('Ready')", timeout=10_000)
    assert page.inner_text("#trouble") == ""
    page.wait_for_selector(".spectrogram.playing")


def test_a_job_that_fails_shows_why_and_can_be_repeated(page: Page) -> None:
    page.fill("#prompt", "badly")
    page.click("#go")
    page.wait_for_selector("#notice.wrong:has-text('Try another seed, or less guidance.')")
    with page.expect_request("**/jobs"):
        page.click("#again")


def test_the_servers_warnings_about_a_clip_are_shown(page: Page) -> None:
    page.fill("#prompt", "oddly")
    page.click("#go")
    page.wait_for_selector("#remarks:has-text('It sounds odd.')")
    page.reload()
    page.wait_for_selector("#remarks:has-text('It sounds odd.')")


def test_a_clip_of_a_busy_server_is_called_a_sketch(page: Page) -> None:
    def degrade(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace('"degraded":false', '"degraded":true'))

    page.route("**/jobs/*/events", lambda route: route.abort())
    page.route("**/jobs/*", degrade)
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#remarks:has-text('this is a quick sketch, of 20 steps')")


@in_both
def test_a_player_without_a_sound_device_says_so_until_there_is_one(page: Page) -> None:
    play(page)
    page.click("#repeat")
    page.evaluate(LOSE_SOUND)
    page.wait_for_selector(SILENT)
    page.fill("#prompt", "which clears it")
    page.wait_for_selector(SILENT)
    page.evaluate("findSound()")
    page.wait_for_selector(SILENT, state="detached")
    until(page, "peak() > 0.02")
    page.evaluate(LOSE_SOUND)
    page.wait_for_selector(SILENT)
    page.click("#play")
    page.wait_for_selector(SILENT, state="detached")


def test_a_jam_without_a_sound_device_says_so_until_there_is_one(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/#jam")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('The next')")
    page.evaluate(LOSE_SOUND)
    page.wait_for_selector(SILENT)
    page.evaluate("findSound()")
    page.wait_for_selector(SILENT, state="detached")


def test_a_field_that_is_out_of_range_is_named(page: Page) -> None:
    page.click("#settings summary")
    page.fill("[name=steps]", "900")
    page.keyboard.press("Escape")
    page.fill("#prompt", "church bells")
    page.evaluate("document.querySelector('#prompt-form').noValidate = true")
    page.click("#go")
    page.wait_for_selector("#trouble:has-text('steps: ')")


def test_a_missing_clip_has_a_page_that_says_so(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/clips/nothing")
    assert "never published" in page.inner_text("main")
