"""For everyone: axe-core finds nothing serious, nothing is cut off on a small screen, motion is reduced on request."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site, choose, complaints, play


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site: Site, visit: Callable[..., Page], axe: str, scheme: str) -> None:
    page = visit(f"{site.url}/", color_scheme=scheme)
    assert complaints(page, axe) == []
    play(page)
    page.click("#settings summary")
    assert complaints(page, axe) == []
    page.click("#key-setting")
    assert complaints(page, axe) == []
    page.keyboard.press("Escape")
    for tool in ("repaint", "draw"):
        choose(page, tool)
        assert complaints(page, axe) == []
    choose(page, "listen")
    page.click("[data-verb=share]")
    page.wait_for_selector("#publish[open]")
    assert complaints(page, axe) == []
    page.click("#publish [value=publish]")
    page.wait_for_selector("#share[open]")
    assert complaints(page, axe) == []
    published = page.input_value("#share-link")
    for url in (f"{site.url}/#jam", f"{site.url}/about", f"{site.url}/clips/nothing", published):
        page.goto(url)
        assert complaints(page, axe) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", ["", "#jam", "about", "docs"])
def test_a_small_screen_shows_everything(site: Site, visit: Callable[..., Page], path: str) -> None:
    page = visit(f"{site.url}/{path}", viewport={"width": 360, "height": 740}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for tool in ("draw", "listen") if path == "" else ():
        choose(page, tool)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_long_prompt_stays_on_a_small_screen(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/", viewport={"width": 360, "height": 740}, has_touch=True)
    fits = "document.scrollingElement.scrollWidth <= innerWidth"
    page.fill("#prompt", "slowly, a jazz piano solo with brushes, upright bass and Donaudampfschifffahrtsgesellschaft")
    page.click("#settings summary")
    page.fill("[name=steps]", "4")
    page.keyboard.press("Escape")
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 4/")
    assert page.evaluate(fits)
    page.click("[data-verb=vary]")
    assert page.evaluate(fits)
    page.wait_for_selector("#caption span:not(:empty)")
    page.wait_for_selector("[data-verb=vary]:enabled")
    assert page.evaluate(fits)


def test_axes_and_sliders_are_legible_on_a_small_screen(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/", viewport={"width": 360, "height": 740}, has_touch=True)
    play(page)
    page.click("[data-verb=extend]")
    page.wait_for_selector("#total:has-text('10.')")
    marks = page.locator("#workbench .axis.seconds span").all()
    boxes = [mark.bounding_box() or {"x": 0, "width": 0} for mark in marks]
    assert len(boxes) > 3
    assert all(left["x"] + left["width"] + 5 < right["x"] for left, right in pairwise(boxes))
    page.goto(f"{site.url}/about")
    page.wait_for_selector("#between .to-end:not(:empty)")
    slider = page.locator("#between input").bounding_box()
    assert slider
    assert slider["width"] > 200
    assert page.evaluate("(({ width, clientWidth }) => width === clientWidth)(document.querySelector('.ladder'))")


def test_nothing_that_opens_leaves_a_small_screen(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/", viewport={"width": 360, "height": 740}, has_touch=True)
    play(page)
    openers = {".save summary": ".save .sheet", "#settings summary": "#settings .sheet", "#key-setting": "#key"}
    for opener, opened in openers.items():
        page.click(opener)
        box = page.locator(opened).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["width"] > 180
        assert box["x"] + box["width"] <= 360


def test_motion_is_reduced_on_request(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/", reduced_motion="reduce")
    page.fill("#prompt", "slowly")
    page.click("#go")
    page.wait_for_selector("text=/Step \\d+ of 20/")
    frame = "document.querySelector('canvas.picture').toDataURL()"
    step = "document.querySelector('#notice p').textContent"
    while True:
        text, seen = page.evaluate(step), page.evaluate(frame)
        page.wait_for_timeout(250)
        if page.evaluate(step) == text:
            assert page.evaluate(frame) == seen
            break
    page.click("#cancel")


def test_the_theme_is_chosen_and_remembered(page: Page) -> None:
    before = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.click("#theme")
    after = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert before != after
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == after
