"""What a chat's administrators chose, and what becomes of a chat that moves."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from db import Automatic, Chat, ChatChoices, FaceReading, OwnEmoji, Person, Platform, Store
from tests.rows import count_rows, execute

ADA = Person(Platform.TELEGRAM, "1")
OLD, NEW = Chat(Platform.TELEGRAM, "-5"), Chat(Platform.TELEGRAM, "-1005")
FACE = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄", "😐"), bytes(48 * 48))
CHOSEN = ChatChoices(Automatic.OFFER, True, 22, 7, 120, 3)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def test_what_was_chosen_is_kept_and_replaced(store: Store) -> None:
    assert await store.chats.choices(OLD) == ChatChoices()
    await store.chats.choose(OLD, CHOSEN)
    assert await store.chats.choices(OLD) == CHOSEN
    await store.chats.choose(OLD, ChatChoices())
    assert await store.chats.choices(OLD) == ChatChoices()


async def test_a_choice_of_another_version_of_the_bot_is_off(store: Store) -> None:
    await store.chats.choose(OLD, CHOSEN)
    await execute(store, "UPDATE chats SET automatic = 'sing'")
    assert (await store.chats.choices(OLD)).automatic is Automatic.OFF


async def test_settings_taste_and_readings_move_along(store: Store) -> None:
    await store.chats.choose(OLD, CHOSEN)
    (reading,) = (await store.add_photo(ADA, OLD, "model-1", [FACE])).readings
    await store.taps.add(reading.id, emoji="😐")
    for _ in range(2):  # Telegram says it twice: in the old chat and in the new one
        await store.chats.move(OLD, NEW)
    assert await store.chats.choices(NEW) == CHOSEN
    assert await store.chats.choices(OLD) == ChatChoices()
    assert [each.emoji for each in await store.choices.of_chat(NEW, LONG_AGO, 9)] == ["😐"]
    assert await store.choices.of_chat(OLD, LONG_AGO, 9) == ()
    assert await store.feedback.takes_votes(reading.id, NEW)
    assert await count_rows(store, "chats") == 1


async def test_what_happened_in_the_new_chat_before_the_move_stays(store: Store) -> None:
    await store.chats.choose(OLD, CHOSEN)
    await store.chats.choose(NEW, ChatChoices(Automatic.REACT))
    (early,) = (await store.add_photo(ADA, NEW, "model-1", [FACE])).readings
    await store.taps.add(early.id, emoji="😄")
    before = await store.choices.revision(ADA, NEW)
    await store.chats.move(OLD, NEW)
    assert await store.chats.choices(NEW) == ChatChoices(Automatic.REACT)
    assert [each.emoji for each in await store.choices.of_chat(NEW, LONG_AGO, 9)] == ["😄"]
    assert (await store.choices.revision(ADA, NEW)).chat != before.chat


async def test_an_unknown_chat_and_one_that_stays_leave_no_trace(store: Store) -> None:
    await store.chats.move(OLD, NEW)
    await store.chats.move(NEW, NEW)
    assert await count_rows(store, "chats") == 0


async def test_who_is_forgotten_leaves_a_groups_settings_and_takes_their_own_chat_along(store: Store) -> None:
    own = Chat(Platform.TELEGRAM, ADA.id)
    for chat in (OLD, own):
        await store.chats.choose(chat, CHOSEN)
        await store.chat_emoji.put(chat, OwnEmoji("<:blob:123456789012345678>", "happy", "😄"))
        await store.add_photo(ADA, chat, "model-1", [FACE])
    assert await store.forget(ADA)
    assert await store.chats.choices(OLD) == CHOSEN
    assert len(await store.chat_emoji.of(OLD)) == 1
    assert await count_rows(store, "chats") == await count_rows(store, "chat_emoji") == 1


async def test_a_chat_that_only_a_game_was_in_goes_with_its_player(store: Store) -> None:
    await store.games.start(Chat(Platform.DISCORD, "77"), ADA, "sad", "😢", LONG_AGO)
    assert await store.forget(ADA)
    assert await count_rows(store, "chats") == 0


async def test_changes_at_once_all_count(store: Store) -> None:
    changes = [partial(replace, automatic=Automatic.REACT), partial(replace, most_faces=3)]
    changes += [partial(replace, quiet_from=22, quiet_until=7), partial(replace, allows_play=True)]
    await asyncio.gather(*(store.chats.change(OLD, change) for change in changes))
    assert await store.chats.choices(OLD) == ChatChoices(Automatic.REACT, False, 22, 7, 0, 3, True)


async def test_scores_of_both_chats_are_added_when_one_becomes_the_other(store: Store) -> None:
    for chat, points in ((OLD, 40), (NEW, 7)):
        game = await store.games.start(chat, None, "sad", "😢", LONG_AGO)
        await store.games.score(game, ADA, "Ada", points)
    await store.chats.move(OLD, NEW)
    assert [(score.points, score.rounds) for score in await store.games.scoreboard(NEW, 9)] == [(47, 2)]
    assert await store.games.scoreboard(OLD, 9) == ()
