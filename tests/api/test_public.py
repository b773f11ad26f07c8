"""Nothing public holds the id of a job or of an upload, with which anyone could delete it."""

import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from api.app import create_app
from api.services import EXTENSION, Services
from riffusion.settings import Settings
from tests.api.conftest import Client, Worker, png, submit

Ids = list[str]


def shown(response: Any) -> str:
    """Headers and body of a response, as text."""
    return unquote(f"{response.status} {response.headers}\n{response.get_data().decode('latin-1')}")


def walk(client: Client, start: list[str]) -> Iterator[tuple[str, Any]]:
    """Every address that `start` leads to through pages, JSON and redirects, with its response."""
    coming, seen = list(start), set()
    while coming:
        path = coming.pop()
        if path in seen or not path.startswith("/"):
            continue
        seen.add(path)
        response = client.get(path)
        yield path, response
        body = response.get_data(as_text=True) if response.mimetype in ("text/html", "application/json") else ""
        found = re.findall(r"""(?:href|src|content)="([^"]+)"|"(?:[a-z_]*url)": ?"([^"]+)\"""", body)
        addresses = [
            address.removeprefix("http://localhost").replace("&amp;", "&") for pair in found for address in pair
        ]
        coming += [address for address in addresses if not address.startswith("/assets/")]
        coming.append(response.headers.get("Location", "").removeprefix("http://localhost"))


@pytest.fixture(params=["local", "s3"])
def app_client(request: pytest.FixtureRequest, settings: Settings) -> Client:
    """A client of an API on this storage."""
    if request.param == "s3":
        settings = request.getfixturevalue("s3_settings").model_copy(
            update={"model": settings.model, "public_url": settings.public_url}
        )
    return Client(create_app(settings))


@pytest.fixture
def services(app_client: Client) -> Services:
    found: Services = app_client.application.extensions[EXTENSION]
    return found


@pytest.fixture
def ids(app_client: Client, worker: Worker) -> dict[str, Ids]:
    """A clip that was made from another and with an upload, its copy, and all their ids."""
    picture = {"file": (io.BytesIO(png()), "x.png")}
    upload = app_client.post("/uploads", data=picture, content_type="multipart/form-data").json["id"]
    parent = submit(app_client, mode="riff", init={"upload": upload})["id"]
    worker.work()
    inpaint = {"mode": "inpaint", "init": {"job": parent}, "mask": {"upload": upload}, "seed": 7}
    child = submit(app_client, **inpaint)["id"]
    worker.work()
    copy = submit(app_client, **inpaint)["id"]
    ends = {"start": {"init": {"job": parent}}, "end": {"init": {"upload": upload}}}
    crossfade = app_client.post("/jobs", json={"mode": "crossfade", **ends, "alpha": 0.5}).json["id"]
    worker.work()
    return {"jobs": [parent, child, copy, crossfade], "uploads": [upload]}


def test_nothing_public_holds_an_id(app_client: Client, ids: dict[str, Ids], services: Services) -> None:
    shares = [app_client.post(f"/jobs/{job}/publish").json["id"] for job in ids["jobs"][1:]]
    start = ["/", "/about", "/docs", "/seeds", "/models", "/openapi.json", "/metrics", "/healthz", "/readyz", "/jobs"]
    start += [f"/clips/{share}{suffix}" for share in shares for suffix in ("", ".json", "/clip.png", "/clip.wav")]
    anyone = Client(app_client.application)
    walked = dict(walk(anyone, start))
    assert len(walked) > len(start)
    if services.settings.storage == "local":
        assert any(path.startswith("/files/results/") for path in walked)
    for path, response in walked.items():
        for each in [*ids["jobs"], *ids["uploads"]]:
            # The first half of a job's id is the time, which is no secret; a part of the rest would be one.
            assert each[-32:] not in shown(response) + path, path
            assert each[:14] not in shown(response) + path, path


def test_a_link_that_an_owner_passes_on_holds_no_id(app_client: Client, ids: dict[str, Ids]) -> None:
    for job in ids["jobs"]:
        result = app_client.get(f"/jobs/{job}").json["result"]
        for url in (result["image"]["url"], result["audio"]["url"]):
            response = app_client.get(url.removeprefix("http://localhost")) if "/files/" in url else None
            for each in [*ids["jobs"], *ids["uploads"]]:
                assert each[-32:] not in unquote(url)
                assert each[:8] not in unquote(url)
                assert response is None or each[:8] not in shown(response)


def test_the_folder_of_each_attempt_is_random(app_client: Client, worker: Worker) -> None:
    names = set()
    for _ in range(4):
        submit(app_client)
        record = worker.claim()
        names.add(record.folder)
        assert re.fullmatch(r"results/[0-9a-f]{40}/", record.folder)
        worker.succeed(record)
    assert len(names) == 4
