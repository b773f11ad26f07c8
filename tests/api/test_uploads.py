"""Uploads: detected by content, measured, stored, or refused with a reason."""

import hashlib
import io
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api import upload_limits, uploads
from api.app import create_app
from api.services import Services
from riffusion.errors import TooManyRequests, UnavailableError
from riffusion.jobs.tenants import Tenant as Sender
from riffusion.settings import Settings
from riffusion.storage import CONTENT_TYPES
from tests.api.conftest import Client, png, wav


def send(client: Client, content: bytes, name: str = "x") -> Any:
    return client.post("/uploads", data={"file": (io.BytesIO(content), name)})


def test_a_picture_is_measured(client: Client) -> None:
    response = send(client, png(64, 512), "evil/../name.exe")
    found = response.json
    assert response.status_code == 201
    assert (found["kind"], found["content_type"], found["width"], found["height"]) == ("image", "image/png", 64, 512)
    assert (found["sha256"], found["bytes"]) == (hashlib.sha256(png(64, 512)).hexdigest(), len(png(64, 512)))


def test_a_sound_is_measured(client: Client) -> None:
    found = send(client, wav(50.5)).json
    assert (found["kind"], found["content_type"], found["duration_s"]) == ("audio", "audio/wav", 50.5)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "unreadable_media"),
        (b"#EXTM3U\nhttp://127.0.0.1/", 422, "unreadable_media"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "unreadable_media"),
        (png()[:60], 422, "unreadable_media"),
        (wav()[:-1000], 422, "unreadable_media"),
        (b"RIFF\0\0\0\0WAVE", 422, "unreadable_media"),
    ],
)
def test_another_kind_of_file_is_refused(client: Client, content: bytes, status: int, code: str) -> None:
    response = send(client, content)
    assert (response.status_code, response.json["code"]) == (status, code)


def test_every_accepted_kind_can_be_stored() -> None:
    assert {kind for _, _, kind in (*uploads.PICTURES, *uploads.SOUNDS)} == set(CONTENT_TYPES.values())


def test_a_sound_longer_than_allowed_is_refused(settings: Settings) -> None:
    client = Client(create_app(settings.model_copy(update={"max_audio_s": 1.0})))
    assert send(client, wav(0.9)).status_code == 201
    assert send(client, wav(1.2)).json["code"] == "unreadable_media"


@pytest.mark.parametrize("over", [1, 100_000])
def test_a_file_over_the_limit_is_refused(settings: Settings, over: int) -> None:
    client = Client(create_app(settings.model_copy(update={"max_upload_bytes": 20_000})))
    response = send(client, b"RIFF" + bytes(20_000 - 4 + over))
    assert (response.status_code, response.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"file": "x"}}, 415),
        ({"data": {"picture": (io.BytesIO(b"x"), "x")}}, 422),
        ({"data": {"file": "only text"}, "content_type": "multipart/form-data"}, 422),
        ({"data": b"no boundary", "content_type": "multipart/form-data"}, 400),
        ({"data": b"--b\r\nnonsense", "content_type": "multipart/form-data; boundary=b"}, 400),
    ],
)
def test_a_form_without_the_file_is_refused(client: Client, sent: dict[str, Any], status: int) -> None:
    assert client.post("/uploads", **sent).status_code == status


def test_nothing_is_left_in_the_temporary_folder(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    for content in (png(), wav(), b"neither", png()[:50]):
        send(client, content)
    client.post("/uploads", data={"other": (io.BytesIO(png()), "x")})
    assert list(spool.iterdir()) == []


class Untouched(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        pytest.fail("the body was read")

    readline = read


def announce(client: Client, size: int) -> Any:
    """An upload whose head says that it is of this size."""
    return client.post(
        "/uploads", content_type="multipart/form-data; boundary=b", input_stream=Untouched(),
        environ_overrides={"CONTENT_LENGTH": str(size)},
    )  # fmt: skip


class TestBeforeTheBodyIsRead:
    def test_refused_files_are_creates(self, settings: Settings) -> None:
        client = Client(create_app(settings.model_copy(update={"anonymous_creates_per_minute": 2})))
        for _ in range(2):
            assert send(client, png()[:60]).status_code == 422
        assert announce(client, 1000).status_code == 429

    def test_what_is_too_large(self, settings: Settings) -> None:
        client = Client(create_app(settings.model_copy(update={"max_upload_bytes": 20_000})))
        assert announce(client, 50_000).status_code == 413

    def test_what_would_exceed_a_clients_bytes(self, settings: Settings) -> None:
        client = Client(create_app(settings.model_copy(update={"anonymous_stored_bytes": 20_000})))
        refused = announce(client, 21_000)
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) > 60
        assert send(client, png()).status_code == 201

    def test_what_would_exceed_the_servers_bytes(self, settings: Settings) -> None:
        client = Client(create_app(settings.model_copy(update={"max_stored_bytes": 20_000})))
        refused = announce(client, 21_000)
        assert (refused.status_code, refused.json["code"]) == (507, "storage_full")

    def test_a_body_of_no_known_size_counts_as_the_largest(self, settings: Settings) -> None:
        changes = {"anonymous_stored_bytes": 20_000, "max_upload_bytes": 20_001}
        client = Client(create_app(settings.model_copy(update=changes)))
        response = client.post(
            "/uploads", content_type="multipart/form-data; boundary=b", input_stream=Untouched(),
            environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": None},
        )  # fmt: skip
        assert response.status_code == 429

    def test_a_second_file_of_the_same_client(self, client: Client, stranger: Client, services: Services) -> None:
        with services.upload_limiter.slot(Sender("address:127.0.0.1")):
            refused = announce(client, 1000)
            assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
            assert send(stranger, png()).status_code == 201
        assert send(client, png()).status_code == 201

    def test_the_networks_of_a_site(self, stranger: Client, services: Services) -> None:
        def sender(number: int) -> Sender:
            return Sender(f"address:2001:db8:0:{number}::/64", ("address:2001:db8::/56", "address:2001:db8::/48"))

        with ExitStack() as sending:
            for number in range(2):
                sending.enter_context(services.upload_limiter.slot(sender(number)))
            with pytest.raises(TooManyRequests), services.upload_limiter.slot(sender(3)):
                pass
            assert send(stranger, png()).status_code == 201
            sending.enter_context(services.upload_limiter.slot(Sender("key:a")))
            sending.enter_context(services.upload_limiter.slot(Sender("key:a")))  # a key may send several
        with services.upload_limiter.slot(sender(3)):
            pass


class TestWhatHasComeIn:
    def test_announced_bytes_reserve_no_space(self, client: Client, services: Services) -> None:
        with ExitStack() as sending:
            for number in range(100):
                sending.enter_context(services.upload_limiter.slot(Sender(f"address:192.0.2.{number}")))
            assert send(client, png()).status_code == 201

    def test_more_than_the_temporary_folder_should_hold(self, client: Client, services: Services) -> None:
        largest = services.settings.max_upload_bytes
        with ExitStack() as sending:
            for number in range(6):
                sending.enter_context(services.upload_limiter.slot(Sender(f"address:192.0.2.{number}"))).spool(largest)
            refused = send(client, png())
            assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
            with services.upload_limiter.slot(Sender("key:site")) as slot:  # which have a quarter of the space
                slot.spool(largest)
                slot.spool(largest)
                with pytest.raises(UnavailableError):
                    slot.spool(1)
        assert send(client, png()).status_code == 201

    def test_keys_have_a_decoding_slot_of_their_own(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(upload_limits, "_PROBE_WAIT_S", 0.05)
        with ExitStack() as decoding:
            for number in range(upload_limits.PROBES - 1):
                slot = decoding.enter_context(services.upload_limiter.slot(Sender(f"address:192.0.2.{number}")))
                decoding.enter_context(slot.probe())
            with (
                services.upload_limiter.slot(Sender("address:192.0.2.9")) as slot,
                pytest.raises(UnavailableError),
                slot.probe(),
            ):
                pass
            with services.upload_limiter.slot(Sender("key:site")) as slot, slot.probe():
                pass


def test_a_nearly_full_disk_accepts_no_file(settings: Settings) -> None:
    client = Client(create_app(settings.model_copy(update={"min_free_bytes": 1 << 60})))
    refused = send(client, png())
    assert (refused.status_code, refused.json["code"]) == (507, "storage_full")
    assert client.get("/readyz").status_code == 507


def test_uploads_are_listed_and_deleted(client: Client, stranger: Client) -> None:
    sent = [send(client, png(width)).json for width in (64, 128, 256)]
    first = client.get("/uploads?limit=2").json
    assert first["uploads"] == [sent[2], sent[1]]
    assert client.get(f"/uploads?cursor={first['next_cursor']}").json == {"uploads": [sent[0]], "next_cursor": None}
    assert stranger.get("/uploads").json["uploads"] == []
    assert stranger.delete(f"/uploads/{sent[0]['id']}").status_code == 404
    assert client.delete(f"/uploads/{sent[0]['id']}").status_code == 204
    again = client.delete(f"/uploads/{sent[0]['id']}")
    assert (again.status_code, again.json["code"]) == (404, "not_found")
    assert [each["id"] for each in client.get("/uploads").json["uploads"]] == [sent[2]["id"], sent[1]["id"]]
    request = {"mode": "riff", "prompt": "x", "init": {"upload": sent[0]["id"]}}
    assert client.post("/jobs", json=request).json["code"] == "unknown_reference"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "cursor=1..2", "cursor=1e400", "status=queued"])
def test_a_malformed_list_of_uploads_is_refused(client: Client, query: str) -> None:
    assert client.get(f"/uploads?{query}").json["code"] == "invalid_request"


def test_an_address_lists_no_uploads(client: Client) -> None:
    del client.environ_base["HTTP_RIFFUSION_SECRET"]
    assert client.get("/uploads").status_code == 401
