"""What a chat's administrators chose, and what becomes of a chat that moves."""

from datetime import UTC, datetime

from db import Automatic, Chat, ChatChoices, FaceReading, Person, Platform, Store
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
