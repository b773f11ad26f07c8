"""The operators' page: signed in by an operator's key, it shows what runs and acts on exactly what was confirmed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route

from riffusion.jobs.audit import AuditLog
from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.settings import Settings
from tests.browser.conftest import Site, complaints, run, until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose worker has two slots, without limits for clients."""
    limits = {"anonymous_jobs_in_flight": 0, "anonymous_creates_per_minute": 0}
    with run(tmp_path_factory.mktemp("admin"), worker=True, slots=2, **limits) as running:
        yield running


@pytest.fixture
def keys(served: Site) -> KeyStore:
    settings = Settings(redis_url=served.valkey.url)
    return KeyStore(connect(settings), settings)


@pytest.fixture
def key(keys: KeyStore) -> str:
    return keys.create("ops", UNLIMITED, operator=True)[0]


@pytest.fixture
def enter(served: Site, visit: Callable[..., Page], key: str) -> Callable[..., Page]:
    """Opens the page at an address, signed in."""

    def signed_in(hash_: str = "", **options: Any) -> Page:
        page = visit(f"{served.url}/admin{hash_}", **options)
        page.keyboard.type(key)
        page.keyboard.press("Enter")
        return page

    return signed_in


@pytest.fixture
def submit(served: Site) -> Iterator[Callable[[str], str]]:
    """Submits a job of a prompt and returns its id; all that hasn't ended is canceled at the end."""
    ids: list[str] = []

    def post(prompt: str) -> str:
        body = {"mode": "text-to-audio", "prompt": prompt, "steps": 60}
        ids.append(str(httpx.post(f"{served.url}/jobs", json=body).raise_for_status().json()["id"]))
        return ids[-1]

    yield post
    for job_id in ids:
        httpx.post(f"{served.url}/jobs/{job_id}/cancel")


def status(served: Site, job_id: str) -> str:
    return str(httpx.get(f"{served.url}/jobs/{job_id}").json()["status"])


def failed(served: Site, submit: Callable[[str], str]) -> str:
    """The id of a job that has failed."""
    job_id = submit("badly")
    httpx.get(f"{served.url}/jobs/{job_id}", headers={"Prefer": "wait=20"})
    while status(served, job_id) != "failed":
        pass
    return job_id


def audited(served: Site) -> list[tuple[str, str]]:
    settings = Settings(redis_url=served.valkey.url)
    return [(entry.action, entry.target) for entry in AuditLog(connect(settings), settings).read(100)]


def test_only_an_operators_key_signs_in(served: Site, visit: Callable[..., Page], keys: KeyStore, key: str) -> None:
    page = visit(f"{served.url}/admin")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for wrong, why in (
        ("riff_x_y", "unknown or was revoked"),
        (keys.create("someone", UNLIMITED)[0], "isn't an operator's"),
    ):
        page.fill("#key-field", wrong)
        page.keyboard.press("Enter")
        page.wait_for_selector(f'#key-trouble:has-text("{why}")')
        assert page.is_hidden("#service-view")
    page.fill("#key-field", f" {key} ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#models tr")
    assert page.evaluate("JSON.stringify(localStorage)").find(key) == -1
    assert not [url for url in asked if "riff_" in url]
    page.reload()
    page.wait_for_selector("#models tr")
    page.click("#sign-out")
    assert page.is_visible("#sign-in")
    assert page.evaluate("sessionStorage.length") == 0


def test_it_shows_live_what_the_worker_holds(
    served: Site, enter: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    page = enter()
    page.wait_for_selector("#service-title:has-text('0 of 2 slots busy on 1 worker; nothing waiting.')")
    held = [submit("slowly a"), submit("slowly b")]
    submit("slowly c")
    page.wait_for_selector("#service-title:has-text('2 of 2 slots busy on 1 worker; 1 job waiting.')")
    assert {str(link.get_attribute("title")) for link in page.query_selector_all(".lanes a.id")} == set(held)
    page.wait_for_selector(".lanes .step:has-text('of 60')")
    assert "heartbeat" in page.inner_text(".worker .beat")
    httpx.post(f"{served.url}/jobs/{held[0]}/cancel")
    page.wait_for_selector(f".lanes a[title='{held[0]}']", state="detached")


def test_a_list_that_changes_keeps_focus_and_selection(
    enter: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    first = submit("slowly a")
    page = enter("#jobs?status=running")
    page.wait_for_selector(f"#job-rows [value='{first}']")
    page.focus(f"#job-rows [value='{first}']")
    page.keyboard.press("Space")
    second = submit("slowly b")
    page.wait_for_selector(f"#job-rows [value='{second}']")
    assert page.evaluate("document.activeElement.value") == first
    assert page.is_checked(f"#job-rows [value='{first}']")
    assert page.inner_text("#chosen") == "On 1 selected job:"


def test_a_model_is_paused_after_a_question_and_resumed(
    served: Site, enter: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    page = enter()
    page.click("[data-action=pause]")
    page.wait_for_selector("#confirm[open]")
    assert page.evaluate("document.activeElement.textContent") == "Never mind"
    page.keyboard.press("Enter")
    assert not [action for action, _ in audited(served) if action == "model.pause"]
    page.click("[data-action=pause]")
    page.click("#confirm-yes")
    page.wait_for_selector("#models .pill.paused")
    page.wait_for_selector("#outcome:has-text('tiny is paused.')")
    waiting = submit("bells")
    page.wait_for_selector("#service-title:has-text('1 job waiting')")
    page.click("#models [data-label=Waiting] a")
    page.wait_for_selector(f"#job-rows [value='{waiting}']")
    assert "model paused" in page.inner_text("#job-rows .note")
    page.go_back()
    page.click("[data-action=resume]")
    page.click("#confirm-yes")
    page.wait_for_selector("#models .pill.active")
    assert audited(served)[:2] == [("model.resume", "tiny"), ("model.pause", "tiny")]


def test_failed_jobs_are_counted_then_requeued(
    served: Site, enter: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    ids = [failed(served, submit), failed(served, submit)]
    page = enter("#jobs?error=broken_picture")
    page.wait_for_selector(f"#job-rows [value='{ids[0]}']")
    count = page.locator("#job-rows [value]").count()  # those of other tests, too
    sent: list[dict[str, Any]] = []

    def newer(route: Route) -> None:  # a job that fails between the list and the press isn't among those counted
        sent.append(json.loads(route.request.post_data or "{}"))
        route.continue_()

    page.route("**/admin/api/jobs", newer)
    page.click("#jobs-view [data-action=requeue]")
    page.wait_for_selector(f"#confirm-title:has-text('Requeue {count} jobs?')")
    assert [each["dry_run"] for each in sent] == [True]
    assert "before" in sent[0]["filter"]
    assert {status(served, job_id) for job_id in ids} == {"failed"}
    page.click("#confirm-yes")
    page.wait_for_selector(f"#outcome:has-text('Requeued {count} jobs.')")
    assert set(ids) <= set(sent[1]["ids"])
    assert len(sent[1]["ids"]) == count
    page.goto(f"{served.url}/admin#audit")
    page.wait_for_selector(f"#audit-rows tr:has-text('job.requeue'):has-text('count: {count}')")


def test_a_job_is_shown_with_its_timeline_and_purged(
    served: Site, enter: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    job_id = failed(served, submit)
    page = enter("#jobs")
    page.fill("#job-by-id [name=id]", f" {job_id} ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#job-title:has-text('Job failed: broken_picture')")
    events = [line.inner_text() for line in page.query_selector_all("#job-steps strong")]
    assert events == ["accepted", "started", "failed", "expires"]
    assert "badly" in page.inner_text("#job-request")
    assert page.is_disabled("#job-view [data-action=cancel]")
    page.click("#job-view [data-action=purge]")
    page.click("#confirm-yes:has-text('Purge 1 job')")
    page.wait_for_selector("#job-gone:has-text('was deleted')")
    assert status_code(served, job_id) == 410


def status_code(served: Site, job_id: str) -> int:
    return httpx.get(f"{served.url}/jobs/{job_id}").status_code


def test_a_client_is_counted_blocked_and_unblocked(
    served: Site, enter: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    page = enter(f"#job/{failed(served, submit)}")
    page.click("#job-facts a:has-text('address:127.0.0.1')")
    page.click("#client-form [value=count]")
    page.wait_for_selector("#client-facts:has-text('failed')")
    page.click("#client-form [value=block]")
    page.wait_for_selector("#outcome:has-text('Give a reason')")
    page.keyboard.type("<b>too many bells</b>")
    page.click("#client-form [value=block]")
    page.click("#confirm-yes")
    page.wait_for_selector("#block-rows tr:has-text('<b>too many bells</b>'):has-text('in 2')")
    body = {"mode": "text-to-audio", "prompt": "bells"}
    assert httpx.post(f"{served.url}/jobs", json=body).json()["code"] == "blocked"
    page.click("#block-rows [data-client]")
    page.click("#confirm-yes")
    page.wait_for_selector("#no-blocks:visible")
    submit("bells")
    assert audited(served)[:2] == [("client.unblock", "address:127.0.0.1"), ("client.block", "address:127.0.0.1")]


def test_data_is_never_markup(served: Site, enter: Callable[..., Page], submit: Callable[[str], str]) -> None:
    job_id = submit("slowly <img src=x onerror=alert(1)>")
    page = enter(f"#job/{job_id}")
    page.wait_for_selector("#job-request:has-text('<img src=x')")
    assert page.locator("main img").count() == 0


def test_without_a_server_it_says_of_when_its_figures_are(enter: Callable[..., Page]) -> None:
    page = enter()
    page.wait_for_selector("#models tr")
    page.route("**/admin/api/**", lambda route: route.abort())
    page.wait_for_selector("#stale:has-text('The server can’t be reached. What you see is as of')")
    assert page.inner_text("#live-state") == "Not live"
    page.unroute("**/admin/api/**")
    page.wait_for_selector("#live-state:has-text('Live'):not(:has-text('Not'))")
    assert page.is_hidden("#stale")


def test_a_hidden_page_asks_for_nothing(enter: Callable[..., Page]) -> None:
    page = enter()
    page.wait_for_selector("#models tr")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => window.away, configurable: true });"
        "window.away = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert asked == []
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    until(page, "document.querySelector('#live-state').textContent === 'Live'")
    page.wait_for_timeout(300)
    assert asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_small_screen_shows_everything(
    served: Site, enter: Callable[..., Page], submit: Callable[[str], str], axe: str, scheme: str
) -> None:
    job_id = failed(served, submit)
    submit("slowly")
    page = enter(color_scheme=scheme)
    for hash_, ready in (
        ("#service", ".lanes li"), ("#jobs", "#job-rows tr"), (f"#job/{job_id}", "#job-steps li"),
        ("#clients", "#no-blocks:visible"), ("#audit", "#audit-view h1"),
    ):  # fmt: skip
        page.goto(f"{served.url}/admin{hash_}")
        page.wait_for_selector(ready)
        assert complaints(page, axe) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert complaints(page, axe) == []
        page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{served.url}/admin#service")
    page.click("[data-action=drain]")
    page.wait_for_selector("#confirm[open]")
    assert complaints(page, axe) == []
    page.keyboard.press("Escape")
    page.click("#sign-out")
    assert complaints(page, axe) == []
