"""The gallery shows only what its publishers list; reports hide nothing; a take-down hides everything for everybody."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from api.app import create_app
from api.services import EXTENSION, Services
from riffusion.jobs.gallery import MAX_LISTED
from riffusion.jobs.moderation import Moderation
from riffusion.settings import Settings
from tests.api.conftest import Client, Worker, submit

REPORT = {"reason": "offensive", "details": "The words."}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"gallery": True})


@pytest.fixture
def moderation(services: Services) -> Moderation:
    return services.operator.moderation


@pytest.fixture
def ungalleried(settings: Settings) -> Iterator[Flask]:
    """The API as it is by default, without a gallery."""
    made = create_app(settings.model_copy(update={"gallery": False}))
    yield made
    made.extensions[EXTENSION].hub.close()


def publish(client: Client, worker: Worker, *, listed: bool = False, **fields: Any) -> tuple[str, str]:
    """The job id and the share id of a clip that is made and published."""
    job_id = submit(client, **fields)["id"]
    worker.work()
    share_id = client.post(f"/jobs/{job_id}/publish").json["id"]
    if listed:
        assert client.post(f"/jobs/{job_id}/listing").json["listed"] is True
    return job_id, share_id


def shown(client: Client, query: str = "") -> list[str]:
    return [clip["id"] for clip in client.get(f"/gallery.json{query}").json["clips"]]


class TestListing:
    def test_a_published_clip_is_in_no_list_until_its_publisher_lists_it(
        self, client: Client, stranger: Client, worker: Worker
    ) -> None:
        job_id, share_id = publish(client, worker, prompt="bells & <b>brass</b>")
        assert shown(stranger) == []
        assert '<meta name="robots" content="noindex">' in stranger.get(f"/clips/{share_id}").text
        assert client.post(f"/jobs/{job_id}/listing").json["listed"] is True
        assert shown(stranger) == [share_id]
        page = stranger.get("/gallery").text
        assert share_id in page
        assert "bells &amp; &lt;b&gt;brass&lt;/b&gt;" in page
        assert "<b>" not in page
        assert job_id not in page + stranger.get("/gallery.json").text
        assert client.delete(f"/jobs/{job_id}/listing").json["listed"] is False
        assert shown(stranger) == []
        assert stranger.get(f"/clips/{share_id}").status_code == 200

    def test_only_what_is_published_is_listed(self, client: Client, worker: Worker) -> None:
        job_id = submit(client)["id"]
        worker.work()
        refused = client.post(f"/jobs/{job_id}/listing")
        assert (refused.status_code, refused.json["code"]) == (422, "unknown_reference")

    def test_the_newest_come_first_a_page_at_a_time(self, client: Client, worker: Worker) -> None:
        made = [publish(client, worker, listed=True, seed=seed)[1] for seed in range(5)]
        first = client.get("/gallery.json?limit=2").json
        second = client.get(f"/gallery.json?limit=2&cursor={first['next_cursor']}").json
        last = client.get(f"/gallery.json?limit=2&cursor={second['next_cursor']}").json
        assert [clip["id"] for page in (first, second, last) for clip in page["clips"]] == made[::-1]
        assert last["next_cursor"] is None
        assert client.get("/gallery.json?cursor=x").status_code == 422

    def test_nobody_gets_to_the_top_again_by_relisting(self, client: Client, worker: Worker) -> None:
        job_id, first = publish(client, worker, listed=True, seed=1)
        _, second = publish(client, worker, listed=True, seed=2)
        client.delete(f"/jobs/{job_id}/listing")
        client.post(f"/jobs/{job_id}/listing")
        assert shown(client) == [second, first]

    def test_a_prompt_of_thousands_of_characters_is_cut_off(self, client: Client, worker: Worker) -> None:
        publish(client, worker, listed=True, prompt="é" * 2000)
        assert client.get("/gallery").text.count("é") < 600

    def test_a_deleted_clip_leaves_it(self, client: Client, worker: Worker, services: Services) -> None:
        job_id, _ = publish(client, worker, listed=True)
        client.delete(f"/jobs/{job_id}")
        redis = services.store.redis
        assert [redis.exists(key) for key in ("gallery", "published", "listed:address:127.0.0.1")] == [0, 0, 0]

    def test_a_link_to_it_may_carry_what_other_sites_add(self, client: Client, worker: Worker) -> None:
        _, share_id = publish(client, worker, listed=True)
        assert share_id in client.get("/gallery?fbclid=abc&utm_source=news").text

    def test_nobody_fills_it_alone(self, client: Client, worker: Worker) -> None:
        jobs = [publish(client, worker, listed=True, seed=seed)[0] for seed in range(MAX_LISTED)]
        job_id, _ = publish(client, worker, seed=99)
        refused = client.post(f"/jobs/{job_id}/listing")
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
        assert client.post(f"/jobs/{jobs[0]}/listing").status_code == 200
        client.delete(f"/jobs/{jobs[0]}")
        assert client.post(f"/jobs/{job_id}/listing").status_code == 200

    def test_without_the_setting_there_is_none(self, ungalleried: Flask, client: Client, worker: Worker) -> None:
        job_id, share_id = publish(client, worker, listed=True)
        visitor = Client(ungalleried)
        assert visitor.get("/gallery.json").json["code"] == "not_found"
        page = visitor.get("/gallery")
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert visitor.post(f"/jobs/{job_id}/listing").status_code == 404
        assert "/gallery" not in visitor.get("/").text + visitor.get(f"/clips/{share_id}").text
        assert visitor.delete(f"/jobs/{job_id}/listing").json["listed"] is False


class TestReports:
    def test_each_client_counts_once_and_nothing_is_hidden(
        self, client: Client, worker: Worker, moderation: Moderation, app: Flask
    ) -> None:
        _, share_id = publish(client, worker, listed=True)
        for number in range(30):
            crowd = Client(app)
            crowd.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
            for _ in range(2):
                assert crowd.post(f"/clips/{share_id}/report", json=REPORT).status_code == 204
        assert shown(client) == [share_id]
        assert client.get(f"/clips/{share_id}").status_code == 200
        (found,) = moderation.clips.each("reported")  # type: ignore[arg-type]
        assert (found.share_id, found.reports.count, found.reports.reasons) == (share_id, 30, {"offensive": 30})
        assert found.reports.details == ("The words.",) * 3

    def test_what_is_kept_of_a_reporter_fits_thousands_of_addresses(
        self, client: Client, worker: Worker, services: Services
    ) -> None:
        _, share_id = publish(client, worker)
        client.post(f"/clips/{share_id}/report", json=REPORT)
        (kept,) = services.store.redis.smembers(f"reporters:{share_id}")  # type: ignore[misc]
        assert 16 ** len(kept) <= 2**32 / 1000  # IPv4 addresses

    def test_many_reports_of_one_client_are_refused(self, client: Client, stranger: Client, worker: Worker) -> None:
        shares = [publish(client, worker, seed=seed)[1] for seed in range(21)]
        replies = [stranger.post(f"/clips/{share_id}/report", json=REPORT) for share_id in shares]
        assert [reply.status_code for reply in replies] == [204] * 20 + [429]
        assert int(replies[-1].headers["Retry-After"]) > 60
        assert stranger.post(f"/clips/{shares[0]}/report", json=REPORT).status_code == 204

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"reason": "dull"}, 422),
            ({"reason": "spam", "details": "x" * 301}, 422),
            ({"reason": "spam", "admin": True}, 422),
            ({}, 422),
            ([], 422),
        ],
    )
    def test_a_report_has_a_reason(self, client: Client, worker: Worker, body: object, status: int) -> None:
        _, share_id = publish(client, worker)
        assert client.post(f"/clips/{share_id}/report", json=body).status_code == status

    def test_what_isnt_published_isnt_reported(self, client: Client, worker: Worker) -> None:
        job_id = submit(client)["id"]
        worker.work()
        for unknown in ("nothing", job_id):
            assert client.post(f"/clips/{unknown}/report", json=REPORT).status_code == 404

    def test_another_site_cant_have_its_visitors_report(self, client: Client, worker: Worker) -> None:
        _, share_id = publish(client, worker)
        body = '{"reason": "spam"}'
        sent = client.post(f"/clips/{share_id}/report", data=body, content_type="text/plain")
        assert sent.status_code == 415  # JSON would need a preflight, which names no other origin

    def test_a_dismissed_report_comes_back_with_another_client_only(
        self, client: Client, stranger: Client, worker: Worker, moderation: Moderation
    ) -> None:
        _, share_id = publish(client, worker)
        client.post(f"/clips/{share_id}/report", json=REPORT)
        assert moderation.reports.dismiss(share_id)
        client.post(f"/clips/{share_id}/report", json=REPORT)
        assert not list(moderation.clips.each("reported"))  # type: ignore[arg-type]
        stranger.post(f"/clips/{share_id}/report", json=REPORT)
        assert [clip.reports.count for clip in moderation.clips.each("reported")] == [2]  # type: ignore[arg-type]
        assert "\nriffusion_reported_clips 1.0\n" in client.get("/metrics").text

    def test_reports_go_with_the_clip(self, client: Client, worker: Worker, services: Services) -> None:
        job_id, share_id = publish(client, worker)
        client.post(f"/clips/{share_id}/report", json=REPORT)
        client.delete(f"/jobs/{job_id}")
        assert not [key for key in services.store.redis.scan_iter("report*") if b"reporting:" not in key]


class TestTakeDown:
    def test_it_is_gone_for_everybody(
        self, client: Client, stranger: Client, worker: Worker, moderation: Moderation
    ) -> None:
        job_id, share_id = publish(client, worker, listed=True)
        moderation.take_down(moderation.find(share_id), "Somebody else's words.", "cli:ops@here")
        page = f"/clips/{share_id}"
        for reader in (client, stranger):
            for path in (f"{page}.json", f"{page}/clip.png", f"/oembed?url=http://localhost{page}"):
                gone = reader.get(path)
                assert (gone.status_code, gone.json["code"]) == (410, "taken_down"), path
            for path in (page, f"{page}/embed"):
                assert (reader.get(path).status_code, reader.get(path).mimetype) == (410, "text/html")
                assert "Somebody else&#39;s words." in reader.get(path).text
            assert shown(reader) == []
        again = client.post(f"/jobs/{job_id}/publish")
        assert (again.status_code, again.json["code"]) == (410, "taken_down")
        assert client.post(f"/jobs/{job_id}/listing").json["code"] == "taken_down"

    def test_neither_a_copy_nor_another_format_of_it_is_published(
        self, client: Client, stranger: Client, worker: Worker, moderation: Moderation
    ) -> None:
        _, share_id = publish(client, worker, seed=7)
        moderation.take_down(moderation.find(share_id), "No.", "cli:ops@here")
        for someone in (client, stranger):
            for fields in ({}, {"format": "wav"}, {"fresh": True}, {"quality": "best", "steps": 20}):
                job_id = submit(someone, seed=7, **fields)["id"]
                worker.work()
                assert someone.post(f"/jobs/{job_id}/publish").json["code"] == "taken_down", fields

    def test_it_can_be_taken_back(self, client: Client, worker: Worker, moderation: Moderation) -> None:
        _, share_id = publish(client, worker, listed=True)
        moderation.take_down(moderation.find(share_id), "A mistake.", "cli:ops@here")
        moderation.takedowns.restore(moderation.find_taken_down(share_id))
        assert client.get(f"/clips/{share_id}").status_code == 200
        assert shown(client) == [share_id]


class TestOperators:
    @pytest.fixture
    def operator(self, app: Flask, services: Services) -> Client:
        from riffusion.jobs.tenants import UNLIMITED

        made = Client(app)
        key, _ = services.keys.create("ops", UNLIMITED, operator=True)
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return made

    def test_they_see_reports_take_down_and_restore(self, client: Client, worker: Worker, operator: Client) -> None:
        job_id, share_id = publish(client, worker, listed=True, prompt="<i>bells</i>")
        client.post(f"/clips/{share_id}/report", json=REPORT)
        (clip,) = operator.get("/admin/api/clips").json["clips"]
        assert (clip["id"], clip["job"], clip["title"], clip["listed"]) == (share_id, job_id, "<i>bells</i>", True)
        assert clip["reports"] == {"count": 1, "reasons": {"offensive": 1}, "details": ["The words."]}
        body = {"action": "takedown", "id": share_id, "reason": "Unkind."}
        assert operator.post("/admin/api/clips", json=body).json == {"id": share_id}
        assert client.get(f"/clips/{share_id}.json").json["code"] == "taken_down"
        assert operator.get("/admin/api/clips").json["clips"] == []
        (clip,) = operator.get("/admin/api/clips?index=published").json["clips"]
        assert clip["takedown"] == "Unkind."
        (takedown,) = operator.get("/admin/api/takedowns").json["takedowns"]
        assert (takedown["id"], takedown["reason"]) == (share_id, "Unkind.")
        assert operator.post("/admin/api/clips", json={"action": "restore", "id": share_id}).status_code == 200
        assert client.get(f"/clips/{share_id}.json").status_code == 200
        entries = operator.get("/admin/api/audit").json["entries"]
        assert [entry["action"] for entry in entries] == ["clip.restore", "clip.takedown"]
        assert entries[1]["details"] == {"reason": "Unkind.", "job": job_id}
