"""`riffusion discord`."""

import asyncio
import contextlib

import click

from riffusion import logs
from riffusion.errors import SetupError, ToolMissing
from riffusion.settings import Settings, get_settings


@click.command()
def discord() -> None:
    """The Discord bot: makes clips for a Discord server through a running API, until Ctrl-C."""
    settings = get_settings()
    if settings.discord_token is None:
        raise SetupError("Set RIFFUSION_DISCORD_TOKEN to the bot's token; docs/discord.md says where to get one.")
    logs.configure(settings)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(settings, settings.discord_token.get_secret_value()))


async def _run(settings: Settings, token: str) -> None:
    try:
        from discord import LoginFailure

        from riffusion.discord_bot.bot import RiffusionBot
    except ModuleNotFoundError as error:
        if error.name != "discord":
            raise
        raise ToolMissing("The bot needs discord.py: run pip install '.[discord]' in the project's folder.") from None
    async with RiffusionBot(settings) as bot:
        try:
            await bot.start(token)
        except LoginFailure:
            raise SetupError("Discord doesn't accept RIFFUSION_DISCORD_TOKEN; make a new one.") from None
        except OSError as error:  # at the start only: later, discord.py reconnects by itself
            raise SetupError(f"Discord can't be reached: {error}") from None
