"""What riffusion-app's server route and bots send and read, recorded from the app as it is."""

import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from PIL import Image
from structlog.testing import capture_logs

from api.app import create_app
from api.compatibility import run_inference
from api.services import Services
from riffusion.jobs.record import AudioOutput, ImageOutput, JobOutput, JobRecord, Success
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.api.conftest import PROBLEM, Client, LiveServer, Worker, submit
from tests.conftest import ValkeyServer, wait_until

PATH = "/run_inference/"
# The route passes on what the page has stringified, with these headers.
APP_HEADERS = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
APP_BODY = {
    "alpha": 0.25,
    "num_inference_steps": 50,
    "seed_image_id": "og_beat",
    "mask_image_id": None,
    "start": {"prompt": "church bells", "seed": 738973, "denoising": 0.75, "guidance": 7},
    "end": {"prompt": "church bells", "seed": 738974, "denoising": 0.75, "guidance": 7},
}
SOUND = b"\xff\xfb" + bytes(range(256)) * 4
TEXT = "text/plain; charset=utf-8"


def picture() -> bytes:
    exif = Image.Exif()
    exif[11050] = 20
    file = io.BytesIO()
    Image.new("L", (512, 512), 128).save(file, "PNG", exif=exif)
    return file.getvalue()


@pytest.fixture
def client(client: Client) -> Client:
    """As such a client is: without a secret."""
    del client.environ_base["HTTP_RIFFUSION_SECRET"]
    return client


@pytest.fixture
def soon() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Runs something while the client waits."""
    timers = []

    def start(action: Callable[[], object]) -> None:
        timers.append(threading.Timer(0.15, action))
        timers[-1].start()

    yield start
    for timer in timers:
        timer.join()


@pytest.fixture
def make(services: Services, worker: Worker, soon: Callable[..., None]) -> Callable[[], list[JobRecord]]:
    """Ends the job that comes next, with a picture and a sound; returns what was claimed."""
    claimed: list[JobRecord] = []

    def finish() -> None:
        record = worker.claim()
        claimed.append(record)
        services.files.put(f"{record.folder}clip.png", data := picture(), "image/png")
        services.files.put(f"{record.folder}clip.mp3", SOUND, "audio/mpeg")
        image = ImageOutput(f"{record.folder}clip.png", 512, 512, len(data))
        audio = AudioOutput(f"{record.folder}clip.mp3", 5.12, 44100, 1, "mp3", len(SOUND))
        assert services.store.finish(record.id, record.token, Success(JobOutput(image, audio)))

    def begin() -> list[JobRecord]:
        soon(finish)
        return claimed

    return begin


def test_the_app_gets_a_clip(client: Client, make: Callable[[], list[JobRecord]]) -> None:
    claimed = make()
    response = client.post(PATH, json=APP_BODY, headers=APP_HEADERS)
    assert (response.status_code, response.mimetype) == (200, "application/json"), response.text
    clip = response.json
    assert set(clip) == {"image", "audio", "duration_s"}
    assert clip["duration_s"] == 5.12
    kind, _, data = clip["image"].partition(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (512, 512))
        assert image.getexif()[11050] == 20
    (record,) = claimed
    assert record.request == {
        "mode": "interpolate",
        "start": {"prompt": "church bells", "seed": 738973, "denoising": 0.75, "guidance": None},
        "end": {"prompt": "church bells", "seed": 738974, "denoising": 0.75, "guidance": None},
        "alpha": 0.25, "init": {"seed_image": "drums"}, "quality": "fast", "steps": 10,
    } | {name: value for name, value in record.request.items() if name in UNUSED}  # fmt: skip


UNUSED = {
    "model",
    "format",
    "negative_prompt",
    "scheduler",
    "timestep_spacing",
    "guidance_end",
    "lora",
    "clips",
    "mask",
}


def test_a_bot_decodes_the_whole_uri_as_base64(client: Client, make: Callable[[], list[JobRecord]]) -> None:
    make()
    clip = client.post(PATH, json=APP_BODY).json
    assert base64.b64decode(clip["audio"])[15:] == SOUND  # players skip what stands before the first frame


@pytest.mark.parametrize(
    "kind", [None, "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_the_content_type_does_not_matter(
    client: Client, make: Callable[[], list[JobRecord]], kind: str | None
) -> None:
    make()
    body = json.dumps(APP_BODY)
    assert client.post(PATH, data=body, content_type=kind).status_code == 200


def test_a_clip_that_nobody_can_find_again_is_not_kept(
    client: Client, services: Services, make: Callable[[], list[JobRecord]]
) -> None:
    claimed = make()
    client.post(PATH, json=APP_BODY)
    assert client.get(f"/jobs/{claimed[0].id}").status_code == 410
    make()
    secret = {"Riffusion-Secret": "c" * 22}
    client.post(PATH, json=APP_BODY, headers=secret)
    assert [job["status"] for job in client.get("/jobs", headers=secret).json["jobs"]] == ["succeeded"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[]", "body"),
        ({**APP_BODY, "alpha": "x"}, "alpha"),
        ({**APP_BODY, "start": {"prompt": "a" * 2001}}, "start.prompt"),
        ({**APP_BODY, "seed_image_id": "../../etc/passwd"}, "init.seed_image"),
        ({**APP_BODY, "seed_image_id": "nothing"}, "nothing"),
        ({**APP_BODY, "mask_image_id": "nothing"}, "nothing"),
    ],
)
def test_errors_are_text(client: Client, worker: Worker, body: Any, words: str) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = client.post(PATH, **({"data": body} if isinstance(body, str) else {"json": body}))
    assert [line["code"] for line in lines if line["event"] == "request"]
    assert 400 <= response.status_code < 500
    assert response.content_type == TEXT
    assert words in response.text
    assert "X-Request-Id" in response.headers


def test_a_body_may_be_as_large_as_any(client: Client, settings: Settings) -> None:
    response = client.post(PATH, data=b" " * (settings.max_body_bytes + 1))
    assert (response.status_code, response.content_type) == (413, TEXT)


def test_a_failed_job_is_an_error(client: Client, worker: Worker, soon: Callable[..., None]) -> None:
    soon(lambda: worker.fail(worker.claim()))
    response = client.post(PATH, json=APP_BODY)
    assert (response.status_code, response.content_type) == (500, TEXT)
    assert response.text == "The job is too large.\n"


def test_a_clip_that_takes_too_long_is_canceled(
    client: Client, services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_inference, "MAX_HELD_S", 0.1)
    response = client.post(PATH, json=APP_BODY)
    assert (response.status_code, response.content_type) == (504, TEXT)
    assert services.store.count_waiting(Worker.MODEL) == 0


def test_an_abandoned_request_leaves_no_job(live: LiveServer) -> None:
    store = JobStore.connect(live.settings)
    live.worker()  # so that the model is known
    body = json.dumps(APP_BODY).encode()
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (PATH.encode(), len(body)) + body
        )
        wait_until(lambda: store.count_waiting(Worker.MODEL) == 1, 30, "no job was accepted")
    wait_until(lambda: store.count_waiting(Worker.MODEL) == 0, 30, "the job still waits")


def test_limits_are_those_of_jobs(valkey: ValkeyServer, tmp_path: Path) -> None:
    app = create_app(Settings(redis_url=valkey.url, data_dir=tmp_path, model="tiny", anonymous_jobs_in_flight=1))
    client = Client(app)
    Worker(app.extensions["riffusion"].store, app.extensions["riffusion"].files)
    submit(client)
    response = client.post(PATH, json=APP_BODY)
    assert (response.status_code, response.content_type) == (429, TEXT)
    assert response.headers["Retry-After"]


def test_the_operators_images_take_the_place_of_ours(
    valkey: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seeds").mkdir()
    for name in ("og_beat", "top"):
        (tmp_path / "seeds" / f"{name}.png").write_bytes(picture())
    settings = Settings(redis_url=valkey.url, data_dir=tmp_path, model="tiny", seed_dir=tmp_path / "seeds")
    app = create_app(settings)
    services = app.extensions["riffusion"]
    worker = Worker(services.store, services.files)
    claimed: list[JobRecord] = []
    timer = threading.Timer(0.15, lambda: claimed.append(worker.claim()))
    timer.start()
    monkeypatch.setattr(run_inference, "MAX_HELD_S", 0.5)
    Client(app).post(PATH, json={**APP_BODY, "mask_image_id": "top"})
    timer.join()
    assert claimed[0].request["init"] == {"seed_image": "og_beat"}
    assert claimed[0].request["mask"] == {"seed_image": "top"}
    assert Client(app).get("/seeds/og_beat.png").data == picture()
    services.hub.close()


def test_a_client_that_reads_nothing_cannot_hold_many_clips(
    client: Client, make: Callable[[], list[JobRecord]], monkeypatch: pytest.MonkeyPatch
) -> None:
    unread = []
    for _ in range(16):
        make()
        unread.append(client.post(PATH, json=APP_BODY, buffered=False))
        assert unread[-1].status_code == 200
    make()
    assert client.post(PATH, json=APP_BODY).status_code == 429
    unread.pop().close()
    make()
    assert client.post(PATH, json=APP_BODY).status_code == 200
    for response in unread:
        response.close()


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example", 403), ("null", 403), ("http://localhost", 422)]
)
def test_pages_of_other_sites_are_refused(client: Client, worker: Worker, origin: str, status: int) -> None:
    response = client.post(PATH, data="{}", content_type="text/plain", headers={"Origin": origin})
    assert (response.status_code, response.content_type) == (status, TEXT)


@pytest.mark.parametrize("origins", ["*", "https://fork.example https://x.example"])
def test_pages_that_may_call_the_api_may_use_it(valkey: ValkeyServer, tmp_path: Path, origins: str) -> None:
    client = Client(create_app(Settings(redis_url=valkey.url, data_dir=tmp_path, cors_origins=origins)))
    assert client.post(PATH, data="{}", headers={"Origin": "https://fork.example"}).status_code == 422


def test_an_operator_can_switch_it_off(valkey: ValkeyServer, tmp_path: Path) -> None:
    app = create_app(Settings(redis_url=valkey.url, data_dir=tmp_path, run_inference_api=False))
    response = Client(app).post(PATH, json=APP_BODY)
    assert (response.status_code, response.content_type) == (404, PROBLEM)
