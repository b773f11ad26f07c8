"""`riffusion bucket`, on an S3 server of its settings."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from riffusion.cli import cli
from riffusion.errors import StorageUnavailable
from riffusion.settings import get_settings
from riffusion.storage import open_storage
from tests.conftest import S3Server


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_the_bucket_of_the_settings_is_made(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "STORAGE": "s3", "S3_ENDPOINT": s3_server.endpoint, "S3_BUCKET": "clips",
        "S3_ACCESS_KEY": s3_server.access_key, "S3_SECRET_KEY": s3_server.secret_key,
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"RIFFUSION_{name}", value)
    with pytest.raises(StorageUnavailable):
        open_storage(get_settings()).check()
    for _ in range(2):
        assert CliRunner().invoke(cli, ["bucket"], catch_exceptions=False).exit_code == 0
        open_storage(get_settings()).check()


def test_a_local_folder_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFFUSION_STORAGE", "local")
    assert "RIFFUSION_STORAGE=s3" in str(CliRunner().invoke(cli, ["bucket"]).exception)
