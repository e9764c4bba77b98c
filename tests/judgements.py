"""A judgement of the gate, for tests of what is done with it."""

from db import Judgement


def judgement(*, offered: bool) -> Judgement:
    """Return a judgement of the gate."""
    return Judgement(
        offered=offered,
        why="It reads people better." if offered else "It reads people no better.",
        learned_faces=70,
        learned_people=14,
        judged_faces=30,
        judged_people=6,
        served=0.5,
        candidate=0.6,
        gain=10.0,
        low=1.0,
        high=19.0,
        sure=0.99,
        guard_faces=3589,
        guard_served=0.71,
        guard_candidate=0.709,
        guard_shipped=0.71,
        by_emotion={"happy": (12, 0.5, 0.6)},
        seconds=4.0,
    )
