"""The client and the real API, end to end; only the model is left out."""

import io
from collections.abc import Iterator
from pathlib import Path

import pydub
import pytest
from PIL import Image

from riffusion.client import Client
from riffusion.errors import (
    BrokenPicture,
    Canceled,
    Gone,
    InvalidRequest,
    NotFound,
    Unauthorized,
    UnknownReference,
    UnreadableMedia,
)
from riffusion.requests import SeedImage, Upload
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.requests.modes.image_to_audio import ImageToAudio
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.client.in_process_service import serving
from tests.conftest import wait_until


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with serving(settings) as url, Client(url, secret="s" * 22) as made:
        yield made


def test_from_a_prompt_to_files(client: Client, tmp_path: Path) -> None:
    steps: list[int] = []
    job = client.submit(TextToAudio(prompt="1", seed=7))
    job.wait(progress=lambda now: steps.append(now.data.progress.step if now.data.progress else 0), timeout_s=60)
    assert job.data.request["seed"] == 7
    assert steps == sorted(steps)
    assert len(set(steps)) > 2
    saved = job.download(tmp_path)
    assert (saved.image.read_bytes(), saved.audio.read_bytes()) == (b"picture", b"sound")
    assert client.job(job.id).status == "succeeded"


def test_many_at_once(client: Client) -> None:
    made = client.submit_many([TextToAudio(prompt="0"), TextToAudio(prompt="0")])
    assert {job.wait(timeout_s=60).status for job in made} == {"succeeded"}
    assert {job.id for job in client.jobs(status="succeeded")} == {job.id for job in made}


def test_without_a_secret_there_is_no_list(client: Client) -> None:
    with Client(str(client._transport.url)) as other, pytest.raises(Unauthorized):
        list(other.jobs())


def test_events_follow_a_job_to_its_end(client: Client) -> None:
    seen = [event.data.status for event in client.submit(TextToAudio(prompt="1")).events()]
    assert seen[-1] == "succeeded"
    assert "running" in seen


def test_cancel_and_delete(client: Client) -> None:
    job = client.submit(TextToAudio(prompt="60"))
    assert job.cancel().status == job.cancel().status == "canceled"
    with pytest.raises(Canceled):
        job.wait(timeout_s=60)
    job.delete()
    with pytest.raises(Gone):
        client.job(job.id)


def test_a_failure_is_raised_as_its_error(client: Client) -> None:
    with pytest.raises(BrokenPicture, match="isn't finite"):
        client.submit(TextToAudio(prompt="refuse")).wait(timeout_s=60)


def test_what_the_server_refuses(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.submit(TextToAudio.model_construct(prompt="0", steps=1))
    assert caught.value.fields[0]["field"] == "steps"
    with pytest.raises(UnknownReference) as unknown:
        client.submit(Riff(prompt="0", init=SeedImage(seed_image="nosuch")))
    assert unknown.value.field.startswith("init")
    with pytest.raises(NotFound):
        client.job("x" * 40)
    (tmp_path / "noise.png").write_bytes(b"noise")
    with pytest.raises(UnreadableMedia):
        client.upload(tmp_path / "noise.png")


def test_a_segment_of_pydub_is_uploaded_as_a_sound(client: Client) -> None:
    segment = pydub.AudioSegment.silent(duration=500, frame_rate=8000)
    upload = client.upload(segment)
    made = client.submit(AudioToImage(clip=upload)).wait(timeout_s=60)
    assert made.status == "succeeded"


def test_an_upload_is_named_by_a_request(client: Client, tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("L", (512, 512), 255).save(picture, "PNG")
    (tmp_path / "white.png").write_bytes(picture.getvalue())
    upload = client.upload(tmp_path / "white.png")
    assert isinstance(upload, Upload)
    assert client.submit(ImageToAudio(image=upload)).wait(timeout_s=60).status == "succeeded"


def test_lists_of_seeds_and_models(client: Client) -> None:
    assert "drums" in [seed.name for seed in client.seeds()]
    wait_until(lambda: [model.name for model in client.models()] == ["tiny"])


def test_uploads_are_listed_and_deleted(client: Client, tmp_path: Path) -> None:
    kept, deleted = (client.upload(_picture(tmp_path, width)) for width in (64, 128))
    client.delete_upload(deleted)
    assert [each.id for each in client.uploads()] == [kept.upload]
    with pytest.raises(NotFound):
        client.delete_upload(deleted.upload)


def _picture(folder: Path, width: int) -> Path:
    path = folder / f"{width}.png"
    Image.new("L", (width, 512), 255).save(path)
    return path
