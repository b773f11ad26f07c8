"""Uploads: whose they are, what shares a file, how long they stay."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from riffusion.errors import Conflict, NotFound, StorageUnavailable, UnknownReference
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import Failure, Success
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.store import JobStore
from riffusion.jobs.sweep import Sweep
from riffusion.jobs.uploads import Upload, UploadInfo, UploadStore
from riffusion.requests import InputSize, cost, parse, references
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import by, claim, keys, submit, success, to_sweep

PICTURE = UploadInfo("image", "image/png", width=512, height=512)
SOUND = UploadInfo("audio", "audio/wav", duration_s=12.5)


@pytest.fixture
def uploads(redis: Redis, files: Storage, settings: Settings) -> UploadStore:
    return UploadStore(redis, files, settings)


def expire(redis: Redis, upload: Upload) -> None:
    redis.zadd("sweep_at", {f"upload:{upload.id}": 1})


def riff(upload: Upload) -> Submission:
    return Submission(parse({"mode": "riff", "prompt": "x", "init": {"upload": upload.id}}), by("alice"))


def test_an_upload_reads_back(uploads: UploadStore, files: Storage) -> None:
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


def test_the_same_content_shares_one_file_while_anyone_needs_it(
    uploads: UploadStore, files: Storage, redis: Redis, sweep: Callable[[], int]
) -> None:
    first = uploads.add(by("alice"), io.BytesIO(b"same"), PICTURE)
    second = uploads.add(by("bob"), io.BytesIO(b"same"), PICTURE)
    assert first.key == second.key
    expire(redis, first)
    sweep()
    with pytest.raises(UnknownReference):
        uploads.get(first.id, "alice")
    assert files.get(second.key) == b"same"
    expire(redis, second)
    sweep()
    assert list(files.list("uploads/")) == []
    assert keys(redis) == set()


def test_an_upload_while_its_content_is_being_deleted_is_kept(
    uploads: UploadStore, files: Storage, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = uploads.add(by("alice"), io.BytesIO(b"same"), PICTURE)
    expire(redis, first)
    late: list[Upload] = []
    delete = files.delete

    def delete_late(keys: list[str]) -> None:
        late.append(uploads.add(by("alice"), io.BytesIO(b"same"), PICTURE))
        delete(list(keys))

    monkeypatch.setattr(files, "delete", delete_late)
    Sweep(redis, files, settings).run()
    assert files.get(late[0].key) == b"same"


def test_it_is_kept_while_a_job_needs_it(
    uploads: UploadStore, files: Storage, store: JobStore, redis: Redis, sweep: Callable[[], int]
) -> None:
    upload = uploads.add(by("alice"), io.BytesIO(b"x"), PICTURE)
    store.accept([riff(upload), riff(upload)])
    first = claim(store)
    for _ in range(2):
        expire(redis, upload)
        assert sweep() == 0
        assert files.get(upload.key) == b"x"
        store.finish(first.id, first.token, success(first))
    store.cancel(claim(store).id)
    expire(redis, upload)
    assert sweep() == 1
    assert list(files.list("uploads/")) == []


def test_a_job_is_refused_when_its_upload_went_meanwhile(
    uploads: UploadStore, store: JobStore, redis: Redis, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploads.add(by("alice"), io.BytesIO(b"x"), PICTURE)
    run = store._database.run

    def run_late(*args: Any, **options: Any) -> object:
        expire(redis, upload)
        sweep()
        return run(*args, **options)

    monkeypatch.setattr(store._database, "run", run_late)
    with pytest.raises(UnknownReference) as caught:
        store.accept([riff(upload)])
    assert caught.value.field == "init.upload"
    assert store.list(by("alice")).records == ()


def test_what_could_not_be_stored_expires_all_the_same(
    uploads: UploadStore, files: Storage, redis: Redis, monkeypatch: pytest.MonkeyPatch, sweep: Callable[[], int]
) -> None:
    def refuse(*_: object) -> None:
        raise StorageUnavailable("no")

    monkeypatch.setattr(files, "put", refuse)
    with pytest.raises(StorageUnavailable):
        uploads.add(by("alice"), io.BytesIO(b"x"), PICTURE)
    (member,) = redis.zrange("sweep_at", 0, -1)  # type: ignore[misc]
    redis.zadd("sweep_at", {member: 1})
    sweep()
    assert keys(redis) == set()


def add(uploads: UploadStore, client: str = "alice", content: bytes = b"x") -> Upload:
    return uploads.add(by(client), io.BytesIO(content), PICTURE)


def test_an_owners_uploads_are_listed_newest_first_in_pages(uploads: UploadStore) -> None:
    made = [add(uploads, content=bytes([number])) for number in range(5)]
    add(uploads, "bob")
    assert uploads.list(by("alice")).uploads == tuple(reversed(made))
    assert uploads.list(by("alice")).cursor is None
    seen: list[Upload] = []
    cursor: str | None = ""
    while cursor is not None:
        page = uploads.list(by("alice"), 2, cursor or None)
        seen += page.uploads
        cursor = page.cursor
    assert seen == list(reversed(made))
    assert uploads.list(by("nobody")).uploads == ()


def test_what_expired_is_not_listed(uploads: UploadStore, redis: Redis, sweep: Callable[[], int]) -> None:
    old, new = add(uploads), add(uploads, content=b"y")
    expire(redis, old)
    sweep()
    assert uploads.list(by("alice")).uploads == (new,)


def test_what_a_version_without_lists_deleted_is_not_listed(uploads: UploadStore, redis: Redis) -> None:
    old, new = add(uploads), add(uploads, content=b"y")
    redis.delete(f"upload:{old.id}")
    assert uploads.list(by("alice")).uploads == (new,)
    assert redis.zcard("uploads_of:alice") == 1


def test_a_deleted_upload_leaves_nothing(
    uploads: UploadStore, files: Storage, redis: Redis, sweep: Callable[[], int]
) -> None:
    upload = add(uploads)
    uploads.delete(upload.id, "alice")
    with pytest.raises(UnknownReference):
        uploads.get(upload.id, "alice")
    sweep()
    assert list(files.list("uploads/")) == []
    assert keys(redis) - keys(redis, "lists:*") - {"erasing", "sweep_at"} | to_sweep(redis) == set()
    with pytest.raises(NotFound):
        uploads.delete(upload.id, "alice")


def test_only_its_owner_deletes_an_upload(uploads: UploadStore) -> None:
    upload = add(uploads)
    with pytest.raises(NotFound):
        uploads.delete(upload.id, "bob")
    assert uploads.get(upload.id, "alice") == upload
    uploads.delete(upload.id)  # the operator


def test_jobs_keep_a_deleted_upload_until_they_end(
    uploads: UploadStore, files: Storage, store: JobStore, redis: Redis, sweep: Callable[[], int]
) -> None:
    upload = add(uploads)
    store.accept([riff(upload)])
    running = claim(store)
    uploads.delete(upload.id, "alice")
    sweep()
    assert files.get(upload.key) == b"x"
    assert uploads.list(by("alice")).uploads == ()
    with pytest.raises(UnknownReference):
        store.accept([riff(upload)])
    store.finish(running.id, running.token, Failure("out_of_memory", "No."))
    with pytest.raises(Conflict):
        Requeue(redis, store.settings).requeue(running.id)
    expire(redis, upload)
    sweep()
    assert list(files.list("uploads/")) == []


def test_a_deletion_between_the_check_and_the_accept_refuses_the_job(
    uploads: UploadStore, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = add(uploads)
    run = store._database.run

    def run_late(*args: Any, **options: Any) -> object:
        uploads.delete(upload.id, "alice")
        return run(*args, **options)

    monkeypatch.setattr(store._database, "run", run_late)
    with pytest.raises(UnknownReference):
        store.accept([riff(upload)])


def test_the_same_content_uploaded_again_is_another_upload(
    uploads: UploadStore, files: Storage, sweep: Callable[[], int]
) -> None:
    first = add(uploads)
    uploads.delete(first.id, "alice")
    second = add(uploads)
    sweep()
    assert files.get(second.key) == b"x"
    assert uploads.get(second.id, "alice") == second


def test_a_deleted_upload_counts_until_its_file_is_deleted(
    uploads: UploadStore, redis: Redis, sweep: Callable[[], int]
) -> None:
    upload = add(uploads, content=b"12345")
    assert int(redis.hget("kept:alice", "stored_bytes") or 0) == 5  # type: ignore[arg-type]
    uploads.delete(upload.id, "alice")
    assert int(redis.hget("kept:alice", "stored_bytes") or 0) == 5  # type: ignore[arg-type]
    sweep()
    assert redis.hget("kept:alice", "stored_bytes") is None


@pytest.mark.parametrize("shared", [False, True])
def test_an_upload_that_is_deleted_while_it_is_stored_leaves_no_file(
    uploads: UploadStore, files: Storage, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    put = files.put
    others = []

    def delete_and_put(*args: Any) -> None:
        monkeypatch.setattr(files, "put", put)
        (listed,) = uploads.list(by("alice")).uploads
        if shared:
            others.append(add(uploads, "bob"))
        uploads.delete(listed.id, "alice")
        sweep()
        put(*args)

    monkeypatch.setattr(files, "put", delete_and_put)
    add(uploads)
    sweep()
    assert list(files.list("uploads/")) == [other.key for other in others]
