"""`POST /run_inference/`: the original's server, for riffusion-app, its forks and bots as they are.

They know nothing but one response with everything in it, and take whatever is JSON for a clip: errors are text.
"""

import io
from http import HTTPStatus

from flask import Blueprint, Response, request
from pydantic import BaseModel

from api.authentication import caller
from api.compatibility import held_job
from api.compatibility.data_uri import data_uri
from api.compatibility.inference_input import InferenceInput
from api.json_body import json_response, parse_json, read_body
from api.problems import PROBLEM_TYPE
from api.services import services
from riffusion.jobs.record import JobRecord

PATH = "/run_inference/"
MAX_HELD_S = 55.0  # riffusion-app's server waits for 60 s
_JPEG_QUALITY = 90

blueprint = Blueprint("run_inference", __name__)


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
    here = services()
    body = parse_json(read_body(request, here.settings.max_body_bytes))
    card, quality = here.store.models.card(here.settings.model), here.settings.run_inference_quality
    wanted = InferenceInput.of(body).request(quality, card, here.settings.seed_dir)
    record = held_job.run(wanted, MAX_HELD_S)
    if record.result is None:
        return _failure(record)
    files = held_job.read_result(record.result)
    if caller().owner is None:  # nobody has the id: kept, it would only count towards the client's limits
        here.store.delete(record.id)
    output = InferenceOutput(
        image=data_uri("image/jpeg", _jpeg(files.png)),
        audio=data_uri("audio/mpeg", files.audio),
        duration_s=record.result.audio.duration_s,
    )
    return json_response(output, cache="no-store")


@blueprint.after_request
def _errors_as_text(response: Response) -> Response:
    if response.mimetype == PROBLEM_TYPE:
        response.set_data(f"{response.get_json()['detail']}\n")
        response.content_type = "text/plain; charset=utf-8"
    return response


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
