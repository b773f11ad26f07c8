"""`POST /run_inference/`: the original's server, for riffusion-app, its forks and bots as they are.

They know nothing but one response with everything in it, and take whatever is JSON for a clip: errors are text.
"""

import io
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from pydantic import BaseModel

from api import problems
from api.authentication import caller
from api.compatibility import held_job
from api.compatibility.data_uri import data_uri
from api.compatibility.inference_input import InferenceInput
from api.json_body import json_response, parse_json, read_body
from api.services import services
from riffusion.errors import Forbidden, RiffusionError
from riffusion.jobs.record import JobOutput, JobRecord
from riffusion.settings import Settings

PATH = "/run_inference/"
MAX_HELD_S = 55.0  # riffusion-app's server waits for 60 s
_JPEG_QUALITY = 90

blueprint = Blueprint("run_inference", __name__)
blueprint.after_request(problems.as_text)


class InferenceOutput(BaseModel):
    """A clip."""

    image: str
    """A data URI of a JPEG with the picture's EXIF."""
    audio: str
    """A data URI of an MP3. Bots decode all of it as base64: this prefix counts as 20 digits of it, a whole number of
    bytes, which players skip."""
    duration_s: float


@blueprint.post(PATH)
def run_inference() -> Response:
    """Makes a clip between two prompts while its client waits."""
    here, client = services(), caller()
    _check_origin(here.settings)
    body = parse_json(read_body(request, here.settings.max_body_bytes))
    card, quality = here.store.models.card(here.settings.model), here.settings.run_inference_quality
    wanted = InferenceInput.of(body).request(quality, card, here.settings.seed_dir)
    record = held_job.run(wanted, MAX_HELD_S)
    try:
        return held_job.respond_inline(record.result, _clip) if record.result else _failure(record)
    finally:
        # Nobody else has the id: kept, it would only count towards the client's limits. Failed ones are for operators.
        if client.owner is None and record.error is None:
            with suppress(RiffusionError):  # then it expires
                here.store.delete(record.id)


def _check_origin(settings: Settings) -> None:
    """Refuses other sites' pages: a browser sends them here unasked, since any content type will do, unlike `/jobs`'s.

    Raises:
        Forbidden: the page's origin is neither this server's nor one of those that may call the API.
    """
    origin, own = request.headers.get("Origin"), urlsplit(settings.public_url)
    allowed = {f"{own.scheme}://{own.netloc}", *settings.cors_origins.split()}
    if origin is not None and allowed.isdisjoint((origin, "*")):
        raise Forbidden("Pages of this origin may not use this server; its operator can list it for CORS.")


def _clip(output: JobOutput, files: held_job.ResultFiles) -> Response:
    clip = InferenceOutput(
        image=data_uri("image/jpeg", _jpeg(files.png)),
        audio=data_uri("audio/mpeg", files.audio),
        duration_s=output.audio.duration_s,
    )
    return json_response(clip, cache="no-store")


def _failure(record: JobRecord) -> Response:
    if record.error:
        status, message = HTTPStatus.INTERNAL_SERVER_ERROR, record.error.detail
    else:
        status, message = (
            HTTPStatus.GATEWAY_TIMEOUT,
            "The clip wasn't made in time; the server is busy. Try again soon.",
        )
    response = Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _jpeg(png: bytes) -> bytes:
    """The picture as the original sends it: an RGB JPEG with the same EXIF."""
    from PIL import Image  # takes a tenth of the API's start

    with Image.open(io.BytesIO(png)) as picture:
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=_JPEG_QUALITY, exif=picture.getexif())
    return file.getvalue()
