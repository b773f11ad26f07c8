"""Uploads: whose they are, what shares a file, how long they stay."""

import io
import re
from dataclasses import replace

import pytest
from redis import Redis

from riffusion.errors import UnknownReference
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.files import Files
from riffusion.jobs.record import Success
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import Upload, UploadInfo, UploadStore
from riffusion.requests import InputSize, cost, parse, references
from riffusion.settings import Settings
from tests.jobs.conftest import by, claim, submit, success

PICTURE = UploadInfo("image", "image/png", width=512, height=512)
SOUND = UploadInfo("audio", "audio/wav", duration_s=12.5)


@pytest.fixture
def uploads(redis: Redis, files: Files, settings: Settings) -> UploadStore:
    return UploadStore(redis, files, settings)


def expire(redis: Redis, upload: Upload) -> None:
    redis.zadd("sweep_at", {f"upload:{upload.id}": 1})


def riff(upload: Upload) -> Submission:
    return Submission(parse({"mode": "riff", "prompt": "x", "init": {"upload": upload.id}}), by("alice"))


def test_an_upload_reads_back(uploads: UploadStore, files: Files) -> None:
    stream = io.BytesIO(b"picture")
    stream.read(3)
    upload = uploads.add(by("alice"), stream, PICTURE)
    assert uploads.get(upload.id, "alice") == upload
    assert (upload.size, upload.info) == (7, PICTURE)
    assert re.fullmatch(r"uploads/[0-9a-f]{32}/file\.png", upload.key)
    assert files.get(upload.key) == b"picture"
    assert uploads.add(by("alice"), io.BytesIO(b"sound"), SOUND).info == SOUND


def test_it_is_unknown_to_others(uploads: UploadStore, store: JobStore) -> None:
    upload = uploads.add(by("bob"), io.BytesIO(b"picture"), PICTURE)
    with pytest.raises(UnknownReference):
        uploads.get(upload.id, "alice")
    with pytest.raises(UnknownReference) as caught:
        store.accept([riff(upload)])
    assert caught.value.field == "init.upload"


def test_a_sound_is_no_picture(uploads: UploadStore, store: JobStore) -> None:
    with pytest.raises(UnknownReference, match="image is needed"):
        store.accept([riff(uploads.add(by("alice"), io.BytesIO(b"sound"), SOUND))])


def test_a_job_takes_it_in(uploads: UploadStore, store: JobStore) -> None:
    picture, sound = (uploads.add(by("alice"), io.BytesIO(b"x"), info) for info in (PICTURE, SOUND))
    record = store.accept([riff(picture)]).records[0]
    assert record.inputs == {"init": picture.key}
    cover = {"mode": "audio-to-audio", "prompt": "x", "clip": {"upload": sound.id}, "denoising": 1.0, "steps": 10}
    record = store.accept([Submission(parse(cover), by("alice"))]).records[0]
    assert record.inputs == {"clip": sound.key}


@pytest.mark.parametrize(
    ("info", "size"),
    [
        (SOUND, InputSize(1251, channels=2)),
        (replace(SOUND, channels=1), InputSize(1251, channels=1)),
        (replace(SOUND, channels=6), InputSize(1251, channels=2)),
        (PICTURE, InputSize(512)),
        (replace(PICTURE, width=1000, height=256), InputSize(2000)),
    ],
)
def test_a_job_is_charged_by_the_size_of_what_it_takes_in(
    uploads: UploadStore, store: JobStore, info: UploadInfo, size: InputSize
) -> None:
    upload = {"upload": uploads.add(by("alice"), io.BytesIO(b"x"), info).id}
    fields = (
        {"mode": "audio-to-image", "clip": upload}
        if info.kind == "audio"
        else {"mode": "image-to-audio", "image": upload}
    )
    request = parse(fields)
    assert store.accept([Submission(request, by("alice"))]).records[0].cost == pytest.approx(
        cost(request, dict.fromkeys(references(request), size))
    )


@pytest.mark.parametrize(("mode", "field"), [("audio-to-image", "clip"), ("image-to-audio", "image")])
def test_what_an_earlier_job_made_has_a_size_too(store: JobStore, mode: str, field: str) -> None:
    submit(store)
    job = claim(store)
    output = success(job).output
    store.finish(job.id, job.token, Success(replace(output, image=replace(output.image, width=3000))))
    request = parse({"mode": mode, field: {"job": job.id}})
    record = store.accept([Submission(request, by("alice"))]).records[0]
    assert record.cost == pytest.approx(cost(request, {field: InputSize(3000, channels=2)}))


def test_each_input_has_a_size(uploads: UploadStore, store: JobStore) -> None:
    picture, mask = (uploads.add(by("alice"), io.BytesIO(b"x"), replace(PICTURE, width=width)) for width in (700, 64))
    fields = {"init": {"upload": picture.id}, "mask": {"upload": mask.id}}
    request = parse({"mode": "inpaint", "prompt": "x", **fields})
    assert store.input_sizes(request, "alice") == {"init": InputSize(700), "mask": InputSize(64)}
    of_a_seed_image = parse({"mode": "image-to-audio", "image": {"seed_image": "drums"}})
    assert store.input_sizes(of_a_seed_image, "alice") == {"image": InputSize(512)}
