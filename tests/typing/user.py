"""What a user's program looks like: each line is right for a type checker, or wrong in the way that its comment says.

Checked by basedpyright, and by mypy without pydantic's plugin.
"""

from pathlib import Path

from riffusion.client import AsyncClient, AsyncJob, Client, Job, webhooks
from riffusion.requests import InterpolationEnd, MaskBox, SeedImage, Upload
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

request = TextToAudio(prompt="a")
TextToAudio(prompt="a", seed=1, steps=20, format="wav", lora={"piano": 0.5}, webhook="https://example.org")
Riff(prompt="a", init=SeedImage(seed_image="band"))
Interpolate(start=InterpolationEnd(prompt="a", seed=1), end=InterpolationEnd(prompt="b"))
AudioToImage(clip=Upload(upload="0" * 64))

TextToAudio()  # error: prompt
TextToAudio(prompt=1)  # error: str
TextToAudio(prompt="a", format="mp4")  # error: format
TextToAudio(prompt="a", clip="b")  # error: clip


def use(*_: object) -> None:
    """Takes what there is."""


def save(client: Client, folder: Path) -> Path:
    """Submits requests in each form, waits and downloads."""
    job = client.submit(request)
    client.submit({"mode": "riff", "prompt": "a", "init": {"seed_image": "band"}}, seed=2)
    client.submit("a", width=1024, lora={"piano": 0.5}, idempotency_key="1").wait(timeout_s=3)
    client.submit(mode="riff", init=job.reference, mask=MaskBox(seconds=(0, 1)))
    client.submit(1)  # error: AnyRequest
    client.run("a", seed="1")  # error: int | None
    client.run("a", sead=1)  # error: sead
    client.run("a", mode="rif")  # error: Literal
    made: Job = client.run("a", timeout_s=60).wait()
    seconds: float = made.result.audio.duration_s
    step: int = made.data.progress.step  # error: step
    content: bytes = made.audio.read()
    for file in (folder, "a.wav", content, made.image.open()):
        client.upload(file)
    client.upload(1)  # error: PathLike
    for each in client.jobs(status="queued"):
        each.cancel().delete()
    for event in made.events(previews=True):
        picture: bytes | None = event.preview
        use(event.data.status, seconds, step, picture)
    batch = client.submit_batch([request, "a", {"id": "mine", "prompt": "a"}], idempotency_key="1").wait(timeout_s=3)
    client.submit_batch(request)  # error: TextToAudio
    for result in batch.results():
        use(result.job.save(folder))  # error: save
        use(result.error.code if result.error else result.job and result.job.audio.url, batch.data.counts.ended)
    use(webhooks.unwrap(content, {"webhook-id": "a"}, "whsec_").data.result)
    return made.save(folder / "a.mp3") or job.wait().download(folder).audio


async def save_asynchronously(client: AsyncClient, folder: Path) -> Path:
    """The same calls, awaited."""
    made: AsyncJob = await client.run("a", seed=1)
    client.run("a").save(folder)  # error: save
    job = await client.with_options(timeout_s=1).for_end_user("me").submit(request)
    await job.wait(progress=lambda now: use(now.id))
    async for each in client.jobs():
        await (await each.cancel()).delete()
    async for event in made.events():
        use(event.data.mode)
    for _ in client.uploads():  # error: AsyncGenerator
        pass
    batch = await client.submit_batch(folder / "requests.jsonl")
    await (await batch.wait(progress=lambda now: use(now.data.counts.held))).cancel()
    async for result in (await client.batch(batch.id)).results():
        use(result.line, result.job and await result.job.audio.read())
    await client.upload(await made.audio.open())
    return await made.audio.save(folder / "a.mp3")
