"""Custom emoji on buttons."""

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, TimedOut

from bots.telegram.icons import REMEMBERED_S, Icons

_WITH = InlineKeyboardMarkup([[InlineKeyboardButton("😎", callback_data="a", icon_custom_emoji_id="12345")]])
_WITHOUT = InlineKeyboardMarkup([[InlineKeyboardButton("😎", callback_data="a")]])


class _Telegram:
    """Refuses icons, and notes the keyboards that it is sent."""

    def __init__(self) -> None:
        self.tried: list[InlineKeyboardMarkup | None] = []

    async def send(self, keys: InlineKeyboardMarkup | None) -> None:
        self.tried.append(keys)
        if keys == _WITH:
            raise BadRequest("BUTTON_ICON_INVALID")


async def test_icons_are_tried_again_after_an_hour() -> None:
    now, telegram = [1000.0], _Telegram()
    icons = Icons(lambda: now[0])
    await icons.show(_WITH, telegram.send)
    now[0] += REMEMBERED_S - 1
    await icons.show(_WITH, telegram.send)
    assert telegram.tried == [_WITH, _WITHOUT, _WITHOUT]
    now[0] += 2
    await icons.show(_WITH, telegram.send)
    assert telegram.tried[3:] == [_WITH, _WITHOUT]


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (BadRequest("Message is not modified"), 1),
        (TimedOut(), 1),
        (BadRequest("Chat not found"), 2),
    ],
)
async def test_what_is_refused_for_another_reason_says_nothing_about_icons(error: Exception, attempts: int) -> None:
    tried: list[InlineKeyboardMarkup | None] = []

    async def refuse(keys: InlineKeyboardMarkup | None) -> None:
        tried.append(keys)
        raise error

    icons = Icons(lambda: 1000.0)
    with pytest.raises(type(error)):
        await icons.show(_WITH, refuse)
    assert len(tried) == attempts
    telegram = _Telegram()
    with pytest.raises(type(error)):
        await icons.show(_WITH, refuse)
    await icons.show(_WITH, telegram.send)
    assert telegram.tried[0] == _WITH


async def test_keyboards_without_icons_are_left_alone() -> None:
    telegram = _Telegram()
    for keys in (None, _WITHOUT):
        await Icons().show(keys, telegram.send)
    assert telegram.tried == [None, _WITHOUT]
