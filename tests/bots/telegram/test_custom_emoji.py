"""Emoji of a chat's own: mapped by a command, offered, reacted with, and understood in people's reactions."""

import asyncio
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES
from bots.conversation.service import EmojiService
from bots.messages import ChatEmojiCommand, PeopleReaction, Reply
from db import Chat, OwnEmoji, Platform, Store
from tests.bots.telegram.server import Fault, TelegramServer, labels
from tests.rows import count_rows
from tests.waiting import PATIENCE_S

_CHAT = Chat(Platform.TELEGRAM, "-5")
_NUMBER = "5368324170671202286"
_OWN = f"<😎:{_NUMBER}>"
_ALLOWED = [{"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji", "custom_emoji_id": _NUMBER}]


def _custom(text: str, *shown: str) -> list[dict[str, Any]]:
    """Return the entities of a command and of custom emoji in a text."""
    entities: list[dict[str, Any]] = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
    for number, emoji in enumerate(shown):
        offset, length = (len(part.encode("utf-16-le")) // 2 for part in (text[: text.index(emoji)], emoji))
        told = {"type": "custom_emoji", "custom_emoji_id": str(int(_NUMBER) + number)}
        entities.append({**told, "offset": offset, "length": length})
    return entities


@pytest.fixture
def asked(service: EmojiService, monkeypatch: pytest.MonkeyPatch) -> list[ChatEmojiCommand]:
    """Return the commands that reach the service."""
    commands: list[ChatEmojiCommand] = []

    async def on_chat_emoji(command: ChatEmojiCommand) -> Reply:
        commands.append(command)
        return Reply("Noted.")

    monkeypatch.setattr(service, "on_chat_emoji", on_chat_emoji)
    return commands


@pytest.mark.parametrize(
    ("text", "shown", "words"),
    [
        ("/chat_emoji 😎 happy", ("😎",), f"{_OWN} happy"),
        ("/chat_emoji@telemelya_bot  😎\n the  face 😄", ("😎",), f"{_OWN} the face 😄"),
        ("/chat_emoji 😎happy", ("😎",), f"{_OWN} happy"),
        ("/chat_emoji 😎 🤓", ("😎", "🤓"), f"{_OWN} <🤓:5368324170671202287>"),
        ("/chat_emoji 👩🏿‍🚀 off", ("👩🏿‍🚀",), f"<👩🏿‍🚀:{_NUMBER}> off"),
        ("/chat_emoji 😎 happy", (), "😎 happy"),
        (f"/chat_emoji {_OWN} happy", (), f"😎:{_NUMBER}> happy"),
        ("/chat_emoji", (), ""),
    ],
)
async def test_a_custom_emoji_in_the_command_is_told_with_its_number_wherever_it_stands(
    telegram: TelegramServer, asked: list[ChatEmojiCommand], text: str, shown: tuple[str, ...], words: str
) -> None:
    await telegram.send(chat=-5, text=text, entities=_custom(text, *shown), language="de")
    await telegram.sent("sendMessage")
    assert [(each.chat, each.words, each.language) for each in asked] == [(_CHAT, words, "de")]


@pytest.mark.parametrize("number", ["", "12", "9" * 5000, "x" * 20, "²²²²²²²²"])
async def test_a_number_that_is_none_is_left_out(
    telegram: TelegramServer, asked: list[ChatEmojiCommand], number: str
) -> None:
    text = "/chat_emoji 😎 happy"
    command, custom = _custom(text, "😎")
    await telegram.send(chat=-5, text=text, entities=[command, {**custom, "custom_emoji_id": number}])
    await telegram.sent("sendMessage")
    assert [each.words for each in asked] == ["😎 happy"]


async def test_only_administrators_map_an_emoji(telegram: TelegramServer, store: Store) -> None:
    text = "/chat_emoji 😎 happy"
    telegram.statuses = {(-5, 7): "member", (-5, 8): "administrator"}
    await telegram.send(chat=-5, text=text, entities=_custom(text, "😎"))
    assert (await telegram.sent("sendMessage"))[0]["text"] == texts.CHAT_ADMINS_ONLY
    await telegram.send(person=8, chat=-5, text=text, entities=_custom(text, "😎"))
    answer = (await telegram.sent("sendMessage", 2))[1]
    [own] = await store.chat_emoji.of(_CHAT)
    assert own.symbol == _OWN
    assert answer["text"] == texts.CHAT_EMOJI_KEPT.format(emoji="😎", meaning=own.stands_for)


async def test_administrators_have_the_command_in_their_menu(telegram: TelegramServer) -> None:
    menus = telegram.scoped_commands
    await telegram.until(lambda: len(menus.get("all_chat_administrators", {})) == len(OWN_NAMES))
    assert menus["all_chat_administrators"][""]["chat_emoji"] == texts.CHAT_EMOJI_COMMAND
    assert "chat_emoji" not in telegram.commands[""]


async def _answered(telegram: TelegramServer, store: Store, photo: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a photo and its answer in a chat with an emoji of its own, which is liked best there."""
    await store.chat_emoji.put(_CHAT, OwnEmoji(_OWN, "happy", "😄"))
    message = await telegram.send(chat=-5, photo=telegram.picture(photo), caption="/emoji")
    [answer] = await telegram.sent("sendMessage")
    return message, answer


def _keys(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [key for row in record["reply_markup"]["inline_keyboard"] for key in row]


def _icons(record: dict[str, Any]) -> list[str]:
    return [key["icon_custom_emoji_id"] for key in _keys(record) if "icon_custom_emoji_id" in key]


async def test_a_chats_own_emoji_is_offered_with_its_icon_and_chosen_as_a_reaction_where_the_chat_allows_it(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.chat_reactions[-5] = _ALLOWED
    message, answer = await _answered(telegram, store, selfie)
    assert _icons(answer) == [_NUMBER]
    await telegram.tap(answer, "😎", original=message)
    [edited] = await telegram.sent("editMessageText")
    assert edited["text"] == texts.CHOSEN.format(emoji="😎")
    assert "✓ 😎" in labels(edited)[0]
    place = (-5, message["message_id"])
    await telegram.until(lambda: telegram.present_reactions.get(place) == _NUMBER)


@pytest.mark.parametrize("listed", [None, [{"type": "emoji", "emoji": "😎"}]])
async def test_where_the_chat_does_not_list_it_its_plain_emoji_is_the_reaction(
    telegram: TelegramServer, store: Store, selfie: bytes, listed: list[dict[str, str]] | None
) -> None:
    if listed is not None:
        telegram.chat_reactions[-5] = listed
    message, answer = await _answered(telegram, store, selfie)
    await telegram.tap(answer, "😎", original=message)
    await telegram.until(lambda: telegram.present_reactions.get((-5, message["message_id"])) == "😎")
    assert not any("custom_emoji" in call.fields["reaction"] for call in telegram.called("setMessageReaction"))


async def test_where_the_custom_reaction_is_refused_its_plain_emoji_is_tried(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.chat_reactions[-5] = [*_ALLOWED, {"type": "emoji", "emoji": "😎"}]
    message, answer = await _answered(telegram, store, selfie)
    await telegram.until(lambda: telegram.called("setMessageReaction"))
    telegram.fail("setMessageReaction", Fault(400, "Bad Request: REACTION_INVALID"))
    await telegram.tap(answer, "😎", original=message)
    await telegram.until(lambda: telegram.present_reactions.get((-5, message["message_id"])) == "😎")


async def test_a_persons_custom_reaction_is_handed_on_with_the_emoji_it_stands_for(
    telegram: TelegramServer, service: EmojiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[PeopleReaction] = []

    async def on_reaction(reaction: PeopleReaction) -> None:
        seen.append(reaction)
        await telegram.note_call()

    monkeypatch.setattr(service, "on_reaction", on_reaction)
    telegram.custom_emoji[_NUMBER] = "😎"
    own, unknown = ({"type": "custom_emoji", "custom_emoji_id": number} for number in (_NUMBER, "5000000000000000000"))
    for reactions in ([{"type": "emoji", "emoji": "👍"}, own], [own], [unknown, {"type": "paid"}]):
        await telegram.react(-5, 3, reactions)
    await telegram.until(lambda: len(seen) == 3)
    assert {each.emoji for each in seen} == {("👍", _OWN), (_OWN,), ()}
    await telegram.react(-5, 3, [own])
    asked = len(telegram.called("getCustomEmojiStickers"))
    await telegram.until(lambda: len(seen) == 4)
    assert len(telegram.called("getCustomEmojiStickers")) == asked


async def test_a_persons_custom_reaction_counts_as_a_word_about_their_face(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.custom_emoji[_NUMBER] = "😎"
    message, _ = await _answered(telegram, store, selfie)
    await telegram.until(lambda: telegram.called("setMessageReaction"))
    await telegram.react(-5, message["message_id"], [{"type": "custom_emoji", "custom_emoji_id": _NUMBER}])
    async with asyncio.timeout(PATIENCE_S):
        while await count_rows(store, "taps") == 0:
            await asyncio.sleep(0.05)


async def test_where_icons_are_refused_the_answer_comes_without_and_they_are_not_tried_again(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.forbids_icons = True
    message, answer = await _answered(telegram, store, selfie)
    assert "😎" in labels(answer)[0]
    assert not _icons(answer)
    await telegram.tap(answer, "😎", original=message)
    [edited] = await telegram.sent("editMessageText")
    assert "✓ 😎" in labels(edited)[0]
    tried = [call for call in telegram.requests if "icon_custom_emoji_id" in call.fields.get("reply_markup", "")]
    assert [call.method for call in tried] == ["sendMessage"]
