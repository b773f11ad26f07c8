"""Models of responses, and the fields of requests: as in `/openapi.json`, and tolerant of those of other versions."""

import json
import typing
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from api.app import create_app
from riffusion.client import Client, models
from riffusion.client.inputs import Fields, Mode
from riffusion.client.models import BatchData, BatchResultData, JobData
from riffusion.errors import RiffusionError
from riffusion.requests import MODES
from riffusion.settings import Settings
from tests.client.conftest import JOB_ID, Script, job_json

OURS = [each for each in vars(models).values() if isinstance(each, type) and issubclass(each, models._Response)]
OTHERWISE = {JobData: "Job", BatchData: "Batch", BatchResultData: "BatchResult"}
RESPONSES = {kind: OTHERWISE.get(kind, kind.__name__) for kind in OURS if kind is not models._Response}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = Settings(redis_url="redis://127.0.0.1:1", data_dir=tmp_path_factory.mktemp("data"))
    document: Any = create_app(settings).test_client().get("/openapi.json").json
    found: dict[str, Any] = document["components"]["schemas"]
    return found


@pytest.mark.parametrize(("kind", "name"), RESPONSES.items())
def test_a_model_has_the_fields_of_the_document(kind: type[BaseModel], name: str, schemas: dict[str, Any]) -> None:
    described = schemas[name]["properties"]
    assert kind.model_fields.keys() == described.keys()
    for field, info in kind.model_fields.items():
        assert _types(info.annotation) == _described_types(described[field], schemas), f"{name}.{field}"


def _types(annotation: Any) -> set[str]:
    """The JSON types of an annotation: names of models, and of what is in lists."""
    if get_origin(annotation) in (Union, typing.get_origin(int | None)):
        return set().union(*map(_types, get_args(annotation)))
    origin = get_origin(annotation) or annotation
    if origin is list:
        return {f"array of {kind}" for kind in _types(get_args(annotation)[0])}
    if isinstance(origin, type) and issubclass(origin, models._Response):
        return {RESPONSES[origin]}
    if origin is typing.Literal:
        return {"string"}
    names = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", type(None): "null"}
    return {names.get(origin, "date-time")}


def _described_types(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    if "anyOf" in schema:
        return set().union(*(_described_types(each, schemas) for each in schema["anyOf"]))
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {name} if name in RESPONSES.values() else _described_types(schemas[name], schemas)
    if schema.get("type") == "array":
        return {f"array of {kind}" for kind in _described_types(schema["items"], schemas)}
    return {"date-time"} if schema.get("format") == "date-time" else {schema.get("type", "object")}


def test_the_statuses_are_those_of_the_document(schemas: dict[str, Any]) -> None:
    assert set(get_args(models.JobStatus)) == set(schemas["JobStatus"]["enum"])
    assert set(get_args(models.BatchStatus)) == set(schemas["BatchStatus"]["enum"])
    assert set(get_args(models.BatchResultStatus)) == set(schemas["BatchResult"]["properties"]["status"]["enum"])


def test_the_fields_of_requests_are_those_of_all_modes() -> None:
    assert set(Fields.__annotations__) == set().union(*(mode.model_fields for mode in MODES))
    assert set(get_args(Mode)) == {mode.MODE for mode in MODES}


def test_what_a_newer_server_adds_is_kept() -> None:
    result = {
        "image": {"url": "a", "expires_at": "2026-11-29T05:00:00Z", "width": 1, "height": 1, "bytes": 1, "depth": 8},
        "audio": {
            "url": "a", "expires_at": "2026-11-29T05:00:00Z", "duration_s": 1, "sample_rate": 1, "channels": 1,
            "format": "opus", "bytes": 1,
        },
        "stems": ["drums"],
    }  # fmt: skip
    text = job_json("succeeded", mode="brand-new", result=result, mood={"joy": 1})
    job = JobData.model_validate_json(text)
    assert job.result
    assert job.result.audio.format == "opus"
    assert json.loads(job.model_dump_json())["mood"] == {"joy": 1}
    assert job.result.image.model_extra == {"depth": 8}


def test_what_an_older_server_lacks_has_a_default() -> None:
    lacking = {"preview", "webhook", "degraded", "warnings", "attempts"}
    older = {name: value for name, value in json.loads(job_json()).items() if name not in lacking}
    job = JobData.model_validate(older)
    assert (job.preview, job.webhook, job.degraded, job.warnings, job.attempts) == (None, None, False, [], 0)


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", job_json("asleep"), job_json(id="../admin")])
def test_a_response_of_something_else_is_an_error_of_this_tree(script: Script, body: str) -> None:
    script.replies = [(200, {}, body)]
    with Client(script.url) as client, pytest.raises(RiffusionError, match="can't read"):
        client.job(JOB_ID)
    assert len(script.asked) == 1
