"""The API's reference in a real browser: nothing is refused by its policy, and calls can be tried."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Site, complaints, until

# All operations and types come from the same macros, and axe-core would take a minute for all of them.
REMOVE_REPETITION = """
for (const each of document.querySelectorAll(".operation:not(#submit), .schema:not(#schema-Job)")) each.remove();
"""


@pytest.fixture
def page(site: Site, visit: Callable[..., Page]) -> Page:
    """The reference."""
    return visit(f"{site.url}/docs")


def opened(page: Page, operation: str) -> Locator:
    """The form of an operation, to be filled in."""
    page.locator(f"#{operation} .try > summary").click()
    return page.locator(f"#{operation} .try")


def send(form: Locator) -> None:
    form.locator(".primary").click()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    site: Site, visit: Callable[..., Page], axe: str, width: int, scheme: str
) -> None:
    page = visit(f"{site.url}/docs", color_scheme=scheme, viewport={"width": width, "height": 860})
    assert page.locator(".contents").get_attribute("open") == ("" if width > 1000 else None)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(REMOVE_REPETITION)
    assert complaints(page, axe) == []


def test_a_clip_is_made_followed_and_heard(page: Page) -> None:
    submit = opened(page, "submit")
    send(submit)
    submit.get_by_text("202 ACCEPTED").wait_for()
    follow = opened(page, "follow")
    assert len(follow.locator("[name=job_id]").input_value()) > 16  # filled in by the response
    send(follow)
    until(page, """document.querySelector("#follow [aria-label=Body]")?.textContent.includes('"succeeded"')""")
    get_job = opened(page, "get_job")
    send(get_job)
    get_job.locator(".response img").wait_for()
    until(page, "document.querySelector('#get_job .response img').naturalWidth > 100")
    until(page, "document.querySelector('#get_job .response audio').duration > 1")
    listed = opened(page, "list_jobs")
    send(listed)
    listed.get_by_text("200 OK").wait_for()  # by the secret of this browser
    assert follow.locator("[name=job_id]").input_value() in listed.locator(".response").inner_text()


def test_a_refusal_is_shown_with_its_reason(page: Page) -> None:
    submit = opened(page, "submit")
    submit.locator("textarea").fill('{"mode": "text-to-audio", "prompt": "x", "steps": 0}')
    send(submit)
    submit.get_by_text("422").first.wait_for()
    submit.get_by_text("greater than or equal to 1").first.wait_for()


def test_a_stream_can_be_stopped(page: Page) -> None:
    submit = opened(page, "submit")
    submit.locator("textarea").fill('{"mode": "text-to-audio", "prompt": "slowly", "steps": 150}')
    send(submit)
    submit.get_by_text("202 ACCEPTED").wait_for()
    follow = opened(page, "follow")
    send(follow)
    follow.locator("[aria-label=Body]").get_by_text("running").wait_for()
    follow.locator(".stop").click()
    follow.get_by_text("Stopped.").wait_for()
    cancel = opened(page, "cancel_job")
    send(cancel)
    cancel.get_by_text("200 OK").wait_for()


def test_a_key_is_sent_only_where_one_is_taken(page: Page) -> None:
    sent: dict[str, str | None] = {}
    page.on("request", lambda request: sent.update({request.url: request.headers.get("authorization")}))
    page.fill("#key-field", "riff_unknown")
    page.click("#key-form .primary")
    page.get_by_text("This browser has a key").wait_for()
    submit, models = opened(page, "submit"), opened(page, "models")
    send(submit)
    submit.get_by_text("401").first.wait_for()
    send(models)
    models.get_by_text("200 OK").wait_for()
    keys = {url.rpartition("/")[2]: key for url, key in sent.items()}
    assert (keys["jobs"], keys["models"]) == ("Bearer riff_unknown", None)
    page.fill("#key-field", "")
    page.click("#key-form .primary")
    page.get_by_text("This browser has no key").wait_for()


def test_a_file_is_uploaded(page: Page) -> None:
    upload = opened(page, "upload")
    picture = page.screenshot()
    upload.locator("[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture})
    send(upload)
    upload.get_by_text("201 CREATED").wait_for()
    assert page.locator("#delete_upload [name=upload_id]").input_value()


def test_a_language_is_chosen_once_for_all_examples(page: Page) -> None:
    page.locator("#submit .example [value=Python]").check()
    assert page.locator("pre[data-language=Python]:visible").count() == page.locator(".example").count()
    assert page.locator("pre[data-language=curl]:visible").count() == 0
    page.reload()
    assert page.locator("#start pre:visible").get_attribute("data-language") == "Python"
