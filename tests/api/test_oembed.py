"""oEmbed: a player for a published clip of this server, by the address of its page; and the player's own page."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api.conftest import Client, Worker, submit


@pytest.fixture
def share_id(client: Client, worker: Worker) -> str:
    """A published clip, whose title is hostile."""
    job_id = submit(client, prompt='"><script>alert(1)</script>\x00\ufffe & ]]>')["id"]
    worker.work()
    published: str = client.post(f"/jobs/{job_id}/publish").json["id"]
    return published


def ask(client: Client, url: str, **query: Any) -> Any:
    return client.get("/oembed", query_string={"url": url, **query})


def test_a_clips_page_names_it_and_it_describes_the_player(client: Client, share_id: str) -> None:
    page = client.get(f"/clips/{share_id}").text
    (address,) = re.findall(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', page)
    found = client.get(address.replace("&amp;", "&").removeprefix("http://localhost"))
    assert found.status_code == 200
    assert found.content_type == "application/json"
    described = found.json
    assert (described["version"], described["type"], described["width"], described["height"]) == (
        "1.0",
        "rich",
        560,
        152,
    )
    assert described["thumbnail_url"] == f"http://localhost/clips/{share_id}/clip.png"
    assert f'src="http://localhost/clips/{share_id}/embed"' in described["html"]
    assert "<script" not in described["html"]
    assert described["html"].count("<") == 2


def test_the_same_as_xml(client: Client, share_id: str) -> None:
    found = ask(client, f"http://localhost/clips/{share_id}", format="xml")
    assert found.content_type == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(found.data)  # noqa: S314 -- it is our own
    described = {each.tag: each.text for each in root}
    assert described["type"] == "rich"
    same = ask(client, f"http://localhost/clips/{share_id}").json
    assert described["html"] == same["html"].replace("\ufffe", "\ufffd")  # which XML can't have


def test_the_limits_of_the_consumer_are_kept(client: Client, share_id: str) -> None:
    small = ask(client, f"http://localhost/clips/{share_id}", maxwidth=300, maxheight=80).json
    assert (small["width"], small["height"]) == (300, 80)
    assert 'width="300" height="80"' in small["html"]
    assert "thumbnail_url" not in small
    schema = client.get("/openapi.json").json["components"]["schemas"]["OEmbed"]
    assert set(schema["required"]) <= set(small)
    for wrong in (0, -1, "wide"):
        assert ask(client, f"http://localhost/clips/{share_id}", maxwidth=wrong).status_code == 422
    assert ask(client, f"http://localhost/clips/{share_id}", format="yaml").status_code == 422


def test_other_forms_of_the_address_are_understood(client: Client, share_id: str) -> None:
    for url in (
        f"https://localhost:80/clips/{share_id}", f"http://LOCALHOST/clips/{share_id}?utm=1#top",
        f"http://localhost/clips/{share_id}/embed", f" http://localhost/clips/{share_id}/ ",
    ):  # fmt: skip
        expected = 404 if url.startswith("https") else 200  # https has another port
        assert ask(client, url).status_code == expected, url


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data", "http://localhost.evil.example/clips/{id}",
        "http://evil.example/clips/{id}", "http://localhost@evil.example/clips/{id}", "http://localhost:8080/clips/{id}",
        "file:///clips/{id}", "javascript:alert(1)//localhost/clips/{id}", "http://[::1/clips/{id}",
        "http://localhost:x/clips/{id}", "//localhost/clips/{id}", "http://localhost/clips/{id}/../../admin",
        "http://localhost/jobs/{id}", "http://localhost/clips/{id}/clip.png", "http://localhost/%2e%2e/clips/{id}",
        "{id}",
    ],
)  # fmt: skip
def test_nothing_else_is_found_or_fetched(
    client: Client, share_id: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it connected somewhere")

    ask(client, f"http://localhost/clips/{share_id}")  # Redis is connected now
    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    refused = ask(client, url.replace("{id}", share_id))
    assert (refused.status_code, refused.json["code"]) == (404, "not_found")


def test_only_the_player_may_be_framed_and_nothing_in_it_acts(client: Client, share_id: str) -> None:
    player = client.get(f"/clips/{share_id}/embed")
    assert player.status_code == 200
    assert "frame-ancestors *" in player.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in player.headers
    assert "Set-Cookie" not in player.headers
    assert "<script>" not in player.text
    assert not re.search(r"<form|<dialog|report|localStorage", player.text)
    assert client.get("/clips/nothing/embed").status_code == 404
    for path in ("/", "/about", "/admin", "/gallery", f"/clips/{share_id}", f"/clips/{share_id}.json", "/oembed"):
        response = client.get(path)
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"], path
        assert response.headers["X-Frame-Options"] == "DENY", path


def test_a_prompt_that_names_the_policy_opens_no_frame(client: Client, worker: Worker) -> None:
    job_id = submit(client, prompt="frame-ancestors *")["id"]
    worker.work()
    share_id = client.post(f"/jobs/{job_id}/publish").json["id"]
    assert client.get(f"/clips/{share_id}").headers["X-Frame-Options"] == "DENY"


def test_the_code_to_paste_is_on_the_page(client: Client, share_id: str) -> None:
    page = client.get(f"/clips/{share_id}").text
    (code,) = re.findall(r'<textarea id="embed-code"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert "&lt;iframe src=&#34;http://localhost/clips/" in code
    assert "<" not in code


def test_a_player_card_needs_https(client: Client, share_id: str) -> None:
    page = client.get(f"/clips/{share_id}").text
    assert '<meta name="twitter:card" content="summary_large_image">' in page
    assert "twitter:player" not in page
