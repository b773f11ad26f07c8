"""Checks of a request that need its decoded inputs."""

from riffusion.errors import FieldError, InvalidRequest
from riffusion.geometry import MAX_WIDTH
from riffusion.requests import too_wide
from riffusion.spectrogram.canvas import Canvas


def invalid(field: str, message: str) -> InvalidRequest:
    """The error of one field."""
    error: FieldError = {"field": field, "message": message}
    return InvalidRequest([error])


def check_width(canvas: Canvas, field: str) -> None:
    """Refuses a picture that is too wide to paint at once.

    Raises:
        InvalidRequest: naming the field.
    """
    if canvas.width > MAX_WIDTH:
        raise too_wide(canvas.width, field)
