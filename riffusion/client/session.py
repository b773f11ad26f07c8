"""The client: submit, find, list, upload, delete uploads."""

import copy
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from riffusion.audio_segment import AudioSegment, wav_of
from riffusion.client.job import Job
from riffusion.client.transport import Transport
from riffusion.requests import AnyRequest, Upload


class Client:
    """A client of one server.

    Passing failures (no connection, 429, 503) are retried for `retry_for_s`, no sooner than the server asks for; a
    submission sent twice makes one job. Errors are those of `riffusion.errors`, by the code that the server sent.

    Args:
        url: the server's address, such as `http://127.0.0.1:8000`.
        key: an API key, where the server requires one.
        secret: at least 128 random bits, in 22 to 128 letters, digits, - and _: without a key, `jobs` lists what was
            submitted with the same secret.
        timeout_s: seconds that a response may take.
        retry_for_s: seconds for which one call is retried.

    Raises:
        SetupError: the address doesn't begin with http:// or https://.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        secret: str | None = None,
        timeout_s: float = 30,
        retry_for_s: float = 60,
    ) -> None:
        self._transport = Transport(url, key, secret, timeout_s=timeout_s, retry_for_s=retry_for_s)

    def for_end_user(self, end_user: str) -> "Client":
        """The same client on behalf of one of the people whom a program with one key serves, a bot for instance.

        Limits and fair queueing then apply to that person, if the key is one for end users. The connections are
        shared: closing one of the two clients closes both.

        Args:
            end_user: visible ASCII that always means the same person, such as `discord:80351110224678912`.
        """
        other = copy.copy(self)
        other._transport = self._transport.for_end_user(end_user)
        return other

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the client's connections."""
        self._transport.close()

    def submit(self, request: AnyRequest, idempotency_key: str | None = None) -> Job:
        """Queues a job.

        Args:
            idempotency_key: 1 to 255 visible ASCII characters; the same key with the same request is the same job for
                24 hours, also after a restart of this program. Left out, each call makes a new job.

        Raises:
            RequestError: the server refuses the request; InvalidRequest names the fields.
            UnavailableError: it can't take jobs now; QueueFull, StoreUnavailable.
        """
        return Job(self._transport, self._post_jobs(_json(request), idempotency_key))

    def submit_many(self, requests: Sequence[AnyRequest]) -> list[Job]:
        """Queues up to 16 jobs, all of them or none.

        Raises:
            RequestError, UnavailableError: as `submit`.
        """
        accepted = self._post_jobs([_json(request) for request in requests])
        return [Job(self._transport, data) for data in accepted["jobs"]]

    def job(self, job_id: str) -> Job:
        """A job submitted before.

        Raises:
            NotFound, Gone: the server has no such job, or no longer has it.
        """
        return Job(self._transport, self._get(f"jobs/{job_id}"))

    def jobs(self, status: str | None = None) -> Iterator[Job]:
        """The caller's jobs, newest first.

        Raises:
            Unauthorized: the client has neither a key nor a secret.
        """
        for data in self._pages("jobs", {"status": status} if status else {}):
            yield Job(self._transport, data)

    def upload(self, file: Path | str | AudioSegment) -> Upload:
        """Sends an image or a sound, and returns the reference by which requests name it.

        Args:
            file: its path, or a sound as a `pydub.AudioSegment`.

        Raises:
            UnreadableMedia: the server can't read the file, or it exceeds the limits.
        """
        part = (Path(file).name, Path(file).read_bytes()) if isinstance(file, Path | str) else ("a.wav", wav_of(file))
        response = self._transport.request("POST", "uploads", files={"file": part})
        return Upload(upload=response.json()["id"])

    def uploads(self) -> Iterator[dict[str, Any]]:
        """The caller's uploads that are still kept, newest first, as `GET /uploads` describes them.

        Raises:
            Unauthorized: the client has neither a key nor a secret.
        """
        return self._pages("uploads", {})

    def delete_upload(self, upload: Upload | str) -> None:
        """Deletes an upload, by its reference or id. Jobs that were submitted with it are made all the same.

        Raises:
            NotFound: the server has no such upload.
        """
        upload_id = upload.upload if isinstance(upload, Upload) else upload
        self._transport.request("DELETE", f"uploads/{upload_id}")

    def seeds(self) -> list[dict[str, Any]]:
        """The built-in seed images."""
        seeds: list[dict[str, Any]] = self._get("seeds")["seeds"]
        return seeds

    def models(self) -> list[dict[str, Any]]:
        """The models that have a worker now."""
        models: list[dict[str, Any]] = self._get("models")["models"]
        return models

    def _pages(self, name: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
        """The items of a list, `name` being its path and its field."""
        while True:
            page = self._get(name, params)
            yield from page[name]
            if not page["next_cursor"]:
                return
            params["cursor"] = page["next_cursor"]

    def _get(self, path: str, params: dict[str, str] | None = None) -> Any:
        return self._transport.request("GET", path, params=params).json()

    def _post_jobs(self, body: object, idempotency_key: str | None = None) -> Any:
        # One key for all attempts: a lost response must not lead to a second job.
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._transport.request("POST", "jobs", json=body, headers=headers).json()


def _json(request: AnyRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_none=True)
