"""What a request asks for that its own fields can't tell: seed images, LoRAs, and the length of what would be made.

Models, uploads and earlier jobs are the store's to check, in the step that accepts: they can't go away in between.
"""

from api.services import Services
from riffusion.errors import Gone, InvalidRequest, NotFound, UnknownReference
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.clients import key_of
from riffusion.requests import (
    CLIP_SECONDS,
    Extend,
    Interpolate,
    JobResult,
    Painted,
    SeedImage,
    TextToAudio,
    Upload,
    references,
    unknown_lora,
)
from riffusion.seeds import list_seeds

COLUMN_S = 0.01  # of a picture
ROWS = 512


def admit(submission: Submission, here: Services) -> None:
    """Checks one request.

    Raises:
        UnknownReference: a seed image or LoRA that isn't there.
        InvalidRequest: a clip longer than the server makes, or a webhook that isn't taken.
    """
    for field, reference in references(submission.request).items():
        if isinstance(reference, SeedImage) and reference.seed_image not in {seed.name for seed in list_seeds()}:
            message = f"There is no seed image {reference.seed_image}; GET /seeds lists those there are."
            raise UnknownReference(message, f"{submission.prefix}{field}.seed_image")
    _check_loras(submission, here)
    _check_length(submission, here)
    _check_webhook(submission, here)


def _check_loras(submission: Submission, here: Services) -> None:
    request = submission.request
    if not isinstance(request, Painted) or not request.lora:
        return
    card = here.store.card(request.model or here.settings.model)
    for name in request.lora:
        if name not in card.loras:
            raise unknown_lora(name, card, submission.prefix)


def _check_length(submission: Submission, here: Services) -> None:
    """Uploaded clips were measured when they came in; this is about what requests make longer."""
    match submission.request:
        case TextToAudio(width=width):
            field, seconds = "width", width * COLUMN_S
        case Interpolate(clips=clips):
            field, seconds = "clips", (clips or 1) * CLIP_SECONDS
        case Extend(seconds=added, init=init):
            field, seconds = "seconds", added + _picture_seconds(init, submission.client.identity, here)
        case _:
            return
    limit = here.settings.max_audio_s
    if seconds > limit:
        message = f"the clip would be {seconds:g} s long; at most {limit:g} s are made"
        raise InvalidRequest([{"field": f"{submission.prefix}{field}", "message": message}])


def _check_webhook(submission: Submission, here: Services) -> None:
    webhook = submission.request.webhook
    if webhook is None:
        return
    if key_of(submission.client.name) is None:
        message = "needs an API key: its secret signs what is sent"
    elif not webhook.startswith("https://") and not here.settings.webhooks_anywhere:
        message = "must begin with https://"
    else:
        return
    raise InvalidRequest([{"field": f"{submission.prefix}webhook", "message": message}])


def _picture_seconds(picture: SeedImage | Upload | JobResult, identity: str, here: Services) -> float:
    """Length of the sound in a picture; 0 of one that isn't there, which accept will refuse."""
    width: int | None = None
    try:
        match picture:
            case SeedImage():
                return CLIP_SECONDS
            case Upload():
                info = here.uploads.get(picture.upload, identity).info
                width = round((info.width or 0) * ROWS / (info.height or ROWS))  # pictures are scaled in proportion
            case JobResult():
                result = here.store.get(picture.job, identity).result
                width = result.image.width if result else None
    except (UnknownReference, NotFound, Gone):
        return 0.0
    return (width or 0) * COLUMN_S
