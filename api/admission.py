"""Checks of a request that its fields alone don't allow: seed images, LoRAs, and the length of what would be made.

The store checks models, uploads and earlier jobs in the step that accepts: they can't go away in between.
"""

from api.services import Services
from riffusion.errors import InvalidRequest, UnknownReference
from riffusion.geometry import COLUMNS_PER_S, MAX_WIDTH, columns_of
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.tenants import key_of
from riffusion.requests import Painted, SeedImage, references, too_short, too_wide, unknown_lora
from riffusion.seeds import has_seed


def admit(submission: Submission, here: Services) -> None:
    """Checks one request.

    Raises:
        UnknownReference: a seed image or LoRA that doesn't exist.
        InvalidRequest: a clip of no length or longer than the server makes, a picture wider than the model paints,
            or a webhook that may not be used.
    """
    for field, reference in references(submission.request).items():
        if isinstance(reference, SeedImage) and not has_seed(reference.seed_image, here.settings.seed_dir):
            message = f"There is no seed image {reference.seed_image}; GET /seeds lists those there are."
            raise UnknownReference(message, f"{submission.prefix}{field}.seed_image")
    _check_loras(submission, here)
    _check_length(submission, here)
    _check_webhook(submission, here)


def _check_loras(submission: Submission, here: Services) -> None:
    request = submission.request
    if not isinstance(request, Painted) or not request.lora:
        return
    card = here.store.models.card(request.model or here.settings.model)
    for name in request.lora:
        if not card.has_lora(name):
            raise unknown_lora(name, card, submission.prefix)


def _check_length(submission: Submission, here: Services) -> None:
    """Of the input and of the clip to be made. The worker checks them too, but only after the wait."""
    request, prefix = submission.request, submission.prefix
    try:
        sizes = here.store.input_sizes(request, submission.tenant.identity)
    except UnknownReference:
        return  # accept refuses it, unless it finds the idempotency key
    columns, limit = request.columns(sizes), here.settings.max_audio_s
    if columns == 1:
        raise too_short(f"{prefix}{request.length_field}")
    if columns > columns_of(limit):
        message = f"would make a clip of {(columns - 1) / COLUMNS_PER_S:g} s; at most {limit:g} s are allowed"
        raise InvalidRequest([{"field": f"{prefix}{request.length_field}", "message": message}])
    for field in request.AT_ONCE if isinstance(request, Painted) else ():
        if field in sizes and sizes[field].columns > MAX_WIDTH:
            raise too_wide(sizes[field].columns, f"{prefix}{field}")


def _check_webhook(submission: Submission, here: Services) -> None:
    webhook = submission.request.webhook
    if webhook is None:
        return
    if key_of(submission.tenant.name) is None:
        message = "needs an API key, whose secret signs what is sent"
    elif not webhook.startswith("https://") and not here.settings.webhooks_anywhere:
        message = "must begin with https://"
    else:
        return
    raise InvalidRequest([{"field": f"{submission.prefix}webhook", "message": message}])
