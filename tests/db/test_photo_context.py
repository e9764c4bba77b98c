from datetime import UTC, datetime

from db import (
    Automatic,
    Chat,
    ChatChoices,
    OwnEmoji,
    Person,
    PhotoContext,
    Platform,
    Preferences,
    Store,
    TasteRevision,
)

ADA, BERT = (Person(Platform.TELEGRAM, number) for number in ("1", "2"))
GROUP, ELSEWHERE = (Chat(Platform.TELEGRAM, number) for number in ("-5", "-6"))
CHOICES = ChatChoices(Automatic.REACT, most_faces=3)
OWN = (OwnEmoji("<:grin:1>", "happy", "😀"), OwnEmoji("<:cry:2>", "😢", "😢"))


async def test_of_strangers_nothing_is_known(store: Store) -> None:
    assert await store.photo_contexts.of(ADA, GROUP) == PhotoContext(revision=TasteRevision(0, 0))


async def test_it_is_what_each_part_says_alone(store: Store) -> None:
    await store.set_preferences(ADA, Preferences("de", "dark", None))
    await store.chats.choose(GROUP, CHOICES)
    for each in OWN:
        await store.chat_emoji.put(GROUP, each)
    await store.games.start(GROUP, ADA, "sad", "😢", datetime.now(UTC))
    await store.forget(BERT)
    assert await store.photo_contexts.of(ADA, GROUP) == PhotoContext(
        Preferences("de", "dark", None), CHOICES, OWN, True, await store.choices.revision(ADA, GROUP), 1
    )


async def test_of_others_and_elsewhere_it_says_nothing(store: Store) -> None:
    await store.set_preferences(ADA, Preferences("de", None, None))
    await store.chats.choose(GROUP, CHOICES)
    await store.chat_emoji.put(GROUP, OWN[0])
    await store.games.start(GROUP, ADA, "sad", "😢", datetime.now(UTC))
    of_bert = await store.photo_contexts.of(BERT, GROUP)
    assert (of_bert.preferences, of_bert.choices, of_bert.has_game) == (Preferences(), CHOICES, False)
    elsewhere = await store.photo_contexts.of(ADA, ELSEWHERE)
    assert (elsewhere.preferences.language, elsewhere.choices) == ("de", ChatChoices())
    assert (elsewhere.own_emoji, elsewhere.has_game) == ((), False)


async def test_a_round_of_everybody_is_not_a_game_of_ones_own(store: Store) -> None:
    await store.set_preferences(ADA, Preferences("de", None, None))
    await store.games.start(GROUP, None, "sad", "😢", datetime.now(UTC))
    assert not (await store.photo_contexts.of(ADA, GROUP)).has_game
