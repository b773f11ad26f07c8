"""What a request takes in, as files: its references to uploads and earlier jobs, resolved."""

from dataclasses import dataclass, field

from riffusion.errors import UnknownReference
from riffusion.jobs.clients import may_see, owns
from riffusion.jobs.database import Database
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.requests import AnyRequest, JobResult, Upload, references


@dataclass(frozen=True)
class Inputs:
    """The files behind a request's references."""

    keys: dict[str, str] = field(default_factory=dict)  # field -> key in Files
    pins: dict[str, str] = field(default_factory=dict)  # "upload:<id>" or "job:<id>" -> field, to be kept meanwhile
    clip_seconds: float | None = None  # of the clip taken in, where there is one


def resolve(database: Database, request: AnyRequest, identity: str, prefix: str = "") -> Inputs:
    """The files behind a request's references to uploads and jobs; seed images aren't files.

    Raises:
        UnknownReference: naming the field (after `prefix`) whose upload or job isn't there, isn't this client's or is
            of the wrong kind.
        StoreUnavailable: Redis doesn't answer.
    """
    keys: dict[str, str] = {}
    pins: dict[str, str] = {}
    clip_seconds: float | None = None
    for name, reference in references(request).items():
        match reference:
            case Upload(upload=upload_id):
                field = pins[f"upload:{upload_id}"] = f"{prefix}{name}.upload"
                keys[name], seconds = _upload(database, upload_id, identity, name, field)
            case JobResult(job=job_id):
                field = pins[f"job:{job_id}"] = f"{prefix}{name}.job"
                keys[name], seconds = _job(database, job_id, identity, name, field)
            case _:
                continue
        clip_seconds = seconds if name == "clip" else clip_seconds
    return Inputs(keys, pins, clip_seconds)


def _upload(database: Database, upload_id: str, identity: str, name: str, field: str) -> tuple[str, float | None]:
    data = database.hash(f"upload:{upload_id}")
    if not data or not owns(identity, data.get(b"owner", data[b"client"]).decode()):
        raise UnknownReference(f"There is no upload {upload_id}; it may have expired.", field)
    kind, wanted = data[b"kind"].decode(), "audio" if name == "clip" else "image"
    if kind != wanted:
        raise UnknownReference(f"Upload {upload_id} is of kind {kind}; {wanted} is needed here.", field)
    return data[b"key"].decode(), float(data[b"duration_s"]) if b"duration_s" in data else None


def _job(database: Database, job_id: str, identity: str, name: str, field: str) -> tuple[str, float | None]:
    data = database.hash(f"job:{job_id}")
    record = JobRecord.decode(data) if data else None
    if record is None or not may_see(identity, record.client):
        raise UnknownReference(f"There is no job {job_id}; it may have expired.", field)
    if record.status is not JobStatus.SUCCEEDED or record.result is None:
        raise UnknownReference(f"Job {job_id} has no result: it is {record.status}.", field)
    if name == "clip":
        return record.result.audio.key, record.result.audio.duration_s
    return record.result.image.key, None
