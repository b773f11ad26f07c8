"""Ids can't be guessed, and a signed link only reads its one file, until it expires."""

import json
import time
from typing import Any

import pytest

from api.services import Services
from riffusion.settings import Settings
from tests.api.conftest import PROMPT, Client, Worker, submit

TAIL = 32  # random hex digits of an id, after its time
SECRET = "not for you"


def test_the_rest_of_an_id_is_random(client: Client) -> None:
    ids = [job["id"] for _ in range(13) for job in client.post("/jobs", json=[PROMPT] * 16).json["jobs"]]
    tails = [job_id[-TAIL:] for job_id in ids]
    for place in range(TAIL):
        # 208 draws of 16 digits: the chance that a given digit is missing is 1 in 670 000.
        assert len({tail[place] for tail in tails}) >= 15


def test_a_neighbours_id_reveals_nothing(client: Client, stranger: Client) -> None:
    first, second = client.post("/jobs", json=[PROMPT] * 2).json["jobs"]
    guess = second["id"][:-TAIL] + first["id"][-TAIL:]
    assert guess != second["id"]
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/publish"), ("GET", "/events")):
        assert stranger.open(f"/jobs/{guess}{path}", method=method).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_link_is_for_reading(client: Client, link: str, method: str) -> None:
    response = client.open(link, method=method)
    assert response.status_code == (200 if method == "OPTIONS" else 405)
    assert not response.data or method != "OPTIONS"


def test_a_link_expires(client: Client, link: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + settings.url_ttl_s
    monkeypatch.setattr(time, "time", lambda: later)
    response = client.get(link)
    assert (response.status_code, response.json["code"]) == (410, "gone")


@pytest.mark.parametrize(
    "change",
    [
        ("expires=", "expires=9999999999&expires="),
        ("expires=", "expires=%00"),
        ("expires=", "Expires="),
        ("signature=", "signature=%ff%fe"),
        ("signature=", "signature=é"),
        ("signature=", "signature="),
        ("filename=", "filename=..%2f"),
        ("filename=", "filename=x.html&was="),
        ("/files/", "/files//"),
        ("/files/", "/files/./"),
        ("/files/", "/files/%2e%2e/files/"),
        ("/files/", "/files/%2fetc/passwd%00/"),
        ("/clip.wav", "/clip.wav/"),
        ("/clip.wav", "/clip.wav%00.png"),
        ("/clip.wav", "/clip.WAV"),
        ("/clip.wav", "/../clip.wav"),
        ("/clip.wav", "/.clip.wav"),
        ("/clip.wav", "\\clip.wav"),
    ],
    ids=lambda pair: pair[1],
)
def test_a_changed_link_opens_nothing(client: Client, link: str, change: tuple[str, str]) -> None:
    old, new = change
    assert old in link
    bent = link.replace(old, new, 1)
    if change == ("signature=", "signature="):
        bent = link[: link.index("signature=")] + "signature=" + "0" * 64
    assert client.get(bent).status_code in {308, 404, 410}


@pytest.mark.parametrize(
    "path",
    [
        "/files/../secret_key", "/files/%2e%2e/secret_key", "/files/..%2fsecret_key", "/files/....//secret_key",
        "/files/results/../../secret_key", "/files//etc/passwd", "/files/results/%00", "/files/.", "/files/~root",
        "/files/C:\\secret_key", "/assets/x/../../app.py", "/assets/x/..%2f..%2fapp.py", "/assets/x/%2e%2e/app.py",
        "/assets/x//etc/passwd", "/seeds/../../app.png", "/seeds/..%2fgrid.png", "/clips/..%2f..%2fsecret_key",
    ],
)  # fmt: skip
def test_no_path_leaves_the_folder(client: Client, settings: Settings, path: str) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / "secret_key").write_text(SECRET)
    response = client.get(path)
    assert response.status_code in {308, 404}
    assert SECRET not in response.text
    assert "import" not in response.text


def test_redis_holds_json_and_text(client: Client, services: Services, worker: Worker) -> None:
    job = submit(client, prompt="x")
    worker.succeed(worker.claim())
    client.post(f"/jobs/{job['id']}/publish")
    redis: Any = services.store.redis  # typed as if it could be asynchronous
    for key in redis.scan_iter():
        if redis.type(key) == b"hash":
            for name, value in redis.hgetall(key).items():
                assert value.decode().isprintable(), name
                if value[:1] in (b"{", b"["):
                    json.loads(value)
