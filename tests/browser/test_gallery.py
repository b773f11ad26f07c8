"""Published clips in a browser: listed only on request, played in place, reported, and framed by another site."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Page

from riffusion.jobs.database import connect
from riffusion.jobs.gallery import ClipIndex
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.moderation import Moderation
from riffusion.jobs.tenants import UNLIMITED
from riffusion.settings import Settings
from tests.browser.conftest import Site, complaints, play, run, until


@pytest.fixture(scope="module")
def galleried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a gallery."""
    with run(tmp_path_factory.mktemp("gallery"), worker=True, gallery=True) as running:
        yield running


@pytest.fixture
def moderation(galleried: Site) -> Moderation:
    settings = Settings(redis_url=galleried.valkey.url)
    return Moderation(connect(settings), settings)


def share(page: Page, *, listed: bool) -> str:
    """Shares the clip on the stage, and returns its share id."""
    page.click("[data-verb=share]")
    page.wait_for_selector("#publish[open]")
    page.set_checked("#publish [name=listed]", listed)
    page.click("#publish [value=publish]")
    page.wait_for_selector("#share[open]")
    share_id = page.input_value("#share-link").rpartition("/")[2]
    page.click("#share [value='']")
    return share_id


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """The address of a page of another origin."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.2:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_a_clip_is_listed_only_by_its_publishers_choice_and_plays_in_place(
    galleried: Site, visit: Callable[..., Page], moderation: Moderation, axe: str
) -> None:
    page = visit(f"{galleried.url}/")
    play(page, "funk <b>bassline</b>")
    page.click("[data-verb=share]")
    page.wait_for_selector("#publish[open]")
    assert not page.is_checked("#publish [name=listed]")
    page.keyboard.press("Escape")
    share_id = share(page, listed=False)
    listed = f"[data-id='{share_id}']"
    reader = visit(f"{galleried.url}/gallery")
    assert reader.locator(listed).count() == 0
    assert share(page, listed=True) == share_id
    reader.reload()
    reader.click(f"{listed} .round")
    reader.wait_for_selector(f"{listed}.playing")
    assert reader.inner_text(f"{listed} h2") == "funk <b>bassline</b>"
    assert complaints(reader, axe) == []
    reader.click(f"{listed} .report")
    reader.wait_for_selector("#report[open]")
    assert complaints(reader, axe) == []
    reader.check("#report [value=offensive]")
    reader.fill("#report textarea", "The <i>word</i>.")
    reader.click("#report .primary")
    reader.wait_for_selector("#report-outcome:has-text('Thank you')")
    (found,) = moderation.clips.each(ClipIndex.REPORTED)
    assert (found.share_id, found.reports.details) == (share_id, ("The <i>word</i>.",))
    reader.set_viewport_size({"width": 360, "height": 740})
    assert reader.evaluate("document.documentElement.scrollWidth") <= 360
    assert share(page, listed=False) == share_id
    reader.reload()
    assert reader.locator(listed).count() == 0
    moderation.reports.dismiss(share_id)


def test_a_player_plays_in_another_sites_frame_by_keyboard_alone(
    galleried: Site, visit: Callable[..., Page], axe: str
) -> None:
    page = visit(f"{galleried.url}/")
    play(page)
    share_id = share(page, listed=False)
    page.goto(f"{galleried.url}/clips/{share_id}")
    assert complaints(page, axe) == []
    code = page.input_value("#embed-code")
    page.click("#copy-embed")
    page.wait_for_selector("#copy-embed:has-text('Copied')")
    sandboxed = code.replace("<iframe", '<iframe sandbox="allow-scripts"')  # no origin, no cookies, no storage
    with another_site(f"<!doctype html>{code}{sandboxed}") as blog:
        host = visit(blog, storage=galleried.url)
        for number in (0, 1):
            frame = host.frames[1 + number]
            frame.locator("h1 a").focus()
            frame.wait_for_selector("h1 a:focus")  # the frame is a process of its own, which takes the focus later
            host.keyboard.press("Tab")
            frame.wait_for_selector(".round:focus")
            host.keyboard.press("Space")
            frame.wait_for_selector(".round.playing")
            host.keyboard.press("Tab")
            host.keyboard.press("Home")
            host.keyboard.press("End")
            frame.wait_for_selector(".round:not(.playing)")
    page.goto(f"{galleried.url}/clips/{share_id}/embed")
    assert complaints(page, axe) == []
    for width, height in ((560, 152), (300, 80), (200, 60)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
            width,
            height,
        ]
        assert page.is_visible(".round")


def test_an_operator_takes_a_reported_clip_down_and_restores_it(
    galleried: Site, visit: Callable[..., Page], moderation: Moderation, axe: str
) -> None:
    visitor = visit(f"{galleried.url}/")
    play(visitor, "<img src=x onerror=alert(1)>")
    share_id = share(visitor, listed=True)
    report = {"reason": "spam", "details": "<script>alert(2)</script>"}
    httpx.post(f"{galleried.url}/clips/{share_id}/report", json=report).raise_for_status()
    settings = Settings(redis_url=galleried.valkey.url)
    key, _ = KeyStore(connect(settings), settings).create("ops", UNLIMITED, operator=True)
    page = visit(f"{galleried.url}/admin#clips")
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    page.wait_for_selector("#clip-rows tr:has-text('<img src=x'):has-text('1 spam'):has-text('<script>')")
    assert page.locator("main img").count() == 0
    assert complaints(page, axe) == []
    page.click("[data-clip-action=takedown]")
    page.wait_for_selector("#takedown[open]")
    assert complaints(page, axe) == []
    page.keyboard.type("Advertising.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#no-clips:has-text('No report waits')")
    visitor.goto(f"{galleried.url}/clips/{share_id}")
    assert "Advertising." in visitor.inner_text("main")
    page.click("#clip-index label:has-text('Taken down')")
    page.click(f"[data-clip-action=restore][data-id='{share_id}']")
    page.click("#confirm-yes")
    page.wait_for_selector("#no-clips:visible")
    visitor.reload()
    until(visitor, "document.querySelector('#embed-code') !== null")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not list(moderation.takedowns.all())
