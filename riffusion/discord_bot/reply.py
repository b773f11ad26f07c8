"""The message that replies to a request, edited until the clip is there."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import discord

TOKEN_S = 14 * 60  # Discord lets an interaction's token edit its reply for 15 minutes


class Reply(Protocol):
    """What names a reply, such as a `PendingRequest`."""

    @property
    def channel(self) -> int:
        """The channel that it is in."""

    @property
    def message(self) -> int:
        """Its id."""

    @property
    def token(self) -> str:
        """The interaction's."""

    @property
    def asked_at(self) -> float:
        """Unix seconds of the interaction."""


@dataclass(frozen=True)
class OriginalReply:
    """The first reply to an interaction."""

    channel: int
    message: int
    token: str
    asked_at: float


async def original(interaction: discord.Interaction[Any]) -> OriginalReply:
    """The first reply to an interaction, which has just been sent or deferred."""
    message = await interaction.original_response()
    return OriginalReply(message.channel.id, message.id, interaction.token, time.time())


async def edit(
    bot: discord.Client,
    reply: Reply,
    content: str,
    *,
    view: discord.ui.View | None = None,
    files: Sequence[discord.File] = (),
) -> None:
    """Replaces the reply's text, buttons and files.

    The interaction's token works wherever the command did. When it has expired, the bot edits the message as a member
    of the channel, which works where it can see the channel.

    Raises:
        discord.NotFound: the reply was deleted.
        discord.HTTPException: Discord refuses the edit.
    """
    if time.time() < reply.asked_at + TOKEN_S:
        webhook = discord.Webhook.partial(bot.application_id or 0, reply.token, client=bot)
        await webhook.edit_message(reply.message, content=content, view=view, attachments=files)
    else:
        message = bot.get_partial_messageable(reply.channel).get_partial_message(reply.message)
        await message.edit(content=content, view=view, attachments=files)
