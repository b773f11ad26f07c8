"""A job as clients see it: its JSON, its entity tag, its headers."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from api.held_requests import Snapshot
from api.schemas import Job, JobFailure, JobWebhook, Links, Preview, Progress, Queue, Result, ResultAudio, ResultImage
from riffusion.jobs.acceptance import Allowance, Place
from riffusion.jobs.record import JobOutput, JobRecord, JobStatus, Webhook
from riffusion.jobs.tenants import Quota
from riffusion.storage import Storage, signing_time

_POLL_S = 1  # while running
_POLL_MAX_S = 10  # while queued far back


class Presenter:
    """Renders jobs; links begin with `public_url`."""

    def __init__(self, files: Storage, public_url: str, url_ttl_s: int) -> None:
        self._files = files
        self._url_ttl_s = url_ttl_s
        self._public_url = public_url.rstrip("/")

    def job(self, snapshot: Snapshot) -> Job:
        """The whole job."""
        record, place = snapshot.record, snapshot.place
        return Job(
            id=record.id,
            status=record.status,
            mode=record.mode,
            model=record.model,
            created_at=utc(record.created_at),
            started_at=optional_utc(record.started_at),
            completed_at=optional_utc(record.completed_at),
            queue=present_queue(place),
            progress=present_progress(record),
            preview=self._preview(record) if record.preview else None,
            request=record.request,
            degraded=record.degraded,
            attempts=record.attempts,
            result=self._result(record, record.result) if record.result else None,
            error=present_failure(record),
            warnings=list(record.warnings),
            webhook=present_webhook(record.webhook) if record.webhook else None,
            batch=record.batch,
            links=self._links(record.id),
        )

    def address(self, path: str) -> str:
        """The URL of a path of this API."""
        return f"{self._public_url}{path}"

    def location(self, job_id: str) -> str:
        """The URL of a job."""
        return self.address(f"/jobs/{job_id}")

    def etag(self, snapshot: Snapshot) -> str:
        """The tag without its quotes and `W/`: weak, since the ETA may change under the same tag.

        Links to results are part of it, so that a client that relies on a 304 never keeps one that has expired.
        """
        revision, position, paused = snapshot.version
        parts: list[int | str] = [revision] if position is None else [revision, position]
        if paused:
            parts.append("paused")
        if snapshot.record.result:
            parts.append(signing_time(self._url_ttl_s))
        return "-".join(map(str, parts))

    def _preview(self, record: JobRecord) -> Preview:
        return Preview(url=f"{self.location(record.id)}/preview", number=record.preview)

    def _links(self, job_id: str) -> Links:
        here = self.location(job_id)
        return Links(self=here, cancel=f"{here}/cancel", events=f"{here}/events")

    def _result(self, record: JobRecord, output: JobOutput) -> Result:
        image, audio = output.image, output.audio
        name = f"{record.mode}-{image.key.split('/')[1][:8]}"  # without the job's id: links are passed on to others
        image_url = self._files.url(image.key, filename=f"{name}.png")
        audio_url = self._files.url(audio.key, filename=f"{name}.{audio.format}")
        return Result(
            image=ResultImage(
                url=image_url.url, expires_at=utc(image_url.expires_at), width=image.width, height=image.height,
                bytes=image.bytes,
            ),
            audio=ResultAudio(
                url=audio_url.url, expires_at=utc(audio_url.expires_at), duration_s=audio.duration_s,
                sample_rate=audio.sample_rate, channels=audio.channels, format=audio.format, bytes=audio.bytes,
            ),
        )  # fmt: skip


def poll_headers(snapshot: Snapshot) -> Mapping[str, str]:
    """`Retry-After`, while the job may change."""
    if snapshot.record.status.terminal:
        return {}
    seconds = _POLL_S
    if snapshot.place and snapshot.place.paused:
        seconds = _POLL_MAX_S
    elif snapshot.record.status is JobStatus.QUEUED and snapshot.place and snapshot.place.eta_s is not None:
        seconds = min(max(round(snapshot.place.eta_s), _POLL_S), _POLL_MAX_S)
    return {"Retry-After": str(seconds)}


def rate_limit_headers(quota: Quota, allowance: Allowance | None) -> Mapping[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers-10, where there is a limit."""
    if allowance is None:
        return {}
    return {
        "RateLimit-Policy": f'"creates";q={quota.creates_per_minute};w=60',
        "RateLimit": f'"creates";r={allowance.left};t={math.ceil(allowance.whole_s)}',
    }


def present_queue(place: Place | None) -> Queue | None:
    """The place of a job that waits."""
    return Queue(position=place.position, eta_s=place.eta_s, paused=place.paused) if place else None


def present_progress(record: JobRecord) -> Progress | None:
    """How far the latest attempt is, once it has reported a step."""
    return Progress(step=record.step, total=record.total) if record.total else None


def present_failure(record: JobRecord) -> JobFailure | None:
    """Why a job failed."""
    return JobFailure(code=record.error.code, detail=record.error.detail) if record.error else None


def present_webhook(webhook: Webhook) -> JobWebhook:
    """A webhook and its delivery."""
    return JobWebhook(
        url=webhook.url, state=webhook.state, attempts=webhook.attempts,
        next_attempt_at=optional_utc(webhook.next_at), error=webhook.error,
    )  # fmt: skip


def utc(seconds: float) -> datetime:
    """A time of Redis's clock."""
    return datetime.fromtimestamp(seconds, UTC)


def optional_utc(seconds: float | None) -> datetime | None:
    """The same; None for None."""
    return None if seconds is None else utc(seconds)
