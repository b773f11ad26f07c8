"""The reference at `/docs`: what it shows of an OpenAPI document, and that nothing in one becomes markup."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient as Client
from PIL import Image

from tests.web.conftest import STORAGE
from web import assets, docs
from web.assets import STATIC
from web.reference import Reference, prose, sample_of, type_of
from web.rendering import Site

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def document(text: str = "plain") -> dict[str, Any]:
    """One operation, with `text` wherever a text may be."""
    schema = {
        "type": "object", "description": text, "required": ["mode"],
        "properties": {"mode": {"const": text}, text: {"type": "string", "pattern": text, "default": text}},
    }  # fmt: skip
    operation = {
        "operationId": "submit", "tags": [text], "summary": text, "description": text, "security": [{"key": []}],
        "parameters": [{"name": text, "in": "query", "schema": {"enum": [text]}, "description": text}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{text}"}}}},
        "responses": {"200": {"description": text, "headers": {text: {}}, "content": {text: {"schema": schema}}}},
    }  # fmt: skip
    return {
        "info": {"version": "1"}, "servers": [{"url": f"https://music.example/{text}"}],
        "paths": {f"/{text}": {"post": operation}}, "components": {"schemas": {text: schema}},
    }  # fmt: skip


def client_of(text: str) -> Client:
    app = Flask("docs", static_folder=None)
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(docs.blueprint(Site("http://localhost", (STORAGE,)), lambda: document(text)))
    return app.test_client()


def test_nothing_in_the_document_is_markup() -> None:
    page = client_of(EVIL.replace("/", "%2F")).get("/docs").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert" in page
    attributes = re.sub(r'"[^"]*"', '""', page)  # none of them ends early
    assert "onerror" not in re.sub(r">[^<]*<", "><", attributes)


def test_the_page_obeys_the_policy_of_the_others() -> None:
    page = client_of("plain").get("/docs")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]* src=)", page.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)


def test_it_is_compressed_for_those_who_take_it_and_known_again() -> None:
    client = client_of("plain")
    plain, small = client.get("/docs"), client.get("/docs", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert len(small.data) < len(plain.data) / 2
    assert small.headers["ETag"] != plain.headers["ETag"]
    headers = {"Accept-Encoding": "gzip", "If-None-Match": small.headers["ETag"]}
    assert client.get("/docs", headers=headers).status_code == 304


def test_examples_name_this_server() -> None:
    client = client_of("below")
    for text in (client.get("/docs").text, client.get("/llms.txt").text):
        assert "https://music.example/below/jobs" in text
        assert "127.0.0.1" not in text


def test_groups_that_the_page_does_not_know_come_before_those_of_operators() -> None:
    written = document()
    for path, tag in (("/a", "admin"), ("/b", "jobs"), ("/c", "charts"), ("/d", "healthz")):
        written["paths"][path] = {"get": {**written["paths"]["/plain"]["post"], "tags": [tag]}}
    titles = [group.title for group in Reference.of(written).groups]
    assert titles == ["Jobs", "Plain", "Charts", "The server", "For operators"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "any"),
        ({"type": "string", "format": "uri"}, "string (uri)"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Job"}}, "array of Job"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({"type": "object", "patternProperties": {"^a": {"type": "number"}}}, "object of number"),
        ({"enum": ["a", 1]}, "a, 1"),
        ({"const": "a"}, "a"),
    ],
)
def test_types_are_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert type_of(schema).striptags() == words


def test_a_sample_has_what_is_required() -> None:
    schemas = {"A": {"type": "object", "properties": {"b": {"enum": ["x"]}, "c": {}}, "required": ["b"]}}
    assert sample_of({"$ref": "#/components/schemas/A"}, schemas) == {"b": "x"}
    assert sample_of({"type": "string", "examples": ["bells"]}, schemas) == "bells"
    assert sample_of({"anyOf": [{"type": "integer", "minimum": 3}]}, schemas) == 3


def test_code_is_marked_and_lines_are_joined() -> None:
    assert prose("A `key`\n    <b>") == "A <code>key</code> &lt;b&gt;"


def test_the_favicon_is_the_icon_in_its_sizes() -> None:
    response = client_of("plain").get("/favicon.ico")
    assert response.content_type == "image/vnd.microsoft.icon"
    assert response.data == (STATIC / "favicon.ico").read_bytes()
    with Image.open(STATIC / "favicon.ico") as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}
        drawn = icon.convert("RGBA")
        assert drawn.getpixel((24, 24)) == (0xF5, 0x9A, 0x3E, 255)  # the accent of icon.svg
        assert drawn.getchannel("A").getextrema() == (0, 255)  # round corners


def test_robots_may_read_pages_and_clips_but_nothing_of_one_client() -> None:
    response = client_of("plain").get("/robots.txt")
    assert response.mimetype == "text/plain"
    refused = re.findall(r"Disallow: (.+)", response.text)
    assert {"/jobs", "/uploads", "/files", "/admin"} <= set(refused)
    assert not any(path.startswith(prefix) for prefix in refused for path in ("/", "/about", "/docs", "/clips/x"))
