"""Photos that are being answered: each is one process's at a time, and nobody's once it is answered."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db import Chat, KnownError, Person, Platform, Store, gathering
from tests.rows import count_rows, select_rows

ADA, BERT = (Person(Platform.TELEGRAM, number) for number in ("1", "2"))
CHAT = Chat(Platform.TELEGRAM, "-5")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ADDRESS = {"chat": -5, "message": 7, "files": [{"id": "a"}]}


async def enter(store: Store, message: str = "7", holder: str = "first", person: Person = ADA) -> int:
    opened = await store.journal.open(person, CHAT, CHAT.message(message), ADDRESS, holder, NOW, LATER)
    assert opened.id is not None
    return opened.id


async def test_a_photo_is_open_until_it_is_answered_and_known_ever_after(store: Store) -> None:
    number = await enter(store)
    with pytest.raises(KnownError):
        await enter(store, holder="second")
    assert await store.journal.begin_to_send(number, "first", 0, "")
    await store.journal.close(number, "first", NOW)
    assert await count_rows(store, "open_messages") == 0
    with pytest.raises(KnownError):
        await enter(store)
    await store.retention.expire(NOW + timedelta(days=1))
    with pytest.raises(KnownError):
        await enter(store)
    await store.retention.expire(NOW + timedelta(days=3))
    await enter(store)


async def test_only_ids_are_kept_of_it(store: Store) -> None:
    await enter(store)
    [row] = await select_rows(store, "SELECT person_hash, chat_hash, message_hash FROM open_messages")
    assert all(len(each) == 64 for each in row)
    [left] = await store.journal.take(Platform.TELEGRAM, "second", LATER + timedelta(1), LATER, 20)
    assert left.address == ADDRESS


async def test_nobody_takes_over_what_is_held(store: Store) -> None:
    await enter(store)
    assert await store.journal.take(Platform.TELEGRAM, "second", NOW, LATER, 20) == []
    await store.journal.renew("first", LATER + timedelta(minutes=1))
    assert await store.journal.take(Platform.TELEGRAM, "second", LATER, LATER, 20) == []
    assert await store.journal.take(Platform.DISCORD, "second", LATER + timedelta(1), LATER, 20) == []


async def test_who_asks_again_because_the_answer_was_lost_gets_the_same(store: Store) -> None:
    assert await enter(store) == await enter(store)
    with pytest.raises(KnownError):
        await store.journal.open(ADA, CHAT, CHAT.message("7"), ADDRESS, "first", NOW + timedelta(seconds=1), LATER)


async def test_an_album_takes_each_part_once_and_none_when_it_is_whole(store: Store) -> None:
    name = CHAT.message("album a")
    opened = await store.journal.open(ADA, CHAT, name, gathering({"message": 1}), "first", NOW, LATER)
    digest = store.journal.hash_of(name)
    assert opened.id is not None
    assert [await store.journal.extend(digest, {"message": each}, 3) for each in (2, 2, 3, 4)] == [True] * 3 + [False]
    assert await store.journal.parts(opened.id) == [{"message": each} for each in (1, 2, 3)]
    assert await store.journal.end_gathering(opened.id, "second") == []
    assert len(await store.journal.end_gathering(opened.id, "first")) == 3
    assert not await store.journal.extend(digest, {"message": 5}, 10)
    await store.journal.drop(opened.id, "first")
    assert await store.journal.parts(opened.id) == []
    assert not await store.journal.extend(CHAT.message("7").hashed("another"), {"message": 5}, 10)


async def test_what_a_clock_held_that_was_put_back_by_a_day_is_free(store: Store) -> None:
    number = await enter(store)
    await store.journal.renew("first", LATER + timedelta(days=1))
    [left] = await store.journal.take(Platform.TELEGRAM, "second", NOW, LATER, 20)
    assert left.id == number


async def test_who_was_overtaken_sends_and_closes_nothing(store: Store) -> None:
    number = await enter(store)
    late = LATER + timedelta(seconds=1)
    [left] = await store.journal.take(Platform.TELEGRAM, "second", late, late + timedelta(minutes=1), 20)
    assert (left.id, left.since, left.may_be_answered) == (number, NOW, False)
    assert not await store.journal.begin_to_send(number, "first", 0, "")
    await store.journal.close(number, "first", NOW)
    assert await count_rows(store, "open_messages") == 1
    assert await store.journal.begin_to_send(number, "second", 0, "")


async def test_what_may_have_been_sent_says_so(store: Store) -> None:
    assert await store.journal.begin_to_send(await enter(store), "first", 0, "")
    [left] = await store.journal.take(Platform.TELEGRAM, "second", LATER + timedelta(1), LATER, 20)
    assert left.may_be_answered


async def test_what_a_process_gave_up_is_anybodys_also_its_own(store: Store) -> None:
    number, other = await enter(store, "7"), await enter(store, "8")
    long_after = LATER + timedelta(hours=1)
    await store.journal.renew("first", long_after, left=[number])
    [left] = await store.journal.take(Platform.TELEGRAM, "first", LATER + timedelta(1), long_after, 20, left=[number])
    assert (left.id, other) == (number, number + 1)


async def test_of_several_processes_at_once_each_photo_is_taken_over_by_one(store: Store) -> None:
    numbers = [await enter(store, str(number)) for number in range(30)]
    late = LATER + timedelta(seconds=1)
    taken = await asyncio.gather(
        *(
            store.journal.take(Platform.TELEGRAM, f"process {each}", late, late + timedelta(minutes=1), 10)
            for each in range(5)
        )
    )
    assert sorted(left.id for each in taken for left in each) == sorted(set(numbers))[: sum(map(len, taken))]
    rest = await store.journal.take(Platform.TELEGRAM, "last", late, late + timedelta(minutes=1), 100)
    assert sorted([left.id for each in taken for left in each] + [left.id for left in rest]) == numbers


async def test_the_same_message_at_once_is_entered_once(store: Store) -> None:
    ends = await asyncio.gather(*(enter(store, holder=f"{each}") for each in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in ends) == ["KnownError"] * 4 + ["int"]


async def test_a_chat_has_so_many_open_photos_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.journal.MOST_OPEN_IN_A_CHAT", 2)
    await enter(store, "7")
    await enter(store, "8")
    assert (await store.journal.open(ADA, CHAT, CHAT.message("9"), ADDRESS, "first", NOW, LATER)).id is None
    other = Chat(Platform.TELEGRAM, "-6")
    assert (await store.journal.open(ADA, other, other.message("9"), ADDRESS, "first", NOW, LATER)).id is not None


async def test_people_are_told_of_it_and_forgotten_with_it(store: Store) -> None:
    await store.journal.close(await enter(store, "7"), "first", LATER)
    await enter(store, "8")
    await enter(store, "9", person=BERT)
    own = await store.journal.of(ADA)
    assert (own.waiting, own.answered) == ((NOW,), (LATER,))
    assert await store.forget(ADA)
    assert await count_rows(store, "open_messages") == 1
    assert await count_rows(store, "answered_messages") == 0
    assert not await store.forget(ADA)


async def test_what_nobody_can_answer_any_more_goes_with_its_ids(store: Store) -> None:
    await enter(store)
    await store.retention.expire(NOW + timedelta(days=1))
    assert await count_rows(store, "open_messages") == 1
    await store.retention.expire(NOW + timedelta(days=3))
    assert await count_rows(store, "open_messages") == 0


async def test_who_was_forgotten_while_their_photo_waited_still_gets_the_answer(store: Store) -> None:
    opened = await store.journal.open(ADA, CHAT, CHAT.message("7"), ADDRESS, "first", NOW, LATER)
    assert opened.id is not None
    mine = opened.id, "first"
    await store.forget(ADA)
    assert await count_rows(store, "open_messages") == 0
    assert await store.journal.begin_to_send(*mine, opened.forgettings, opened.message_hash)
    context = await store.photo_contexts.of(ADA, CHAT)
    assert not await store.journal.begin_to_send(*mine, context.forgettings, opened.message_hash)


async def test_who_was_overtaken_sends_nothing_though_somebody_was_forgotten(store: Store) -> None:
    opened = await store.journal.open(ADA, CHAT, CHAT.message("7"), ADDRESS, "first", NOW, LATER)
    late = LATER + timedelta(seconds=1)
    [left] = await store.journal.take(Platform.TELEGRAM, "second", late, late + timedelta(minutes=1), 20)
    assert (opened.id, opened.message_hash) == (left.id, left.message_hash)
    await store.journal.close(left.id, "second", late)
    await store.forget(BERT)
    assert not await store.journal.begin_to_send(left.id, "first", opened.forgettings, opened.message_hash)


async def test_an_answer_that_was_put_off_is_sent_by_the_next_process(store: Store) -> None:
    number = await enter(store)
    assert await store.journal.begin_to_send(number, "first", 0, "")
    await store.journal.put_off(number, "second")
    await store.journal.put_off(number, "first")
    [left] = await store.journal.take(Platform.TELEGRAM, "second", LATER + timedelta(1), LATER, 20)
    assert not left.may_be_answered


async def test_who_sent_the_photo_that_somebody_asks_about_is_forgotten_and_the_question_stays(store: Store) -> None:
    address = {**ADDRESS, "sender": BERT.id}
    await store.journal.open(ADA, CHAT, CHAT.message("7"), address, "first", NOW, LATER)
    await store.forget(Person(Platform.TELEGRAM, "3"))
    await store.forget(BERT)
    [left] = await store.journal.take(Platform.TELEGRAM, "second", LATER + timedelta(1), LATER, 20)
    assert left.address == {**ADDRESS, "sender": None}


async def test_who_sent_what_an_album_forwards_is_forgotten_in_each_part_and_the_album_stays(store: Store) -> None:
    name, senders = CHAT.message("album a"), (BERT.id, "3", None, BERT.id)
    parts = [{"message": number, "sender": sender} for number, sender in enumerate(senders)]
    await store.journal.open(ADA, CHAT, name, gathering(parts[0]), "first", NOW, LATER)
    for part in parts[1:]:
        assert await store.journal.extend(store.journal.hash_of(name), part, 10)
    await store.forget(BERT)
    [left] = await store.journal.take(Platform.TELEGRAM, "second", LATER + timedelta(1), LATER, 20)
    assert [part["sender"] for part in left.address["parts"]] == [None, "3", None, None]
    assert await store.journal.extend(store.journal.hash_of(name), {"message": 5, "sender": None}, 10)


async def test_a_message_is_found_while_it_is_open_and_after_it_was_answered(store: Store) -> None:
    digest = store.journal.hash_of(CHAT.message("7"))
    assert await store.journal.find(digest) is None
    number = await enter(store)
    assert await store.journal.find(digest) == ADDRESS
    await store.journal.close(number, "first", NOW)
    assert await store.journal.find(digest) == {}
