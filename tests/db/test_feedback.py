"""Words on faces: where votes are taken."""

from db import Chat, FaceReading, Person, Store

ADA, CHAT, ELSEWHERE = Person("telegram", "7"), Chat("telegram", "-5"), Chat("telegram", "-6")


async def test_votes_are_taken_where_the_face_was_answered_and_everybody_may_tap(store: Store) -> None:
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
    [reading] = await store.add_photo(ADA, CHAT, "model-1", [face])
    assert not await store.feedback.takes_votes(reading.id, CHAT)
    for chat in (CHAT, ELSEWHERE):
        await store.feedback.set_everyone_taps(chat, True)
    assert await store.feedback.takes_votes(reading.id, CHAT)
    assert not await store.feedback.takes_votes(reading.id, ELSEWHERE)
    assert not await store.feedback.takes_votes(reading.id + 1, CHAT)


async def test_what_a_chat_chose_outlives_people_who_are_forgotten_elsewhere(store: Store) -> None:
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
    await store.add_photo(ADA, CHAT, "model-1", [face])
    await store.feedback.set_everyone_taps(ELSEWHERE, True)
    assert await store.forget(ADA)
    assert await store.feedback.everyone_taps(ELSEWHERE)
