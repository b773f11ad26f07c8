"""A page's policy names the origins of the storage that is configured."""

import pytest

from api.app import create_app
from riffusion.settings import Settings
from tests.api.conftest import Client

S3 = {"storage": "s3", "s3_bucket": "clips", "s3_region": "eu-west-1"}


@pytest.mark.parametrize(
    ("values", "origins"),
    [
        ({}, ""),
        ({**S3, "s3_endpoint": "http://inside:8333"}, " http://inside:8333"),
        (
            {**S3, "s3_endpoint": "http://inside:8333", "s3_public_endpoint": "https://files.example/base"},
            " https://files.example",
        ),
        (S3, " https://s3.eu-west-1.amazonaws.com"),
    ],
)
def test_a_pages_policy_names_the_storages_origins(settings: Settings, values: dict[str, str], origins: str) -> None:
    client = Client(create_app(settings.model_copy(update=values)))
    policy = client.get("/about").headers["Content-Security-Policy"]
    assert f"; connect-src 'self'{origins};" in policy
