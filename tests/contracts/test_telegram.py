"""The contract that is built out of Telegram's description of its Bot API finds what does not fit."""

from typing import Any

import pytest
from telegram.constants import ReactionEmoji

from recognizer.emoji_map import without_selector
from tests.contracts.telegram import TelegramContract, need_contract

_CHAT = {"id": 7, "type": "private", "first_name": "Ada"}
_MESSAGE = {"message_id": 1, "date": 1, "chat": _CHAT, "text": "Hi"}


@pytest.fixture(scope="module")
def contract() -> TelegramContract:
    return need_contract()


@pytest.mark.parametrize(
    ("method", "form"),
    [
        ("sendMessage", {"chat_id": "7", "text": "Hi"}),
        ("sendMessage", {"chat_id": "@channel", "text": "x" * 4096, "reply_parameters": '{"message_id": 1}'}),
        ("setMessageReaction", {"chat_id": "7", "message_id": "1", "reaction": '[{"type": "emoji", "emoji": "😁"}]'}),
        ("editMessageText", {"inline_message_id": "1", "text": "Hi"}),
        ("getUpdates", {"limit": "100", "allowed_updates": '["message"]'}),
        ("setMyCommands", {"commands": '[{"command": "emoji_me", "description": "Cover"}]'}),
    ],
)
def test_requests_that_telegram_takes_fit(contract: TelegramContract, method: str, form: dict[str, str]) -> None:
    assert not contract.violations_of_request(method, form, frozenset())


def test_files_may_be_sent_by_their_field_or_attached(contract: TelegramContract) -> None:
    media = '{"type": "photo", "media": "attach://face", "has_spoiler": true}'
    edit = {"chat_id": "7", "message_id": "1", "media": media}
    assert not contract.violations_of_request("sendPhoto", {"chat_id": "7"}, frozenset({"photo"}))
    assert not contract.violations_of_request("editMessageMedia", edit, frozenset({"face"}))
    assert contract.violations_of_request("editMessageMedia", edit, frozenset())
    assert contract.violations_of_request("sendPhoto", {"chat_id": "7"}, frozenset({"photo", "more"}))


@pytest.mark.parametrize(
    ("method", "form", "told"),
    [
        ("sendSelfie", {}, "no such method"),
        ("sendMessage", {"chat_id": "7"}, "'text' is a required property"),
        ("sendMessage", {"chat_id": "7", "text": ""}, "at least 1"),
        ("sendMessage", {"chat_id": "7", "text": "😄" * 2049}, "4098 UTF-16 units"),
        ("sendMessage", {"chat_id": "7", "text": "Hi", "spoiler": "true"}, "'spoiler' was unexpected"),
        ("sendMessage", {"chat_id": "7", "text": "Hi", "reply_parameters": "{"}, "not JSON"),
        ("sendMessage", {"chat_id": "7", "text": "Hi", "protect_content": "1"}, "protect_content"),
        ("sendMessage", {"chat_id": "7", "text": "Hi", "reply_parameters": '{"message_id": "1"}'}, "message_id"),
        ("sendMessage", {"chat_id": "7", "text": "Hi", "reply_markup": '{"inline_keyboard": [{}]}'}, "inline_keyboard"),
        ("editMessageText", {"text": "Hi"}, "(its fields)"),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}, "201 UTF-16 units"),
        ("setMyCommands", {"commands": '[{"command": "Emoji", "description": "x"}]'}, "does not match"),
        ("getUpdates", {"limit": "101"}, "maximum of 100"),
        ("setMessageReaction", {"chat_id": "7", "message_id": "1", "reaction": '[{"type": "emoji", "emoji": "😄"}]'},
         "😄"),
    ],
)  # fmt: skip
def test_requests_that_telegram_refuses_do_not_fit(
    contract: TelegramContract, method: str, form: dict[str, str], told: str
) -> None:
    violations = contract.violations_of_request(method, form, frozenset())
    assert any(told in violation for violation in violations), violations
    assert all(violation.startswith(method) for violation in violations)


def test_a_buttons_data_has_at_most_64_bytes(contract: TelegramContract) -> None:
    for data, fits in (("x" * 64, True), ("😄" * 17, False), ("", False)):
        button = {"text": "x", "callback_data": data}
        assert (not contract.violations("InlineKeyboardButton", button)) is fits


def test_the_reactions_are_those_that_the_library_knows(contract: TelegramContract) -> None:
    for emoji in ReactionEmoji:
        spelling = without_selector(emoji.value)  # the library's ❤️‍🔥 has a selector, Telegram's has none
        assert not contract.violations("ReactionType", {"type": "emoji", "emoji": spelling})


@pytest.mark.parametrize(
    ("update", "fits"),
    [
        ({"message": _MESSAGE}, True),
        ({"message": {**_MESSAGE, "pinned_message": {"message_id": 1, "date": 0, "chat": _CHAT}}}, True),
        ({"message": {**_MESSAGE, "text": None}}, False),
        ({"message": {**_MESSAGE, "selfie": True}}, False),
        ({"message": {**_MESSAGE, "date": 0}}, False),
        ({"message": {**_MESSAGE, "chat": {"id": 7, "type": "room"}}}, False),
        ({"message": {**_MESSAGE, "venue": {}}}, False),
        ({"message": {**_MESSAGE, "reply_to_message": {**_MESSAGE, "reply_to_message": _MESSAGE}}}, False),
        ({"message": _MESSAGE, "edited_message": _MESSAGE}, False),
        ({"selfie": _MESSAGE}, False),
    ],
)
def test_updates_fit_or_do_not(contract: TelegramContract, update: dict[str, Any], fits: bool) -> None:
    assert (not contract.violations_of_update({"update_id": 1, **update})) is fits
