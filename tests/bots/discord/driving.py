"""Drive the Discord door in tests: what people do, and what they see."""

from collections.abc import Sequence
from typing import Any

import cv2
import discord
import numpy as np
import pytest
import simcord
from numpy.typing import NDArray
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, UserHandle

from recognizer import Recognizer


async def send_direct(env: Env, user: UserHandle, files: Sequence[tuple[str, bytes]], **facts: object) -> None:
    """Send a direct message with files; `facts` are Discord's claims about each of them."""
    await user.send_dm("", attachments=attached(env, user.dm_channel.id, files, **facts))


def attached(env: Env, channel_id: int, files: Sequence[tuple[str, bytes]], **facts: object) -> list[dict[str, Any]]:
    """Store files as attachments. facts: Discord's claims about each of them; None for no such claim."""
    stored = ({**attachment, **facts} for attachment in env.backend.store_attachments(channel_id, files))
    return [{name: value for name, value in each.items() if name not in facts or value is not None} for each in stored]


def set_locale(monkeypatch: pytest.MonkeyPatch, locale: discord.Locale) -> None:
    """Set the language of everyone's Discord; simcord's default is American English."""
    base_payload = simcord.interactions.base_payload

    def localized(*arguments: Any, **facts: Any) -> tuple[Any, dict[str, Any]]:
        record, payload = base_payload(*arguments, **facts)
        return record, {**payload, "locale": locale.value}

    monkeypatch.setattr(simcord.interactions, "base_payload", localized)


def mention_of(env: Env) -> str:
    assert env.bot.user is not None
    return env.bot.user.mention


def channel_where_the_bot(guild: GuildHandle, **permissions: bool) -> ChannelHandle:
    assert guild.me is not None
    return guild.create_text_channel("limited", overwrites={guild.me: discord.PermissionOverwrite(**permissions)})


def last_in(channel: ChannelHandle) -> discord.Message:
    assert channel.last_message is not None
    return channel.last_message


def lead_back(env: Env, made: discord.Message, tapped: discord.Message) -> None:
    """Note with a message on which button it was asked for: Discord tells that, simcord leaves it out."""
    metadata = env.backend.get_message(made.channel.id, made.id).interaction_metadata
    assert metadata is not None
    metadata["interacted_message_id"] = str(tapped.id)


def response_to(result: InteractionResult) -> discord.Message:
    assert result.response is not None
    return result.response.message


def buttons_of(message: discord.Message) -> list[list[Any]]:
    return [list(row.children) for row in message.components if isinstance(row, discord.ActionRow)]


def labels_of(message: discord.Message) -> list[list[str]]:
    return [[button.label for button in row] for row in buttons_of(message)]


def chosen_in(message: discord.Message) -> list[str]:
    """Return the labels of the highlighted buttons."""
    buttons = [button for row in buttons_of(message) for button in row]
    return [button.label for button in buttons if button.style is discord.ButtonStyle.success]


def pixels_of(content: bytes) -> NDArray[np.uint8]:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return decoded.astype(np.uint8)


def assert_covered(made: bytes, photo: bytes) -> None:
    """Check that the picture is a JPEG that equals the photo except for the faces."""
    assert made.startswith(b"\xff\xd8")
    before, after = pixels_of(photo).astype(int), pixels_of(made).astype(int)
    change = np.abs(before - after).mean(axis=2)
    assert change[-20:, -20:].mean() < 5
    boxes = [face.box for face in Recognizer.load().read(photo).faces]
    assert boxes
    for box in boxes:
        x, y, side = round(box.x), round(box.y), round(box.width)
        assert change[y : y + side, x : x + side].mean() > 30


def reactions_on(message: discord.Message) -> list[str]:
    return [str(reaction.emoji) for reaction in message.reactions]
