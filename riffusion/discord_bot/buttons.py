"""The buttons below a clip.

A button's custom id says what it does, to which job, and whose clip it is: a bot that was started anew, or another
process of it, serves buttons that were posted long ago.
"""

import asyncio
import re
from typing import Any, Self

import discord

from riffusion.client import Client
from riffusion.discord_bot import words
from riffusion.errors import Gone, NotFound, RiffusionError, UnavailableError
from riffusion.requests import MAX_PROMPT_CHARS, AnyRequest, JobResult
from riffusion.requests.modes.extend import Extend
from riffusion.requests.modes.loop import Loop
from riffusion.requests.modes.riff import Riff

Interaction = discord.Interaction[Any]  # its client is a RiffusionBot

_JOB = r"(?P<job>[A-Za-z0-9_-]{16,64})"
_STYLE = discord.ButtonStyle
DIALOG_S = 2.0  # until a dialog must be open; Discord gives up at 3
FORGOTTEN_S = 30 * 60  # a dialog that was never sent is forgotten


def clip_buttons(job: str, author: int) -> discord.ui.View:
    """What can be done with a clip."""
    view = discord.ui.View(timeout=None)
    for item in (*(Again(how, job) for how in AGAIN), Remix(job), Delete(job, author)):
        view.add_item(item)
    return view


def cancel_button(job: str, author: int) -> discord.ui.View:
    """What can be done while a clip is being made."""
    return discord.ui.View(timeout=None).add_item(Delete(job, author, label="Cancel"))


AGAIN: dict[str, type[Riff | Extend | Loop]] = {"vary": Riff, "extend": Extend, "loop": Loop}


class Again(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"riff:(?P<how>{'|'.join(AGAIN)}):{_JOB}"
):
    """Makes another clip from this one, with the prompt that it has."""

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
        """Orders the clip."""
        server = interaction.client.desk.server

        async def wish(client: Client) -> AnyRequest:
            made = (await server.call(client.job, self.job)).data["request"]
            return AGAIN[self.how](
                init=JobResult(job=self.job),
                prompt=words.prompt_of(made)[:MAX_PROMPT_CHARS],  # a blend has two
                negative_prompt=made.get("negative_prompt", ""),
            )

        await interaction.client.desk.take(interaction, [], wish)


class Remix(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"riff:remix:{_JOB}"):
    """Asks for another prompt to paint over this clip."""

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
        server = interaction.client.desk.server
        try:
            async with asyncio.timeout(DIALOG_S):
                made = (await server.call(server.client(interaction.user.id).job, self.job)).data["request"]
        except TimeoutError:
            await _tell(interaction, UnavailableError("The server takes too long."))
        except RiffusionError as error:
            await _tell(interaction, error)
        else:
            await interaction.response.send_modal(RemixDialog(self.job, words.prompt_of(made)))


class RemixDialog(discord.ui.Modal):
    """The prompt, to be changed."""

    def __init__(self, job: str, prompt: str) -> None:
        super().__init__(title="Remix", timeout=FORGOTTEN_S)
        self.job = job
        self.prompt = discord.ui.TextInput[Any](
            style=discord.TextStyle.paragraph, default=prompt[:MAX_PROMPT_CHARS] or None, max_length=MAX_PROMPT_CHARS
        )
        self.add_item(discord.ui.Label(text="What should it sound like?", component=self.prompt))

    async def on_submit(self, interaction: Interaction) -> None:
        """Orders the clip."""
        request = Riff(init=JobResult(job=self.job), prompt=self.prompt.value)

        async def wish(_client: Client) -> AnyRequest:
            return request

        await interaction.client.desk.take(interaction, [request.prompt], wish)


class Delete(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"riff:delete:{_JOB}:(?P<author>\d+)"
):
    """Deletes a clip, or ends its job, at its author's word."""

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
            await interaction.response.send_message(words.NOT_YOURS, ephemeral=True)
            return
        await interaction.response.defer()
        server = interaction.client.desk.server
        client = server.client(interaction.user.id)
        try:
            await server.call(lambda: client.job(self.job).delete())
        except (NotFound, Gone):
            pass  # its time was over; the message goes all the same
        except RiffusionError as error:
            await interaction.followup.send(words.sorry(error), ephemeral=True)
            return
        await interaction.delete_original_response()


async def _tell(interaction: Interaction, error: RiffusionError) -> None:
    await interaction.response.send_message(words.sorry(error), ephemeral=True)


BUTTONS = (Again, Remix, Delete)
