"""The stages of a clip: each is timed for the metrics, and is a span of the clip's trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from riffusion import tracing
from riffusion.diffusion.metrics import STAGE_SECONDS, Stage


@contextmanager
def stage(name: Stage, attributes: tracing.Attributes | None = None) -> Iterator[None]:
    """Of what the block or the decorated function does."""
    with STAGE_SECONDS.labels(name).time(), tracing.span(name, attributes):
        yield
