"""The bot itself: a discord.py client that knows its commands and buttons, and has a desk."""

import contextlib
from typing import Any

import discord
import structlog
from discord import app_commands

from riffusion.discord_bot import messages
from riffusion.discord_bot.async_client import Server
from riffusion.discord_bot.blocked_words import BlockedWords
from riffusion.discord_bot.buttons import BUTTONS
from riffusion.discord_bot.commands import COMMANDS
from riffusion.discord_bot.job_limits import Limits
from riffusion.discord_bot.pending_requests import OrderBook
from riffusion.discord_bot.service import Desk
from riffusion.settings import Settings

ORDERS = "discord.sqlite3"  # in the data folder

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = (
    False  # it doesn't speak; no need for what speaking needs
)

_log = structlog.get_logger()


class RiffusionBot(discord.Client):
    """Reads no messages and needs no privileges: commands and buttons come to it by themselves."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
        key = settings.discord_api_key
        self.desk = Desk(
            self,
            Server(settings.discord_api_url, key.get_secret_value() if key else None),
            OrderBook(settings.data_dir / ORDERS),
            Limits(settings.discord_user_jobs, settings.discord_guild_jobs),
            BlockedWords(settings.discord_blocked_words),
        )

    async def setup_hook(self) -> None:
        """Announces the commands, and goes on with open orders. Called by discord.py after the login."""
        self.add_dynamic_items(*BUTTONS)
        tree = CommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        for command in COMMANDS:
            tree.add_command(command)
        await tree.sync()
        self.desk.resume()

    async def close(self) -> None:
        """Leaves Discord; open orders are gone on with at the next start."""
        await self.desk.close()
        await super().close()


class CommandTree(app_commands.CommandTree[RiffusionBot]):
    """discord.py's, with a word to whoever meets a bug."""

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Logs what a command didn't expect."""
        _log.error("command_failed", exc_info=error)
        if not interaction.response.is_done():
            with contextlib.suppress(discord.HTTPException):  # Discord waits 3 s; then there is nobody to tell
                await interaction.response.send_message(messages.BUG, ephemeral=True)
