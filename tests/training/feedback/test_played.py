"""What a game decides to ask for moves no priors: only what the faces look like is learned."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from db import Source
from recognizer import EMOTIONS
from tests.training.feedback.test_adapting import anchors, community
from tests.training.feedback.test_lessons import MAP, face, said
from training.feedback import adapting
from training.feedback.adapting import adapt
from training.feedback.lessons import Book, divided
from training.feedback.played import importance, moved_by, offsets

PRIOR = np.array([0.13, 0.02, 0.14, 0.25, 0.18, 0.17, 0.11])


def book(asked: NDArray[np.int64], *, played: bool = True) -> Book:
    """Return attempts to show these emotions, or as many labels of photos."""
    source = Source.PLAY if played else Source.SENDER
    faces = [face(number, number, said(EMOTIONS[emotion], source)) for number, emotion in enumerate(asked)]
    return divided(faces, MAP)[0]


def test_attempts_are_marked_in_books_and_lessons() -> None:
    faces = [face(1, 1, said("disgust", Source.PLAY)), face(2, 1, said("sad"))]
    [marked] = [each for each in divided(faces, MAP) if len(each)]
    assert marked.played.tolist() == [True, False]
    assert [lesson.is_played for lesson in marked.lessons()] == [True, False]
    assert marked.labels[0].argmax() == EMOTIONS.index("disgust")


def test_logits_of_attempts_are_moved_by_how_often_the_game_asks() -> None:
    asked = np.array([1] * 80 + [3] * 20)
    moved = offsets(book(asked), PRIOR)
    assert (moved == moved[0]).all()
    assert moved[0, 1] > 2
    assert moved[0, 4] < -2
    even = moved_by(np.tile(PRIOR, (len(moved), 1)), moved)[0]
    assert even[1] == pytest.approx(0.78, abs=0.08)
    assert even.sum() == pytest.approx(1)


def test_faces_of_photos_are_left_as_they_are() -> None:
    ordinary = book(np.arange(40) % 7, played=False)
    assert not offsets(ordinary, PRIOR).any()
    assert (importance(ordinary, PRIOR) == ordinary.weights).all()


def test_where_logits_cannot_be_moved_what_comes_up_often_weighs_less() -> None:
    played = book(np.array([1] * 80 + [3] * 20))
    weights = importance(played, PRIOR) / played.weights
    often = played.labels.argmax(axis=1) == 1
    assert weights[often].max() < 0.1
    assert weights[~often].min() == 1


def test_a_correction_learned_from_a_game_does_not_see_its_favourite_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapting, "RARITY_POWER", 0.0)  # which is for faces that come as they do
    lessons, labels = community(400, seed=1)
    odds = np.where(labels == 1, 1.0, 0.1)
    rows = np.flatnonzero(np.random.default_rng(3).random(len(labels)) < odds)
    uneven = lessons[rows]
    shares = np.bincount(labels[rows], minlength=7) / len(rows)
    others, truth = community(700, seed=50)
    found = []
    for moved in (np.zeros((len(rows), 7)), np.tile(np.log(7 * shares), (len(rows), 1))):
        adaptation = adapt(replace(uneven, offsets=moved), anchors()).adaptation
        named = adaptation.apply(others.probabilities, others.embeddings).argmax(axis=1)
        found.append(((named == truth).mean(), (named == 1).mean()))
    (plain, favourite), (adjusted, fair) = found
    assert adjusted > plain + 0.1
    assert fair < favourite / 2
