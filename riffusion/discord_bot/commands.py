"""The slash commands."""

import secrets
from typing import Any

import discord
from discord import app_commands

from riffusion.client import AsyncClient
from riffusion.discord_bot import messages
from riffusion.errors import UnreadableMedia
from riffusion.geometry import COLUMNS_PER_S, MAX_WIDTH, MIN_WIDTH, WIDTH_STEP
from riffusion.requests import MAX_PROMPT_CHARS, MAX_SEED, AnyRequest, InterpolationEnd, Quality
from riffusion.requests.modes.audio_to_audio import AudioToAudio
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

Interaction = discord.Interaction[Any]  # its client is a RiffusionBot

MAX_STYLE_BYTES = 25 << 20  # held in memory on the way to the server
MIN_S, MAX_S = MIN_WIDTH / COLUMNS_PER_S, MAX_WIDTH / COLUMNS_PER_S

Prompt = app_commands.Range[str, 1, MAX_PROMPT_CHARS]
Negative = app_commands.Range[str, 0, MAX_PROMPT_CHARS]
Seed = app_commands.Range[int, 0, MAX_SEED]


@app_commands.command()
@app_commands.describe(
    prompt="What it should sound like",
    negative="What it should not sound like",
    seed="The same seed and prompt make the same clip",
    length="Seconds; 5.12 when left out",
    quality="How much work to spend on it; standard when left out",
    style="A sound or spectrogram whose shape the clip takes on",
)
async def riff(
    interaction: Interaction,
    *,
    prompt: Prompt,
    negative: Negative = "",
    seed: Seed | None = None,
    length: app_commands.Range[float, MIN_S, MAX_S] | None = None,
    quality: Quality | None = None,
    style: discord.Attachment | None = None,
) -> None:
    """Make music from words."""
    if style and length:
        await interaction.response.send_message(messages.STYLE_HAS_LENGTH, ephemeral=True)
        return
    if style and style.size > MAX_STYLE_BYTES:
        await interaction.response.send_message(messages.STYLE_TOO_LARGE, ephemeral=True)
        return

    asked: dict[str, Any] = {"prompt": prompt, "negative_prompt": negative, "seed": seed, "quality": quality}
    if length:
        asked["width"] = WIDTH_STEP * round(length / (WIDTH_STEP / COLUMNS_PER_S))
    service = interaction.client.service

    async def make_request(client: AsyncClient) -> AnyRequest:
        return await _in_style(client, style, asked) if style else TextToAudio(**asked)

    await service.submit(interaction, [prompt, negative], make_request)


async def _in_style(client: AsyncClient, style: discord.Attachment, asked: dict[str, Any]) -> AnyRequest:
    """The request for a clip in the shape of a picture or a sound, which is uploaded first."""
    try:
        content = await style.read()
    except discord.HTTPException:
        raise UnreadableMedia("Discord no longer has the file. Attach it again.") from None
    upload = await client.upload(content)
    if (style.content_type or "").startswith("image/"):
        return Riff(init=upload, **asked)
    return AudioToAudio(clip=upload, **asked)


@app_commands.command()
@app_commands.describe(
    start="What it should sound like on one side",
    end="What it should sound like on the other side",
    mix="Percent of the way from start to end",
    quality="How much work to spend on it; standard when left out",
    seed="The same seed and prompts make the same clip",
)
async def blend(
    interaction: Interaction,
    *,
    start: Prompt,
    end: Prompt,
    mix: app_commands.Range[int, 0, 100] = 50,
    quality: Quality | None = None,
    seed: Seed | None = None,
) -> None:
    """Make music from what lies between two descriptions."""
    # The same seed on both sides, so that only the prompts differ.
    seed = secrets.randbelow(MAX_SEED + 1) if seed is None else seed
    sides = {"start": InterpolationEnd(prompt=start, seed=seed), "end": InterpolationEnd(prompt=end, seed=seed)}

    async def make_request(_client: AsyncClient) -> AnyRequest:
        return Interpolate(**sides, alpha=mix / 100, quality=quality)

    await interaction.client.service.submit(interaction, [start, end], make_request)


COMMANDS: tuple[app_commands.Command[Any, ..., Any], ...] = (riff, blend)
