"""The app factory: light imports, security headers, proxies."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from structlog.testing import capture_logs

from api.app import create_app
from api.operations import operation_of
from riffusion.settings import Settings
from tests.api.conftest import PROBLEM, PROMPT, Client


def test_a_fresh_interpreter_loads_neither_torch_nor_numpy() -> None:
    program = (
        "import sys, api.app, threading; before = threading.active_count();"
        "app = api.app.create_app(); client = app.test_client();"
        "assert client.get('/openapi.json').status_code == client.get('/seeds').status_code == 200;"
        "assert threading.active_count() == before, 'a thread was started';"
        "print(*sorted({'torch', 'numpy', 'torchaudio', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert (run.returncode, run.stdout) == (0, "\n"), run.stderr


def test_an_app_is_made_without_redis(tmp_path: Path) -> None:
    app = create_app(Settings(redis_url="redis://127.0.0.1:1/0", data_dir=tmp_path / "data"))
    assert Client(app).get("/healthz").status_code == 200
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("path", ["/", "/jobs", "/healthz", "/nothing-here", "/openapi.json", "/files/x", "/clips/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_every_response_has_the_security_headers(client: Client, method: str, path: str) -> None:
    headers = client.open(path, method=method).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    ("configured", "origin", "allowed"),
    [
        ("https://a.example https://b.example", "https://b.example", "https://b.example"),
        ("https://a.example", "https://evil.example", None),
        ("*", "https://any.example", "*"),
        ("", "https://a.example", None),
    ],
)
def test_other_origins_read_only_as_configured(
    settings: Settings, configured: str, origin: str, allowed: str | None
) -> None:
    client = Client(create_app(settings.model_copy(update={"cors_origins": configured})))
    for response in (
        client.get("/jobs", headers={"Origin": origin}),
        client.options("/jobs", headers={"Origin": origin}),
    ):
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
    preflight = client.options("/jobs", headers={"Origin": origin}).headers
    assert ("POST" in preflight.get("Access-Control-Allow-Methods", "")) == bool(allowed)
    assert ("Idempotency-Key" in preflight.get("Access-Control-Allow-Headers", "")) == bool(allowed)


ORIGIN = "https://a.example"


@pytest.fixture
def shared(settings: Settings) -> Client:
    """A client of an API that requires a key, and that pages of one other origin may call."""
    return Client(create_app(settings.model_copy(update={"cors_origins": ORIGIN, "anonymous": False})))


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/jobs", {"authorization", "content-type", "idempotency-key", "riffusion-end-user"}),
        ("GET", "/jobs/x", {"authorization", "if-none-match", "prefer"}),
        ("GET", "/jobs/x/events", {"authorization", "last-event-id"}),
        ("DELETE", "/jobs/x", {"authorization"}),
        ("POST", "/uploads", {"authorization"}),
    ],
)
def test_a_preflight_needs_no_key_and_allows_what_clients_send(
    shared: Client, method: str, path: str, headers: set[str]
) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
    asked["Access-Control-Request-Headers"] = ",".join(sorted(headers))
    response = shared.options(path, headers=asked)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert headers <= set(response.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Origin" in response.headers["Vary"]


def test_a_page_may_read_why_it_was_refused(shared: Client) -> None:
    refused = shared.post("/jobs", json={}, headers={"Origin": ORIGIN, "Authorization": "Bearer x"})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)
    exposed = refused.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"} <= set(exposed)


@pytest.mark.parametrize(("proxies", "client_address"), [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.1")])
def test_only_trusted_proxies_are_believed(settings: Settings, proxies: int, client_address: str) -> None:
    client = Client(create_app(settings.model_copy(update={"trusted_proxies": proxies})))
    with capture_logs() as lines:
        client.get("/nowhere", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    assert [line["client"] for line in lines if line["event"] == "request"] == [f"address:{client_address}"]


def test_a_request_is_logged_under_its_id(client: Client) -> None:
    with capture_logs() as lines:
        response = client.post("/jobs", json=PROMPT, headers={"X-Request-Id": "from-the-proxy"})
    assert response.headers["X-Request-Id"] == "from-the-proxy"
    [line] = [line for line in lines if line["event"] == "request"]
    assert (line["request_id"], line["method"], line["path"], line["status"]) == (
        "from-the-proxy", "POST", "/jobs", 202,
    )  # fmt: skip


def test_the_line_of_a_refused_request_has_its_code(client: Client) -> None:
    with capture_logs() as lines:
        client.post("/jobs", json=PROMPT)
        client.post("/jobs", json={"prompt": "jazz", "width": "wide"})
        client.get("/nowhere")
    assert [line.get("code") for line in lines if line["event"] == "request"] == [None, "invalid_request", "not_found"]


def test_a_successful_read_is_not_logged_at_info(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as lines:
        client.get("/healthz")
        client.get("/jobs/none")
    assert [(line["path"], line["status"]) for line in lines if line["event"] == "request"] == [("/jobs/none", 404)]
    caplog.set_level("DEBUG", "api.request_log")
    with capture_logs() as lines:
        client.get("/healthz")
    assert [(line["path"], line["log_level"]) for line in lines if line["event"] == "request"] == [
        ("/healthz", "debug")
    ]


@pytest.mark.parametrize("sent", ["two words", "x" * 129, "naïve"])
def test_a_malformed_request_id_is_replaced(client: Client, sent: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": sent}).headers["X-Request-Id"] != sent


def test_every_route_but_those_of_pages_and_of_other_servers_is_described(app: Flask) -> None:
    undescribed = {
        rule.endpoint for rule in app.url_map.iter_rules() if not operation_of(app.view_functions[rule.endpoint])
    }
    others = {"pages", "docs", "assets", "replicate", "run_inference"}
    assert {endpoint.partition(".")[0] for endpoint in undescribed} == others


def test_an_address_has_one_spelling(app: Flask, client: Client) -> None:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?\w+>", "x", rule.rule)
        [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        for spelling in (f"/{path}", f"//{path}", f"{path}/", f"{path}//", f"/.{path}"):
            response = client.open(method=method, environ_overrides={"PATH_INFO": spelling})
            assert response.status_code == 404, spelling
            assert response.mimetype in (PROBLEM, "text/plain"), spelling
