"""Discord's commands for admins: hidden from ordinary members, answered privately."""

from typing import Any, Literal

import discord
from discord import app_commands

from bots.admin import texts as admin_texts
from bots.discord.attachments import files_of
from bots.discord.errors import tolerated
from bots.discord.sending import fitting, person_of, view_of
from bots.messages import AdminCommand, AdminCommandName, Reply

MANAGERS = discord.Permissions(manage_guild=True)
"""The permission that Discord requires to show commands for admins and server settings. The service decides who may use
them.
"""


def admin_commands() -> tuple[app_commands.Command[Any, ..., None], ...]:
    """Return all commands for admins, to be added to a command tree."""
    plain = (AdminCommandName.REVIEW, AdminCommandName.MODELS, AdminCommandName.ROLLBACK)
    return (*map(_plain, plain), _retrain, _promote)


def _plain(name: AdminCommandName) -> app_commands.Command[Any, ..., None]:
    """Return a command for admins without options."""

    async def answer(interaction: discord.Interaction[Any]) -> None:
        await _answer_admin(interaction, name)

    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=name.value, description=admin_texts.COMMANDS[name.value], callback=answer, auto_locale_strings=False
    )
    command.default_permissions = MANAGERS
    return command


@app_commands.command(name="retrain", description=admin_texts.COMMANDS["retrain"], auto_locale_strings=False)
@app_commands.describe(depth=admin_texts.DEPTH_OPTION)
@app_commands.default_permissions(MANAGERS)
async def _retrain(interaction: discord.Interaction[Any], depth: Literal["adapt", "full"] = "adapt") -> None:
    await _answer_admin(interaction, AdminCommandName.RETRAIN, depth)


@app_commands.command(name="promote", description=admin_texts.COMMANDS["promote"], auto_locale_strings=False)
@app_commands.describe(version=admin_texts.VERSION_OPTION, reason=admin_texts.REASON_OPTION)
@app_commands.default_permissions(MANAGERS)
async def _promote(interaction: discord.Interaction[Any], version: str, reason: str = "") -> None:
    await _answer_admin(interaction, AdminCommandName.PROMOTE, f"{version} {reason}")


async def _answer_admin(interaction: discord.Interaction[Any], name: AdminCommandName, words: str = "") -> None:
    """Answer an admin's command privately; each reply replaces the one before."""
    with tolerated("command"):
        await interaction.response.defer(thinking=True, ephemeral=True)
        command = AdminCommand(person_of(interaction.user), name, words, str(interaction.locale))
        direct: discord.Message | None = None
        async for reply in interaction.client.service.on_admin_command(command):
            direct = await _replace_answer(interaction, reply, direct)


async def _replace_answer(
    interaction: discord.Interaction[Any], reply: Reply, direct: discord.Message | None
) -> discord.Message | None:
    """Show a reply in place of the command's answer or, once Discord no longer allows edits, in a direct message.

    Answers can be edited for 15 minutes, less than a long retraining. direct: the direct message so far, which is
    returned.
    """
    text = fitting(reply.text)
    if direct is None:
        with tolerated("edit"):
            files = files_of(reply.picture)
            await interaction.edit_original_response(content=text, view=view_of(reply.rows), attachments=files)
            return None
    with tolerated("direct_message"):
        if direct is None:
            return await interaction.user.send(text, view=view_of(reply.rows), files=files_of(reply.picture))
        await direct.edit(content=text, view=view_of(reply.rows), attachments=files_of(reply.picture))
    return direct
