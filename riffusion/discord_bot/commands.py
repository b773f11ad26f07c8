"""The slash commands."""

import secrets
import tempfile
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from riffusion.client import Client
from riffusion.discord_bot import words
from riffusion.discord_bot.server import Server
from riffusion.errors import UnreadableMedia
from riffusion.requests import MAX_PROMPT_CHARS, MAX_SEED, AnyRequest, InterpolationEnd
from riffusion.requests.modes.audio_to_audio import AudioToAudio
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

Interaction = discord.Interaction[Any]  # its client is a RiffusionBot

MAX_STYLE_BYTES = 25 << 20  # held in memory on the way to the server
COLUMN_S = 0.01
COLUMN_STEP = 64  # widths are multiples of it
MIN_S, MAX_S = 1.28, 20.48

Prompt = app_commands.Range[str, 1, MAX_PROMPT_CHARS]
Negative = app_commands.Range[str, 0, MAX_PROMPT_CHARS]
Seed = app_commands.Range[int, 0, MAX_SEED]


@app_commands.command()
@app_commands.describe(
    prompt="What it should sound like",
    negative="What it should not sound like",
    seed="The same seed and prompt make the same clip",
    length="Seconds; 5.12 when left out",
    style="A sound or spectrogram whose shape the clip takes on",
)
async def riff(
    interaction: Interaction,
    *,
    prompt: Prompt,
    negative: Negative = "",
    seed: Seed | None = None,
    length: app_commands.Range[float, MIN_S, MAX_S] | None = None,
    style: discord.Attachment | None = None,
) -> None:
    """Make music from words."""
    if style and length:
        await interaction.response.send_message(words.STYLE_HAS_LENGTH, ephemeral=True)
        return
    if style and style.size > MAX_STYLE_BYTES:
        await interaction.response.send_message(words.STYLE_TOO_LARGE, ephemeral=True)
        return

    asked: dict[str, Any] = {"prompt": prompt, "negative_prompt": negative, "seed": seed}
    if length:
        asked["width"] = COLUMN_STEP * round(length / COLUMN_S / COLUMN_STEP)
    desk = interaction.client.desk

    async def wish(client: Client) -> AnyRequest:
        return await _in_style(desk.server, client, style, asked) if style else TextToAudio(**asked)

    await desk.take(interaction, [prompt, negative], wish)


async def _in_style(server: Server, client: Client, style: discord.Attachment, asked: dict[str, Any]) -> AnyRequest:
    """The request that takes a picture's or a sound's shape on."""
    with tempfile.TemporaryDirectory(prefix="riffusion-") as folder:
        path = Path(folder) / "style"
        try:
            await style.save(path)
        except discord.HTTPException:
            raise UnreadableMedia("Discord doesn't hand it out any more; attach it again.") from None
        upload = await server.call(client.upload, path)
    if (style.content_type or "").startswith("image/"):
        return Riff(init=upload, **asked)
    return AudioToAudio(clip=upload, **asked)


@app_commands.command()
@app_commands.describe(
    start="What it should sound like on one side",
    end="What it should sound like on the other side",
    mix="Percent of the way from start to end",
    seed="The same seed and prompts make the same clip",
)
async def blend(
    interaction: Interaction,
    *,
    start: Prompt,
    end: Prompt,
    mix: app_commands.Range[int, 0, 100] = 50,
    seed: Seed | None = None,
) -> None:
    """Make music from what lies between two descriptions."""
    # One seed on both sides: then only the words differ, and the blend is between them alone.
    seed = secrets.randbelow(MAX_SEED + 1) if seed is None else seed
    sides = {"start": InterpolationEnd(prompt=start, seed=seed), "end": InterpolationEnd(prompt=end, seed=seed)}

    async def wish(_client: Client) -> AnyRequest:
        return Interpolate(**sides, alpha=mix / 100)

    await interaction.client.desk.take(interaction, [start, end], wish)


COMMANDS: tuple[app_commands.Command[Any, ..., Any], ...] = (riff, blend)
