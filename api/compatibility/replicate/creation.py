"""The body and the headers that create a prediction."""

import re
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError

from api.compatibility.inference_input import Loose
from api.compatibility.replicate.prediction_input import PredictionInput
from riffusion.errors import InvalidRequest, NotFound
from riffusion.jobs.record import Prediction
from riffusion.requests.fields import WebAddress

MODEL = "riffusion/riffusion"
VERSION = "8cf61ea6c56afd61d8f5b9ffd14d7c216c0a93844ce2d82ac1c9ecc9c7f24e05"
"""The original's last, which programs name. Any other stands for the same model here."""
MAX_WAIT_S = 60
MIN_CANCEL_AFTER_S = 5
MAX_CANCEL_AFTER_S = 86400

Event = Literal["start", "output", "logs", "completed"]

_WAIT = re.compile(r"(?:^|[,;\s])wait(?:\s*=\s*\"?(\d{1,6})\"?)?\s*(?:$|[,;])", re.IGNORECASE)
_DURATION = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s?)?", re.ASCII)


class Creation(Loose):
    """The body."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/:-]{1,200}$")] | None = None
    input: PredictionInput = PredictionInput()
    webhook: WebAddress | None = None
    webhook_completed: WebAddress | None = None
    webhook_events_filter: Annotated[tuple[Event, ...], Field(max_length=16)] = get_args(Event)

    @classmethod
    def of(cls, body: object) -> "Creation":
        """A body as it was sent.

        Raises:
            InvalidRequest: naming each field that is out of range or of another type.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise InvalidRequest(
                [
                    {"field": ".".join(map(str, item["loc"])), "message": item["msg"]}
                    for item in error.errors(include_url=False, include_input=False)
                ]
            ) from None

    @property
    def hook(self) -> str | None:
        """Where its events are to be sent."""
        return self.webhook or self.webhook_completed

    def prediction(self, version: str) -> Prediction:
        """What is kept of it with the job."""
        events = self.webhook_events_filter if self.webhook else ("completed",)
        return Prediction(version, self.input.model_dump(exclude_unset=True), tuple(dict.fromkeys(events)))


def named_version(reference: str | None) -> str:
    """The version that `<version>`, `<model>:<version>` or `<model>` stands for.

    Raises:
        InvalidRequest: there is none.
        NotFound: it is of another model.
    """
    if reference is None:
        raise InvalidRequest([{"field": "version", "message": "is missing"}])
    model, _, version = reference.partition(":") if "/" in reference else (MODEL, "", reference)
    if model != MODEL:
        raise NotFound(f"This server has one model, {MODEL}.")
    return version or VERSION


def preferred_wait(header: str) -> float:
    """Seconds for which a request with this `Prefer` header is held; 0 without `wait` or `wait=N`.

    Half a second less than it says: the Python package stops listening half a second after that time.
    """
    found = _WAIT.search(header)
    return max(0.0, min(int(found[1] or MAX_WAIT_S), MAX_WAIT_S) - 0.5) if found else 0.0


def cancel_after(header: str | None) -> float | None:
    """Seconds of a `Cancel-After` header such as `90`, `90s` or `1h30m`.

    Raises:
        InvalidRequest: it isn't of this form, or out of range.
    """
    if header is None:
        return None
    found = _DURATION.fullmatch(header.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not MIN_CANCEL_AFTER_S <= total <= MAX_CANCEL_AFTER_S:
        message = f"must be {MIN_CANCEL_AFTER_S}s to {MAX_CANCEL_AFTER_S // 3600}h, such as 90s or 1h30m"
        raise InvalidRequest([{"field": "Cancel-After", "message": message}])
    return total
