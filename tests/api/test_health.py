"""Liveness and readiness."""

from pathlib import Path

from api.services import Services
from tests.api.conftest import Client


def test_a_whole_stack_is_ready(client: Client) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready"}


def test_a_redis_that_accepts_no_writes_is_not_ready(client: Client, services: Services) -> None:
    redis = services.store.redis
    redis.config_set("maxmemory", "1")
    try:
        response = client.get("/readyz")
        assert (response.status_code, response.json["code"]) == (503, "store_unavailable")
        assert client.get("/healthz").status_code == 200
    finally:
        redis.config_set("maxmemory", "0")


def test_a_storage_that_accepts_no_files_is_not_ready(client: Client, services: Services) -> None:
    folder: Path = services.settings.data_dir
    folder.mkdir(parents=True)
    (folder / "files").write_text("in the way")
    response = client.get("/readyz")
    assert (response.status_code, response.json["code"]) == (503, "storage_unavailable")
    assert str(folder) not in response.text
