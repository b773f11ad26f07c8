"""What the pages are served with: a policy without exceptions, and assets that browsers may cache."""

import re

import pytest
from flask.testing import FlaskClient as Client

from tests.web.conftest import STORAGE
from web import assets
from web.assets import STATIC, digest, modules
from web.clip_pages import recipe
from web.rendering import security_policy


@pytest.mark.parametrize("path", ["/", "/about", "/admin", "/gallery", "/clips/shared/embed"])
def test_a_page_runs_nothing_inline_and_asks_no_other_host(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]* src=)", page.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert page.headers["Cache-Control"] == "no-cache"
    assert client.get(path, headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/", "/about", "/admin", "/gallery", "/clips/shared/embed"])
def test_every_file_that_a_page_names_is_cached_for_good(client: Client, path: str) -> None:
    named = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', client.get(path).text))
    assert named
    for address in named:
        response = client.get(address)
        assert response.status_code == 200, address
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "javascript" in response.content_type or not address.endswith(".js")


def test_an_old_address_serves_the_new_file_uncached(client: Client) -> None:
    response = client.get("/assets/0123456789ab/style.css")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"


def test_scripts_and_styles_are_compressed_for_those_who_take_it(client: Client) -> None:
    address = f"/assets/{digest()}/style.css"
    small = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert len(small.data) < len(client.get(address).data) / 2


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "js/../../app.py", "js", "js/ui", "nothing.js", "js/client/schema.d.ts"]
)
def test_nothing_else_is_served(client: Client, name: str) -> None:
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        assert client.get(f"/assets/{digest()}/{name}", headers=headers).status_code == 404


def test_every_module_is_preloaded_once() -> None:
    found = modules("pages/studio.js")
    assert len(found) == len(set(found))
    assert {"api/http.js", "client/transport.js", "spectrogram/mel.js", "jam/loop-scheduler.js"} <= set(found)
    assert all((STATIC / "js" / name).is_file() for name in found)


def test_files_may_come_from_this_server_and_the_storage(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert f"; img-src 'self' blob: {STORAGE}; media-src 'self' blob: {STORAGE};" in policy
    assert f"; connect-src 'self' {STORAGE};" in policy
    assert "; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self';" in security_policy(())


def test_a_published_clip_has_a_page_that_chat_programs_can_show(client: Client) -> None:
    page = client.get("/clips/shared")
    assert page.status_code == 200
    assert '<meta property="og:title" content="bells &amp; &lt;b&gt;brass&lt;/b&gt;">' in page.text
    assert '<meta property="og:audio:type" content="audio/wav">' in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize(("share_id", "status", "reason"), [("deleted", 410, "was deleted"), ("x", 404, "published")])
def test_a_missing_clip_has_a_page_that_says_why(client: Client, share_id: str, status: int, reason: str) -> None:
    page = client.get(f"/clips/{share_id}")
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert reason in page.text


def test_a_recipe_reads_as_lines_in_words() -> None:
    request = {
        "mode": "interpolate",
        "start": {"prompt": "a", "seed": 1},
        "end": {"prompt": "b", "seed": 2},
        "negative_prompt": "",
        "model": None,
        "mask": {"seconds": [1.0, 2.5], "hertz": None},
        "lora": {"dub_2": 0.8, "tape": 1.0},
    }
    assert recipe(request) == [
        ("start: prompt", "a"),
        ("start: seed", "1"),
        ("end: prompt", "b"),
        ("end: seed", "2"),
        ("mode", "interpolate"),
        ("mask: seconds", "1.0, 2.5"),
        ("LoRAs", "dub_2 0.8, tape 1"),
    ]


def test_an_asset_has_one_spelling(client: Client) -> None:
    """What is compressed is kept, so there must be no end of names for the same."""
    kept = assets._compressed.cache_info().currsize
    for spelling in ("js/./ui/dom.js", "js/.//ui/dom.js", "js/../js/ui/dom.js", "nope/../style.css", "js//ui/dom.js"):
        assert client.get(f"/assets/x/{spelling}", headers={"Accept-Encoding": "gzip"}).status_code == 404
    assert assets._compressed.cache_info().currsize == kept


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_as_files_have_the_colours_of_those_that_are_painted(client: Client, theme: str) -> None:
    script = (STATIC / "js/spectrogram/colormap.js").read_text()
    stops = re.findall(r"#(\w{6})", re.findall(rf"{theme}: (\[.*\])", script)[0])
    (heat,) = re.findall(rf'<filter id="heat-{theme}".*?</filter>', client.get("/gallery").text, re.DOTALL)
    for place, channel in enumerate("RGB"):
        values = re.findall(rf'<feFunc{channel} type="table" tableValues="([^"]+)"', heat)[0].split()
        shades = [int(stop[2 * place : 2 * place + 2], 16) / 255 for stop in reversed(stops)]  # dark is loud in files
        assert [float(value) for value in values] == pytest.approx(shades, abs=0.001)
