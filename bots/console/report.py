"""What the gate found about a version, in words and bars."""

import html

from bots.console.formatting import count, emotion, percent, points
from db import Judgement, Origin, Version

ORIGINS = {
    Origin.SHIPPED: "Came with the software",
    Origin.ADAPT: "Adapted to your people",
    Origin.FULL: "Retrained as a whole",
    Origin.UNKNOWN: "Of unknown origin",
}
HELD_OUT = (
    "Faces of people that neither model learned from. Only there is it fair to compare: a model knows by heart what it "
    "learned from."
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
"""Half of the gain's axis is at least this wide."""


def axis_reach(judgements: list[Judgement]) -> float:
    """Half of the common axis on which the gains of several versions are drawn, in points."""
    return max([WIDEST_POINTS, *(max(abs(each.low), abs(each.high)) for each in judgements)])


def gain_bar(judgement: Judgement, reach: float) -> str:
    """The gain with its interval, on an axis from -reach to +reach points."""

    def place(value: float) -> float:
        return 50 + 50 * max(-1.0, min(1.0, value / reach))

    low, high, gain = place(judgement.low), place(judgement.high), place(judgement.gain)
    look = "good" if judgement.low > 0 else "bad" if judgement.high < 0 else "open"
    return (
        f'<span class="gain {look}" role="img" aria-label="{html.escape(gain_in_words(judgement))}"><u></u>'
        f'<b style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></b><i style="left:{gain:.1f}%"></i></span>'
    )


def gain_in_words(judgement: Judgement) -> str:
    """The gain with its interval."""
    return f"{points(judgement.gain)} points ({points(judgement.low)} to {points(judgement.high)})"


def guard_change(judgement: Judgement) -> float:
    """How much better the guard set is read than by the version served then, in points."""
    return 100 * (judgement.guard_candidate - judgement.guard_served)


def learned_from(judgement: Judgement) -> str:
    """What a version learned from."""
    people = count(judgement.learned_people, "person", "people")
    return f"{count(judgement.learned_faces, 'face')} of {people}"


def judgement_in_words(version: Version, judgement: Judgement) -> str:
    """The whole comparison, as HTML paragraphs for someone who knows nothing of machine learning."""
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
    """Two bars for each emotion: the model that was served, and the new one."""
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
