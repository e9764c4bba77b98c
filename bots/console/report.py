"""The gate's judgement of a version, in words and bars."""

import html

from bots.console.formatting import count, emotion, percent, points
from db import Judgement, Origin, Version

ORIGINS = {
    Origin.SHIPPED: "Came with the software",
    Origin.ADAPT: "Adapted to your people",
    Origin.FULL: "Retrained as a whole",
    Origin.FITTED: "Fitted by a recipe",
    Origin.UNKNOWN: "Of unknown origin",
}
NOT_JUDGED: dict[Origin, str] = {
    Origin.FITTED: "It was fitted by a recipe and has learned nothing from your people; the page Training compares it.",
}
"""Why there is no judgement of a version that did not come with the software."""
HELD_OUT = (
    "Faces of people that neither model learned from, because a model knows by heart what it learned from. Three "
    "people in ten are kept for this; for each of the others, what counts is said by the new model fitted without them."
)
GUARD = (
    "A fixed set of faces from outside, to notice when a model that suits your people forgets everybody else. "
    "Half a point less is the most that is let pass."
)
GAIN = (
    "How many more of 100 held-out faces the new model reads as people said. The thin line is where the true gain lies "
    "with 95 % certainty: only when all of it is right of zero is the new model surely better."
)
WIDEST_POINTS = 5.0
"""Minimum of half the gain axis, in points."""


def axis_reach(judgements: list[Judgement]) -> float:
    """Return half the common axis for the gains of several versions, in points."""
    return max([WIDEST_POINTS, *(max(abs(each.low), abs(each.high)) for each in judgements)])


def gain_bar(judgement: Judgement, reach: float) -> str:
    """Return the gain with its interval as HTML, on an axis from -reach to +reach points."""

    def place(value: float) -> float:
        return 50 + 50 * max(-1.0, min(1.0, value / reach))

    low, high, gain = place(judgement.low), place(judgement.high), place(judgement.gain)
    look = "good" if judgement.low > 0 else "bad" if judgement.high < 0 else "open"
    return (
        f'<span class="gain {look}" role="img" aria-label="{html.escape(gain_in_words(judgement))}"><u></u>'
        f'<b style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></b><i style="left:{gain:.1f}%"></i></span>'
    )


def gain_in_words(judgement: Judgement) -> str:
    """Return the gain with its interval in words."""
    return f"{points(judgement.gain)} points ({points(judgement.low)} to {points(judgement.high)})"


def guard_change(judgement: Judgement) -> float:
    """Return the change in accuracy on the guard set against the version served then, in points."""
    return 100 * (judgement.guard_candidate - judgement.guard_served)


def learned_from(judgement: Judgement) -> str:
    """Return what a version learned from, in words."""
    people = count(judgement.learned_people, "person", "people")
    return f"{count(judgement.learned_faces, 'face')} of {people}"


def judgement_in_words(version: Version, judgement: Judgement) -> str:
    """Return the whole comparison as HTML paragraphs, for readers without knowledge of machine learning."""
    former = html.escape(version.parent or "the model before")
    before, after = round(100 * judgement.served), round(100 * judgement.candidate)
    verdict = "good" if judgement.offered else "bad"
    judged = f"{count(judgement.judged_faces, 'held-out face')} of {count(judgement.judged_people, 'person', 'people')}"
    change = guard_change(judgement)
    guard = (
        f"On {judgement.guard_faces:,} faces from outside it reads {percent(judgement.guard_candidate)} right "
        f"({points(change)} points; the model that came with the software: {percent(judgement.guard_shipped)})."
    )
    return (
        f'<p class="told {verdict}">{html.escape(judgement.why)}</p>'
        f"<p>It learned from <strong>{learned_from(judgement)}</strong> and was tried on {judged}. "
        f"Of 100 such faces it reads <strong>{after}</strong> as people said; {former} reads {before}. "
        f"That is <strong>{gain_in_words(judgement)}</strong>.</p><p>{guard}</p>"
    )


def emotion_bars(version: Version, judgement: Judgement) -> str:
    """Return two bars for each emotion as HTML: the version served then, and the new one."""
    rows = "".join(
        f'<div class="pair"><span>{emotion(name)} <small class="quiet">{count(faces, "face")}</small></span>'
        f'<span class="two">{_one("before", served)}{_one("after", candidate)}</span></div>'
        for name, (faces, served, candidate) in judgement.by_emotion.items()
        if faces
    )
    key = (
        f'<p class="key"><span class="swatch before"></span> {html.escape(version.parent or "served then")} '
        f'<span class="swatch after"></span> {html.escape(version.name)}</p>'
    )
    return key + rows if rows else '<p class="quiet">No held-out faces to compare on.</p>'


def _one(look: str, share: float) -> str:
    return (
        f'<span class="one"><span class="bar"><i class="{look}" style="width:{100 * share:.0f}%"></i></span>'
        f"<small>{percent(share)}</small></span>"
    )
