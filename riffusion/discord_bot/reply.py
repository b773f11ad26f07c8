"""The message that replies to a request, edited until the clip is there."""

import time
from collections.abc import Sequence

import discord

from riffusion.discord_bot.pending_requests import PendingRequest

TOKEN_S = 14 * 60  # Discord lets an interaction's token edit its reply for 15 minutes


async def edit(
    bot: discord.Client,
    pending: PendingRequest,
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
    if time.time() < pending.asked_at + TOKEN_S:
        webhook = discord.Webhook.partial(bot.application_id or 0, pending.token, client=bot)
        await webhook.edit_message(pending.message, content=content, view=view, attachments=files)
    else:
        message = bot.get_partial_messageable(pending.channel).get_partial_message(pending.message)
        await message.edit(content=content, view=view, attachments=files)
