"""The bucket's lifecycle rule, which the chart renders for the bucket's owner."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.deploy.conftest import named, render


def lifecycle(values: str) -> dict[str, Any]:
    text = named(render(values), "ConfigMap", "release-bucket-lifecycle")["data"]["lifecycle.json"]
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.parametrize(("values", "results", "uploads"), [("plain", 4, 4), ("managed", 16, 2)])
def test_no_file_is_deleted_that_may_still_be_used(values: str, results: int, uploads: int) -> None:
    settings = named(render(values), "ConfigMap", "release-settings")["data"]
    prefix = settings["RIFFUSION_S3_PREFIX"]
    days = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in lifecycle(values)["Rules"]}
    assert days == {f"{prefix}results/": results, f"{prefix}uploads/": uploads}
    # A copy keeps its origin's files for as long again (docs/decisions/0034), and a job its inputs'.
    job_s = float(settings["RIFFUSION_WAITING_DEADLINE_S"]) + 3 * float(settings["RIFFUSION_RUNNING_DEADLINE_S"])
    for folder in ("result", "upload"):
        used_s = 2 * float(settings[f"RIFFUSION_{folder.upper()}_TTL_S"]) + job_s
        assert days[f"{prefix}{folder}s/"] * 86_400 > used_s


@mock_aws
def test_a_bucket_takes_the_rule() -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_bucket(Bucket="music")
    client.put_bucket_lifecycle_configuration(Bucket="music", LifecycleConfiguration=lifecycle("managed"))  # type: ignore[arg-type]
    rules = client.get_bucket_lifecycle_configuration(Bucket="music")["Rules"]
    assert {rule["ID"] for rule in rules} == {"riffusion-results", "riffusion-uploads"}
