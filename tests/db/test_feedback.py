"""Statements on faces: where votes are accepted, what admins may say, and what is known without the pictures."""

from datetime import UTC, datetime, timedelta

import pytest

from db import Actor, AdminAgreement, Chat, ChatChoices, Depth, FaceReading, Person, Platform, Source, State, Store

GRACE, EVE = Person(Platform.CONSOLE, "Grace"), Person(Platform.CONSOLE, "Eve")
ADA, CHAT, ELSEWHERE = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "-5"), Chat(Platform.TELEGRAM, "-6")


async def test_votes_are_taken_where_the_face_was_answered_and_everybody_may_tap(store: Store) -> None:
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
    [reading] = (await store.add_photo(ADA, CHAT, "model-1", [face])).readings
    assert not await store.feedback.takes_votes(reading.id, CHAT)
    for chat in (CHAT, ELSEWHERE):
        await store.chats.choose(chat, ChatChoices(everyone_taps=True))
    assert await store.feedback.takes_votes(reading.id, CHAT)
    assert not await store.feedback.takes_votes(reading.id, ELSEWHERE)
    assert not await store.feedback.takes_votes(reading.id + 1, CHAT)


async def test_what_a_chat_chose_outlives_people_who_are_forgotten_elsewhere(store: Store) -> None:
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
    await store.add_photo(ADA, CHAT, "model-1", [face])
    await store.chats.choose(ELSEWHERE, ChatChoices(everyone_taps=True))
    assert await store.forget(ADA)
    assert (await store.chats.choices(ELSEWHERE)).everyone_taps


async def add_face(store: Store, crop: bytes = bytes(48 * 48)) -> int:
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), crop)
    [reading] = (await store.add_photo(ADA, CHAT, "model-1", [face])).readings
    return reading.id


async def test_a_summary_says_everything_but_the_picture(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    reading, other = await add_face(store), await add_face(store)
    await store.taps.add(reading, emoji="😄")
    await store.feedback.add_label(reading, GRACE, "happy")
    [face, _] = await store.feedback.faces(only_with_answers=False)
    [(summary, silent)] = [batch async for batch in store.feedback.all_summaries()]
    assert (summary.reading, summary.sender, summary.answers) == (reading, face.sender, face.answers)
    assert [answer.source for answer in summary.answers] == [Source.SENDER, Source.ADMIN]
    assert summary.probabilities == face.probabilities
    assert silent.answers == ()
    assert await store.feedback.summaries([other]) == (silent,)


async def test_pictures_are_given_as_long_as_they_are_kept(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    first, second = await add_face(store, b"a" * 2304), await add_face(store, b"b" * 2304)
    assert await store.feedback.crops([second, second + 1]) == {second: b"b" * 2304}
    await store.set_keeps_faces(ADA, False)
    assert await store.feedback.crops([first, second]) == {}
    assert [batch async for batch in store.feedback.all_summaries()] == []
    assert await store.feedback.summaries([first, second]) == ()


async def test_a_withdrawn_consent_stops_labels(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    reading = await add_face(store)
    assert await store.feedback.add_label(reading, GRACE, "happy")
    await store.set_keeps_faces(ADA, False)
    assert not await store.feedback.add_label(reading, EVE, "happy")


async def test_the_label_that_is_taken_back_is_the_one_that_was_meant(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    meant, newer = await add_face(store), await add_face(store)
    for reading in (meant, newer):
        await store.feedback.add_label(reading, GRACE, "happy")
    assert await store.feedback.undo_label(GRACE, meant) == meant
    assert await store.feedback.undo_label(GRACE, meant) is None
    [face] = await store.feedback.faces()
    assert face.reading == newer
    assert await store.feedback.undo_label(GRACE) == newer


async def test_agreement_counts_the_latest_word_of_each_admin(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    first, second = await add_face(store), await add_face(store)
    assert await store.feedback.agreement() == AdminAgreement(0, 0)
    for admin, verdict in ((GRACE, "sad"), (EVE, "happy"), (GRACE, "happy"), (ADA, "fear")):
        await store.feedback.add_label(first, admin, verdict)
    await store.feedback.add_label(second, GRACE, "happy")
    assert await store.feedback.agreement() == AdminAgreement(3, 1)


async def test_many_faces_come_in_batches_and_none_is_lost(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.feedback._BATCH", 2)
    await store.set_keeps_faces(ADA, True)
    readings = [await add_face(store) for _ in range(5)]
    for reading in readings:
        await store.taps.add(reading, emoji="😄")
        await store.feedback.add_label(reading, GRACE, "happy")
    summaries = [batch async for batch in store.feedback.all_summaries()]
    assert [len(batch) for batch in summaries] == [2, 2, 1]
    assert [face.reading for batch in summaries for face in batch] == readings
    assert {len(face.answers) for batch in summaries for face in batch} == {2}
    answered = [batch async for batch in store.feedback.answered(datetime(2000, 1, 1, tzinfo=UTC))]
    assert [len(batch) for batch in answered] == [2, 2, 1]
    assert {len(face.answers) for batch in answered for face in batch} == {2}
    assert [batch async for batch in store.feedback.answered(datetime.now(UTC) + timedelta(minutes=1))] == []


async def test_what_is_new_is_counted_from_the_last_retraining_on(store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    reading = await add_face(store)
    await store.taps.add(reading, emoji="😄")
    await store.feedback.add_label(reading, GRACE, "happy")
    assert await store.feedback.new_answers() == 2
    number = await store.retrainings.start(Depth.ADAPT, Actor("a test"))
    await store.retrainings.finish(number, State.FAILED, "")
    assert await store.feedback.new_answers() == 2  # a retraining that made nothing has learned nothing
    number = await store.retrainings.start(Depth.ADAPT, Actor("a test"))
    await store.taps.add(reading, emoji="🙂")
    await store.retrainings.finish(number, State.DONE, "")
    assert await store.feedback.new_answers() == 1  # it came after the retraining had loaded what it learns from
    await store.set_keeps_faces(ADA, False)
    assert await store.feedback.new_answers() == 0
