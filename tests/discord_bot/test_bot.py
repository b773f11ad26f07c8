"""What people see from a command to a clip, and what they can do with it."""

from itertools import pairwise

import pytest

from api.services import Services
from riffusion.discord_bot import messages
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.errors import Gone
from tests.api.conftest import Worker, png, wav
from tests.discord_bot.conftest import PACE_S, claimed, made
from tests.discord_bot.fake_discord import DEFERRED_REPLY, FakeDiscord, until

pytestmark = pytest.mark.anyio
ALICE, BOB = 11, 12


async def test_from_a_command_to_a_clip(
    bot: RiffusionBot, discord: FakeDiscord, worker: Worker, end_users: list[str | None]
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline", negative="drums", seed=7, length=10.24)
    assert asked.callback is not None
    assert asked.callback["type"] == DEFERRED_REPLY
    await until(lambda: "Next in the queue" in asked.reply.content)
    job = worker.claim()
    assert job.request["width"] == 1024
    await until(lambda: "Starting" in asked.reply.content)
    worker.progress(job, 10)
    await until(lambda: "step 10 of 20" in asked.reply.content)
    worker.succeed(job)
    await until(lambda: asked.reply.files)
    sound, picture = asked.reply.files.values()
    assert sound.startswith(b"RIFF")
    assert picture.startswith(b"\x89PNG")
    assert asked.reply.content.startswith(f"`funk bassline` · without `drums` · seed 7 · for <@{ALICE}>")
    assert list(asked.reply.buttons) == ["Vary", "Extend", "Loop", "Remix …", "Delete"]
    assert all(job.id in custom_id for custom_id in asked.reply.buttons.values())
    assert set(end_users) == {f"discord:{ALICE}"}


async def test_a_message_is_edited_no_faster_than_its_pace(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    for step in range(1, 21):
        worker.progress(job, step)
        if step % 5 == 0:
            await until(lambda step=step: f"step {step} of 20" in asked.reply.content)  # type: ignore[misc]
    worker.succeed(job)
    await until(lambda: asked.reply.files)
    times = [when for when, _ in asked.reply.edits[1:]]  # the first is the reply itself
    assert len(times) >= 4
    assert all(later - earlier >= PACE_S for earlier, later in pairwise(times))


async def test_prompts_are_shown_as_they_are_and_mention_no_one(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="@everyone `[x](https://example.org)`\n# big")
    await until(lambda: asked.reply.buttons)
    worker.fail(await claimed(services, worker))
    await until(lambda: not asked.reply.buttons)
    assert asked.reply.content.startswith("`@everyone ˋ[x](https://example.org)ˋ # big` · ")
    said = [payload for _, payload in asked.reply.edits if "content" in payload]
    assert all(payload["allowed_mentions"]["parse"] == [] for payload in said)


@pytest.mark.parametrize(("label", "mode"), [("Vary", "riff"), ("Extend", "extend"), ("Loop", "loop")])
async def test_a_button_makes_another_clip_from_this_one(
    *, bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker, label: str, mode: str
) -> None:
    clip = await made(discord, worker, by=ALICE)
    again = await discord.press(clip, label, by=BOB)
    job = await claimed(services, worker)
    assert (job.mode, job.request["prompt"]) == (mode, "funk bassline")
    assert job.request["init"]["job"] in clip.buttons[label]
    worker.succeed(job)
    await until(lambda: again.reply.files)
    assert again.reply is not clip
    assert f"<@{BOB}>" in again.reply.content


async def test_remix_opens_a_dialog_with_the_prompt(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    clip = await made(discord, worker, by=ALICE)
    dialog = await discord.press(clip, "Remix …", by=BOB)
    assert dialog.callback is not None
    assert dialog.callback["data"]["components"][0]["component"]["value"] == "funk bassline"
    remixed = await discord.fill_in(dialog, "church bells", by=BOB)
    job = await claimed(services, worker)
    assert (job.mode, job.request["prompt"]) == ("riff", "church bells")
    worker.succeed(job)
    await until(lambda: remixed.reply.files)


async def test_only_its_author_deletes_a_clip(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    clip = await made(discord, worker, by=ALICE)
    refused = await discord.press(clip, "Delete", by=BOB)
    assert refused.reply.content == messages.NOT_YOURS
    assert refused.is_private
    assert not clip.deleted
    await discord.press(clip, "Delete", by=ALICE)
    await until(lambda: clip.deleted)
    job_id = clip.buttons["Delete"].split(":")[2]
    with pytest.raises(Gone):
        services.store.get(job_id)


async def test_cancel_ends_a_job_that_waits(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    await discord.press(asked.reply, "Cancel", by=ALICE)
    await until(lambda: asked.reply.deleted)
    assert services.store.models.loads()[Worker.MODEL].waiting == 0


async def test_deleting_the_reply_cancels_its_job(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    asked.reply.deleted = True
    worker.progress(job, 1)
    await until(lambda: services.store.heartbeat("w", {job.id: job.token}) == {job.id})


async def test_blend(bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker) -> None:
    asked = await discord.command("blend", by=ALICE, start="funk bassline", end="church bells", mix=30)
    job = await claimed(services, worker)
    assert (job.mode, job.request["alpha"]) == ("interpolate", 0.3)
    assert job.request["start"]["seed"] == job.request["end"]["seed"]
    worker.succeed(job)
    await until(lambda: asked.reply.files)
    assert asked.reply.content.startswith(f"`funk bassline → church bells` · seed {job.request['start']['seed']} · ")
    await discord.press(asked.reply, "Vary", by=ALICE)
    assert (await claimed(services, worker)).request["prompt"] == "funk bassline, church bells"


@pytest.mark.parametrize(
    ("name", "content", "kind", "mode", "field"),
    [("hum.wav", wav(), "audio/wav", "audio-to-audio", "clip"), ("clip.png", png(), "image/png", "riff", "init")],
)
async def test_a_style_clip_gives_its_shape(
    *, bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker,
    name: str, content: bytes, kind: str, mode: str, field: str,
) -> None:  # fmt: skip
    style = discord.attachment(name, content, kind)
    await discord.command("riff", by=ALICE, prompt="funk bassline", style=style)
    job = await claimed(services, worker)
    assert job.mode == mode
    assert services.files.get(job.inputs[field]) == content


async def test_a_clip_too_large_for_discord_is_linked(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.discord_bot.fake_discord.FILE_LIMIT", 100)
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    worker.succeed(job)
    await until(lambda: "Delete" in asked.reply.buttons)
    assert not asked.reply.files
    assert "(<http://127.0.0.1:" in asked.reply.content
