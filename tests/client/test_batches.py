"""Batches of the client and the real API, end to end; only the model is left out."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from riffusion.client import AsyncClient, Client
from riffusion.errors import BrokenPicture, Canceled, Gone, IdempotencyConflict, InvalidRequest, NotFound, Unauthorized
from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.client.in_process_service import serving

LINES = b'{"mode": "text-to-audio", "prompt": "0", "id": "a"}\n{"mode": "text-to-audio", "prompt": "0"}\n'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def key(settings: Settings) -> str:
    return KeyStore(connect(settings), settings).create("me", UNLIMITED)[0]


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as found:
        yield found


@pytest.fixture
def client(url: str, key: str) -> Iterator[Client]:
    with Client(url, key) as made:
        yield made


@pytest.fixture
async def on_a_loop(url: str, key: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(url, key) as made:
        yield made


def test_from_requests_to_clips(client: Client, tmp_path: Path) -> None:
    ended: list[int] = []
    batch = client.submit_batch(["0", {"id": "mine", "prompt": "0"}, TextToAudio(prompt="0", seed=7), "refuse"])
    assert (batch.status, batch.data.total, batch.data.model) == ("running", 4, "tiny")
    assert batch.wait(progress=lambda now: ended.append(now.data.counts.ended), timeout_s=60) is batch
    assert (batch.status, batch.data.counts.succeeded, batch.data.counts.failed) == ("completed", 3, 1)
    assert ended == sorted(ended)
    assert ended[-1] == 4

    results = list(batch.results())
    assert [(each.line, each.id, each.status) for each in results] == [
        (1, None, "succeeded"), (2, "mine", "succeeded"), (3, None, "succeeded"), (4, None, "failed")
    ]  # fmt: skip
    third = results[2]
    assert third.job
    assert third.error is None
    assert (third.job.data.batch, third.job.data.request["seed"]) == (batch.id, 7)
    assert third.job.save(tmp_path / "a.mp3").read_bytes() == b"sound"
    assert isinstance(results[3].error, BrokenPicture)


def test_found_again_canceled_and_deleted(client: Client) -> None:
    first, second = client.submit_batch(["60"] * 3), client.submit_batch(["0"])
    assert [each.id for each in client.batches()] == [second.id, first.id]
    found = client.batch(first.id)
    assert found.cancel().status == found.cancel().status == "canceled"
    assert first.refresh()
    assert first.wait().ended
    results = list(first.results())
    assert len(results) == 3
    assert all(isinstance(each.error, Canceled) for each in results)
    first.delete()
    with pytest.raises(Gone):
        client.batch(first.id)
    with pytest.raises(NotFound):
        client.batch("../jobs")


def test_results_before_the_end(client: Client) -> None:
    batch = client.submit_batch(["60", "0"])
    results = batch.results()
    first = next(results)
    assert first.status in ("held", "queued", "running")
    assert first.error is None
    results.close()
    with pytest.raises(TimeoutError, match=f"Batch {batch.id} is still running"):
        batch.wait(timeout_s=0.2)
    batch.cancel()


def test_lines_of_every_kind(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(LINES)
    with path.open("rb") as binary, path.open() as text:
        sent = [client.submit_batch(each) for each in (path, str(path), LINES, binary, text, io.BytesIO(LINES))]
    generated = client.submit_batch(json.loads(line) for line in LINES.splitlines())
    for batch in (*sent, generated):
        assert [each.id for each in batch.results()] == ["a", None]


def test_one_key_is_one_batch(client: Client) -> None:
    made = [client.submit_batch(LINES, idempotency_key="night-1") for _ in range(2)]
    assert made[0].id == made[1].id
    with pytest.raises(IdempotencyConflict):
        client.submit_batch(["1"], idempotency_key="night-1")


def test_what_is_refused(client: Client, url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.submit_batch(["0", {"prompt": "0", "steps": 999}])
    assert [each["field"] for each in caught.value.fields] == ["lines.2.steps"]
    with pytest.raises(InvalidRequest):
        client.submit_batch([])
    with Client(url, secret="s" * 22) as keyless:
        for refused in (lambda: keyless.submit_batch(["0"]), lambda: list(keyless.batches())):
            with pytest.raises(Unauthorized, match="API key"):
                refused()


@pytest.mark.parametrize("one", [{"prompt": "0"}, TextToAudio(prompt="0")])
def test_one_request_is_not_several(client: Client, one: dict[str, str] | TextToAudio) -> None:
    with pytest.raises(TypeError, match="submit takes one"):
        client.submit_batch(one)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="submit takes one"):
        client.submit_many(one)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_on_an_event_loop(on_a_loop: AsyncClient) -> None:
    batch = await on_a_loop.submit_batch([{"id": f"row-{number}", "prompt": "0"} for number in range(10)])
    assert [each.id async for each in on_a_loop.batches()] == [batch.id]
    await batch.wait(timeout_s=60)
    results = [result async for result in batch.results()]
    assert [each.id for each in results] == [f"row-{number}" for number in range(10)]
    job = results[-1].job
    assert job
    assert await job.audio.read() == b"sound"
    await (await on_a_loop.batch(batch.id)).delete()
