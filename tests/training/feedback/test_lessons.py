import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import Answer, KeptFace, Part, Source
from recognizer import EmojiMap
from training.feedback.lessons import JUDGE_SHARE, divided, fingerprint
from training.feedback.trust import MOST_OF_ONE, capped

MAP, NOW = EmojiMap.load(), datetime(2026, 11, 21, tzinfo=UTC)


def face(reading: int, sender: int, *answers: Answer) -> KeptFace:
    digest = hashlib.sha256(str(sender).encode()).hexdigest()
    seven = (1 / 7,) * 7
    return KeptFace(reading, bytes(48 * 48), seven, sender, digest, answers)


def said(verdict: str, source: Source = Source.SENDER) -> Answer:
    return Answer(source, 1, NOW, verdict=verdict)


def test_nobody_is_both_learned_from_and_judged_by() -> None:
    faces = [face(10 * sender + place, sender, said("sad")) for sender in range(300) for place in range(4)]
    learn, judge = divided(faces, MAP)
    assert not set(learn.people) & set(judge.people)
    assert judge.people_count / 300 == pytest.approx(JUDGE_SHARE, abs=0.08)
    assert len(learn) + len(judge) == 1200


def test_who_judges_stays_the_same_when_others_come() -> None:
    few = divided([face(sender, sender, said("sad")) for sender in range(40)], MAP)[1]
    many = divided([face(sender, sender, said("sad")) for sender in range(400)], MAP)[1]
    assert set(few.people) == {person for person in many.people if person < 40}


def test_faces_without_a_named_emotion_are_left_out() -> None:
    learn, judge = divided([face(1, 1), face(2, 2, said("unsure", Source.ADMIN)), face(3, 3, said("not_a_face"))], MAP)
    assert (len(learn), len(judge)) == (0, 0)
    assert learn.crops.shape == (0, 48, 48)


def test_an_admin_vouches_for_a_label() -> None:
    faces = [face(1, 1, said("sad")), face(2, 1, said("sad", Source.ADMIN)), face(3, 1, said("sad", Source.IMPORT))]
    books = divided(faces, MAP)
    assert [bool(each) for book in books for each in book.vouched] == [False, True, True]


def test_an_admin_who_is_unsure_or_outvoted_vouches_for_nothing() -> None:
    unsure = face(1, 1, said("sad"), said("unsure", Source.ADMIN))
    outvoted = face(2, 1, *[said("sad")] * 4, said("fear", Source.ADMIN))
    books = divided([unsure, outvoted], MAP)
    assert [bool(each) for book in books for each in book.vouched] == [False, False]


def test_the_fingerprint_tells_labels_apart_and_nothing_else() -> None:
    first, again, other = (
        fingerprint(*divided([face(1, 1, said("happy")), face(2, 2, said(verdict))], MAP))
        for verdict in ("sad", "sad", "fear")
    )
    assert first == again != other
    assert len(first) == 64


def test_lessons_carry_their_part_weight_and_label() -> None:
    books = divided([face(7, 1, said("sad"))], MAP)
    (lesson,) = [*books[0].lessons(), *books[1].lessons()]
    assert (lesson.reading, lesson.weight, lesson.label) == (7, 1.0, (0, 0, 0, 0, 0, 1, 0))
    assert lesson.part is (Part.LEARN if len(books[0]) else Part.JUDGE)


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 3)), min_size=1, max_size=200))
def test_nobody_counts_for_more_than_the_set_share(rows: list[tuple[int, float]]) -> None:
    people, weights = np.array([who for who, _ in rows]), np.array([weight for _, weight in rows])
    after = capped(weights, people)
    totals = np.bincount(people, after)
    allowed = max(MOST_OF_ONE, 1 / len(np.unique(people)))
    assert totals.max() <= allowed * after.sum() * 1.01
    assert (after <= weights + 1e-9).all()
    assert (after > 0).all()
