"""The buttons below a clip.

A button's custom id holds its action, its job, and the clip's author, so that a bot that was restarted serves buttons
that were posted long ago.
"""

import asyncio
import re
from typing import Any, Self

import discord

from riffusion.client import AsyncClient
from riffusion.discord_bot import messages
from riffusion.errors import Gone, NotFound, RiffusionError, UnavailableError
from riffusion.requests import MAX_PROMPT_CHARS, AnyRequest, JobResult
from riffusion.requests.modes.extend import Extend
from riffusion.requests.modes.loop import Loop
from riffusion.requests.modes.riff import Riff

Interaction = discord.Interaction[Any]  # its client is a RiffusionBot

_JOB = r"(?P<job>[A-Za-z0-9_-]{16,64})"
_STYLE = discord.ButtonStyle
DIALOG_S = 2.0  # until a dialog must be open; after 3 s Discord refuses it
DIALOG_TIMEOUT_S = 30 * 60  # after which an open dialog is discarded


def clip_buttons(job: str, author: int) -> discord.ui.View:
    """The buttons below a finished clip."""
    view = discord.ui.View(timeout=None)
    for item in (*(Again(how, job) for how in AGAIN), Remix(job), Delete(job, author)):
        view.add_item(item)
    return view


def cancel_button(job: str, author: int) -> discord.ui.View:
    """The button below a clip that is being made."""
    return discord.ui.View(timeout=None).add_item(Delete(job, author, label="Cancel"))


AGAIN: dict[str, type[Riff | Extend | Loop]] = {"vary": Riff, "extend": Extend, "loop": Loop}


class Again(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"riff:(?P<how>{'|'.join(AGAIN)}):{_JOB}"
):
    """Makes another clip from this one, with the same prompt."""

    def __init__(self, how: str, job: str) -> None:
        self.how, self.job = how, job
        super().__init__(discord.ui.Button(label=how.title(), custom_id=f"riff:{how}:{job}"))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls(match["how"], match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Submits the request."""
        service = interaction.client.service

        async def make_request(client: AsyncClient) -> AnyRequest:
            made = (await client.job(self.job)).data.request
            return AGAIN[self.how](
                init=JobResult(job=self.job),
                prompt=messages.prompt_of(made)[:MAX_PROMPT_CHARS],  # a blend has two
                negative_prompt=made.get("negative_prompt", ""),
            )

        await service.submit(interaction, [], make_request)


class Remix(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"riff:remix:{_JOB}"):
    """Asks for another prompt, with which this clip is repainted."""

    def __init__(self, job: str) -> None:
        self.job = job
        super().__init__(discord.ui.Button(label="Remix …", custom_id=f"riff:remix:{job}", style=_STYLE.primary))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls(match["job"])

    async def callback(self, interaction: Interaction) -> None:
        """Opens the dialog."""
        api = interaction.client.service.api_for(interaction.user.id)
        try:
            async with asyncio.timeout(DIALOG_S):
                made = (await api.job(self.job)).data.request
        except TimeoutError:
            await _reply_privately(interaction, UnavailableError("The server takes too long."))
        except RiffusionError as error:
            await _reply_privately(interaction, error)
        else:
            await interaction.response.send_modal(RemixDialog(self.job, messages.prompt_of(made)))


class RemixDialog(discord.ui.Modal):
    """Asks for the new prompt; the old one is filled in."""

    def __init__(self, job: str, prompt: str) -> None:
        super().__init__(title="Remix", timeout=DIALOG_TIMEOUT_S)
        self.job = job
        self.prompt = discord.ui.TextInput[Any](
            style=discord.TextStyle.paragraph, default=prompt[:MAX_PROMPT_CHARS] or None, max_length=MAX_PROMPT_CHARS
        )
        self.add_item(discord.ui.Label(text="What should it sound like?", component=self.prompt))

    async def on_submit(self, interaction: Interaction) -> None:
        """Submits the request."""
        request = Riff(init=JobResult(job=self.job), prompt=self.prompt.value)

        async def make_request(_client: AsyncClient) -> AnyRequest:
            return request

        await interaction.client.service.submit(interaction, [request.prompt], make_request)


class Delete(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"riff:delete:{_JOB}:(?P<author>\d+)"
):
    """Deletes a clip, or cancels its job, for its author only."""

    def __init__(self, job: str, author: int, label: str = "Delete") -> None:
        self.job, self.author = job, author
        super().__init__(discord.ui.Button(label=label, custom_id=f"riff:delete:{job}:{author}", style=_STYLE.danger))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls(match["job"], int(match["author"]))

    async def callback(self, interaction: Interaction) -> None:
        """Deletes the job with its files, then the message."""
        if interaction.user.id != self.author:
            await interaction.response.send_message(messages.NOT_YOURS, ephemeral=True)
            return
        await interaction.response.defer()
        api = interaction.client.service.api_for(interaction.user.id)
        try:
            await (await api.job(self.job)).delete()
        except (NotFound, Gone):
            pass  # it has expired; the message is deleted all the same
        except RiffusionError as error:
            await interaction.followup.send(messages.explain(error), ephemeral=True)
            return
        await interaction.delete_original_response()


async def _reply_privately(interaction: Interaction, error: RiffusionError) -> None:
    await interaction.response.send_message(messages.explain(error), ephemeral=True)


BUTTONS = (Again, Remix, Delete)
