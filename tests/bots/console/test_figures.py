"""The overview's figures: counts by day, agreement with its interval, model against people."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.console.figures import DAYS, WEEKS, Day, Figures, Tally, beginning, share_of
from db import Answer, AnsweredFace, Source
from recognizer import EMOTIONS, EmojiMap, Recognizer

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)  # a Wednesday


def compute(emoji_map: EmojiMap, answered: Sequence[AnsweredFace], now: datetime) -> Figures:
    """Count the faces in two batches."""
    tally = Tally(emoji_map, now)
    tally.add(answered[:1])
    tally.add(answered[1:])
    return tally.figures()


@pytest.fixture(scope="module")
def emoji_map(recognizer: Recognizer) -> EmojiMap:
    return recognizer.emoji_map


def face(at: datetime, model: str, people: str | None = None, *, said_at: datetime | None = None) -> AnsweredFace:
    """Return a face with a confident reading and an admin's label."""
    seven = tuple(0.94 if name == model else 0.01 for name in EMOTIONS)
    answers = () if people is None else (Answer(Source.ADMIN, 1, said_at or at, verdict=people),)
    return AnsweredFace(at, "v1", seven, answers)


def test_nothing_at_all_gives_empty_views(emoji_map: EmojiMap) -> None:
    figures = compute(emoji_map, [], NOW)
    assert (figures.today, figures.yesterday) == (Day(0, 0), Day(0, 0))
    assert (len(figures.daily.periods), len(figures.weekly.periods)) == (DAYS, WEEKS)
    assert figures.daily.agreement is None
    assert set(figures.daily.by_emotion) == {None}


def test_today_is_compared_with_yesterday_up_to_the_same_time(emoji_map: EmojiMap) -> None:
    yesterday = NOW - timedelta(days=1)
    faces = [
        face(NOW - timedelta(hours=1), "happy"),
        face(yesterday - timedelta(hours=1), "happy", "sad"),
        face(yesterday + timedelta(hours=1), "happy"),
        face(yesterday, "sad", "sad", said_at=NOW - timedelta(minutes=1)),
    ]
    figures = compute(emoji_map, faces, NOW)
    assert (figures.today, figures.yesterday) == (Day(1, 1), Day(2, 1))


def test_days_begin_in_the_time_zone_of_now(emoji_map: EmojiMap) -> None:
    east = NOW.astimezone(timezone(timedelta(hours=10)))  # past midnight there
    figures = compute(emoji_map, [face(NOW - timedelta(hours=2), "happy")], east)
    assert [period.begins for period in figures.daily.periods if period.faces] == [date(2026, 11, 18)]
    assert figures.today == Day(0, 0)


def test_agreement_is_the_share_that_people_confirm(emoji_map: EmojiMap) -> None:
    faces = [face(NOW, "happy", said) for said in ("happy", "happy", "happy", "sad")]
    view = compute(emoji_map, faces, NOW).daily
    assert view.agreement is not None
    assert view.agreement.value == pytest.approx(0.75)
    assert view.agreement.of == pytest.approx(4)
    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    assert view.confusion[happy][happy] == pytest.approx(3)
    assert view.confusion[sad][happy] == pytest.approx(1)
    of_sad = view.by_emotion[sad]
    assert of_sad is not None
    assert of_sad.value == 0
    assert view.by_emotion[EMOTIONS.index("fear")] is None


def test_what_names_no_emotion_is_no_disagreement(emoji_map: EmojiMap) -> None:
    view = compute(emoji_map, [face(NOW, "happy", "not_a_face"), face(NOW, "happy", "unsure")], NOW).daily
    assert view.agreement is None
    assert view.periods[-1].faces == 2


def test_weeks_reach_further_back_than_days(emoji_map: EmojiMap) -> None:
    figures = compute(emoji_map, [face(beginning(NOW), "sad", "sad")], NOW)
    assert figures.daily.agreement is None
    assert figures.weekly.periods[0].mix[EMOTIONS.index("sad")] == 1
    assert figures.weekly.periods[0].begins.weekday() == 0


def test_the_interval_is_wilsons() -> None:
    share = share_of(8, 10)
    assert share is not None
    assert (share.low, share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # statsmodels, proportion_confint


@given(st.floats(0, 1), st.floats(0.01, 1e6))
def test_an_interval_holds_its_share(part: float, of: float) -> None:
    share = share_of(part * of, of)
    assert share is not None
    assert 0 <= share.low <= share.value + 1e-9
    assert share.value - 1e-9 <= share.high <= 1
