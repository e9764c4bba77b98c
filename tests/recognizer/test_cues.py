"""Cues speak where a face plainly shows them, and are silent elsewhere."""

import numpy as np
import pytest

from recognizer import EMOTIONS, Cue
from recognizer.cues import RULES, fine_cues, openness, turn
from recognizer.finding.landmarks import BLENDSHAPES, Landmarks

HAPPY = tuple(float(name == "happy") for name in EMOTIONS)
SAD = tuple(float(name == "sad") for name in EMOTIONS)
EYES = (((33, 133), (160, 144), (159, 145), (158, 153)), ((362, 263), (387, 373), (386, 374), (385, 380)))


def face(lids: float = 0.3, nose: float = 100.0, gap: float = 0.0, **blendshapes: float) -> Landmarks:
    """Return a face whose eyes are 40 wide, `lids` times as open, and 120 apart at the outer corners."""
    points = np.zeros((478, 2), np.float32)
    for (outer, inner), *pairs in EYES:
        left = 40.0 if outer == 33 else 120.0
        points[[outer, inner]] = (left, 80), (left + 40, 80)
        for upper, lower in pairs:
            points[[upper, lower]] = (left + 20, 80), (left + 20, 80 + 40 * lids)
    points[1] = nose, 110
    points[[13, 14]] = (100, 140), (100, 140 + 120 * gap)
    scores = np.zeros(len(BLENDSHAPES), np.float32)
    for name, score in blendshapes.items():
        sides = (f"{name}_left", f"{name}_right") if f"{name}_left" in BLENDSHAPES else (name,)
        scores[[BLENDSHAPES.index(side) for side in sides]] = score
    return Landmarks(points, scores)


TEETH = {"mouth_smile": 0.9, "mouth_upper_up": 0.6, "mouth_lower_down": 0.7}
ASIDE = {"eye_look_out_left": 0.95, "eye_look_in_right": 0.9}


@pytest.mark.parametrize(
    ("seen", "cues"),
    [
        (face(), set()),
        (face(lids=0.02, eye_blink=0.75), {Cue.CLOSED_EYES}),
        (face(lids=0.3, eye_blink=0.75), set()),
        (face(brow_inner_up=0.95, brow_outer_up=0.9), {Cue.RAISED_BROWS}),
        (face(brow_inner_up=0.95), set()),
        (face(**TEETH), {Cue.BROAD_SMILE}),
        (face(mouth_smile=0.85), {Cue.SLIGHT_SMILE}),
        (face(mouth_smile=0.85, gap=0.08), set()),
        (face(gap=0.2), set()),
        (face(gap=0.28), {Cue.OPEN_MOUTH}),
        (face(**ASIDE), {Cue.SIDE_GLANCE}),
        (face(nose=140.0, **ASIDE), set()),
        (face(eye_look_out=0.95), set()),
    ],
)
def test_a_cue_speaks_only_where_it_is_plain(seen: Landmarks, cues: set[Cue]) -> None:
    assert fine_cues(seen, HAPPY) == cues


def test_a_sad_mouth_drawn_wide_is_no_smile() -> None:
    assert not fine_cues(face(**TEETH), SAD)
    assert not fine_cues(face(mouth_smile=0.85), SAD)


def test_a_strength_is_a_number_from_0_to_1() -> None:
    everything = face(**{name.removesuffix("_left"): 1.0 for name in BLENDSHAPES if not name.endswith("_right")})
    for rule in RULES.values():
        assert 0 <= rule.strength(everything, HAPPY) <= 1


def test_the_nose_tells_where_the_head_is_turned() -> None:
    assert turn(face().points) == pytest.approx(0)
    assert turn(face(nose=160.0).points) == pytest.approx(1)


def test_each_eye_has_its_own_openness() -> None:
    seen = face(lids=0.3)
    seen.points[[145, 144, 153]] = seen.points[[159, 160, 158]]
    assert openness(seen.points) == pytest.approx((0.0, 0.3))
