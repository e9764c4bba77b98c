"""The service's buttons on Discord: they work as long as their message exists, also after a restart."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bots.messages import Button, ButtonRows, Tone

_STYLES = {
    Tone.PLAIN: discord.ButtonStyle.secondary,
    Tone.CHOSEN: discord.ButtonStyle.success,
    Tone.QUIET: discord.ButtonStyle.secondary,
}


class TapButton(ui.DynamicItem[ui.Button[ui.View]], template=r"mugmoji:(?P<token>[!-~]{1,64})"):
    """A button of the service: all it needs is in its custom_id."""

    def __init__(self, token: str, button: ui.Button[ui.View]) -> None:
        super().__init__(button)
        self._token = token

    @classmethod
    def showing(cls, button: Button, row: int) -> "TapButton":
        """Return the service's button, in a row of 0 to 4.

        Its emoji is part of the label, because Discord rejects a whole message for one `emoji` newer than its own list.
        A server's own has no other place than `emoji`.
        """
        shown: ui.Button[ui.View] = ui.Button(
            label=button.label,
            style=_STYLES[button.tone],
            custom_id=f"mugmoji:{button.token}",
            row=row,
            emoji=button.icon or None,
        )
        return cls(button.token, shown)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> "TapButton":
        """Restore the button from the custom_id that came back when it was pressed."""
        assert isinstance(item, ui.Button)
        return cls(match["token"], item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the tap to the client."""
        await interaction.client.on_tap(interaction, self._token)


def without_icons(rows: Sequence[Sequence[Button]]) -> ButtonRows:
    """Return the buttons with their labels alone."""
    return tuple(tuple(replace(button, icon="") for button in row) for row in rows)


def view_of(rows: Sequence[Sequence[Button]]) -> ui.View:
    """Return the service's buttons as a view."""
    view = ui.View(timeout=None)
    for number, row in enumerate(rows):
        for button in row:
            view.add_item(TapButton.showing(button, number))
    return view
