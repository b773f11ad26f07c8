"""A server that requires an API key: the page asks for it, stores it, sends it to the API only, and removes it."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request

from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import Quota
from riffusion.settings import Settings
from tests.browser.conftest import Site, choose, drag, nodes, play, run


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that requires a key."""
    with run(tmp_path_factory.mktemp("locked"), worker=True, anonymous=False) as running:
        yield running


@pytest.fixture
def key(locked: Site) -> str:
    settings = Settings(redis_url=locked.valkey.url)
    return KeyStore(connect(settings), settings).create("someone", Quota(0, 0))[0]


@pytest.fixture
def page(locked: Site, visit: Callable[..., Page]) -> Page:
    return visit(f"{locked.url}/")


def enter_and_close(page: Page, key: str) -> None:
    """Types a key into the dialog, which is open."""
    enter(page, key)
    page.wait_for_selector("#key", state="hidden")


def enter(page: Page, key: str) -> None:
    assert page.evaluate("document.activeElement.id") == "key-field"
    page.keyboard.type(key)
    page.keyboard.press("Enter")


def settings_key(page: Page) -> None:
    """Opens the dialog from the settings."""
    page.click("#settings summary")
    page.click("#key-setting")


def test_a_missing_or_mistyped_key_is_asked_for(page: Page, key: str) -> None:
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#key[open] #key-why:has-text('only for those with an API key')")
    enter(page, f"{key}-mistyped")
    page.wait_for_selector("#key[open] #key-why:has-text('was mistyped or revoked')")
    page.wait_for_selector("#trouble:has-text('was mistyped or revoked')")
    enter(page, f" {key} ")
    page.wait_for_selector(".spectrogram.playing")
    assert page.evaluate("localStorage.getItem('api-key')") == key
    assert page.inner_text("#trouble") == ""
    assert page.input_value("#prompt") == "church bells"
    assert page.inner_text("#caption") == "church bells"


def test_a_canceled_dialog_drops_the_refused_action(page: Page, key: str) -> None:
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#key[open]")
    page.click("#key-never")
    assert "only for those with an API key" in page.inner_text("#trouble")
    settings_key(page)
    enter_and_close(page, key)
    assert page.inner_text("#trouble") == ""
    play(page, "violin")
    assert nodes(page) == ["violin"]


def test_it_is_sent_with_every_request_of_the_owner_and_no_other(locked: Site, page: Page, key: str) -> None:
    sent: list[Request] = []

    def remember(request: Request) -> None:
        sent.append(request)

    page.on("request", remember)
    settings_key(page)
    enter_and_close(page, key)
    play(page)
    page.click("[data-verb=share]")
    page.click("#publish [value=publish]")
    page.click("#share[open] button >> nth=0")
    choose(page, "draw")
    drag(page, (0.1, 0.6), (0.9, 0.5))
    page.click("#play")
    page.wait_for_selector(".spectrogram.playing")
    page.fill("#prompt", "slowly")
    choose(page, "listen")
    page.check("[name=from][value=nothing]", force=True)
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.click("#cancel")
    page.wait_for_selector("#notice:has-text('Canceled.')")
    authorizations = {request.all_headers().get("authorization") for request in sent if is_mine(request)}
    assert authorizations == {f"Bearer {key}"}
    called = {(request.method, urlsplit(request.url).path.rsplit("/", 1)[-1]) for request in sent if is_mine(request)}
    assert called >= {("POST", end) for end in ("jobs", "uploads", "publish", "cancel")} | {("GET", "events")}
    others = [request for request in sent if not is_mine(request)]
    assert any("/files/" in request.url for request in others)
    assert not [request.url for request in others if "authorization" in request.all_headers()]
    assert not [request.url for request in sent if key in request.url]


def is_mine(request: Request) -> bool:
    """Whether only the owner may make this request."""
    return urlsplit(request.url).path.startswith(("/jobs", "/uploads"))


def test_without_event_streams_it_polls_with_it(page: Page, key: str) -> None:
    page.route("**/events", lambda route: route.abort())
    settings_key(page)
    enter_and_close(page, key)
    play(page)


def test_it_survives_a_reload_and_can_be_removed(page: Page, key: str) -> None:
    settings_key(page)
    enter_and_close(page, key)
    page.reload()
    play(page)
    page.click("#settings summary")
    assert page.inner_text("#key-setting") == "API key, in use"
    page.click("#key-setting")
    page.click("#key-remove")
    assert key not in page.evaluate("JSON.stringify(localStorage)")
    assert page.evaluate("document.activeElement.textContent") == "Settings"
    page.click("#go")
    page.wait_for_selector("#key[open] #key-why:has-text('only for those with an API key')")
    assert page.input_value("#key-field") == ""


def test_a_clip_in_the_making_waits_for_its_key(page: Page, key: str) -> None:
    settings_key(page)
    enter_and_close(page, key)
    page.fill("#prompt", "slowly")
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.evaluate("localStorage.removeItem('api-key')")
    page.reload()
    page.wait_for_selector("#key[open]")
    assert "only for those with an API key" in page.inner_text("#notice")
    enter_and_close(page, key)
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.wait_for_selector("[data-verb=vary]:enabled")


def test_a_jam_stops_with_the_reason(locked: Site, visit: Callable[..., Page], key: str) -> None:
    page = visit(f"{locked.url}/#jam")
    page.fill("#prompt", "church bells")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('only for those with an API key')")
    assert page.get_attribute("#jam-play", "aria-label") == "Start the jam"
    page.wait_for_selector("#key[open]")
    enter_and_close(page, key)
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('The next')")
