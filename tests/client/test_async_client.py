"""`AsyncClient` and the real API, end to end; only the model is left out."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pydub
import pytest
from PIL import Image

from riffusion.client import AsyncClient, Client
from riffusion.errors import BrokenPicture, InvalidRequest, NotFound, Unauthorized
from riffusion.requests import Upload
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.client.in_process_service import serving

pytestmark = pytest.mark.anyio
SECRET = "s" * 22


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as found:
        yield found


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(url, secret=SECRET) as made:
        yield made


async def test_from_a_prompt_to_files(client: AsyncClient, tmp_path: Path) -> None:
    job = await client.run("0", seed=7)
    assert job.data.request["seed"] == 7
    assert (await job.save(tmp_path / "bells.mp3")).read_bytes() == await job.audio.read() == b"sound"
    assert (await job.image.open()).read() == b"picture"
    assert (await client.job(job.id)).data.model_dump() == job.data.model_dump()
    share = await job.publish()
    assert share.url.endswith(share.id)
    await job.delete()


async def test_models_json_and_keywords_are_one_request(client: AsyncClient) -> None:
    asked = TextToAudio(prompt="0", seed=3, width=1024)
    forms = [
        await client.submit(asked),
        await client.submit({"prompt": "0", "seed": 3, "width": 1024}),
        await client.submit("0", seed=3, width=1024),
        await client.submit(mode="text-to-audio", prompt="0", seed=3, width=1024),
        await client.submit(TextToAudio(prompt="0"), seed=3, width=1024),
        *await client.submit_many([asked, asked.model_dump()]),
    ]
    first = forms[0].data.request
    assert all(job.data.request == first for job in forms)
    again = await client.submit(first, seed=4)
    assert again.data.request == first | {"seed": 4}
    assert (await client.submit(first, seed=None)).data.request["seed"] not in (3, None)
    assert (await client.submit_many(["0", "0"]))[0].data.request["mode"] == "text-to-audio"


async def test_one_request_is_not_several(client: AsyncClient) -> None:
    with pytest.raises(TypeError, match="submit takes one"):
        await client.submit_many("bells")
    with pytest.raises(TypeError, match="submit takes one"):
        await client.submit_many({"prompt": "bells"})


async def test_the_server_checks_requests(client: AsyncClient) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await client.run("bells", tempo=3)  # type: ignore[call-arg]
    assert caught.value.fields[0]["field"] == "tempo"
    with pytest.raises(BrokenPicture):
        await client.run("refuse")


async def test_uploads_of_every_kind(client: AsyncClient, tmp_path: Path) -> None:
    def picture(width: int) -> io.BytesIO:
        file = io.BytesIO()
        Image.new("L", (width, 512), 255).save(file, "PNG")
        file.seek(0)
        return file

    path = tmp_path / "white.png"
    path.write_bytes(picture(64).getvalue())
    with path.open("rb") as opened:
        sent = [path, str(path), picture(128).getvalue(), picture(192), opened, pydub.AudioSegment.silent(500)]
        kept = [await client.upload(file) for file in sent]
    assert {upload.id for upload in [each async for each in client.uploads()]} == {each.upload for each in kept}
    assert (await client.run(mode="image-to-audio", image=kept[3])).status == "succeeded"
    job = await client.run(mode="audio-to-image", clip=kept[-1])
    assert (await client.run("0", mode="riff", init=job.reference)).status == "succeeded"
    for upload in kept:
        await client.delete_upload(upload)
    with pytest.raises(NotFound):
        await client.delete_upload(Upload(upload=kept[0].upload))


async def test_lists_are_fetched_page_by_page(client: AsyncClient, url: str) -> None:
    made = [job for _ in range(4) for job in await client.submit_many(["0"] * 16)]
    assert [job.id async for job in client.jobs()] == [job.id for job in reversed(made)]

    def listed() -> list[str]:
        with Client(url, secret=SECRET) as blocking:
            return [job.id for job in blocking.jobs()]

    assert await asyncio.to_thread(listed) == [job.id for job in reversed(made)]
    async with AsyncClient(url) as stranger:
        with pytest.raises(Unauthorized):
            await anext(stranger.jobs())


async def test_events_bring_previews(client: AsyncClient) -> None:
    job = await client.submit("1")
    events = [event async for event in job.events(previews=True)]
    assert job.status == events[-1].data.status == "succeeded"
    pictures = [event.preview for event in events if event.preview]
    assert pictures
    assert all(picture.startswith(b"preview ") for picture in pictures)
    numbers = [int(picture.split()[1]) for picture in pictures]
    assert numbers == sorted(numbers)  # one that comes late has the picture of the next
    assert await job.preview() is None


async def test_a_canceled_run_ends_its_job(client: AsyncClient) -> None:
    with pytest.raises(TimeoutError):
        await client.run("60", timeout_s=0.5)
    (job,) = [each async for each in client.jobs()]
    assert job.status == "canceled"


async def test_waiting_for_many_at_once(client: AsyncClient) -> None:
    jobs = await asyncio.gather(*(client.run("0") for _ in range(20)))
    assert {job.status for job in jobs} == {"succeeded"}


async def test_options_hold_for_one_call(client: AsyncClient) -> None:
    assert "drums" in [seed.name for seed in await client.with_options(timeout_s=5, retry_for_s=0).seeds()]
    assert client._transport.timeout_s == 30
