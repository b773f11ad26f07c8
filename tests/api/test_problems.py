"""Every error is problem+json with a stable code, and reveals nothing about the server."""

import pytest
from flask import Flask

from api.problems import Problem, code_of, status_of
from riffusion import errors
from tests.api.conftest import PROBLEM, PROMPT, Client
from tests.conftest import ValkeyServer


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing-here", 404, "not_found"),
        ("GET", "/jobs/unknown", 404, "not_found"),
        ("PUT", "/jobs", 405, "method_not_allowed"),
        ("POST", "/jobs", 415, "unsupported_media_type"),
        ("GET", "/jobs?limit=0", 422, "invalid_request"),
        ("GET", "/jobs?state=queued", 422, "invalid_request"),
        ("GET", "/seeds/nothing.png", 404, "not_found"),
        ("GET", "/files/results/x/1/clip.png", 404, "not_found"),
    ],
)
def test_every_refusal_is_a_problem(client: Client, method: str, path: str, status: int, code: str) -> None:
    response = client.open(path, method=method)
    assert (response.status_code, response.content_type) == (status, PROBLEM)
    problem = Problem.model_validate_json(response.data)
    assert (problem.status, problem.code, problem.request_id) == (status, code, response.headers["X-Request-Id"])


def test_a_refused_method_lists_the_allowed_ones(client: Client) -> None:
    assert set(client.put("/jobs").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("kind", [RuntimeError, errors.ToolMissing])
def test_an_unexpected_error_is_500_without_its_reason(app: Flask, client: Client, kind: type[Exception]) -> None:
    def broken() -> str:
        raise kind("secret of /srv/app.py")

    app.add_url_rule("/broken", "broken", broken)
    response = client.get("/broken")
    assert (response.status_code, response.content_type, response.json["code"]) == (500, PROBLEM, "internal")
    assert "secret" not in response.text


def test_a_problem_stays_small_whatever_was_sent(client: Client) -> None:
    for unknown, status, code in ((60, 422, "invalid_request"), (10_000, 400, "malformed_body")):
        body = {**PROMPT, "k" * 100_000: 1} | {f"unknown-{number}": 1 for number in range(unknown)}
        response = client.post("/jobs", json=body)
        assert (response.status_code, response.json["code"]) == (status, code)
        assert len(response.data) < 20_000


def test_an_unavailable_redis_is_503_and_never_404(client: Client, valkey: ValkeyServer) -> None:
    valkey.pause()
    try:
        for path in ("/jobs/0123456789abcdef", "/readyz"):
            response = client.get(path)
            assert (response.status_code, response.json["code"]) == (503, "store_unavailable"), path
            assert int(response.headers["Retry-After"]) >= 1
        assert client.get("/healthz").status_code == 200
    finally:
        valkey.resume()


def test_every_error_has_a_status() -> None:
    everything = [each for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")]
    assert {status_of(each) for each in everything} == {400, 401, 403, 404, 409, 410, 422, 429, 500, 503, 507}
    assert code_of(errors.QueueFull) == "queue_full"
