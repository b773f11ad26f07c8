"""Access: keys, their jobs and uploads, end users, anonymous use, limits."""

import io
import re
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs

from api.app import create_app
from api.services import Services
from riffusion.jobs.clients import ClientDirectory
from riffusion.jobs.tenants import UNLIMITED, Quota
from riffusion.settings import Settings
from tests.api.conftest import PROBLEM, PROMPT, Client, Worker, png, submit

END_USER = "Riffusion-End-User"


def with_key(app: Flask, services: Services, name: str = "alice", quota: Quota = UNLIMITED, **options: Any) -> Client:
    """A client that sends a key of its own."""
    text, _ = services.keys.create(name, quota, **options)
    made = Client(app)
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return made


@pytest.fixture
def alice(app: Flask, services: Services) -> Client:
    return with_key(app, services)


@pytest.fixture
def bob(app: Flask, services: Services) -> Client:
    return with_key(app, services, "bob")


@pytest.fixture
def closed(settings: Settings) -> Client:
    """A client without a key, of a server that requires one."""
    return Client(create_app(settings.model_copy(update={"anonymous": False})))


def upload(client: Client) -> Any:
    return client.post("/uploads", data={"file": (io.BytesIO(png(512)), "x.png")})


def riff(**init: str) -> dict[str, Any]:
    return {**PROMPT, "mode": "riff", "init": init}


def about_a_job(app: Flask) -> list[tuple[str, str]]:
    """Every method and path that names a job, but for those of operators."""
    rules = [rule for rule in app.url_map.iter_rules() if "job_id" in rule.arguments]
    methods = ((method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})
    return [(method, path) for method, path in methods if not path.startswith("/admin/")]


def at(path: str, job_id: str) -> str:
    return re.sub(r"<[^>]*job_id>", job_id, path)


class TestOwnership:
    def test_another_keys_job_is_not_found_whatever_is_asked_of_it(
        self, app: Flask, alice: Client, bob: Client, stranger: Client
    ) -> None:
        job = submit(alice)
        asked = about_a_job(app)
        assert len(asked) >= 5
        for client in (bob, stranger):
            for method, path in asked:
                response = client.open(at(path, job["id"]), method=method)
                assert (response.status_code, response.json["code"]) == (404, "not_found"), (method, path)
        assert alice.get(f"/jobs/{job['id']}").json["status"] == "queued"

    def test_not_even_its_deletion_is_revealed(self, alice: Client, bob: Client) -> None:
        path = f"/jobs/{submit(alice)['id']}"
        alice.delete(path)
        assert (alice.get(path).status_code, bob.get(path).status_code) == (410, 404)

    def test_its_owner_may_do_all_of_it(self, alice: Client, worker: Worker) -> None:
        path = f"/jobs/{submit(alice)['id']}"
        worker.succeed(worker.claim())
        assert alice.get(path).status_code == 200
        assert alice.get(f"{path}/events").status_code == 200
        assert alice.post(f"{path}/publish").status_code == 201
        assert alice.post(f"{path}/cancel").status_code == 200
        assert alice.delete(path).status_code == 204

    def test_a_job_made_without_a_key_is_open_to_anyone_with_its_id(
        self, client: Client, stranger: Client, alice: Client
    ) -> None:
        path = f"/jobs/{submit(client)['id']}"
        assert stranger.get(path).status_code == alice.get(path).status_code == 200

    def test_a_list_holds_the_keys_own(self, client: Client, alice: Client, bob: Client) -> None:
        job = submit(alice)
        submit(client)
        assert [each["id"] for each in alice.get("/jobs").json["jobs"]] == [job["id"]]
        assert bob.get("/jobs").json["jobs"] == []

    def test_another_keys_result_is_no_input(self, alice: Client, bob: Client, client: Client, worker: Worker) -> None:
        job = submit(alice)
        worker.succeed(worker.claim())
        for stranger in (bob, client):
            refused = stranger.post("/jobs", json=riff(job=job["id"]))
            assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "init.job")
            assert refused.json["detail"] == f"There is no job {job['id']}; it may have expired."
            # Its length isn't revealed either: this request would be too long if the job existed.
            longer = {**PROMPT, "mode": "extend", "init": {"job": job["id"]}, "seconds": 120}
            assert stranger.post("/jobs", json=longer).json["code"] == "unknown_reference"
        assert alice.post("/jobs", json=riff(job=job["id"])).status_code == 202

    def test_another_keys_upload_is_no_input(self, alice: Client, bob: Client, client: Client) -> None:
        name = upload(alice).json["id"]
        for stranger in (bob, client):
            assert stranger.post("/jobs", json=riff(upload=name)).json["errors"][0]["field"] == "init.upload"
        assert alice.post("/jobs", json=riff(upload=name)).status_code == 202

    def test_keys_do_not_share_idempotency_keys_or_results(self, alice: Client, bob: Client, worker: Worker) -> None:
        headers = {"Idempotency-Key": "1"}
        seeded = {**PROMPT, "seed": 7}
        first = alice.post("/jobs", json=seeded, headers=headers)
        worker.succeed(worker.claim())
        second = bob.post("/jobs", json=seeded, headers=headers)
        assert (second.headers["Idempotent-Replayed"], second.json["status"]) == ("false", "queued")
        assert second.json["id"] != first.json["id"]

    def test_a_published_clip_is_everyones(self, alice: Client, stranger: Client, worker: Worker) -> None:
        job = submit(alice)
        worker.succeed(worker.claim())
        share = alice.post(f"/jobs/{job['id']}/publish").json["id"]
        assert stranger.get(f"/clips/{share}.json").status_code == 200
        assert job["id"] not in stranger.get(f"/clips/{share}.json").text


def test_a_blocked_client_creates_nothing_and_reads_why(settings: Settings, services: Services, client: Client) -> None:
    job = submit(client)
    ClientDirectory(services.store.redis, settings).block("address:127.0.0.1", "Spam.", "cli:op@host")
    for response in (
        client.post("/jobs", json=PROMPT),
        client.post("/uploads", data={"file": (io.BytesIO(png()), "x.png")}),
    ):
        assert (response.status_code, response.content_type) == (403, PROBLEM)
        assert response.json["code"] == "blocked"
        assert "Spam." in response.json["detail"]
    assert client.get(f"/jobs/{job['id']}").status_code == 200
    assert client.delete(f"/jobs/{job['id']}").status_code == 204


class TestKeys:
    @pytest.mark.parametrize("wrong", ["", "x", "riff_0_0", "riff_" + "0" * 12 + "_" + "x" * 43])
    def test_an_unknown_key_is_refused(self, app: Flask, client: Client, wrong: str) -> None:
        asked = [*about_a_job(app), ("POST", "/jobs"), ("GET", "/jobs"), ("POST", "/uploads")]
        foreign = not wrong.startswith("riff_")  # /v1/ takes it for a token of another server
        for method, path in (each for each in asked if not (foreign and each[1].startswith("/v1/"))):
            response = client.open(at(path, "0" * 44), method=method, headers={"Authorization": f"Bearer {wrong}"})
            assert (response.status_code, response.json["code"]) == (401, "unauthorized"), (method, path)
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="riffusion"'
            assert response.content_type == PROBLEM

    def test_a_revoked_key_is_refused_at_once(self, alice: Client, services: Services) -> None:
        submit(alice)
        services.keys.revoke(services.keys.list()[0].id)
        assert alice.get("/jobs").status_code == 401

    def test_what_a_proxy_asks_for_is_no_key(self, client: Client) -> None:
        assert client.get("/jobs", headers={"Authorization": "Basic dXNlcjpwYXNz"}).status_code == 200

    def test_without_anonymous_use_everything_about_jobs_needs_a_key(
        self, app: Flask, closed: Client, alice: Client
    ) -> None:
        job = submit(alice)
        for method, path in [*about_a_job(app), ("POST", "/jobs"), ("GET", "/jobs"), ("POST", "/uploads")]:
            assert closed.open(at(path, job["id"]), method=method).status_code == 401, (method, path)
        for path in ("/", "/models", "/seeds", "/healthz", "/openapi.json"):
            assert closed.get(path).status_code == 200, path
        closed.environ_base["HTTP_AUTHORIZATION"] = alice.environ_base["HTTP_AUTHORIZATION"]
        assert closed.get(f"/jobs/{job['id']}").status_code == 200

    def test_the_document_says_where_keys_are_accepted_and_required(self, client: Client, closed: Client) -> None:
        optional: list[dict[str, list[str]]] = [{}, {"key": []}]
        for asked, security in ((client, optional), (closed, optional[1:])):
            document = asked.get("/openapi.json").json
            assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
            assert document["paths"]["/jobs"]["post"]["security"] == security
            assert "security" not in document["paths"]["/models"]["get"]

    def test_a_keys_weight_is_its_share(self, app: Flask, services: Services, worker: Worker) -> None:
        heavy, light = with_key(app, services, "heavy", weight=3), with_key(app, services, "light")
        for _ in range(8):
            submit(light)
            submit(heavy)
        heavy_id = next(key.id for key in services.keys.list() if key.name == "heavy")
        started = [worker.claim().tenant for _ in range(8)]
        assert started.count(f"key:{heavy_id}") == pytest.approx(6, abs=1)


class TestEndUsers:
    def test_a_key_for_end_users_names_them(self, app: Flask, services: Services, worker: Worker) -> None:
        site = with_key(app, services, "site", Quota(jobs_in_flight=1), for_end_users=True)
        key_id = services.keys.list()[0].id
        first = site.post("/jobs", json=PROMPT, headers={END_USER: "discord:1"})
        second = site.post("/jobs", json=PROMPT, headers={END_USER: "discord:2"})
        assert (first.status_code, second.status_code) == (202, 202)  # limits are each person's
        assert site.post("/jobs", json=PROMPT, headers={END_USER: "discord:2"}).status_code == 429
        assert {worker.claim().tenant for _ in range(2)} == {f"key:{key_id}/discord:1", f"key:{key_id}/discord:2"}
        assert [job["id"] for job in site.get("/jobs", headers={END_USER: "discord:2"}).json["jobs"]] == [
            second.json["id"]
        ]
        # Everything belongs to the key: another person may press the button under a clip.
        assert site.get(f"/jobs/{first.json['id']}", headers={END_USER: "discord:2"}).status_code == 200

    def test_an_upload_for_one_person_may_be_used_for_another(self, app: Flask, services: Services) -> None:
        site = with_key(app, services, "site", for_end_users=True)
        name = site.post("/uploads", data={"file": (io.BytesIO(png()), "x")}, headers={END_USER: "1"}).json["id"]
        assert site.post("/jobs", json=riff(upload=name), headers={END_USER: "2"}).status_code == 202

    def test_other_keys_cannot_name_end_users(self, client: Client, alice: Client, worker: Worker) -> None:
        for each in (client, alice):
            assert each.post("/jobs", json=PROMPT, headers={END_USER: "end-user-1"}).status_code == 202
            assert "end-user-1" not in worker.claim().tenant

    @pytest.mark.parametrize("name", ["two words", "x" * 129, "naïve"])
    def test_a_malformed_end_user_is_refused(self, app: Flask, services: Services, name: str) -> None:
        site = with_key(app, services, "site", for_end_users=True)
        response = site.post("/jobs", json=PROMPT, headers={END_USER: name})
        assert (response.status_code, response.json["errors"][0]["field"]) == (422, END_USER)


def test_one_clients_flood_does_not_delay_anothers_single_job(alice: Client, bob: Client, worker: Worker) -> None:
    for _ in range(200 // 8):
        alice.post("/jobs", json=[PROMPT] * 8)
    for _ in range(8):
        worker.claim()
    job = submit(bob)
    assert job["queue"]["position"] < 2
    assert job["id"] in [worker.claim().id for _ in range(2)]


class TestLimits:
    @pytest.mark.parametrize("limit", [{"anonymous_creates_per_minute": 2}, {"anonymous_jobs_in_flight": 2}])
    def test_an_address_has_its_own(self, settings: Settings, limit: dict[str, int]) -> None:
        app = create_app(settings.model_copy(update=limit))
        client, stranger = Client(app), Client(app)
        stranger.environ_base["REMOTE_ADDR"] = "192.0.2.7"
        headers = {"Idempotency-Key": "1"}
        for key in ("1", "2"):
            assert client.post("/jobs", json=PROMPT, headers={"Idempotency-Key": key}).status_code == 202
        refused = client.post("/jobs", json=PROMPT)
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.post("/jobs", json=PROMPT, headers=headers).headers["Idempotent-Replayed"] == "true"
        submit(stranger)

    def test_uploads_are_creates(self, settings: Settings) -> None:
        client = Client(create_app(settings.model_copy(update={"anonymous_creates_per_minute": 1})))
        assert [upload(client).status_code for _ in range(2)] == [201, 429]

    def test_a_keys_limits_are_its_own(self, app: Flask, services: Services) -> None:
        small = with_key(app, services, "small", Quota(creates_per_minute=2))
        large = with_key(app, services, "large")
        for _ in range(2):
            submit(small)
        assert small.post("/jobs", json=PROMPT).status_code == 429
        for _ in range(5):
            submit(large)

    def test_the_remaining_quota_is_in_the_headers(self, app: Flask, services: Services) -> None:
        client = with_key(app, services, "site", Quota(creates_per_minute=30))
        headers = client.post("/jobs", json=[PROMPT, PROMPT]).headers
        assert headers["RateLimit-Policy"] == '"creates";q=30;w=60'
        assert headers["RateLimit"] == '"creates";r=28;t=4'
        unlimited = with_key(app, services, "other")
        assert "RateLimit" not in unlimited.post("/jobs", json=PROMPT).headers


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unknown"),
    ],
)
def test_an_address_is_its_subscriber(client: Client, address: str, name: str) -> None:
    client.environ_base["REMOTE_ADDR"] = address
    with capture_logs() as lines:
        client.get("/nowhere")
    assert [line["client"] for line in lines if line["event"] == "request"] == [f"address:{name}"]


def test_the_networks_of_a_site_are_limited_together(settings: Settings) -> None:
    client = Client(create_app(settings.model_copy(update={"anonymous_jobs_in_flight": 2})))

    def accepted(subscribers: range) -> int:
        count = 0
        for subscriber in subscribers:
            client.environ_base["REMOTE_ADDR"] = f"2001:db8:0:{subscriber:x}::1"
            count += sum(client.post("/jobs", json=PROMPT).status_code == 202 for _ in range(3))
        return count

    assert accepted(range(0x10)) == 4  # one /56
    assert accepted(range(0x100, 0x110)) == 4  # another, and with the first all of the /48
    assert accepted(range(0x200, 0x210)) == 0
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1::1"
    submit(client)


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_forged_address_changes_nothing(settings: Settings, proxies: int) -> None:
    """Whatever a client writes into the headers, the proxies append what they saw, and only that counts."""
    changes = {"trusted_proxies": proxies, "anonymous_jobs_in_flight": 1}
    client = Client(create_app(settings.model_copy(update=changes)))
    added = ", ".join(["203.0.113.9", "198.51.100.1"][:proxies])
    statuses = []
    for forged in ("192.0.2.1", "192.0.2.2", "192.0.2.3, 192.0.2.4"):
        headers = {"X-Forwarded-For": f"{forged}, {added}" if added else forged, "Forwarded": f"for={forged}"}
        headers |= {"X-Real-IP": forged, "Client-IP": forged}
        statuses.append(client.post("/jobs", json=PROMPT, headers=headers).status_code)
    assert statuses == [202, 429, 429]


def test_the_log_names_the_client(alice: Client, services: Services) -> None:
    with capture_logs() as lines:
        alice.post("/jobs")
    [line] = [line for line in lines if line["event"] == "request"]
    assert line["client"] == f"key:{services.keys.list()[0].id}"


class TestWebhooks:
    HOOK = "https://hooks.example/riffusion"

    def test_a_keys_owner_may_name_one(self, alice: Client) -> None:
        job = submit(alice, webhook=self.HOOK)
        assert (job["webhook"]["url"], job["webhook"]["state"]) == (self.HOOK, "waiting")
        assert "webhook" not in job["request"]
        assert submit(alice)["webhook"] is None

    def test_a_webhook_without_a_key_is_refused(self, client: Client) -> None:
        refused = client.post("/jobs", json=[PROMPT, {**PROMPT, "webhook": self.HOOK}])
        assert refused.status_code == 422
        [error] = refused.json["errors"]
        assert (error["field"], "API key" in error["message"]) == ("1.webhook", True)

    @pytest.mark.parametrize(
        "wrong",
        [
            "http://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "//hooks.example", "hooks.example",
            "https://", "https://user:pass@hooks.example/", "https://hooks.example/#x", "https://hooks.example#", "https://hooks.example:0/",
            "https://hooks.example:99999/", "https://hooks.example/a b", "https://hooks.exämple/", "https://[::1/",
            "https://hooks.example/\r\nX: y", "https://x/" + "a" * 2000, 7, "",
        ],
    )  # fmt: skip
    def test_a_malformed_address_is_refused(self, alice: Client, wrong: object) -> None:
        refused = alice.post("/jobs", json={**PROMPT, "webhook": wrong})
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "webhook")

    def test_in_development_http_is_accepted(self, services: Services, settings: Settings) -> None:
        open_app = create_app(settings.model_copy(update={"webhooks_anywhere": True}))
        submit(with_key(open_app, services), webhook="http://127.0.0.1:9/")
