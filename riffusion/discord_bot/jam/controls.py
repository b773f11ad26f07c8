"""`/jam`, and the buttons below its message. Their ids hold nothing: a Discord server has one jam at most."""

import re
from typing import Any, Self

import discord
from discord import app_commands

from riffusion.discord_bot.buttons import DIALOG_TIMEOUT_S
from riffusion.requests import MAX_PROMPT_CHARS

Interaction = discord.Interaction[Any]  # its client is a RiffusionBot


def jam_buttons() -> discord.ui.View:
    """The buttons below a jam's message."""
    return discord.ui.View(timeout=None).add_item(Steer()).add_item(Stop())


class Steer(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template="jam:steer"):
    """Asks for another prompt."""

    def __init__(self) -> None:
        style = discord.ButtonStyle.primary
        super().__init__(discord.ui.Button(label="Steer …", custom_id="jam:steer", style=style))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Opens the dialog."""
        await interaction.response.send_modal(SteerDialog())


class SteerDialog(discord.ui.Modal):
    """Asks for the new prompt."""

    def __init__(self) -> None:
        super().__init__(title="Steer the jam", timeout=DIALOG_TIMEOUT_S)
        self.prompt = discord.ui.TextInput[Any](style=discord.TextStyle.paragraph, max_length=MAX_PROMPT_CHARS)
        self.add_item(discord.ui.Label(text="What should it sound like next?", component=self.prompt))

    async def on_submit(self, interaction: Interaction) -> None:
        """Steers the jam."""
        await interaction.client.jams.play(interaction, self.prompt.value)


class Stop(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template="jam:stop"):
    """Stops the jam."""

    def __init__(self) -> None:
        super().__init__(discord.ui.Button(label="Stop", custom_id="jam:stop", style=discord.ButtonStyle.danger))

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Stops the jam."""
        await interaction.client.jams.stop(interaction)


@app_commands.command()
@app_commands.guild_only()
@app_commands.describe(prompt="What it should sound like")
async def jam(interaction: Interaction, *, prompt: app_commands.Range[str, 1, MAX_PROMPT_CHARS]) -> None:
    """Play endless music in your voice channel, or steer what plays there."""
    await interaction.client.jams.play(interaction, prompt)


JAM_BUTTONS = (Steer, Stop)
