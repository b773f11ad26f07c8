"""A job of the client: its state, its end, its files."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from riffusion.client.transport import Transport, job_error
from riffusion.errors import Canceled, Gone, NotFound, RequestError, UnavailableError

HOLD_S = 20  # for which the server may hold a poll until something changes
PAUSE_S = 1.0  # between polls that the server doesn't hold


@dataclass(frozen=True)
class Downloaded:
    """The paths of a job's downloaded files."""

    image: Path
    audio: Path


class Job:
    """A job on a server. `data` is its latest known state: the JSON of `GET /jobs/<id>`."""

    def __init__(self, transport: Transport, data: dict[str, Any], tag: str | None = None) -> None:
        self._transport = transport
        self._tag = tag
        self.data = data

    @property
    def id(self) -> str:
        """Its id. If the job was submitted without a key, anyone with the id may see, cancel and delete it."""
        return str(self.data["id"])

    @property
    def status(self) -> str:
        """`queued`, `running`, `succeeded`, `failed` or `canceled`."""
        return str(self.data["status"])

    @property
    def ended(self) -> bool:
        """Whether it has reached a terminal state."""
        return self.status in ("succeeded", "failed", "canceled")

    def refresh(self, hold_s: int = 0) -> bool:
        """Fetches the job's state again.

        Args:
            hold_s: seconds for which the server may wait for a change before it responds.

        Returns:
            Whether anything changed.

        Raises:
            NotFound, Gone: the server no longer has the job.
        """
        headers = {"If-None-Match": self._tag} if self._tag else {}
        if hold_s:
            headers["Prefer"] = f"wait={hold_s}"
        response = self._transport.request("GET", f"jobs/{self.id}", headers=headers, wait_s=hold_s)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return False
        self._tag = response.headers.get("ETag")
        self.data = response.json()
        return True

    def wait(self, progress: "Callable[[Job], None] | None" = None, timeout_s: float | None = None) -> "Job":
        """Waits until the job has succeeded, and returns it.

        Args:
            progress: called with this job after every change.

        Raises:
            JobError: the job failed or was canceled; the class says why.
            TimeoutError: the job hasn't ended after `timeout_s`. It keeps running.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.ended:
            left = HOLD_S if deadline is None else int(min(HOLD_S, max(0, deadline - time.monotonic())))
            asked = time.monotonic()
            changed = self.refresh(hold_s=left)
            if changed and progress is not None:
                progress(self)
            if deadline is not None and not self.ended and time.monotonic() >= deadline:
                raise TimeoutError(f"Job {self.id} is still {self.status} after {timeout_s} s.")
            if not changed and time.monotonic() - asked < PAUSE_S:  # a busy server doesn't hold requests
                time.sleep(PAUSE_S)
        if self.status == "canceled":
            raise Canceled(f"Job {self.id} was canceled.")
        if self.status == "failed":
            raise job_error(self.data["error"])
        return self

    def events(self) -> "Iterator[Job]":
        """Yields this job after every event that the server sends, until it ends; a broken stream is resumed.

        Raises:
            UnavailableError: the server has been unavailable for longer than the client's `retry_for_s`.
        """
        last_id: str | None = None
        lost_since: float | None = None
        while not self.ended:
            headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
            try:
                with self._transport.stream("GET", f"jobs/{self.id}/events", headers=headers) as response:
                    for event_id, data in _server_sent(response):
                        last_id, lost_since = event_id, None
                        self.data, self._tag = data, None
                        yield self
                        if self.ended:
                            return
            except UnavailableError:
                lost_since = lost_since or time.monotonic()
                if time.monotonic() - lost_since > self._transport.retry_for_s:
                    raise
            time.sleep(PAUSE_S)

    def preview(self) -> bytes | None:
        """The picture as it emerges, a grey WebP; None while there is none, and once the job has ended.

        `data["preview"]["number"]` rises with each new one, as of the latest `refresh`, `wait` or event.
        """
        if not self.data.get("preview"):
            return None
        try:
            return self._transport.request("GET", self.data["preview"]["url"]).content
        except (NotFound, Gone):
            return None

    def cancel(self) -> "Job":
        """Cancels the job if it hasn't ended; repeating it changes nothing."""
        self.data = self._transport.request("POST", f"jobs/{self.id}/cancel").json()
        self._tag = None
        return self

    def delete(self) -> None:
        """Cancels the job if it hasn't ended, and deletes its record and files."""
        self._transport.request("DELETE", f"jobs/{self.id}")

    def download(self, folder: Path | str, name: str | None = None) -> Downloaded:
        """Saves the picture and the sound of a job that has succeeded.

        Args:
            name: the files' name without suffix; left out, the job's id.

        Raises:
            RequestError: the job has not succeeded, or its files are gone.
        """
        if self.status != "succeeded":
            raise RequestError(f"Job {self.id} has no result: it is {self.status}.")
        self.refresh()  # links expire
        result = self.data["result"]
        stem = Path(folder) / (name or self.id)
        stem.parent.mkdir(parents=True, exist_ok=True)
        image, audio = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.{result['audio']['format']}")
        self._save(result["image"]["url"], image)
        self._save(result["audio"]["url"], audio)
        return Downloaded(image, audio)

    def _save(self, url: str, path: Path) -> None:
        """Saves a file whole or not at all."""
        content = self._transport.request("GET", url).content
        partial = path.with_name(f"{path.name}.part")
        try:
            partial.write_bytes(content)
            os.replace(partial, path)  # noqa: PTH105 -- the same call, under the name that says it replaces
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


def _server_sent(response: httpx.Response) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """The stream's events as (id, data): the part of the HTML standard, 9.2.6, that the server uses."""
    event_id: str | None = None
    data: list[str] = []
    for line in response.iter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and value:
            event_id = value
        elif name == "data":
            data.append(value)
        elif not line and data:
            yield event_id, json.loads("\n".join(data))
            data = []
