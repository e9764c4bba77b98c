"""Compute the overview's figures from answered faces: how often the model agrees with people, and the mix of emotions.

People's feedback on a face is a soft label, so a face may count partly for several emotions. All shares are 0 to 1.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from db import AnsweredFace
from recognizer import EMOTIONS, EmojiMap
from recognizer.labels import soft_label

DAYS, WEEKS = 14, 12
"""The time spans of the overview's two views."""
_NORMAL_95 = 1.959964

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval and the number of faces."""

    value: float
    low: float
    high: float
    of: float


@dataclass(frozen=True)
class Period:
    """A day or a week, starting on its first day. mix: the number of faces that the model read as each emotion."""

    begins: date
    mix: tuple[int, ...]
    agreement: Share | None

    @property
    def faces(self) -> int:
        """Return the number of faces read."""
        return sum(self.mix)


@dataclass(frozen=True)
class Span:
    """A span of time.

    confusion: in faces; rows are people's labels, columns the model's. by_emotion: of the faces with this label, the
    share that the model reads the same; None if there is none.
    """

    periods: tuple[Period, ...]
    agreement: Share | None
    by_emotion: tuple[Share | None, ...]
    confusion: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Day:
    """The number of faces read, and of statements on faces."""

    faces: int
    words: int


@dataclass(frozen=True)
class Figures:
    """All figures of the overview. today: up to now. yesterday: up to the same time of day."""

    today: Day
    yesterday: Day
    daily: Span
    weekly: Span


@dataclass(frozen=True, eq=False)
class _Face:
    day: date
    said_by_model: int
    said_by_people: Table | None


def beginning(now: datetime) -> datetime:
    """Return the earliest time from which `compute` needs faces."""
    monday = now.date() - timedelta(days=now.weekday() + 7 * (WEEKS - 1))
    return datetime.combine(monday, datetime.min.time(), now.tzinfo)


def compute(emoji_map: EmojiMap, answered: Sequence[AnsweredFace], now: datetime) -> Figures:
    """Compute all figures. now: with the time zone in which days begin."""
    faces = [_face(emoji_map, each, now) for each in answered]
    days = [now.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    mondays = [beginning(now).date() + timedelta(weeks=week) for week in range(WEEKS)]
    recent = [face for face in faces if face.day >= days[0]]
    a_day_ago = now - timedelta(days=1)
    return Figures(
        _day(answered, now),
        _day(answered, a_day_ago),
        _view(recent, {day: day for day in days}, days),
        _view(faces, {monday + timedelta(days=day): monday for monday in mondays for day in range(7)}, mondays),
    )


def share_of(same: float, of: float) -> Share | None:
    """Return the share of `same` in `of`, which may be fractions of faces, with Wilson's score interval (1927)."""
    if of <= 0:
        return None
    share, z2 = min(same / of, 1.0), _NORMAL_95**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _NORMAL_95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach), of)


def _face(emoji_map: EmojiMap, answered: AnsweredFace, now: datetime) -> _Face:
    label = soft_label(emoji_map, answered.probabilities, answered.words) if answered.words else None
    day = answered.taken_at.astimezone(now.tzinfo).date()
    return _Face(day, int(np.argmax(answered.probabilities)), None if label is None else label.shares)


def _day(answered: Iterable[AnsweredFace], until: datetime) -> Day:
    begins = until.replace(hour=0, minute=0, second=0, microsecond=0)
    faces = words = 0
    for each in answered:
        faces += begins <= each.taken_at <= until
        words += sum(begins <= word.at <= until for word in each.words)
    return Day(faces, words)


def _view(faces: Sequence[_Face], period_of: dict[date, date], periods: Sequence[date]) -> Span:
    mixes = {begins: [0] * len(EMOTIONS) for begins in periods}
    tables = {begins: np.zeros((len(EMOTIONS), len(EMOTIONS))) for begins in periods}
    for face in faces:
        begins = period_of.get(face.day)
        if begins is None:
            continue
        mixes[begins][face.said_by_model] += 1
        if face.said_by_people is not None:
            tables[begins][:, face.said_by_model] += face.said_by_people
    confusion = np.sum(list(tables.values()), axis=0)
    return Span(
        tuple(Period(begins, tuple(mixes[begins]), _agreement(tables[begins])) for begins in periods),
        _agreement(confusion),
        tuple(share_of(row[place], row.sum()) for place, row in enumerate(confusion)),
        tuple(tuple(float(cell) for cell in row) for row in confusion),
    )


def _agreement(confusion: Table) -> Share | None:
    return share_of(float(np.trace(confusion)), float(confusion.sum()))
