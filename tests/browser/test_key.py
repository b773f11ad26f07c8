"""A server that wants an API key: the page asks for it, keeps it, sends it where it belongs, and forgets it."""

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
    """A site that takes nothing without a key."""
    with run(tmp_path_factory.mktemp("locked"), worker=True, anonymous=False) as running:
        yield running


@pytest.fixture
def key(locked: Site) -> str:
    settings = Settings(redis_url=locked.valkey.url)
    return KeyStore(connect(settings), settings).create("someone", Quota(0, 0))[0]


@pytest.fixture
def page(locked: Site, visit: Callable[..., Page]) -> Page:
    return visit(f"{locked.url}/")


def give(page: Page, key: str) -> None:
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


def test_a_key_is_asked_for_in_words(page: Page, key: str) -> None:
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#key[open] #key-why:has-text('only for those with an API key')")
    enter(page, f"{key}-mistyped")
    page.wait_for_selector("#key[open] #key-why:has-text('was mistyped or revoked')")
    page.wait_for_selector("#trouble:has-text('was mistyped or revoked')")
    enter(page, f" {key} ")
    page.wait_for_selector(".stage.playing")
    assert page.evaluate("localStorage.getItem('api-key')") == key
    assert page.inner_text("#trouble") == ""
    assert page.input_value("#prompt") == "church bells"
    assert page.inner_text("#caption") == "church bells"


def test_who_gives_none_is_not_taken_up_on_it_later(page: Page, key: str) -> None:
    page.fill("#prompt", "church bells")
    page.click("#go")
    page.wait_for_selector("#key[open]")
    page.click("#key-never")
    assert "only for those with an API key" in page.inner_text("#trouble")
    settings_key(page)
    give(page, key)
    assert page.inner_text("#trouble") == ""
    play(page, "violin")
    assert nodes(page) == ["violin"]


def test_it_goes_with_every_request_and_nowhere_else(locked: Site, page: Page, key: str) -> None:
    sent: list[Request] = []

    def remember(request: Request) -> None:
        sent.append(request)

    page.on("request", remember)
    settings_key(page)
    give(page, key)
    play(page)
    page.click("[data-verb=share]")
    page.click("#publish [value=publish]")
    page.click("#share[open] button >> nth=0")
    choose(page, "draw")
    drag(page, (0.1, 0.6), (0.9, 0.5))
    page.click("#play")
    page.wait_for_selector(".stage.playing")
    page.fill("#prompt", "slowly")
    choose(page, "listen")
    page.check("[name=from][value=nothing]", force=True)
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.click("#cancel")
    page.wait_for_selector("#notice:has-text('Canceled.')")
    bearing = {request.all_headers().get("authorization") for request in sent if is_mine(request)}
    assert bearing == {f"Bearer {key}"}
    asked = {(request.method, urlsplit(request.url).path.rsplit("/", 1)[-1]) for request in sent if is_mine(request)}
    assert asked >= {("POST", end) for end in ("jobs", "uploads", "publish", "cancel")} | {("GET", "events")}
    others = [request for request in sent if not is_mine(request)]
    assert any("/files/" in request.url for request in others)
    assert not [request.url for request in others if "authorization" in request.all_headers()]
    assert not [request.url for request in sent if key in request.url]


def is_mine(request: Request) -> bool:
    """Whether it asks for what only its owner may have or do."""
    return urlsplit(request.url).path.startswith(("/jobs", "/uploads"))


def test_without_event_streams_it_polls_with_it(page: Page, key: str) -> None:
    page.route("**/events", lambda route: route.abort())
    settings_key(page)
    give(page, key)
    play(page)


def test_it_outlives_a_reload_and_is_easily_taken_back(page: Page, key: str) -> None:
    settings_key(page)
    give(page, key)
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
    give(page, key)
    page.fill("#prompt", "slowly")
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.evaluate("localStorage.removeItem('api-key')")
    page.reload()
    page.wait_for_selector("#key[open]")
    assert "only for those with an API key" in page.inner_text("#notice")
    give(page, key)
    page.wait_for_selector("text=/Step \\d+ of 20/")
    page.wait_for_selector("[data-verb=vary]:enabled")


def test_a_jam_stops_and_says_why(locked: Site, visit: Callable[..., Page], key: str) -> None:
    page = visit(f"{locked.url}/#jam")
    page.fill("#prompt", "church bells")
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('only for those with an API key')")
    assert page.get_attribute("#jam-play", "aria-label") == "Start the jam"
    page.wait_for_selector("#key[open]")
    give(page, key)
    page.click("#jam-play")
    page.wait_for_selector("#jam-status:has-text('ready ahead')")
