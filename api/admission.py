"""What a request asks for that only this server can say: models, seed images, the length of what would be made.

Uploads and earlier jobs are looked up by the store as it accepts, in the same step, so that they can't go away between.
"""

from collections.abc import Sequence

from api.services import Services
from riffusion.errors import FieldError, Gone, InvalidRequest, NotFound, UnknownReference
from riffusion.requests import (
    CLIP_SECONDS,
    AnyRequest,
    Extend,
    Interpolate,
    JobResult,
    SeedImage,
    TextToAudio,
    Upload,
    references,
)
from riffusion.seeds import list_seeds

COLUMN_S = 0.01  # of a picture


def admit(requests: Sequence[AnyRequest], client: str, here: Services, *, many: bool) -> None:
    """Checks all requests of one submission.

    Raises:
        UnknownReference: a model or seed image that isn't there.
        InvalidRequest: a clip longer than the server makes.
    """
    for index, request in enumerate(requests):
        prefix = f"{index}." if many else ""
        _check_model(request, here, prefix)
        _check_seed_images(request, prefix)
        _check_length(request, client, here, prefix)


def _check_model(request: AnyRequest, here: Services, prefix: str) -> None:
    """The server's own model is taken even while its worker is away: the job waits for it."""
    if request.model in (None, here.settings.model) or request.model in here.store.models_alive():
        return
    raise UnknownReference(f"no worker serves the model {request.model!r}; see GET /models", f"{prefix}model")


def _check_seed_images(request: AnyRequest, prefix: str) -> None:
    for field, reference in references(request).items():
        if isinstance(reference, SeedImage) and reference.seed_image not in {seed.name for seed in list_seeds()}:
            message = f"there is no seed image {reference.seed_image!r}; see GET /seeds"
            raise UnknownReference(message, f"{prefix}{field}.seed_image")


def _check_length(request: AnyRequest, client: str, here: Services, prefix: str) -> None:
    """Uploaded clips were measured when they came in; this is about what requests make longer."""
    match request:
        case TextToAudio():
            field, seconds = "width", request.width * COLUMN_S
        case Interpolate():
            field, seconds = "clips", (request.clips or 1) * CLIP_SECONDS
        case Extend():
            field, seconds = "seconds", request.seconds + _picture_seconds(request.init, client, here)
        case _:
            return
    limit = here.settings.max_audio_s
    if seconds > limit:
        fault: FieldError = {
            "field": f"{prefix}{field}",
            "message": f"the clip would be {seconds:g} s long; at most {limit:g} s are made",
        }
        raise InvalidRequest([fault])


def _picture_seconds(picture: SeedImage | Upload | JobResult, client: str, here: Services) -> float:
    """Length of the sound in a picture; 0 of one that isn't there, which accept will refuse."""
    width: int | None = None
    try:
        match picture:
            case SeedImage():
                return CLIP_SECONDS
            case Upload():
                width = here.uploads.get(picture.upload, client).info.width
            case JobResult():
                result = here.store.get(picture.job).result
                width = result.image.width if result else None
    except (UnknownReference, NotFound, Gone):
        return 0.0
    return (width or 0) * COLUMN_S
