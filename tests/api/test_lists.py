"""Lists belong to a key or to a secret that the client drew, never to an address."""

import io
import time
from typing import Any

import pytest
from flask import Flask

from api.services import Services
from riffusion.requests import ModelCard
from tests.api.conftest import PROMPT, Client, Worker, png, submit

SECRET = "Riffusion-Secret"


@pytest.fixture
def anyone(app: Flask) -> Client:
    """A client with neither key nor secret, at the same address as `client`."""
    return Client(app)


def with_secret(app: Flask, secret: str) -> Client:
    made = Client(app)
    made.environ_base["HTTP_RIFFUSION_SECRET"] = secret
    return made


def listed(client: Client) -> list[str]:
    return [job["id"] for job in client.get("/jobs").json["jobs"]]


def test_an_address_lists_nothing(client: Client, anyone: Client) -> None:
    submit(client)
    submit(anyone)
    refused = anyone.get("/jobs")
    assert (refused.status_code, refused.json["code"]) == (401, "unauthorized")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert SECRET in refused.json["detail"]
    assert "jobs" not in refused.json


def test_a_neighbour_at_the_same_address_sees_only_their_own(app: Flask, client: Client, anyone: Client) -> None:
    mine = submit(client)["id"]
    submit(anyone)
    neighbour = with_secret(app, "n" * 22)
    theirs = submit(neighbour)["id"]
    assert (listed(client), listed(neighbour)) == ([mine], [theirs])


def test_a_secret_is_the_same_at_another_address(client: Client) -> None:
    mine = submit(client)["id"]
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert listed(client) == [mine]


@pytest.mark.parametrize("secret", ["", "short", "x" * 21, "x" * 129, "x" * 21 + "é", "x y" * 10])
def test_a_secret_that_could_be_guessed_is_refused(anyone: Client, secret: str) -> None:
    for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/jobs/x")):
        response = anyone.open(path, method=method, headers={SECRET: secret.encode().decode("latin-1")})
        assert (response.status_code, response.json["errors"][0]["field"]) == (422, SECRET)


def test_redis_has_no_secret(client: Client, services: Services) -> None:
    submit(client)
    for key in services.store.redis.scan_iter():
        assert b"a" * 22 not in key
        if services.store.redis.type(key) == b"hash":
            assert b"a" * 22 not in str(services.store.redis.hgetall(key)).encode()


def test_a_neighbours_upload_is_no_input(app: Flask, client: Client) -> None:
    file = {"file": (io.BytesIO(png()), "x.png")}
    upload = client.post("/uploads", data=file, content_type="multipart/form-data").json["id"]
    riff = {**PROMPT, "mode": "riff", "init": {"upload": upload}}
    refused = with_secret(app, "n" * 22).post("/jobs", json=riff)
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_reference")
    assert client.post("/jobs", json=riff).status_code == 202


@pytest.mark.parametrize("what", ["copy", "replay"])
def test_neighbours_share_neither_copies_nor_keys(app: Flask, client: Client, worker: Worker, what: str) -> None:
    neighbour = with_secret(app, "n" * 22)
    seeded, key = {**PROMPT, "seed": 7}, {"Idempotency-Key": "1"}
    mine = client.post("/jobs", json=seeded, headers=key).json["id"]
    worker.work()
    theirs = neighbour.post("/jobs", json=seeded, headers=key if what == "replay" else {}).json
    assert theirs["id"] != mine
    assert theirs["status"] == "queued"


class TestCost:
    def test_a_list_is_one_script(self, client: Client, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(5):
            submit(client)
        asked: list[str] = []
        database: Any = services.store._database
        run = database.run

        def count(script: str, *args: Any, **options: Any) -> Any:
            asked.append(script)
            return run(script, *args, **options)

        monkeypatch.setattr(database, "run", count)
        jobs = client.get("/jobs?limit=100").json["jobs"]
        assert [job["queue"]["position"] for job in jobs] == [4, 3, 2, 1, 0]
        assert asked == ["list_jobs"]

    def test_a_page_of_long_jobs_ends_earlier(self, client: Client) -> None:
        long = {**PROMPT, "prompt": "🎷" * 2000, "negative_prompt": "🎷" * 2000}
        ids = [job["id"] for _ in range(3) for job in client.post("/jobs", json=[long] * 16).json["jobs"]]
        seen, cursor, pages = [], "", 0
        while cursor is not None:
            response = client.get(f"/jobs?limit=100{cursor and f'&cursor={cursor}'}")
            assert len(response.data) < 500_000
            seen += [job["id"] for job in response.json["jobs"]]
            cursor, pages = response.json["next_cursor"], pages + 1
        assert seen == ids[::-1]
        assert pages > 1

    def test_lists_have_a_limit_of_their_own(self, app: Flask, client: Client, services: Services) -> None:
        assert client.get("/jobs").status_code == 200
        [debt] = services.store.redis.scan_iter("lists:*")
        assert debt == b"lists:address:127.0.0.1"
        services.store.redis.set(debt, time.time() + 60)  # as after 120 lists
        refused = client.get("/jobs")
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
        assert with_secret(app, "n" * 22).get("/jobs").status_code == 429  # another secret is the same client
        submit(client)


def test_an_idempotency_key_still_returns_a_job_whose_input_is_gone(client: Client, services: Services) -> None:
    key = {"Idempotency-Key": "1"}
    services.store.models.register("w", "tiny", 1, ModelCard(loras=("dub",)))
    with_lora = {**PROMPT, "lora": {"dub": 1}}
    first = client.post("/jobs", json=with_lora, headers=key)
    services.store.models.register("w", "tiny", 1, ModelCard())
    services.store.models._cards.clear()
    again = client.post("/jobs", json=with_lora, headers=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json["id"] == first.json["id"]
    assert client.post("/jobs", json=with_lora, headers={"Idempotency-Key": "2"}).json["code"] == "unknown_reference"
    assert client.post("/jobs", json={**with_lora, "steps": 5}, headers=key).json["code"] == "idempotency_conflict"
