"""The words about faces, and that they agree with the emoji."""

import numpy as np
import pytest

from bots.conversation.answers import Outcome, answer_text
from bots.conversation.recipient import Recipient
from db import Preferences
from recognizer import EMOTIONS, Box, EmojiMap, Expression, Face
from recognizer.ranking import rank

MAP = EmojiMap.load()


def face(**emotions: float) -> Face:
    expression = Expression.of(tuple(emotions.get(name, 0.0) for name in EMOTIONS))
    crop = np.zeros((48, 48), np.uint8)
    return Face(Box(0, 0, 90, 90), 1.0, expression, rank(MAP, expression).emoji, crop, crop[None])


def said(*faces: Face) -> str:
    return answer_text([Outcome(faces, model="x")], Recipient.of(Preferences(), "en"))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (face(fear=0.9, surprise=0.1), "You look afraid. Which"),
        (face(fear=0.6, angry=0.4), "You look afraid, with some anger. Which"),
        (face(happy=0.6, angry=0.4), "You look happy. Which"),
        (face(happy=0.4, angry=0.35, sad=0.25), "Could be happy, could be angry."),
    ],
)
def test_a_face_is_answered_by_what_is_decided_of_it(seen: Face, words: str) -> None:
    assert words in said(seen)
    if "You look" in words:
        assert said(seen).startswith(seen.emoji[0])


def test_of_several_faces_the_unsure_ones_are_marked() -> None:
    assert said(face(happy=1.0), face(happy=0.4, angry=0.35, sad=0.25)).endswith("(not sure)")
