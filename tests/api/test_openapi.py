"""The OpenAPI document: generated from the models, and checked against the running server."""

from pathlib import Path
from typing import Any

import pytest

from riffusion.requests import MODES
from tests.api.conftest import Client, LiveServer
from tests.api.described_requests import send_described_requests, working

EXAMPLES = 10  # an operation and phase


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json
    return found


def test_every_mode_is_a_schema_that_must_name_itself(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for mode in MODES:
        assert "mode" in schemas[mode.__name__]["required"]
    assert len(schemas["Request"]["oneOf"]) == len(MODES)


def test_bounds_have_their_names_in_json_schema(document: dict[str, Any]) -> None:
    loop = document["components"]["schemas"]["Loop"]["properties"]
    assert loop["bpm"]["anyOf"][0] == {"type": "number", "minimum": 30, "maximum": 300}
    assert loop["steps"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 150}


def test_problems_are_listed_with_their_codes(document: dict[str, Any]) -> None:
    replies = document["paths"]["/jobs"]["post"]["responses"]
    assert set(replies) == {"202", "400", "401", "403", "408", "410", "413", "415", "422", "429", "503", "507"}
    for code in ("invalid_request", "unknown_reference", "idempotency_conflict"):
        assert code in replies["422"]["description"]
    assert set(replies["503"]["headers"]) == {"X-Request-Id", "Retry-After"}
    assert set(replies["503"]["content"]) == {"application/problem+json"}


def test_everything_but_liveness_may_be_refused_in_an_overload(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for described in methods.values():
            listed = "`overloaded`" in described["responses"].get("503", {}).get("description", "")
            assert listed == (path != "/healthz"), path


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            found: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            check(each)

    check(document)


@pytest.mark.timeout(900)  # thousands of requests, on a machine that may be busy
def test_the_server_matches_the_document(live: LiveServer, tmp_path: Path) -> None:
    with working(live.worker()):
        run = send_described_requests(live, tmp_path, examples=EXAMPLES, seed=1)
    assert run.returncode == 0, run.stdout
