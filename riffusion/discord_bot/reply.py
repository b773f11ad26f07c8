"""The message by which an order is answered, for as long as it takes."""

import time
from collections.abc import Sequence

import discord

from riffusion.discord_bot.pending_requests import Order

TOKEN_S = 14 * 60  # Discord lets an interaction's token edit its answer for 15 minutes


async def edit(
    bot: discord.Client,
    order: Order,
    content: str,
    *,
    view: discord.ui.View | None = None,
    files: Sequence[discord.File] = (),
) -> None:
    """Makes the answer say this, with these buttons and files only.

    The interaction's token works wherever the command did. When it has run out, the bot edits its message as the
    channel's member that it is, which works where it may see the channel.

    Raises:
        discord.NotFound: the answer was deleted.
        discord.HTTPException: Discord refuses it.
    """
    if time.time() < order.asked_at + TOKEN_S:
        webhook = discord.Webhook.partial(bot.application_id or 0, order.token, client=bot)
        await webhook.edit_message(order.message, content=content, view=view, attachments=files)
    else:
        message = bot.get_partial_messageable(order.channel).get_partial_message(order.message)
        await message.edit(content=content, view=view, attachments=files)
