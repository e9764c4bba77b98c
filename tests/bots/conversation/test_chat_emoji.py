"""A chat's own emoji are offered, reacted with and learned from like the others."""

from datetime import UTC, datetime

import numpy as np
import pytest

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.messages import ChatEmojiCommand, PeopleReaction, PhotoMessage, Picture, Reply, Tap
from db import Chat, Person, Platform, Store
from db.chat_emoji import MOST_OF_A_CHAT
from recognizer import EMOTIONS, Recognizer
from tests.bots.replies import buttons
from tests.faults import Faults
from tests.rows import count_rows, select_rows

ADA = Person(Platform.DISCORD, "1")
SERVER, ELSEWHERE = Chat(Platform.DISCORD, "5"), Chat(Platform.DISCORD, "6")
BLOB = "<:blobhappy:123456789012345678>"


async def yes() -> bool:
    return True


async def say(service: EmojiService, words: str, chat: Chat = SERVER) -> str:
    return (await service.on_chat_emoji(ChatEmojiCommand(ADA, chat, words, "en", yes))).text


async def answered(service: EmojiService, content: bytes, chat: Chat = SERVER) -> Reply:
    photo = PhotoMessage(ADA, chat, (Picture(content),), comes_again=True, messages=("7",))
    return [reply async for reply in service.on_photo(photo)][-1]


async def test_a_mapped_emoji_is_offered_and_reacted_with_in_its_chat_only(
    service: EmojiService, selfie: bytes
) -> None:
    await answered(service, selfie)  # which says what the bot is
    before = await answered(service, selfie)
    kept = await say(service, f"{BLOB} happy")
    assert BLOB in kept
    reply = await answered(service, selfie)
    icons = [each.icon for each in reply.rows[0]]
    assert BLOB in icons
    offered = reply.rows[0][icons.index(BLOB)]
    assert (offered.label, offered.meaning) == ("blobhappy", "blobhappy")
    assert reply.reactions == (BLOB,)
    assert (await answered(service, selfie, ELSEWHERE)).text == before.text
    assert not any(each.icon for each in buttons(await answered(service, selfie, ELSEWHERE)))


async def test_a_tap_on_it_is_stored_learned_from_and_preferred(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.set_keeps_faces(ADA, True)
    await say(service, f"{BLOB} 😁")
    reply = await answered(service, selfie)
    token = next(each.token for each in buttons(reply) if each.icon == BLOB)
    tapped = await service.on_tap(Tap(ADA, SERVER, token))
    assert tapped.text is not None
    assert BLOB in tapped.text
    assert tapped.reaction == BLOB
    assert await select_rows(store, "SELECT emoji FROM taps") == [(BLOB,)]
    [face] = await store.feedback.faces()
    assert face.answers[0].emoji == "😁"
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert [each.emoji for each in await store.choices.of_chat(SERVER, long_ago, 9)] == [BLOB]


async def test_pictures_are_covered_with_what_it_is_like(service: EmojiService, selfie: bytes) -> None:
    await say(service, f"{BLOB} 😁")
    reply = await answered(service, selfie)
    token = next(each.token for each in buttons(reply) if each.icon == BLOB)
    await service.on_tap(Tap(ADA, SERVER, token))

    async def fetch() -> Picture:
        return Picture(selfie)

    picture = next(each.token for each in buttons(reply) if each.label == texts.EMOJI_ME)
    made = await service.on_tap(Tap(ADA, SERVER, picture, fetch=fetch))
    assert made.picture is not None
    assert made.notice == texts.EMOJI_ME_MADE


async def test_a_reaction_with_it_is_understood(service: EmojiService, store: Store, selfie: bytes) -> None:
    await say(service, f"{BLOB} sad")
    await answered(service, selfie)
    await service.on_reaction(PeopleReaction(ADA, SERVER, "7", (BLOB,)))
    assert await select_rows(store, "SELECT emoji, origin FROM taps") == [(BLOB, "reaction")]


async def test_it_can_be_mapped_anew_listed_and_taken_out(service: EmojiService, store: Store) -> None:
    await say(service, f"{BLOB} happy")
    await say(service, f"{BLOB} Angry")
    assert await count_rows(store, "chat_emoji") == 1
    listed = await say(service, "")
    assert BLOB in listed
    assert texts.CHAT_EMOJI_HOW in listed
    assert BLOB in await say(service, f"{BLOB} off")
    assert await say(service, f"{BLOB} off") == texts.CHAT_EMOJI_UNKNOWN.format(emoji=BLOB)
    assert await count_rows(store, "chat_emoji") == 0


@pytest.mark.parametrize("words", ["happy", "😎 happy", BLOB, f"{BLOB} ", "<:x:1> happy"])
async def test_what_is_no_own_emoji_with_a_meaning_is_explained(service: EmojiService, words: str) -> None:
    assert await say(service, words) == texts.CHAT_EMOJI_HOW


async def test_a_meaning_that_nobody_knows_names_those_there_are(service: EmojiService) -> None:
    for meaning in ("hungry", "🍌", "x" * 500):
        assert "disgusted" in await say(service, f"{BLOB} {meaning}")


async def test_feelings_may_be_named_in_the_persons_language(service: EmojiService, store: Store) -> None:
    german = ChatEmojiCommand(ADA, SERVER, f"{BLOB} Fröhlich", "de", yes)
    reply = await service.on_chat_emoji(german)
    [known] = await store.chat_emoji.of(SERVER)
    assert known.meaning == "happy"
    assert BLOB in reply.text


async def test_only_administrators_may(service: EmojiService, store: Store) -> None:
    reply = await service.on_chat_emoji(ChatEmojiCommand(ADA, SERVER, f"{BLOB} happy"))
    assert reply == Reply(texts.CHAT_ADMINS_ONLY)
    assert await count_rows(store, "chat_emoji") == 0


async def test_a_chat_has_so_many_and_no_more(service: EmojiService) -> None:
    for number in range(MOST_OF_A_CHAT):
        await say(service, f"<:e{number:02}:{10**17 + number}> sad")
    assert await say(service, f"{BLOB} happy") == texts.CHAT_EMOJI_FULL
    assert BLOB not in await say(service, "<:e00:100000000000000000> happy")


async def test_without_the_database_photos_are_answered_and_the_command_says_so(
    service: EmojiService, selfie: bytes, faults: Faults
) -> None:
    await say(service, f"{BLOB} happy")
    with faults.no_database():
        assert "You look happy" in (await answered(service, selfie)).text
        assert await say(service, f"{BLOB} sad") == texts.FAILED


def test_a_map_with_more_emoji_is_a_map(recognizer: Recognizer) -> None:
    base = recognizer.emoji_map
    more = base.with_own([(BLOB, "🤩", False), ("<:gone:123456789012345678>", "no emoji of the map", True)], "discord")
    assert more.emoji == (*base.emoji, BLOB)
    assert more.likelihoods.shape == (len(EMOTIONS), len(base.emoji) + 1)
    assert np.allclose(more.likelihoods.sum(axis=1), 1)
    assert more.may_react("discord")[-1]
    assert not more.may_react("telegram")[-1]
    assert base.with_own([], "discord") is base
