"""The pages of the reference, beside the API that they are about."""

import re
from html import unescape
from typing import Any

import pytest

from tests.api.conftest import Client


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json
    return found


def test_every_operation_and_type_is_shown(client: Client, document: dict[str, Any]) -> None:
    page = unescape(client.get("/docs").text)
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            assert f'id="{described["operationId"]}"' in page
            assert f"{method.upper()}</span> <code>{path}</code>" in page
            assert described["summary"] in page
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page


def test_every_link_within_the_page_leads_somewhere(client: Client) -> None:
    page = client.get("/docs").text
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    named = set(re.findall(r'(?:href="#|aria-labelledby="|aria-describedby="| for=")([^"]+)"', page))
    assert named - set(ids) == {"main"} - set(ids)


def test_every_address_of_llms_txt_responds(client: Client, document: dict[str, Any]) -> None:
    text = client.get("/llms.txt").text
    links = re.findall(r"\]\(http://localhost(/[^)]+)\)", text)
    assert len(links) == 4
    assert {client.get(link).status_code for link in links} == {200}
    for path, methods in document["paths"].items():
        for method in methods:
            assert (f"`{method.upper()} {path}`" in text) == (not path.startswith("/admin"))


@pytest.mark.parametrize("path", ["/", "/about", "/docs", "/openapi.json", "/clips/none"])
def test_what_people_and_programs_find_first_says_where_the_api_is_described(client: Client, path: str) -> None:
    links = re.findall(r'<([^>]+)>; rel="([^"]+)"; type="([^"]+)"', client.get(path).headers["Link"])
    assert {rel for _, rel, _ in links} == {"service-desc", "service-doc", "status"}
    for address, _, media_type in links:
        response = client.get(address)
        assert (response.status_code, response.mimetype) == (200, media_type)


def test_operators_calls_are_described_but_cannot_be_tried(client: Client) -> None:
    page = client.get("/docs").text
    assert 'id="admin_act_on_jobs"' in page
    assert 'data-path="/jobs"' in page
    assert 'data-path="/admin' not in page
