from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from training.feedback import adapting
from training.feedback.adapting import Lessons, adapt
from training.guard import Anchors

D = 141


def community(count: int, seed: int, *, wrong: float = 0.0, liars: int = 0) -> tuple[Lessons, NDArray[np.int64]]:
    """Return lessons away from the anchors, with twenty features for each emotion that the network does not know."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 7, count)
    embeddings = random.normal(size=(count, D)).astype(np.float32)
    embeddings[:, -1] += 6
    for place in range(20):
        embeddings[np.arange(count), 20 * labels + place] += 1.0
    people = np.arange(count) // 5
    said = labels.copy()
    flipped = random.random(count) < wrong
    said[flipped] = (said[flipped] + 3) % 7
    said[people < liars] = (labels[people < liars] + 1) % 7
    even = np.full((count, 7), 1 / 7, np.float32)
    return Lessons(
        embeddings, even, np.eye(7)[said], np.ones(count), people, np.zeros(count, bool), np.zeros((count, 7))
    ), labels


def anchors() -> Anchors:
    random = np.random.default_rng(99)
    shown = random.dirichlet(np.full(7, 0.4), 400).astype(np.float32)
    return Anchors(random.normal(size=(400, D)).astype(np.float32), shown)


def accuracy(lessons: Lessons) -> float:
    adaptation = adapt(lessons, anchors()).adaptation
    others, labels = community(500, seed=50)
    said = adaptation.apply(others.probabilities, others.embeddings)
    return float((said.argmax(axis=1) == labels).mean())


def test_it_learns_what_the_trunk_does_not_know() -> None:
    assert accuracy(community(300, seed=1)[0]) > 0.7


def test_the_more_it_is_told_the_more_it_knows() -> None:
    few, many = (accuracy(community(count, seed=1)[0]) for count in (20, 600))
    assert few < many


def test_half_of_the_faces_being_happy_does_not_make_it_unlearn_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    lessons, labels = community(900, seed=1)
    rows = np.flatnonzero((labels == 3) | (np.random.default_rng(2).random(900) < 0.15))
    others, truth = community(700, seed=50)

    def macro_recall() -> float:
        said = adapt(lessons[rows], anchors()).adaptation.apply(others.probabilities, others.embeddings).argmax(axis=1)
        return float(np.mean([(said[truth == each] == each).mean() for each in range(7)]))

    weighed = macro_recall()
    monkeypatch.setattr(adapting, "RARITY_POWER", 0.0)
    assert weighed > macro_recall() + 0.1


def test_labels_from_games_weigh_the_same_whatever_comes_up_in_them() -> None:
    lessons, labels = community(300, seed=1)
    played = replace(lessons, offsets=np.full((300, 7), 0.1))
    rare = np.where(labels == 3, 1.0, 0.05)
    for each, is_even in ((lessons, False), (played, True)):
        weighed = adapting._weighed(replace(each, weights=rare), np.ones(300)).weights / rare
        assert (np.ptp(weighed) < 1e-9) == is_even


def test_faces_unlike_those_it_learned_from_are_left_alone() -> None:
    adaptation = adapt(community(300, seed=1)[0], anchors()).adaptation
    after = adaptation.apply(anchors().probabilities, anchors().embeddings)
    same = (after.argmax(axis=1) == anchors().probabilities.argmax(axis=1)).mean()
    assert same > 0.98


def test_a_fifth_of_the_labels_may_be_wrong() -> None:
    clean, noisy = (accuracy(community(300, seed=1, wrong=wrong)[0]) for wrong in (0.0, 0.2))
    assert noisy > clean - 0.1


def test_people_who_lie_lose_their_weight_and_honest_ones_keep_it() -> None:
    lessons, _ = community(300, seed=1, liars=12)
    trust = adapt(lessons, anchors()).trust
    assert trust[lessons.people < 12].mean() < 0.5
    assert trust[lessons.people >= 12].mean() > 0.9


def test_a_label_that_is_vouched_for_is_trusted_whatever_it_says() -> None:
    lessons, _ = community(300, seed=1, liars=12)
    lessons.vouched[:5] = True
    trust = adapt(lessons, anchors()).trust
    assert (trust[:5] == 1).all()
    assert (trust[5:60] < 0.6).all()


def test_one_face_is_enough_to_run() -> None:
    fitted = adapt(community(1, seed=1)[0], anchors())
    assert np.isfinite(fitted.adaptation.weights).all()
    assert (fitted.trust.shape, fitted.cross_validated.shape) == ((1,), (1, 7))


def test_whoever_listens_can_stop_it() -> None:
    def refuse(_share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        adapt(community(50, seed=1)[0], anchors(), refuse)
