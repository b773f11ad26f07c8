"""The operators' API: who may use it, what it shows of the service, and what it does."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from api.services import Services
from riffusion.jobs.tenants import UNLIMITED
from tests.api.conftest import PROBLEM, PROMPT, Client, Worker, submit

ADDRESSES = (
    ("GET", "/admin/api/overview"), ("GET", "/admin/api/jobs"), ("GET", "/admin/api/jobs/x"),
    ("GET", "/admin/api/audit"), ("GET", "/admin/api/clients"), ("GET", "/admin/api/clients/holdings"),
    ("POST", "/admin/api/jobs"), ("POST", "/admin/api/models/tiny"), ("POST", "/admin/api/clients"),
    ("GET", "/admin/api/clips"), ("GET", "/admin/api/takedowns"), ("POST", "/admin/api/clips"),
)  # fmt: skip


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def operator(app: Flask, services: Services) -> Client:
    """A client with an operator's key."""
    made = Client(app)
    text, key = services.keys.create("ops", UNLIMITED, operator=True)
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    made.environ_base["KEY"] = key.id
    return made


def act(operator: Client, action: str, **body: Any) -> Any:
    return operator.post("/admin/api/jobs", json={"action": action, **body})


def audited(operator: Client) -> list[tuple[str, str]]:
    return [(entry["action"], entry["target"]) for entry in operator.get("/admin/api/audit").json["entries"]]


def overview(operator: Client, **query: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = operator.get("/admin/api/overview", query_string=query).json
    return found


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_only_an_operators_key_may(client: Client, services: Services, method: str, path: str) -> None:
    other, _ = services.keys.create("someone", UNLIMITED)
    for headers, status, code in (
        ({}, 401, "unauthorized"),
        (bearer("riff_x_y"), 401, "unauthorized"),
        ({"Cookie": f"key={other}"}, 401, "unauthorized"),
        (bearer(other), 403, "forbidden"),
    ):
        refused = client.open(
            path, method=method, headers=headers, json={"action": "pause"} if method == "POST" else None
        )
        assert (refused.status_code, refused.json["code"], refused.mimetype) == (status, code, PROBLEM)
        assert ("WWW-Authenticate" in refused.headers) == (status == 401)
    assert services.operator.audit.read(10) == []


def test_every_operation_below_the_prefix_is_guarded_and_described(app: Flask, client: Client) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin/api")]
    assert {(method, rule.rule) for rule in rules for method in (rule.methods or set()) & {"GET", "POST"}} == {
        (method, path.replace("jobs/x", "jobs/<job_id>").replace("tiny", "<model>")) for method, path in ADDRESSES
    }
    paths = client.get("/openapi.json").json["paths"]
    for rule in rules:
        for described in paths[rule.rule.replace("<", "{").replace(">", "}")].values():
            assert {"401", "403"} <= set(described["responses"])
            assert described["security"] == [{"key": []}]


def test_no_other_origin_may_use_it(settings: Any, operator: Client) -> None:
    refused = operator.options("/admin/api/jobs", headers={"Origin": "https://evil.example", "Authorization": ""})
    assert refused.status_code == 401
    assert "Access-Control-Allow-Headers" not in refused.headers


def test_nothing_of_it_is_kept_by_browsers(operator: Client) -> None:
    for method, path in ADDRESSES:
        assert operator.open(path, method=method).headers["Cache-Control"] == "no-store"


def test_the_overview_counts_what_leases_say(client: Client, operator: Client, worker: Worker) -> None:
    for _ in range(3):
        submit(client)
    first, second = worker.claim(), worker.claim()
    worker.progress(first, 3, 20)
    seen = overview(operator)
    assert seen["models"] == [
        {"name": "tiny", "default": True, "state": "active", "workers": 1, "slots": 4, "waiting": 1, "running": 2,
         "lost": 0, "clears_in_s": None}
    ]  # fmt: skip
    (shown,) = seen["workers"]
    assert (shown["name"], shown["model"], shown["slots"], shown["alone"]) == ("w", "tiny", 4, None)
    assert 0 <= shown["seen_s"] < 10
    assert [(job["id"], job["client"], job["progress"]) for job in shown["jobs"]] == [
        (first.id, "address:127.0.0.1", {"step": 3, "total": 20}),
        (second.id, "address:127.0.0.1", None),
    ]
    assert all(0 < job["lease_left_s"] <= 10 for job in shown["jobs"])
    assert seen["operator"]["name"] == "ops"
    worker.succeed(first)
    worker.succeed(second)
    seen = overview(operator)
    assert seen["workers"][0]["jobs"] == []
    assert seen["models"][0]["clears_in_s"] >= 0


def test_a_worker_that_misses_heartbeats_is_late_before_it_is_lost(
    operator: Client, worker: Worker, services: Services
) -> None:
    assert [each["late"] for each in overview(operator)["workers"]] == [False]
    services.store.redis.hincrbyfloat("worker:w", "seen", -6)
    assert [(each["late"], each["model"]) for each in overview(operator)["workers"]] == [(True, "tiny")]
    services.store.redis.delete("worker:w")
    assert [(each["late"], each["model"]) for each in overview(operator)["workers"]] == [(True, None)]


def test_a_lost_worker_is_shown_as_lost_with_what_it_held(
    client: Client, operator: Client, worker: Worker, services: Services
) -> None:
    submit(client)
    held = worker.claim()
    redis = services.store.redis
    redis.delete("worker:w")  # as when its registration expires
    (shown,) = overview(operator)["workers"]
    assert (shown["model"], shown["slots"], shown["seen_s"]) == (None, 0, None)
    assert [job["id"] for job in shown["jobs"]] == [held.id]
    services.store.reap()  # which takes it off the list; its lease runs for some seconds more
    assert overview(operator)["workers"] == []
    services.store.models.register("other", "tiny", 2)
    (model,) = overview(operator)["models"]
    assert (model["workers"], model["running"], model["lost"]) == (1, 1, 1)


def test_workers_come_in_pages(operator: Client, services: Services) -> None:
    for number in range(5):
        services.store.models.register(f"w{number}", "tiny", 2)
    first = overview(operator, limit=2)
    second = overview(operator, limit=2, cursor=first["next_cursor"])
    last = overview(operator, limit=2, cursor=second["next_cursor"])
    names = [worker["name"] for page in (first, second, last) for worker in page["workers"]]
    assert names == ["w0", "w1", "w2", "w3", "w4"]
    assert last["next_cursor"] is None
    assert {page["models"][0]["workers"] for page in (first, second, last)} == {5}


def test_a_model_is_paused_drained_and_resumed(client: Client, operator: Client, worker: Worker) -> None:
    submit(client)
    for action, state in (("pause", "paused"), ("drain", "draining"), ("resume", "active")):
        assert operator.post("/admin/api/models/tiny", json={"action": action}).json == {"failed": 0}
        assert overview(operator)["models"][0]["state"] == state
        assert operator.post("/admin/api/models/tiny", json={"action": action}).json == {"failed": 0}
    done = [("model.resume", "tiny"), ("model.drain", "tiny"), ("model.pause", "tiny")]
    assert audited(operator) == done
    refused = operator.post("/admin/api/models/none", json={"action": "pause"})
    assert (refused.status_code, refused.json["code"]) == (404, "not_found")
    refused = operator.post("/admin/api/models/tiny", json={"action": "retire"})
    assert audited(operator) == done
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    refused = operator.post("/admin/api/models/tiny", json={"action": "explode"})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "action")


def test_jobs_of_all_clients_are_found(client: Client, stranger: Client, operator: Client, worker: Worker) -> None:
    failed, waiting = submit(client)["id"], submit(stranger)["id"]
    worker.fail(worker.claim())
    listed = operator.get("/admin/api/jobs").json
    assert [(job["id"], job["client"], job["status"]) for job in listed["jobs"]] == [
        (waiting, "address:192.0.2.7", "queued"),
        (failed, "address:127.0.0.1", "failed"),
    ]
    assert listed["jobs"][0]["queue"]["position"] == 0
    for query, found in (
        ("status=failed", failed), ("error=out_of_memory", failed), ("client=address:192.0.2.7", waiting),
        ("limit=1", waiting), (f"limit=1&cursor={waiting}", failed),
    ):  # fmt: skip
        assert [job["id"] for job in operator.get(f"/admin/api/jobs?{query}").json["jobs"]] == [found], query
    at = listed["jobs"][0]["created_at"]
    earlier = operator.get("/admin/api/jobs", query_string={"before": at}).json["jobs"]
    assert [job["id"] for job in earlier] == [failed]
    assert operator.get("/admin/api/jobs?status=odd").status_code == 422


def test_a_job_is_shown_with_its_timeline(client: Client, operator: Client, worker: Worker) -> None:
    job = submit(client, prompt="bells")
    worker.fail(worker.claim())
    seen = operator.get(f"/admin/api/jobs/{job['id']}").json
    assert [step["event"] for step in seen["timeline"]] == ["accepted", "started", "failed", "expires"]
    assert seen["job"]["error"] == {"code": "out_of_memory", "detail": "The job is too large."}
    assert seen["request"]["prompt"] == "bells"
    assert operator.get("/admin/api/jobs/none").json["code"] == "not_found"


def test_jobs_are_requeued_by_ids(client: Client, operator: Client, worker: Worker) -> None:
    failed, waiting = submit(client)["id"], submit(client)["id"]
    worker.fail(worker.claim())
    for dry_run in (True, False):
        acted = act(operator, "requeue", ids=[failed, waiting, "none"], dry_run=dry_run).json
        assert acted["done"] == [failed]
        assert [(job["id"], job["code"]) for job in acted["refused"]] == [(waiting, "conflict"), ("none", "not_found")]
        assert client.get(f"/jobs/{failed}").json["status"] == ("failed" if dry_run else "queued")
    (entry,) = operator.get("/admin/api/audit").json["entries"]
    assert (entry["action"], entry["target"]) == ("job.requeue", "")
    assert entry["details"] == {"count": 3, "ids": [failed, waiting, "none"]}
    assert entry["actor"] == f"key:{operator.environ_base['KEY']}"


def test_an_action_by_a_filter_leaves_others_alone(
    client: Client, stranger: Client, operator: Client, worker: Worker
) -> None:
    mine, ended, theirs = submit(client)["id"], submit(client)["id"], submit(stranger)["id"]
    worker.fail(worker.claim())
    wanted = {"client": "address:127.0.0.1"}
    assert act(operator, "cancel", filter=wanted, dry_run=True).json["done"] == [ended]
    assert audited(operator) == []
    assert act(operator, "cancel", filter=wanted).json == {"done": [ended], "refused": [], "next_cursor": None}
    assert [client.get(f"/jobs/{id_}").json["status"] for id_ in (mine, ended, theirs)] == [
        "failed",
        "canceled",
        "queued",
    ]
    assert act(operator, "purge", filter=wanted).json["done"] == [ended, mine]
    assert client.get(f"/jobs/{mine}").status_code == 410
    assert audited(operator) == [("job.purge", ""), ("job.cancel", ended)]


@pytest.mark.parametrize("body", [{}, {"ids": ["x"], "filter": {"status": "failed"}}, {"filter": {}}, {"ids": []},
                                  {"ids": ["x"] * 101}, {"ids": ["../x"]}, {"filter": {"colour": "red"}},
                                  {"filter": {"status": None, "since": None}}])  # fmt: skip
def test_an_action_on_nothing_or_everything_is_refused(operator: Client, body: Mapping[str, Any]) -> None:
    assert act(operator, "purge", **body).status_code == 422


def test_the_audit_log_comes_in_pages(operator: Client, worker: Worker) -> None:
    for action in ("pause", "drain", "resume"):
        operator.post("/admin/api/models/tiny", json={"action": action})
    first = operator.get("/admin/api/audit?limit=2").json
    second = operator.get(f"/admin/api/audit?limit=2&cursor={first['next_cursor']}").json
    assert [entry["action"] for entry in first["entries"] + second["entries"]] == [
        "model.resume", "model.drain", "model.pause",
    ]  # fmt: skip
    assert second["next_cursor"] is None
    assert operator.get("/admin/api/audit?cursor=x").status_code == 422


def test_a_client_is_blocked_and_unblocked(client: Client, stranger: Client, operator: Client) -> None:
    submit(client)
    body = {"action": "block", "client": "127.0.0.1", "reason": "too many bells", "hours": 2}
    assert operator.post("/admin/api/clients", json=body).json == {"client": "address:127.0.0.1"}
    refused = client.post("/jobs", json=PROMPT)
    assert (refused.status_code, refused.json["code"]) == (403, "blocked")
    assert "too many bells" in refused.json["detail"]
    submit(stranger)
    (block,) = operator.get("/admin/api/clients").json["blocks"]
    assert (block["client"], block["by"]) == ("address:127.0.0.1", f"key:{operator.environ_base['KEY']}")
    assert 7100 < block["left_s"] <= 7200
    seen = operator.get("/admin/api/clients/holdings?client=address:127.0.0.1").json
    assert (seen["jobs"], seen["block"]["reason"]) == ({"queued": 1}, "too many bells")
    assert operator.post("/admin/api/clients", json={"action": "unblock", "client": "127.0.0.1"}).status_code == 200
    submit(client)
    again = operator.post("/admin/api/clients", json={"action": "unblock", "client": "127.0.0.1"})
    assert (again.status_code, again.json["code"]) == (404, "not_found")
    unknown = {"action": "block", "client": "key:0123", "reason": "x"}
    assert operator.post("/admin/api/clients", json=unknown).status_code == 404
    assert [action for action, _ in audited(operator)] == ["client.unblock", "client.block"]


@pytest.mark.parametrize("client_name", ["", "me", "address:10.0.0.0/8", "x" * 600])
def test_a_name_that_no_record_can_have_is_refused(operator: Client, client_name: str) -> None:
    body = {"action": "block", "client": client_name, "reason": "x"}
    assert operator.post("/admin/api/clients", json=body).status_code == 422
    assert operator.get("/admin/api/clients/holdings", query_string={"client": client_name}).status_code == 422
    assert audited(operator) == []


def test_nothing_was_accepted_before_the_first_century(client: Client, operator: Client) -> None:
    job = submit(client)["id"]
    begin = "0001-01-01T00:00:00Z"
    assert act(operator, "purge", filter={"before": begin}).json["done"] == []
    assert [each["id"] for each in operator.get(f"/admin/api/jobs?since={begin}").json["jobs"]] == [job]


def test_a_cursor_before_the_first_entry_is_refused(operator: Client) -> None:
    assert operator.get("/admin/api/audit?cursor=0-0").status_code == 422
