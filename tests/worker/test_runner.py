"""One job after another, with a storage and a Redis that fail now and then."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import numpy as np
import pytest
from prometheus_client import REGISTRY
from redis import Redis

from riffusion.errors import StorageFull, StorageUnavailable
from riffusion.generate import Clip, Control, Renderer
from riffusion.geometry import SpectrogramParams
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import AudioOutput, Failure, ImageOutput, JobOutput, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.jobs.sweep import Sweep
from riffusion.jobs.uploads import UploadInfo, UploadStore
from riffusion.requests import AnyRequest, Upload
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.requests.modes.image_to_audio import ImageToAudio
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas
from riffusion.storage import Storage
from riffusion.storage.local import LocalStorage
from tests.conftest import ValkeyServer, wait_until
from tests.jobs.conftest import by
from tests.worker.cheap import CheapGenerator
from tests.worker.conftest import Jobs
from worker.heartbeat import Heartbeat
from worker.runner import Runner


class UnreliableStorage(LocalStorage):
    """A storage that takes pictures, and raises what `error` says instead of storing sounds."""

    error: type[StorageUnavailable] | None = None
    refused = 0

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
        if self.error and key.endswith(".mp3"):
            self.refused += 1
            raise self.error("No.")
        super().put(key, data, content_type)


@pytest.fixture
def unreliable(settings: Settings) -> UnreliableStorage:
    return UnreliableStorage(settings)


@pytest.fixture
def heartbeat(store: JobStore, settings: Settings) -> Iterator[Heartbeat]:
    beating = Heartbeat(store, settings, "me")
    beating.start()
    yield beating
    beating.stop()


@pytest.fixture
def runner(store: JobStore, unreliable: UnreliableStorage, settings: Settings, heartbeat: Heartbeat) -> Runner:
    return Runner(store, unreliable, CheapGenerator(), heartbeat, settings)


@contextmanager
def working(runner: Runner) -> Iterator[threading.Thread]:
    """Lets the runner work beside the test."""
    thread = threading.Thread(target=runner.work)
    thread.start()
    yield thread
    thread.join(60)
    assert not thread.is_alive()


def test_both_files_are_stored_at_once(store: JobStore, settings: Settings, heartbeat: Heartbeat, jobs: Jobs) -> None:
    meeting = threading.Barrier(2)

    class Meeting(LocalStorage):
        def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
            meeting.wait(30)
            super().put(key, data, content_type)

    job = jobs.submit("0")
    Runner(store, Meeting(settings), CheapGenerator(), heartbeat, settings).work()
    assert jobs.get(job).status is JobStatus.SUCCEEDED


def test_a_worker_whose_device_is_lost_takes_no_job(
    store: JobStore, unreliable: UnreliableStorage, settings: Settings, heartbeat: Heartbeat, jobs: Jobs
) -> None:
    lost = CheapGenerator()
    lost.alive = False
    job = jobs.submit("0")
    runner = Runner(store, unreliable, lost, heartbeat, settings)
    runner.work()
    assert runner.broken
    assert jobs.get(job).status is JobStatus.QUEUED


def swept(files: Storage, store: JobStore) -> set[str]:
    """What is kept once the sweep has looked at what is due."""
    Sweep(store.redis, files, store.settings).run()
    return kept(files)


def kept(files: Storage) -> set[str]:
    return set(files.list("results/"))


def test_jobs_run_until_none_waits(runner: Runner, jobs: Jobs, unreliable: UnreliableStorage) -> None:
    first, second = jobs.submit("0"), jobs.submit("0")
    runner.work()
    record = jobs.get(first)
    assert record.status is JobStatus.SUCCEEDED
    image, audio = f"{record.folder}clip.png", f"{record.folder}clip.mp3"
    assert first not in image
    assert record.result == JobOutput(
        ImageOutput(image, 512, 512, len(b"picture")), AudioOutput(audio, 5.12, 44_100, 1, "mp3", len(b"sound"))
    )
    assert record.warnings == ("cheap",)
    assert (unreliable.get(image), unreliable.get(audio)) == (b"picture", b"sound")
    assert jobs.get(second).status is JobStatus.SUCCEEDED


def test_inputs_come_from_the_storage(
    runner: Runner, store: JobStore, redis: Redis, unreliable: UnreliableStorage
) -> None:
    info = UploadInfo("audio", "audio/wav", duration_s=5)
    upload = UploadStore(redis, unreliable, store.settings).add(by("somebody"), BytesIO(b"uploaded"), info)
    request = AudioToImage(clip=Upload(upload=upload.id))
    job_id = store.accept([Submission(request, by("somebody"))]).records[0].id
    runner.work()
    assert unreliable.get(f"{store.get(job_id).folder}clip.mp3") == b"uploaded"


def test_what_can_not_be_heard_fails_and_leaves_no_file(
    store: JobStore, redis: Redis, unreliable: UnreliableStorage, settings: Settings, heartbeat: Heartbeat
) -> None:
    class Rendering(CheapGenerator):
        def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
            return Renderer(settings).run(request, inputs, control)

    pixels = np.full((1, 512, 20), 255, np.uint8)
    pixels[:, 511] = 0
    infrasound = Canvas(pixels, SpectrogramParams()).png()
    info = UploadInfo("image", "image/png", width=20, height=512)
    upload = UploadStore(redis, unreliable, store.settings).add(by("somebody"), BytesIO(infrasound), info)
    request = ImageToAudio(image=Upload(upload=upload.id), format="wav")
    job_id = store.accept([Submission(request, by("somebody"))]).records[0].id
    Runner(store, unreliable, Rendering(), heartbeat, settings).work()
    error = store.get(job_id).error
    assert error is not None
    assert error.code == "inaudible_sound"
    assert kept(unreliable) == set()


def test_a_refusal_is_shown_and_a_bug_is_not(runner: Runner, jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    refused, broken = jobs.submit("refuse"), jobs.submit("break")
    runner.work()
    assert jobs.get(refused).error == Failure("broken_picture", "The picture isn't finite.")
    error = jobs.get(broken).error
    assert error is not None
    assert error.code == "internal"
    assert "secret" not in error.detail
    assert "/secret/path" in caplog.text


def test_a_storage_that_comes_back_costs_nothing(runner: Runner, jobs: Jobs, unreliable: UnreliableStorage) -> None:
    unreliable.error = StorageUnavailable
    first = jobs.submit("0")
    with working(runner):
        wait_until(lambda: unreliable.refused, message="nothing was stored")
        # Meanwhile no thread of this worker takes another job.
        second = jobs.submit("0")
        with working(runner):
            wait_until(lambda: unreliable.refused > 2)
            assert jobs.get(second).status is JobStatus.QUEUED
            assert REGISTRY.get_sample_value("riffusion_worker_storage_up") == 0
            unreliable.error = None
    assert REGISTRY.get_sample_value("riffusion_worker_storage_up") == 1
    assert (REGISTRY.get_sample_value("riffusion_worker_storage_failures_total") or 0) >= 3
    assert (REGISTRY.get_sample_value("riffusion_worker_stage_seconds_count", {"stage": "store"}) or 0) >= 2
    assert (jobs.get(first).status, jobs.get(first).attempts) == (JobStatus.SUCCEEDED, 1)
    assert jobs.get(second).status is JobStatus.SUCCEEDED


def test_a_full_storage_fails_the_job_and_not_the_worker(
    runner: Runner, jobs: Jobs, unreliable: UnreliableStorage
) -> None:
    unreliable.error = StorageFull
    failed = jobs.submit("0")
    runner.work()
    assert jobs.get(failed).error == Failure("storage_full", "No.")
    unreliable.error = None
    fine = jobs.submit("0")
    runner.work()
    assert jobs.get(fine).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("error", [None, StorageUnavailable])
def test_a_canceled_job_stops_and_leaves_nothing(
    runner: Runner, jobs: Jobs, store: JobStore, unreliable: UnreliableStorage, error: type[StorageUnavailable] | None
) -> None:
    unreliable.error = error
    job_id = jobs.submit("0" if error else "120")
    with working(runner):
        wait_until(lambda: unreliable.refused if error else jobs.get(job_id).step, message="it never got there")
        store.cancel(job_id)
    assert jobs.get(job_id).status is JobStatus.CANCELED
    unreliable.error = None
    assert swept(unreliable, store) == set()


def test_a_job_lost_at_the_last_moment_leaves_nothing(
    runner: Runner, jobs: Jobs, store: JobStore, unreliable: UnreliableStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = jobs.submit("0")
    finish = store.finish

    def late(*args: object) -> bool:
        store.cancel(job_id)
        return finish(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "finish", late)
    runner.work()
    assert jobs.get(job_id).status is JobStatus.CANCELED
    assert swept(unreliable, store) == set()


def test_what_a_copy_shows_outlives_a_finish_that_is_sent_again(
    runner: Runner, jobs: Jobs, store: JobStore, unreliable: UnreliableStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition: `finish` applies, its reply is lost; the client repeats the request and deletes the first job."""
    seeded = [Submission(TextToAudio(prompt="0", seed=7), by("somebody"))]
    job_id = store.accept(seeded).records[0].id
    finish = store.finish

    def late(*args: object) -> bool:
        assert finish(*args)  # type: ignore[arg-type]
        copies.append(store.accept(seeded).records[0].id)
        store.delete(job_id)
        return finish(*args)  # type: ignore[arg-type]

    copies: list[str] = []
    monkeypatch.setattr(store, "finish", late)
    runner.work()
    copy = store.get(copies[0])
    assert copy.result is not None
    assert copy.result.audio.key in swept(unreliable, store)
    assert unreliable.get(copy.result.audio.key) == b"sound"
    store.delete(copy.id)
    store.redis.zadd("sweep_at", {f"job:{job_id}": 1})
    assert swept(unreliable, store) == set()


def test_a_result_waits_for_redis(
    runner: Runner, jobs: Jobs, unreliable: UnreliableStorage, valkey: ValkeyServer
) -> None:
    job_id = jobs.submit("2")
    with working(runner):
        wait_until(lambda: jobs.get(job_id).step > 0)
        valkey.pause()
        try:
            wait_until(lambda: len(kept(unreliable)) == 2, message="the job didn't run on without Redis")
        finally:
            valkey.resume()
    record = jobs.get(job_id)
    assert (record.status, record.attempts) == (JobStatus.SUCCEEDED, 1)


def test_who_polls_takes_no_slot_that_is_taken(
    store: JobStore, unreliable: UnreliableStorage, settings: Settings, heartbeat: Heartbeat, jobs: Jobs
) -> None:
    runner = Runner(store, unreliable, CheapGenerator(), heartbeat, settings.model_copy(update={"slots": 1}))
    first = jobs.submit("1")
    with working(runner):
        wait_until(lambda: jobs.get(first).step)
        second = jobs.submit("0")
        runner.work_in_a_free_slot()
        assert jobs.get(second).status is JobStatus.QUEUED
    assert jobs.get(second).status is JobStatus.SUCCEEDED
    third = jobs.submit("0")
    runner.work_in_a_free_slot()
    assert jobs.get(third).status is JobStatus.SUCCEEDED


def test_a_worker_that_stops_takes_nothing_new(runner: Runner, jobs: Jobs) -> None:
    job_id = jobs.submit("0")
    runner.stop()
    runner.work()
    assert jobs.get(job_id).status is JobStatus.QUEUED
