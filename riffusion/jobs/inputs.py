"""The files that a request reads: its references to uploads and earlier jobs, resolved."""

from dataclasses import dataclass, field

from riffusion.errors import UnknownReference
from riffusion.geometry import columns_of, scaled_width
from riffusion.jobs.database import Database
from riffusion.jobs.record import JobOutput, JobRecord, JobStatus
from riffusion.jobs.tenants import may_see, owns
from riffusion.jobs.uploads import UploadInfo, read_upload
from riffusion.requests import (
    CLIP_SIZE,
    AnyRequest,
    InputSize,
    JobResult,
    Kind,
    Sizes,
    Upload,
    reference_fields,
    references,
)

_STEREO = 2


@dataclass(frozen=True)
class Inputs:
    """The files behind a request's references."""

    keys: dict[str, str] = field(default_factory=dict)
    """Field of the request -> key in Storage."""
    pins: dict[str, str] = field(default_factory=dict)
    """`upload:<id>` or `job:<id>`, whose files are kept until the job ends -> field of the request."""
    sizes: Sizes = field(default_factory=dict)
    """Field of the request -> size of the picture or sound."""


def resolve(database: Database, request: AnyRequest, identity: str, prefix: str = "") -> Inputs:
    """The files behind a request's references to uploads and jobs; seed images aren't files.

    Raises:
        UnknownReference: a field's upload or job isn't there, belongs to another owner, or is of the wrong kind; the
            error names the field, after `prefix`.
        StoreUnavailable: Redis doesn't respond.
    """
    keys: dict[str, str] = {}
    pins: dict[str, str] = {}
    kinds, sizes = reference_fields(type(request)), {}
    for name, reference in references(request).items():
        match reference:
            case Upload(upload=upload_id):
                field = pins[f"upload:{upload_id}"] = f"{prefix}{name}.upload"
                keys[name], sizes[name] = _upload(database, upload_id, identity, kinds[name], field)
            case JobResult(job=job_id):
                field = pins[f"job:{job_id}"] = f"{prefix}{name}.job"
                keys[name], sizes[name] = _job(database, job_id, identity, kinds[name], field)
            case _:
                sizes[name] = CLIP_SIZE
    return Inputs(keys, pins, sizes)


def _upload(database: Database, upload_id: str, identity: str, kind: Kind, field: str) -> tuple[str, InputSize]:
    upload, wanted = read_upload(database, upload_id), "audio" if kind is Kind.SOUND else "image"
    if upload is None or not owns(identity, upload.owner):
        raise UnknownReference(f"There is no upload {upload_id}; it may have expired.", field)
    if upload.info.kind != wanted:
        raise UnknownReference(f"Upload {upload_id} is of kind {upload.info.kind}; {wanted} is needed here.", field)
    return upload.key, _uploaded(upload.info)


def _job(database: Database, job_id: str, identity: str, kind: Kind, field: str) -> tuple[str, InputSize]:
    data = database.hash(f"job:{job_id}")
    record = JobRecord.decode(data) if data else None
    if record is None or not may_see(identity, record.tenant):
        raise UnknownReference(f"There is no job {job_id}; it may have expired.", field)
    if record.status is not JobStatus.SUCCEEDED or record.result is None:
        raise UnknownReference(f"Job {job_id} has no result: it is {record.status}.", field)
    result = record.result
    return result.audio.key if kind is Kind.SOUND else result.image.key, _made(result)


def _uploaded(info: UploadInfo) -> InputSize:
    """The size of a sound as it was probed, and of a picture as the worker will scale it: mono, a column each 10 ms."""
    if info.duration_s is not None:
        return InputSize(columns_of(info.duration_s), min(info.channels or _STEREO, _STEREO))
    if info.width is not None and info.height is not None:
        return InputSize(scaled_width(info.width, info.height))
    return CLIP_SIZE


def _made(result: JobOutput) -> InputSize:
    """The size of what an earlier job made, picture and sound alike."""
    return InputSize(result.image.width, result.audio.channels)
