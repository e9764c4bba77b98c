"""The gate's judgement of a new version, as it is stored with it: for chat, console and command line alike."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Judgement:
    """A new version compared with the one that was served when it was made.

    offered: whether it may be promoted without a reason. why: one sentence for an admin. learned_faces and
    learned_people: what it learned from. judged_faces and judged_people: what it was judged by, of people whom the
    served version did not learn from, nor what spoke for the candidate (cross-validation). Of these, served and
    candidate: share that each reads as people said (0 to 1); gain, low and high: how many points (-100 to 100) the
    candidate is better, with its 95 % interval. sure: confidence that the candidate separates the emotions of these
    faces better, 0 to 1. guard_faces: number of faces of the guard set. guard_served, guard_candidate and
    guard_shipped: shares of them read right by the version served then, the new one, and the one that came with the
    software. by_emotion: for each emotion, the number of faces judged and the shares of served and candidate.
    seconds: how long it took.
    """

    offered: bool
    why: str
    learned_faces: int
    learned_people: int
    judged_faces: int
    judged_people: int
    served: float
    candidate: float
    gain: float
    low: float
    high: float
    sure: float
    guard_faces: int
    guard_served: float
    guard_candidate: float
    guard_shipped: float
    by_emotion: dict[str, tuple[int, float, float]]
    seconds: float

    def to_metrics(self) -> dict[str, Any]:
        """Return the judgement as it is stored in `Version.metrics`."""
        return asdict(self)

    @classmethod
    def of(cls, metrics: dict[str, Any]) -> "Judgement | None":
        """Return the stored judgement; None for a version that came with the software and was never judged."""
        if not metrics:
            return None
        by_emotion = {emotion: (int(n), float(a), float(b)) for emotion, (n, a, b) in metrics["by_emotion"].items()}
        return cls(**{**metrics, "by_emotion": by_emotion})
