"""Discord's commands for admins: hidden from ordinary members, answered privately."""

import secrets
from typing import Any, Literal

import discord
from discord import app_commands

from bots.admin import texts as admin_texts
from bots.discord.buttons import view_of
from bots.discord.delivery import delivered
from bots.discord.errors import losing_no_answer_silently, tolerated
from bots.discord.identity import person_of
from bots.discord.sending import files_of, fitting, respond
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
    command.allowed_installs = app_commands.AppInstallationType(guild=True, user=False)
    command.allowed_contexts = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
    return command


@app_commands.command(name="retrain", description=admin_texts.COMMANDS["retrain"], auto_locale_strings=False)
@app_commands.describe(depth=admin_texts.DEPTH_OPTION)
@app_commands.default_permissions(MANAGERS)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
async def _retrain(interaction: discord.Interaction[Any], depth: Literal["adapt", "full"] = "adapt") -> None:
    await _answer_admin(interaction, AdminCommandName.RETRAIN, depth)


@app_commands.command(name="promote", description=admin_texts.COMMANDS["promote"], auto_locale_strings=False)
@app_commands.describe(version=admin_texts.VERSION_OPTION, reason=admin_texts.REASON_OPTION)
@app_commands.default_permissions(MANAGERS)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
async def _promote(interaction: discord.Interaction[Any], version: str, reason: str = "") -> None:
    await _answer_admin(interaction, AdminCommandName.PROMOTE, f"{version} {reason}")


async def _answer_admin(interaction: discord.Interaction[Any], name: AdminCommandName, words: str = "") -> None:
    """Answer an admin's command privately; each reply replaces the one before."""
    with losing_no_answer_silently("command"):
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
    if direct is None:
        with tolerated("edit"):
            await respond(interaction, reply, text_only_if_refused=False)
            return None

    async def send() -> discord.Message:
        view, files = view_of(reply.rows), files_of(reply.picture, reply.file)
        if direct is None:
            return await interaction.user.send(fitting(reply.text), view=view, files=files, nonce=nonce)
        return await direct.edit(content=fitting(reply.text), view=view, attachments=files)

    nonce = secrets.token_hex(12)
    with losing_no_answer_silently("direct_message"):
        return await delivered(send)
    return direct
