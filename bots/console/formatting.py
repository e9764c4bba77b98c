"""Format figures, times and emotions for the console."""

import html
from datetime import datetime

from bots.console.figures import Share
from db import Verdict
from recognizer import EMOTIONS

FACES = dict(zip(EMOTIONS, ("😠", "🤢", "😨", "😄", "😐", "😢", "😮"), strict=True))
"""An emoji for each emotion, because a word alone is slow to read."""
OTHER_VERDICTS: dict[str, str] = {Verdict.NOT_A_FACE: "not a face", Verdict.UNSURE: "unsure"}

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def emotion(name: str) -> str:
    """Return an emotion as HTML: its emoji and its name."""
    return f'<span class="emotion"><span aria-hidden="true">{FACES[name]}</span> {name}</span>'


def verdict(name: str) -> str:
    """Return a statement on a face as text: an emotion with its emoji, another verdict, or the emoji itself."""
    return f"{FACES[name]} {name}" if name in FACES else OTHER_VERDICTS.get(name, name)


def percent(share: float) -> str:
    """Format 0.834 as "83 %"."""
    return f"{100 * share:.0f} %"


def points(difference: float) -> str:
    """Format a difference in points, with its sign."""
    return f"{difference:+.1f}".replace("-", "−") if round(difference, 1) else "±0.0"


def with_interval(share: Share) -> str:
    """Format a share with its interval, as text."""
    return f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})"


def count(number: float, one: str, many: str = "") -> str:
    """Format a number with the noun for what is counted."""
    return f"{number:,.0f} {one if round(number) == 1 else many or one + 's'}"


def ago(moment: datetime, now: datetime) -> str:
    """Format how long ago a time was, in the largest unit that fits."""
    lasted = for_how_long(moment, now)
    return "just now" if lasted == "less than a minute" else f"{lasted} ago"


def for_how_long(since: datetime, now: datetime) -> str:
    """Format how long something has lasted."""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= unit:
            return count(seconds // unit, name)
    return "less than a minute"


def megabytes(size: int) -> str:
    """Format bytes as megabytes."""
    return f"{size / 1e6:.1f} MB"


def empty(sentence: str, emoji: str = "🌱") -> str:
    """Return the HTML of a panel that has nothing to show yet."""
    return f'<div class="empty"><span aria-hidden="true">{emoji}</span><p>{html.escape(sentence)}</p></div>'
