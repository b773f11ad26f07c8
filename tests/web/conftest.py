"""The pages on a Flask app of their own, with one published clip and files at another origin."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from riffusion.errors import Gone, NotFound
from web import assets, pages
from web.rendering import Site

STORAGE = "https://files.example"


@dataclass(frozen=True)
class Clip:
    """A published clip."""

    id: str = "shared"
    url: str = "http://localhost/clips/shared"
    request: dict[str, Any] = field(default_factory=lambda: {"mode": "loop", "prompt": "bells & <b>brass</b>"})
    model: str = "tiny"
    created_at: datetime = datetime(2026, 11, 3, tzinfo=UTC)
    embed_url: str = "http://localhost/clips/shared/embed"
    listed: bool = False
    image_url: str = "http://localhost/clips/shared/clip.png"
    audio_url: str = "http://localhost/clips/shared/clip.wav"
    format: str = "wav"
    duration_s: float = 5.11
    width: int = 512
    height: int = 512


@dataclass(frozen=True)
class Gallery:
    """A page of the gallery: the one clip, and none after it."""

    clips: tuple[Clip, ...] = (Clip(),)
    next_cursor: str | None = None


def describe(share_id: str) -> Clip:
    """The one clip there is; another was deleted."""
    if share_id == "deleted":
        raise Gone("This clip was deleted.")
    if share_id != "shared":
        raise NotFound("No such clip was ever published.")
    return Clip()


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("pages", static_folder=None)
    app.url_map.merge_slashes = False  # as in the API's
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(pages.blueprint(Site("http://localhost", (STORAGE,), has_gallery=True), describe, Gallery))
    return app.test_client()
