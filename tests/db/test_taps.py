"""Who said what last: replays change nothing, others have one vote each, and reactions say less than buttons."""

import asyncio
from datetime import UTC, datetime

import pytest

from db import Chat, ChatChoices, FaceReading, Person, Platform, Source, Store
from db.taps import MOST_TAPS
from tests.rows import count_rows, select_rows

ADA, BERT, EVE = (Person(Platform.TELEGRAM, number) for number in ("1", "2", "3"))
GROUP = Chat(Platform.TELEGRAM, "-5")
FACE = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄", "😐", "😢"), bytes(48 * 48))


async def add(store: Store, *, faces: int = 1, sender: Person | None = None) -> list[int]:
    """Store a photo about which Ada asked, as message 7; return its readings."""
    added = await store.add_photo(ADA, GROUP, "model-1", [FACE] * faces, sender=sender, messages=["7"])
    return [reading.id for reading in added.readings]


async def test_the_same_vote_three_hundred_times_is_one_row(store: Store) -> None:
    [reading] = await add(store)
    for _ in range(30):
        await asyncio.gather(*(store.taps.add(reading, emoji="😐", voter=BERT) for _ in range(10)))
    assert await count_rows(store, "taps") == 1


async def test_somebody_who_changes_their_vote_again_and_again_has_one(store: Store) -> None:
    [reading] = await add(store)
    for number in range(20):
        await store.taps.add(reading, emoji=("😐", "😢")[number % 2], voter=BERT)
    await store.taps.add(reading, emotion="sad", voter=EVE)
    assert await select_rows(store, "SELECT emoji, emotion FROM taps ORDER BY id") == [("😢", None), (None, "sad")]


async def test_the_same_tap_of_the_person_who_asked_is_one_row_and_changes_no_taste(store: Store) -> None:
    [reading] = await add(store)
    await store.taps.add(reading, emoji="😐")
    before = await store.choices.revision(ADA, GROUP)
    for _ in range(30):
        await store.taps.add(reading, emoji="😐")
    assert await count_rows(store, "taps") == 1
    assert await store.choices.revision(ADA, GROUP) == before


async def test_every_correction_is_kept_up_to_a_bound(store: Store) -> None:
    [reading] = await add(store)
    for emoji in ("😐", "😢", "😐"):
        await store.taps.add(reading, emoji=emoji)
    assert await count_rows(store, "taps") == 3
    for number in range(2 * MOST_TAPS):
        await store.taps.add(reading, emoji=("😄", "😢")[number % 2])
    assert await count_rows(store, "taps") == MOST_TAPS
    photo = await store.photo_of(reading, ADA)
    assert photo is not None
    assert photo.readings[0].chosen == "😢"


@pytest.mark.parametrize("message", ["7", "8"])
async def test_a_reaction_on_the_photo_or_the_answer_counts_as_a_weaker_tap(store: Store, message: str) -> None:
    await store.set_keeps_faces(ADA, True)
    [reading] = await add(store)
    photo = await store.photo_of(reading, ADA)
    assert photo is not None
    await store.taps.note_messages(photo.id, [GROUP.message("8")])
    assert await store.taps.react(GROUP.message(message), ADA, "😢")
    [face] = await store.feedback.faces()
    assert [(answer.source, answer.emoji) for answer in face.answers] == [(Source.REACTION, "😢")]


async def test_a_reaction_can_be_changed_and_taken_back(store: Store) -> None:
    await add(store)
    for emoji in ("😢", "😐", "😐"):
        await store.taps.react(GROUP.message("7"), ADA, emoji)
    assert await select_rows(store, "SELECT emoji, origin FROM taps") == [("😐", "reaction")]
    assert await store.taps.react(GROUP.message("7"), ADA, None)
    assert await count_rows(store, "taps") == 0
    assert not await store.taps.react(GROUP.message("7"), ADA, None)


async def test_a_button_outweighs_a_reaction_whichever_came_first(store: Store) -> None:
    [reading] = await add(store)
    await store.taps.react(GROUP.message("7"), ADA, "😢")
    await store.taps.add(reading, emoji="😄")
    await store.taps.react(GROUP.message("7"), ADA, "😐")
    await store.taps.react(GROUP.message("7"), ADA, None)
    assert await select_rows(store, "SELECT emoji, origin FROM taps") == [("😄", "button")]


async def test_reactions_of_others_in_other_chats_and_on_many_faces_say_nothing(store: Store) -> None:
    await add(store)
    assert not await store.taps.react(GROUP.message("7"), BERT, "😢")
    assert not await store.taps.react(Chat(Platform.TELEGRAM, "-6").message("7"), ADA, "😢")
    assert not await store.taps.react(Chat(Platform.DISCORD, "-5").message("7"), ADA, "😢")
    await add(store, faces=2)
    assert not await store.taps.react(GROUP.message("7"), ADA, "😢")
    assert await count_rows(store, "taps") == 0


async def test_who_sent_the_photo_that_another_asked_about_is_its_sender(store: Store) -> None:
    for person in (ADA, BERT):
        await store.set_keeps_faces(person, True)
    await store.chats.choose(GROUP, ChatChoices(everyone_taps=True))
    [reading] = await add(store, sender=BERT)
    await store.taps.add(reading, emoji="😐")
    await store.taps.add(reading, emoji="😢", voter=BERT)
    await store.taps.add(reading, emoji="😄", voter=EVE)
    [face] = await store.feedback.faces()
    said = [(answer.source, answer.emoji) for answer in face.answers]
    assert said == [(Source.VOTE, "😐"), (Source.SENDER, "😢"), (Source.VOTE, "😄")]
    assert face.sender == await store.feedback.person_number(BERT)
    assert await store.taps.react(GROUP.message("7"), BERT, "😐") is False  # they have tapped a button


async def test_the_face_of_somebody_unknown_is_kept_on_nobodys_word(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    await add(store, sender=Person.unknown(Platform.TELEGRAM))
    assert await count_rows(store, "readings WHERE crop IS NOT NULL") == 0


@pytest.mark.parametrize(("asker", "sender", "kept"), [(True, True, 1), (True, False, 0), (False, True, 0)])
async def test_a_crop_is_kept_only_if_everybody_concerned_agreed(
    store: Store, asker: bool, sender: bool, kept: int
) -> None:
    await store.set_keeps_faces(ADA, asker)
    await store.set_keeps_faces(BERT, sender)
    await add(store, sender=BERT)
    assert await count_rows(store, "readings WHERE crop IS NOT NULL") == kept
    await store.set_keeps_faces(BERT, False)
    assert await count_rows(store, "readings WHERE crop IS NOT NULL") == 0


async def test_who_is_forgotten_takes_along_photos_that_others_asked_about(store: Store) -> None:
    [reading] = await add(store, sender=BERT)
    await store.taps.add(reading, emoji="😐")
    before = await store.choices.revision(ADA, GROUP)
    assert await store.forget(BERT)
    assert await store.photo_of(reading, ADA) is None
    assert await count_rows(store, "messages") == 0
    assert (await store.choices.revision(ADA, GROUP)).person != before.person
    assert not await store.forget(BERT)


async def test_a_message_that_is_answered_anew_belongs_to_the_newer_answer(store: Store) -> None:
    await add(store)
    [newer] = await add(store)
    assert await store.taps.react(GROUP.message("7"), ADA, "😢")
    assert await select_rows(store, "SELECT reading_id FROM taps") == [(newer,)]
    assert await count_rows(store, "messages") == 1


async def test_a_message_of_a_photo_that_is_gone_is_not_noted(store: Store) -> None:
    await store.taps.note_messages(12345, [GROUP.message("8")])
    assert await count_rows(store, "messages") == 0


async def test_two_people_who_ask_about_the_same_photo_at_once_are_both_answered(store: Store) -> None:
    for attempt in range(8):
        people = [Person(Platform.TELEGRAM, f"{attempt}-{number}") for number in range(6)]
        chat = Chat(Platform.TELEGRAM, str(attempt // 2))
        adding = (
            store.add_photo(person, chat, "model-1", [FACE], sender=people[attempt % 6], messages=["7"])
            for person in people
        )
        added = await asyncio.gather(*adding)
        assert len({photo.id for photo in added}) == 6
    assert await count_rows(store, "messages") == 4


async def test_different_votes_of_one_person_at_once_are_one_row(store: Store) -> None:
    [reading] = await add(store)
    emoji = ["😐", "😢", "😄"] * 5
    await asyncio.gather(*(store.taps.add(reading, emoji=each, voter=BERT) for each in emoji))
    assert await count_rows(store, "taps") == 1


async def test_a_deletion_of_who_sent_it_and_taps_of_who_asked_do_not_wait_for_each_other(store: Store) -> None:
    for _ in range(12):
        [reading] = await add(store, sender=BERT)
        taps = [store.taps.add(reading, emoji=emoji) for emoji in ("😐", "😢", "😄")]
        votes = [store.taps.add(reading, emoji="😐", voter=person) for person in (BERT, EVE)]
        await asyncio.gather(*taps, store.forget(BERT), *votes)
        assert await store.photo_of(reading, ADA) is None


async def test_games_that_begin_are_scored_and_are_cleared_at_once_end_well(store: Store) -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    for _ in range(6):
        started = await asyncio.gather(*(store.games.start(GROUP, None, "sad", "😢", now) for _ in range(3)))
        assert await count_rows(store, "games WHERE person_id IS NULL") == 1
        scores = [store.games.score(started[-1], person, "x", 5) for person in (ADA, BERT, EVE)]
        await asyncio.gather(*scores, store.games.clear_scoreboard(GROUP))
        await asyncio.gather(*(store.games.start(GROUP, ADA, "sad", "😢", now) for _ in range(3)))
        assert await count_rows(store, "games WHERE person_id IS NOT NULL") == 1


async def test_the_reaction_of_who_asked_about_anothers_photo_is_a_vote(store: Store) -> None:
    for person in (ADA, BERT):
        await store.set_keeps_faces(person, True)
    await add(store, sender=BERT)
    await store.taps.react(GROUP.message("7"), ADA, "😢")
    [face] = await store.feedback.faces()
    assert [answer.source for answer in face.answers] == [Source.VOTE]
