"""Runs requests on one loaded model."""

from collections.abc import Mapping
from typing import Self

from riffusion.generate.clip import Clip, Control
from riffusion.requests import AnyRequest
from riffusion.settings import Settings


class Generator:
    """One checkpoint, its engine and the codec. Thread-safe: many threads at once share the engine's batch."""

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Loads the checkpoint and warms everything up; takes seconds on a CPU, minutes where kernels are compiled.

        Raises:
            CheckpointUnavailable: naming the folder or hub id.
        """
        raise NotImplementedError

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        """Makes the clip that a request asks for.

        Args:
            request: with its seeds filled in (`with_seed`).
            inputs: by field of `references(request)`, the file's bytes of each upload and earlier job; built-in seed
                images are looked up here. For an earlier job: its PNG where the field is a picture (`init`, `image`),
                its audio file (or PNG) where it is a `clip`.
            control: told of every step; whatever it raises stops the request and comes out here.

        Raises:
            RequestError: the request and its inputs can't be served.
            JobError: it ended without a result.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Stops the engine; requests that still run end as `Canceled`."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
