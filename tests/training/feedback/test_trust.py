import numpy as np
from numpy.typing import NDArray

from training.feedback.trust import trust

EVEN = np.full((40, 7), 1 / 7)
TRUTH = np.arange(40) % 7
PEOPLE = np.arange(40) // 10
NOBODY = np.zeros(40, bool)
READ = np.eye(7)[TRUTH] * 0.5 + 0.5 / 7
"""A model's predictions: right on every face, but never confident."""


def believed(labels: NDArray[np.int64], *said: NDArray[np.float64]) -> list[float]:
    """Return the trust in each of four people."""
    found = trust(np.eye(7)[labels], PEOPLE, NOBODY, *(said or (READ,)))
    return [float(found[10 * person + 9]) for person in range(4)]


def test_who_says_what_can_be_seen_is_believed() -> None:
    assert min(believed(TRUTH)) > 0.95


def test_who_answers_without_a_look_is_not() -> None:
    labels = TRUTH.copy()
    labels[:10] = 6
    labels[10:20] = (TRUTH[10:20] + 3) % 7
    constant, wrong, *honest = believed(labels)
    assert max(constant, wrong) < 0.1
    assert min(honest) > 0.95


def test_always_the_same_is_no_lie_where_it_can_be_seen() -> None:
    truth = np.repeat([3, 3, 4, 5], 10)
    assert min(believed(truth, np.eye(7)[truth] * 0.9 + 0.1 / 7)) > 0.5


def test_a_label_that_others_vouch_for_says_nothing_about_the_sender() -> None:
    labels = TRUTH.copy()
    labels[5:10] = (TRUTH[5:10] + 3) % 7  # lies, while an admin corrected five other faces
    vouched = NOBODY.copy()
    vouched[:5] = True
    found = trust(np.eye(7)[labels], PEOPLE, vouched, READ)
    assert (found[:5] == 1).all()
    assert (found[5:10] < 0.2).all()


def test_the_model_that_fits_a_person_best_speaks_for_them() -> None:
    assert believed(TRUTH, EVEN, READ) == believed(TRUTH, READ)


def test_nobody_at_all_is_no_error() -> None:
    none = np.zeros((0, 7))
    assert trust(none, np.zeros(0, np.int64), np.zeros(0, bool), none).shape == (0,)
