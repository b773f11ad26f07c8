"""The one model, its versions, and the secret that signs webhooks."""

from datetime import UTC, datetime
from typing import Any

from flask import Response
from pydantic import BaseModel

from api.authentication import caller
from api.compatibility.replicate.blueprint import blueprint
from api.compatibility.replicate.creation import MODEL, VERSION, named_version
from api.compatibility.replicate.prediction_input import PredictionInput
from api.compatibility.replicate.representation import Output
from api.json_body import json_response
from api.services import services
from riffusion.errors import Unauthorized
from riffusion.jobs.tenants import key_of


class Version(BaseModel):
    """A version of the model."""

    id: str
    created_at: datetime = datetime(2022, 12, 15, tzinfo=UTC)
    cog_version: str = "0.3.9"
    """The first of Replicate's format whose schemas say which outputs come in parts; here, none does."""
    openapi_schema: dict[str, Any] = {
        "openapi": "3.0.2",
        "info": {"title": MODEL, "version": "1"},
        "paths": {},
        "components": {"schemas": {"Input": PredictionInput.model_json_schema(), "Output": Output.model_json_schema()}},
    }


class VersionPage(BaseModel):
    """All versions that are listed."""

    previous: None = None
    next: None = None
    results: list[Version]


class Model(BaseModel):
    """The model."""

    url: str
    owner: str
    name: str
    description: str = "Music from text, by diffusion of spectrograms."
    visibility: str = "public"
    github_url: None = None
    paper_url: None = None
    license_url: None = None
    run_count: int = 0
    cover_image_url: None = None
    default_example: None = None
    latest_version: Version = Version(id=VERSION)


class Secret(BaseModel):
    """What signs the webhooks of an API key."""

    key: str


@blueprint.get("/models/<owner_name>/<model_name>")
def get_model(owner_name: str, model_name: str) -> Response:
    """The model."""
    named_version(f"{owner_name}/{model_name}")
    return json_response(Model(url=services().presenter.address("/"), owner=owner_name, name=model_name))


@blueprint.get("/models/<owner_name>/<model_name>/versions")
def list_versions(owner_name: str, model_name: str) -> Response:
    """The version to name."""
    named_version(f"{owner_name}/{model_name}")
    return json_response(VersionPage(results=[Version(id=VERSION)]))


@blueprint.get("/models/<owner_name>/<model_name>/versions/<version>")
def get_version(owner_name: str, model_name: str, version: str) -> Response:
    """Any version: all are the same model."""
    return json_response(Version(id=named_version(f"{owner_name}/{model_name}:{version}")))


@blueprint.get("/webhooks/default/secret")
def get_secret() -> Response:
    """The caller's webhook secret; after a rotation, the new one, which signs all that is sent from then on."""
    key_id = key_of(caller().name)
    secrets = services().keys.webhook_secrets(key_id) if key_id else ()
    if not secrets:
        raise Unauthorized("Webhooks need an API key, whose secret signs them; the server's operator makes keys.")
    return json_response(Secret(key=secrets[0]), cache="no-store")
