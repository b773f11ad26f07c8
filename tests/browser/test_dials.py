"""The settings: the chosen model's options are shown, what is set is sent, and a recipe restores it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Route

from riffusion.spectrogram.picture_file import write_png
from tests.browser.conftest import Site, play, posted

DUB = "#loras label:has-text('dub') input"
TAPE = "#loras label:has-text('tape_2') input"


def set_weight(page: Page, slider: str, weight: str) -> None:
    """Sets a LoRA's slider."""
    page.locator(slider).fill(weight)


def late(route: Route) -> None:
    """Delays a response."""
    time.sleep(0.7)
    route.continue_()


def test_loras_are_sent_and_restored_with_the_recipe(visit: Callable[..., Page], page: Page, tmp_path: Path) -> None:
    page.click("#settings summary")
    assert page.inner_text("#loras label >> nth=0").split() == ["dub", "off"]
    set_weight(page, TAPE, "-0.35")
    page.keyboard.press("Escape")
    assert page.inner_text("#settings summary") == "Settings, LoRA"
    page.fill("#prompt", "church bells")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click("#go")
    assert posted(sent.value)["lora"] == {"tape_2": -0.35}
    page.wait_for_selector(".spectrogram.playing")
    assert page.inner_text("#caption") == "church bells with tape_2 -0.35"

    page.click(".save summary")
    with page.expect_download() as saved:
        page.click("[data-save=png]")
    saved.value.save_as(tmp_path / "clip.png")
    page.click("#settings summary")
    set_weight(page, TAPE, "0")
    set_weight(page, DUB, "1")
    page.keyboard.press("Escape")
    page.set_input_files("#file", tmp_path / "clip.png")
    page.wait_for_selector("#trouble:has-text('everything is now set')")
    assert [page.input_value(slider) for slider in (DUB, TAPE)] == ["0", "-0.35"]

    page.click("[data-verb=share]")
    page.click("#publish [value=publish]")
    page.wait_for_selector("#share[open]")
    guest = visit(page.input_value("#share-link"))
    assert guest.inner_text(".recipe dt:text-is('LoRAs') + dd") == "tape_2 -0.35"
    guest.route("**/models", late)
    guest.click("text=Remix this")
    guest.wait_for_selector("#settings summary:has-text('LoRA')")
    assert guest.input_value(TAPE) == "-0.35"


def test_a_recipe_that_names_what_the_server_lacks_is_reported(page: Page) -> None:
    recipe = {"mode": "text-to-audio", "prompt": "violin", "seed": 1, "model": "grand", "lora": {"dub": 1, "gone": 0.5}}
    png = write_png(Image.new("L", (8, 8)), recipe)
    page.set_input_files("#file", {"name": "clip.png", "mimeType": "image/png", "buffer": png})
    page.wait_for_selector("#trouble:has-text('This server doesn’t have grand, gone, so it won’t sound')")
    assert page.input_value(DUB) == "1"


def test_without_a_lora_none_is_sent(page: Page) -> None:
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        play(page)
    assert "lora" not in posted(sent.value)
    assert page.inner_text("#caption") == "funk bassline"


def test_a_jam_sends_them_too(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/#jam")
    page.wait_for_selector(DUB, state="attached")
    page.fill("#prompt", "church bells")
    page.click("#settings summary")
    set_weight(page, DUB, "0.8")
    page.keyboard.press("Escape")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click("#jam-play")
    assert posted(sent.value)["lora"] == {"dub": 0.8}


def test_each_model_shows_its_own_options(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/")

    def two_models(route: Route) -> None:
        response = route.fetch()
        (model,) = response.json()["models"]
        plain = model | {"name": "plain", "default": False, "loras": [], "guidance": None}
        other = model | {"name": "other", "default": False, "loras": ["dub"], "guidance": 7.5}
        route.fulfill(response=response, json={"models": [model, plain, other]})

    page.route("**/models", two_models)
    page.reload()
    page.click("#settings summary")
    page.wait_for_selector("[name=model] option >> nth=3", state="attached")
    set_weight(page, DUB, "0.8")
    set_weight(page, TAPE, "1")
    seen = {}
    for name in ("", "other", "plain"):
        page.select_option("[name=model]", name)
        shown = [label.inner_text().split() for label in page.query_selector_all("#loras label")]
        seen[name] = page.get_attribute("[name=guidance]", "placeholder"), shown
    assert seen == {
        "": ("auto, 4", [["dub", "0.8"], ["tape_2", "1"]]),
        "other": ("auto, 7.5", [["dub", "0.8"]]),
        "plain": ("auto", []),
    }
    assert not page.is_visible("#loras")


def test_a_recipe_whose_quality_meant_another_sampler_keeps_its_own(page: Page) -> None:
    recipe = {"mode": "text-to-audio", "prompt": "violin", "seed": 1, "steps": 20, "guidance": 4.0, "lora": None}
    sampler = {"scheduler": "dpm++2m", "timestep_spacing": None, "guidance_end": 0.3}
    png = write_png(Image.new("L", (8, 8)), recipe | sampler)

    def made_again() -> dict[str, Any]:
        page.set_input_files("#file", {"name": "clip.png", "mimeType": "image/png", "buffer": png})
        page.wait_for_selector("#trouble:has-text('everything is now set')")
        assert page.inner_text("#settings summary") == "Settings, seed fixed, sampler of the file"
        with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
            page.click("#go")
        return dict(posted(sent.value))

    assert made_again().items() >= (sampler | {"steps": 20, "guidance": 4}).items()
    page.click("#settings summary")
    page.fill("[name=steps]", "8")
    page.keyboard.press("Escape")
    assert page.inner_text("#settings summary") == "Settings, seed fixed"
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click("#go")
    assert "scheduler" not in posted(sent.value)
    assert posted(sent.value)["steps"] == 8


def test_what_belonged_to_a_recipes_sampler_goes_with_it(page: Page) -> None:
    recipe = {"mode": "text-to-audio", "prompt": "violin", "seed": 1, "steps": 20, "guidance": 4.0, "lora": None}
    unguided = recipe | {"guidance": 1.0, "scheduler": "dpm++2m", "guidance_end": None}
    for sampler, summary in (
        ({"scheduler": "dpm++2m", "guidance_end": 0.3}, "Settings, seed fixed, sampler of the file"),
        ({"scheduler": "dpm++2m", "guidance_end": 1}, "Settings, seed fixed"),
        ({"scheduler": "euler", "model": "grand"}, "Settings, seed fixed"),  # which isn't there
        (unguided, "Settings, seed fixed"),
        ({"scheduler": "euler"}, "Settings, seed fixed, sampler of the file"),
    ):
        png = write_png(Image.new("L", (8, 8)), recipe | sampler)
        page.set_input_files("#file", {"name": "clip.png", "mimeType": "image/png", "buffer": png})
        page.wait_for_selector(f"#settings summary:text-is('{summary}')")
    page.click("#settings summary")
    assert [page.input_value(f"[name={name}]") for name in ("steps", "guidance")] == ["20", "4"]
    page.select_option("[name=quality]", "best")
    assert [page.input_value(f"[name={name}]") for name in ("steps", "guidance")] == ["", ""]
    assert page.inner_text("#settings summary") == "Settings, seed fixed"


def test_a_kept_sampler_keeps_the_lora_that_it_needs(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(f"{site.url}/")

    def distilled(route: Route) -> None:
        response = route.fetch()
        (model,) = response.json()["models"]
        fast = {"steps": 4, "scheduler": "euler", "timestep_spacing": "trailing", "guidance": 1, "lora": {"few": 1}}
        route.fulfill(response=response, json={"models": [model | {"qualities": model["qualities"] | {"fast": fast}}]})

    page.route("**/models", distilled)
    page.reload()
    page.wait_for_selector(DUB, state="attached")
    recipe = {"mode": "text-to-audio", "prompt": "violin", "seed": 1, "quality": "fast", "steps": 4, "guidance": 1}
    kept = {"scheduler": "lcm", "timestep_spacing": None, "guidance_end": None}
    png = write_png(Image.new("L", (8, 8)), recipe | kept | {"lora": {"few": 1, "dub": 0.5}})
    page.set_input_files("#file", {"name": "clip.png", "mimeType": "image/png", "buffer": png})
    page.wait_for_selector("#settings summary:has-text('sampler of the file')")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/jobs")) as sent:
        page.click("#go")
    assert posted(sent.value).items() >= (kept | {"lora": {"few": 1, "dub": 0.5}}).items()
