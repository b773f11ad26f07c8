"""The bot: a discord.py client with its commands and buttons, and the service that makes their clips."""

import contextlib
from typing import Any

import discord
import structlog
from discord import app_commands

from riffusion.client import AsyncClient
from riffusion.discord_bot import messages
from riffusion.discord_bot.blocked_words import BlockedWords
from riffusion.discord_bot.buttons import BUTTONS
from riffusion.discord_bot.clip_service import ClipService
from riffusion.discord_bot.commands import COMMANDS
from riffusion.discord_bot.job_limits import JobLimits
from riffusion.discord_bot.pending_requests import PendingRequestStore
from riffusion.settings import Settings

DATABASE = "discord.sqlite3"  # in the data folder
RETRY_FOR_S = 10.0  # no longer: a person is waiting for the reply

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # voice channels, which it doesn't join

_log = structlog.get_logger()


class RiffusionBot(discord.Client):
    """Reads no messages and needs no privileged intents: Discord sends it its own commands and buttons."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
        key = settings.discord_api_key
        self.service = ClipService(
            self,
            AsyncClient(settings.discord_api_url, key.get_secret_value() if key else None, retry_for_s=RETRY_FOR_S),
            PendingRequestStore(settings.data_dir / DATABASE),
            JobLimits(settings.discord_user_jobs, settings.discord_guild_jobs),
            BlockedWords(settings.discord_blocked_words),
        )

    async def setup_hook(self) -> None:
        """Registers the commands and resumes pending requests. Called by discord.py after the login."""
        self.add_dynamic_items(*BUTTONS)
        tree = CommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        for command in COMMANDS:
            tree.add_command(command)
        await tree.sync()
        self.service.resume()

    async def close(self) -> None:
        """Disconnects from Discord; pending requests are resumed at the next start."""
        await self.service.close()
        await super().close()


class CommandTree(app_commands.CommandTree[RiffusionBot]):
    """discord.py's, with a reply to the person whose command met a bug."""

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Logs an error that a command didn't expect."""
        _log.error("command failed", exc_info=error)
        if not interaction.response.is_done():
            with contextlib.suppress(discord.HTTPException):  # after 3 s Discord accepts no reply any more
                await interaction.response.send_message(messages.BUG, ephemeral=True)
