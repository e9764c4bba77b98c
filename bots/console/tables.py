"""Figures as HTML: bars with intervals, and the confusion table of model and people."""

import html
from collections.abc import Sequence

from bots.console.figures import Share
from bots.console.formatting import FACES, count, emotion, percent, with_interval
from recognizer import EMOTIONS


def tile(label: str, value: str, below: str) -> str:
    """Return one figure to read at a glance. value and below are text."""
    services = (html.escape(each) for each in (label, value, below))
    return (
        '<div class="tile"><span class="quiet">{}</span><strong>{}</strong><span class="quiet">{}</span></div>'.format(
            *services
        )
    )


def compared(today: int, yesterday: int) -> str:
    """Compare today with yesterday, in words."""
    if not today and not yesterday:
        return "none yesterday by this time, either"
    if today == yesterday:
        return "as many as yesterday by this time"
    kind = "more" if today > yesterday else "fewer"
    return f"{count(abs(today - yesterday), kind, kind)} than yesterday by this time"


_LEAST_SHOWN = 0.5
"""Faces, counted by their weights, that are not rounded to none."""


def by_emotion(shares: Sequence[Share | None]) -> str:
    """Return a bar for each emotion, with a whisker for the interval."""
    rows = "".join(_bar(name, share) for name, share in zip(EMOTIONS, shares, strict=True))
    return f'<div class="bars">{rows}</div>'


def confusion(faces: Sequence[Sequence[float]], rows_say: str, columns_say: str) -> str:
    """Return the confusion table of faces by label and reading, `(7, 7)`. Cells: the share of the row and the number of
    faces. rows_say, columns_say: whose word rows and columns are.
    """
    heads = "".join(f'<th scope="col">{_head(name)}</th>' for name in EMOTIONS)
    rows = "".join(_row(name, row, place) for place, (name, row) in enumerate(zip(EMOTIONS, faces, strict=True)))
    corner = f'<td class="corner"><span>{rows_say} ↓</span><span>{columns_say} →</span></td>'
    return f'<table class="heat"><thead><tr>{corner}{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _bar(name: str, share: Share | None) -> str:
    if share is None or share.of < _LEAST_SHOWN:
        none = '<span class="bar"></span><span class="quiet">–</span>'
        return f'<div class="bar-row"><span>{emotion(name)}</span>{none}</div>'
    spread = f"left:{100 * share.low:.1f}%;width:{100 * (share.high - share.low):.1f}%"
    return (
        f'<div class="bar-row" title="{with_interval(share)}"><span>{emotion(name)}</span>'
        f'<span class="bar"><i style="width:{100 * share.value:.1f}%;background:var(--{name})"></i>'
        f'<b style="{spread}"></b></span>'
        f'<span><strong>{percent(share.value)}</strong> <small class="quiet">of {share.of:,.0f}</small></span></div>'
    )


def _row(name: str, faces: Sequence[float], place: int) -> str:
    total = sum(faces)
    cells = "".join(_cell(number, total, column == place) for column, number in enumerate(faces))
    return f'<tr><th scope="row">{_head(name)}</th>{cells}</tr>'


def _head(name: str) -> str:
    """Return the emoji of an emotion and, where there is room, its name."""
    emoji = f'<span role="img" aria-label="{name}">{FACES[name]}</span>'
    return f'{emoji}<span class="wordy" aria-hidden="true">{name}</span>'


def _cell(number: float, total: float, is_right: bool) -> str:
    if number < _LEAST_SHOWN:
        return '<td class="none"><small>·</small></td>'
    share = number / total
    hue = "right" if is_right else "wrong"
    tint = f"background:color-mix(in srgb, var(--{hue}) {100 * share * 0.6:.0f}%, transparent)"
    return f'<td style="{tint}">{100 * share:.0f}<span class="wordy"> %</span><small>{number:,.0f}</small></td>'
