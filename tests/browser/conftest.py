"""A real browser in front of the real API, with a worker whose model is quick.

It is Chromium; tests that are marked `in_both` run in Firefox as well.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from riffusion.embedded.child import Process, spawn, stop
from tests.browser import engines
from tests.conftest import ValkeyServer, free_port, wait_until

ROOT = engines.ROOT
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
STARTS_S = 240  # the codec compiles its kernels once a machine
TIMEOUT_MS = 120_000

# What browsers keep from pages without TLS, which this machine's own address doesn't stand for, is kept from all tests.
# Whatever the page sends to the loudspeakers also goes to an analyser: the loudest sample of the last second.
TAP = """
delete Crypto.prototype.randomUUID;
delete Crypto.prototype.subtle;
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const { context } = target;
    context.tap ??= new AnalyserNode(context, { fftSize: 32768 });
    connect.call(this, context.tap);
    window.tap = context.tap;
  }
  return connect.call(this, target, ...rest);
};
window.peak = () => {
  const samples = new Float32Array(32768);
  window.tap?.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs));
};
"""


in_both = pytest.mark.parametrize("browser", ["chromium", "firefox"], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a browser, and skips it where there is none."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            kind = item.callspec.params.get("browser", "chromium") if hasattr(item, "callspec") else "chromium"
            if reason := engines.missing(kind):
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Site:
    """The running service."""

    url: str
    valkey: ValkeyServer


@contextmanager
def run(folder: Path, *, worker: bool, **settings: object) -> Iterator[Site]:
    """The API, with a worker if wanted, on a Valkey of its own."""
    valkey = ValkeyServer.start(folder)
    url = f"http://127.0.0.1:{(port := free_port())}"
    values = {"redis_url": valkey.url, "data_dir": folder / "data", "public_url": url, **settings}
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    env |= {f"RIFFUSION_{name.upper()}": str(value) for name, value in values.items()}
    processes: list[Process] = []
    with (folder / "log").open("ab") as log:
        commands = [["riffusion", "api", "--port", str(port)]] + [["tests.browser.quick"]] * worker
        processes = [spawn([sys.executable, "-m", *command], env=env, output=log) for command in commands]
        try:
            wait_until(lambda: _is_up(url, worker=worker), STARTS_S, "the site did not start")
            yield Site(url, valkey)
        finally:
            for process in processes:
                stop(process, grace_s=10)
            valkey.kill()


def _is_up(url: str, *, worker: bool) -> bool:
    try:
        response = httpx.get(f"{url}/models")
        return response.is_success and (bool(response.json()["models"]) or not worker)
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests that leave it intact."""
    with run(tmp_path_factory.mktemp("site"), worker=True) as running:
        yield running


@pytest.fixture
def workerless(tmp_path: Path) -> Iterator[Site]:
    """One without a worker, with a single place in the queue, that a test may break."""
    with run(tmp_path, worker=False, max_queued=1) as running:
        yield running


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Browser]]:
    """Each kind once a module: while Playwright runs, so does its event loop, in which asyncio's own tests can't."""
    with sync_playwright() as playwright, ExitStack() as running:

        @cache
        def start(kind: str) -> Browser:
            browser = engines.launch(playwright, kind, tmp_path_factory.mktemp(kind))
            running.callback(browser.close)
            return browser

        yield start


@pytest.fixture
def browser(request: pytest.FixtureRequest, browsers: Callable[[str], Browser]) -> Browser:
    """Chromium, or what the test's parameter says."""
    return browsers(getattr(request, "param", "chromium"))


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens each page as another visitor. In the end no page may have logged an error, nor sent a request to a host
    other than the API's and `storage`."""
    complaints: list[str] = []
    contexts = []

    def open_page(url: str, storage: str = "blob:", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}} | options)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(TAP)
        contexts.append(context)
        page = context.new_page()

        def outside(request: Request) -> None:
            if not request.url.startswith((url.split("/", 3)[2].join(("http://", "/")), "blob:", storage)):
                complaints.append(f"asked another host: {request.url}")

        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("request", outside)
        page.on("console", lambda line: complaints.append(line.text) if _is_wrong(line.type, line.text) else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def _is_wrong(kind: str, text: str) -> bool:
    """Chromium itself reports every response of 400 and above, which some tests cause on purpose."""
    return kind == "error" and not text.startswith("Failed to load resource")


@pytest.fixture
def page(site: Site, visit: Callable[..., Page]) -> Page:
    """The playground, with the models and the beats that it loads."""
    page = visit(f"{site.url}/")
    page.wait_for_selector("[name=steps][placeholder='auto, 20']", state="attached")
    return page


def until(page: Page, expression: str) -> None:
    """Waits for an expression to hold. Playwright's own way evaluates it inside the page, which its policy forbids."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not page.evaluate(expression):
        if time.monotonic() > deadline:
            pytest.fail(f"Never true: {expression}")
        page.wait_for_timeout(50)


def play(page: Page, prompt: str = "funk bassline") -> None:
    """Types a prompt, presses Make and waits until the clip plays."""
    page.fill("#prompt", prompt)
    page.click("#go")
    page.wait_for_selector(".spectrogram.playing")


def posted(request: Request) -> Any:
    """The JSON of a request."""
    return request.post_data_json


def choose(page: Page, tool: str) -> None:
    """Selects one of the tools."""
    page.check(f"#tools [value={tool}]", force=True)


def nodes(page: Page) -> list[str]:
    """The clips in the history, newest first, by their labels for screen readers."""
    return [str(node.get_attribute("aria-label")) for node in page.query_selector_all(".node .open")]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags over the spectrogram; positions are shares of its width and height, from the left and the top."""
    box = page.locator("#workbench .plate").bounding_box()
    assert box is not None

    def at(share: tuple[float, float]) -> tuple[float, float]:
        return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]

    page.mouse.move(*at(start))
    page.mouse.down()
    page.mouse.move(*at(end), steps=12)
    page.mouse.up()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's source, which `make lint` installs."""
    if not AXE.exists():
        pytest.skip("there is no axe-core; `make web/node_modules/.ready`")
    return AXE.read_text()


def complaints(page: Page, axe: str) -> list[str]:
    """What axe-core finds serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'][:120] for node in violation['nodes']]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
