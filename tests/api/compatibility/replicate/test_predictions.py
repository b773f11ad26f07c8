"""Predictions without a server in between: whose they are, what they may ask for, and how their files arrive."""

import json
import string
from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any

import pytest
from flask import Flask
from replicate.webhook import Webhooks, WebhookSigningSecret

from api.app import create_app
from api.compatibility.replicate.representation import webhook_body
from api.services import EXTENSION, Services
from riffusion.jobs.tenants import UNLIMITED
from riffusion.jobs.webhooks.dispatcher import Dispatcher
from riffusion.settings import Settings
from tests.api.conftest import CROWD, PROBLEM, Client, Worker, hold_all, submit
from tests.jobs.webhooks.conftest import Receiver, serving

TOKEN, OTHER = "r8_" + string.ascii_lowercase + 11 * "a", "r8_" + string.ascii_uppercase + 11 * "A"
BODY = {"version": "v1", "input": {"prompt_a": "church bells"}}


@pytest.fixture
def client(app: Flask) -> Client:
    """A client with a token of Replicate's."""
    return with_token(app, TOKEN)


def with_token(app: Flask, token: str) -> Client:
    made = Client(app)
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return made


def create(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/predictions", json={**BODY, **fields}, headers=headers)
    assert response.status_code == 201, response.text
    prediction: dict[str, Any] = response.json
    return prediction


def test_lists_are_of_a_token(app: Flask, client: Client) -> None:
    prediction = create(client)
    assert [each["id"] for each in client.get("/v1/predictions").json["results"]] == [prediction["id"]]
    assert with_token(app, OTHER).get("/v1/predictions").json["results"] == []
    for guessable in ("x", "a" * 21, "paste-your-replicate-token-here", "r8_" + "x" * 37):
        response = with_token(app, guessable).get("/v1/predictions")
        assert (response.status_code, response.content_type) == (401, PROBLEM)


def test_a_misspelled_key_is_no_token_of_another_server(app: Flask, services: Services) -> None:
    assert with_token(app, "riff_" + "a" * 40).post("/v1/predictions", json=BODY).status_code == 401
    assert with_token(app, TOKEN).post("/jobs", json={}).status_code == 401


def test_a_server_that_requires_keys_requires_them(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"anonymous": False}))
    key, _ = app.extensions[EXTENSION].keys.create("site", UNLIMITED)
    for client in (with_token(app, TOKEN), Client(app)):
        for method, path in (("POST", "/v1/predictions"), ("GET", "/v1/predictions"), ("GET", "/v1/predictions/x")):
            assert client.open(path, method=method, json=BODY).status_code == 401
    assert with_token(app, key).post("/v1/predictions", json=BODY).status_code == 201
    app.extensions[EXTENSION].hub.close()


def test_another_keys_prediction_is_not_found(app: Flask, services: Services) -> None:
    alice, bob = (with_token(app, services.keys.create(name, UNLIMITED)[0]) for name in ("alice", "bob"))
    path = f"/v1/predictions/{create(alice)['id']}"
    for client in (bob, with_token(app, TOKEN)):
        assert client.get(path).status_code == 404
        assert client.post(f"{path}/cancel").status_code == 404
        assert client.get("/v1/predictions").json["results"] == []
    assert alice.get(path).json["status"] == "starting"


def test_other_jobs_are_no_predictions(app: Flask, services: Services) -> None:
    key = with_token(app, services.keys.create("alice", UNLIMITED)[0])
    path = f"/v1/predictions/{submit(key)['id']}"
    assert key.get(path).status_code == key.post(f"{path}/cancel").status_code == 404
    assert key.get("/v1/predictions").json == {"previous": None, "next": None, "results": []}
    assert key.get("/jobs").json["jobs"][0]["status"] == "queued"


def test_the_same_input_has_the_same_clip(client: Client, worker: Worker) -> None:
    create(client)
    worker.work()
    again = create(client)
    assert again["status"] == "succeeded"


def test_files_in_responses_are_limited(client: Client, services: Services, worker: Worker) -> None:
    path = f"/v1/predictions/{create(client)['id']}"
    worker.work()
    unread = [client.open(path, method="GET", buffered=False) for _ in range(16)]
    assert all(response.json["output"] for response in unread)
    full = client.get(path)
    assert (full.status_code, full.json["code"], full.headers["Retry-After"]) == (429, "too_many_requests", "1")
    again = create(client, headers={"Prefer": "wait"})
    assert (again["status"], again["output"]) == ("starting", None)
    assert client.post(f"{path}/cancel").json["output"]["audio"].startswith("http://localhost/files/")
    for response in unread:
        response.close()
    assert client.get(path).json["output"]["audio"].startswith("data:audio/wav;base64,")


def test_a_lost_file_takes_no_place(client: Client, services: Services, worker: Worker) -> None:
    path = f"/v1/predictions/{create(client)['id']}"
    worker.work()
    services.files.delete(services.files.list("results/"))
    for _ in range(17):
        assert client.get(path).json["code"] == "result_lost"


@pytest.mark.parametrize(
    ("public_url", "scheme"), [("https://riffusion.example", "https:"), ("http://riffusion.example", "data:")]
)
def test_files_arrive_in_a_way_that_the_packages_read(settings: Settings, public_url: str, scheme: str) -> None:
    app = create_app(settings.model_copy(update={"public_url": public_url}))
    services: Services = app.extensions[EXTENSION]
    client, worker = with_token(app, TOKEN), Worker(services.store, services.files)
    path = f"/v1/predictions/{create(client)['id']}"
    worker.work()
    output = client.get(path).json["output"]
    assert all(uri.startswith(scheme) for uri in output.values())
    listed = client.get("/v1/predictions").json["results"][0]["output"]
    assert all(uri.startswith(public_url) for uri in listed.values())
    services.hub.close()


def test_it_cancels_itself(client: Client, services: Services) -> None:
    prediction = create(client, headers={"Cancel-After": "5s"})
    redis: Any = services.store.redis
    assert redis.zscore("due", prediction["id"]) == pytest.approx(redis.time()[0] + 5, abs=2)


def test_a_full_server_does_not_hold_it(client: Client, services: Services) -> None:
    hold_all(services, *CROWD)
    assert create(client, headers={"Prefer": "wait"})["status"] == "starting"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "https://hooks.example/"])
def test_no_webhook_without_a_key(client: Client, url: str) -> None:
    response = client.post("/v1/predictions", json=BODY | {"webhook": url})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "webhook")


def test_webhooks_are_for_https(app: Flask, services: Services) -> None:
    key = with_token(app, services.keys.create("alice", UNLIMITED)[0])
    for name in ("webhook", "webhook_completed"):
        response = key.post("/v1/predictions", json=BODY | {name: "http://169.254.169.254/latest"})
        assert "must begin with https://" in response.json["detail"]


def test_bodies_that_a_page_could_send_from_elsewhere_are_refused(client: Client) -> None:
    response = client.post("/v1/predictions", data=json.dumps(BODY), content_type="text/plain")
    assert response.status_code == 415
    large = client.post("/v1/predictions", json=BODY | {"x": "y" * 2_000_000})
    assert large.status_code == 413


def test_its_size_counts_towards_the_limit(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"anonymous_request_bytes": 4500}))
    client = with_token(app, TOKEN)
    codes = [
        client.post("/v1/predictions", json=BODY | {"input": {"prompt_a": f"{index}{'x' * 900}"}}).status_code
        for index in range(3)
    ]
    assert codes == [201, 429, 429]  # the prompt is kept in both ends of the request, and as it was sent
    app.extensions[EXTENSION].hub.close()


def test_the_api_can_be_switched_off(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"replicate_api": False}))
    assert Client(app).post("/v1/predictions", json=BODY).status_code == 404
    app.extensions[EXTENSION].hub.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as made:
        yield made


def test_a_webhook_has_the_prediction_and_is_valid_for_the_package(settings: Settings, receiver: Receiver) -> None:
    app = create_app(settings.model_copy(update={"webhooks_anywhere": True}))
    services: Services = app.extensions[EXTENSION]
    text, key = services.keys.create("site", UNLIMITED)
    prediction = create(with_token(app, text), webhook=receiver.url, webhook_events_filter=["completed"])
    Worker(services.store, services.files).work()
    dispatcher = Dispatcher(services.store, lambda record: webhook_body(record, services.presenter))
    wait(dispatcher.deliver())
    dispatcher.stop()
    body = receiver.body().decode()
    Webhooks.validate(
        headers=receiver.headers(), body=body, secret=WebhookSigningSecret(key=key.webhook_secret), tolerance=60
    )
    sent = json.loads(body)
    assert (sent["id"], sent["status"], set(sent["output"])) == (
        prediction["id"],
        "succeeded",
        {"audio", "spectrogram"},
    )
    assert sent["output"]["audio"].startswith("http://localhost/files/")
    services.hub.close()
