"""Compute the overview's figures from answered faces: how often the model agrees with people, and the mix of emotions.

People's feedback on a face is a soft label, so a face may count partly for several emotions. All shares are 0 to 1.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from db import AnsweredFace, Source
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
    answers: int


@dataclass(frozen=True)
class Figures:
    """All figures of the overview. today: up to now. yesterday: up to the same time of day."""

    today: Day
    yesterday: Day
    daily: Span
    weekly: Span


def beginning(now: datetime) -> datetime:
    """Return the earliest time from which `Tally` needs faces."""
    monday = now.date() - timedelta(days=now.weekday() + 7 * (WEEKS - 1))
    return datetime.combine(monday, datetime.min.time(), now.tzinfo)


class Tally:
    """Counts answered faces by day, batch by batch, and turns the counts into figures."""

    def __init__(self, emoji_map: EmojiMap, now: datetime) -> None:
        """emoji_map: what chosen emoji are read by. now: with the time zone in which days begin."""
        self._emoji_map = emoji_map
        self._now = now
        self._mixes: dict[date, NDArray[np.int64]] = defaultdict(lambda: np.zeros(len(EMOTIONS), np.int64))
        self._confusions: dict[date, Table] = defaultdict(lambda: np.zeros((len(EMOTIONS), len(EMOTIONS))))
        self._days = {until: [0, 0] for until in (now, now - timedelta(days=1))}

    def add(self, answered: Iterable[AnsweredFace]) -> None:
        """Count some faces."""
        for face in answered:
            day = face.taken_at.astimezone(self._now.tzinfo).date()
            said_by_model = int(np.argmax(face.probabilities))
            self._mixes[day][said_by_model] += 1
            said = [answer for answer in face.answers if answer.source is not Source.PLAY]  # asked for, not seen
            label = soft_label(self._emoji_map, face.probabilities, said) if said else None
            if label is not None:
                self._confusions[day][:, said_by_model] += label.shares
            for until, counts in self._days.items():
                begins = until.replace(hour=0, minute=0, second=0, microsecond=0)
                counts[0] += begins <= face.taken_at <= until
                counts[1] += sum(begins <= answer.at <= until for answer in face.answers)

    def figures(self) -> Figures:
        """Return the figures of all faces counted so far."""
        today, yesterday = (Day(*counts) for counts in self._days.values())
        first = self._now.date() - timedelta(days=DAYS - 1)
        days = [[first + timedelta(days=day)] for day in range(DAYS)]
        monday = beginning(self._now).date()
        weeks = [[monday + timedelta(weeks=week, days=day) for day in range(7)] for week in range(WEEKS)]
        return Figures(today, yesterday, self._span(days), self._span(weeks))

    def _span(self, periods: Sequence[Sequence[date]]) -> Span:
        """periods: the days of each."""
        no_mix, no_table = np.zeros(len(EMOTIONS), np.int64), np.zeros((len(EMOTIONS), len(EMOTIONS)))
        mixes = [sum((self._mixes[day] for day in days if day in self._mixes), no_mix) for days in periods]
        tables = [sum((self._confusions[day] for day in days if day in self._confusions), no_table) for days in periods]
        confusion = np.sum(tables, axis=0)
        return Span(
            tuple(
                Period(days[0], tuple(mix.tolist()), _agreement(table))
                for days, mix, table in zip(periods, mixes, tables, strict=True)
            ),
            _agreement(confusion),
            tuple(share_of(row[place], row.sum()) for place, row in enumerate(confusion)),
            tuple(tuple(float(cell) for cell in row) for row in confusion),
        )


def share_of(same: float, of: float) -> Share | None:
    """Return the share of `same` in `of`, which may be fractions of faces, with Wilson's score interval (1927)."""
    if of <= 0:
        return None
    share, z2 = min(same / of, 1.0), _NORMAL_95**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _NORMAL_95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach), of)


def _agreement(confusion: Table) -> Share | None:
    return share_of(float(np.trace(confusion)), float(confusion.sum()))
