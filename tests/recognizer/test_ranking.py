"""The order of emoji: shades of meaning, mixtures, variety, and what a platform allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram.constants import ReactionEmoji

from recognizer import EMOTIONS, Cue, EmojiMap, Expression
from recognizer.emoji_map import without_selector
from recognizer.ranking import emoji_probabilities, rank, reaction
from recognizer.taste import Choice, taste
from recognizer.verdict import Verdict

MAP = EmojiMap.load()
TELEGRAM = {without_selector(emoji.value) for emoji in ReactionEmoji}

_weights = st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda weights: sum(weights) > 0.001)
_mixtures = _weights.map(lambda weights: tuple(weight / sum(weights) for weight in weights))
_expressions = st.builds(Expression, _mixtures, st.floats(0, 1), st.frozensets(st.sampled_from(Cue)))
_choices = st.lists(st.builds(Choice, st.sampled_from(MAP.emoji), _mixtures, st.floats(0, 400)), max_size=12)


def expression(intensity: float, *cues: Cue, **emotions: float) -> Expression:
    return Expression(tuple(emotions.get(name, 0.0) for name in EMOTIONS), intensity, frozenset(cues))


@given(_expressions, _choices)
def test_any_mixture_and_taste_yields_probabilities_and_every_emoji_once(seen: Expression, own: list[Choice]) -> None:
    ranking = rank(MAP, seen, taste(MAP, own=own))
    assert np.isfinite(ranking.probabilities).all()
    assert ranking.probabilities.min() >= 0
    assert ranking.probabilities.sum() == pytest.approx(1)
    assert sorted(ranking.emoji) == sorted(MAP.emoji)


@given(st.lists(_expressions, min_size=1, max_size=4), _choices, st.sampled_from(MAP.reaction_sets))
def test_a_reaction_is_always_one_the_platform_allows(
    faces: list[Expression], own: list[Choice], platform: str
) -> None:
    emoji = reaction(MAP, platform, faces, taste(MAP, own=own))
    assert platform != "telegram" or without_selector(emoji) in TELEGRAM
    assert MAP.may_react(platform)[MAP.emoji.index(emoji)]


@pytest.mark.parametrize(
    ("seen", "first"),
    [
        (expression(0.28, happy=0.52, neutral=0.48), "🙂"),
        (expression(0.65, happy=1.0), "😄"),
        (expression(0.95, Cue.OPEN_MOUTH, happy=1.0), "😂"),
        (expression(0.8, Cue.OPEN_MOUTH, happy=0.5, surprise=0.5), "🤩"),
        (expression(0.6, sad=0.5, angry=0.5), "😤"),
        (expression(0.6, angry=1.0), "😠"),
        (expression(0.9, Cue.OPEN_MOUTH, angry=1.0), "😡"),
        (expression(0.95, Cue.OPEN_MOUTH, sad=1.0), "😭"),
        (expression(0.95, Cue.OPEN_MOUTH, fear=1.0), "😱"),
        (expression(0.05, neutral=1.0), "😐"),
        (expression(0.95, disgust=1.0), "🤮"),
        (expression(0.3, Cue.CLOSED_EYES, happy=0.6, neutral=0.4), "😌"),
        (expression(0.05, Cue.CLOSED_EYES, neutral=0.95, sad=0.05), "😴"),
        (expression(0.5, Cue.CLOSED_EYES, sad=1.0), "😔"),
        (expression(0.6, Cue.CLOSED_EYES, disgust=0.7, sad=0.3), "😣"),
        (expression(0.95, Cue.CLOSED_EYES, Cue.OPEN_MOUTH, Cue.BROAD_SMILE, happy=1.0), "😆"),
        (expression(0.6, Cue.BROAD_SMILE, happy=1.0), "😁"),
        (expression(0.7, Cue.BROAD_SMILE, Cue.OPEN_MOUTH, happy=1.0), "😃"),
        (expression(0.5, Cue.SLIGHT_SMILE, happy=1.0), "😊"),
        (expression(0.1, Cue.SLIGHT_SMILE, happy=0.2, neutral=0.8), "🙂"),
        (expression(0.5, Cue.RAISED_BROWS, surprise=1.0), "😮"),
        (expression(0.9, Cue.RAISED_BROWS, Cue.OPEN_MOUTH, surprise=1.0), "😲"),
        (expression(0.05, Cue.SIDE_GLANCE, neutral=1.0), "🤔"),
        (expression(0.5, Cue.SIDE_GLANCE, disgust=1.0), "😒"),
        (expression(0.5, Cue.SIDE_GLANCE, fear=1.0), "🫣"),
    ],
)
def test_shades_of_meaning(seen: Expression, first: str) -> None:
    assert rank(MAP, seen).emoji[0] == first


def expresses_most(emoji: str) -> set[str]:
    profile = MAP.profiles[MAP.emoji.index(emoji)]
    return {emotion for emotion, score in zip(EMOTIONS, profile, strict=True) if score == profile.max()}


@given(_expressions)
def test_the_first_emoji_are_of_the_emotions_that_are_said(seen: Expression) -> None:
    ranked = rank(MAP, seen).emoji
    for emoji, emotion in zip(ranked, Verdict.of(seen.probabilities).leading, strict=False):
        assert emotion in expresses_most(emoji)


@given(st.lists(_expressions, min_size=1, max_size=4), st.sampled_from(MAP.reaction_sets))
def test_a_reaction_is_of_the_likeliest_emotion_of_all_faces(faces: list[Expression], platform: str) -> None:
    mood = EMOTIONS[int(np.mean([face.probabilities for face in faces], axis=0).argmax())]
    assert mood in expresses_most(reaction(MAP, platform, faces))


def test_happy_or_angry_comes_with_a_happy_and_an_angry_emoji() -> None:
    first, second = rank(MAP, expression(0.5, happy=0.45, angry=0.4, neutral=0.15)).emoji[:2]
    assert "happy" in expresses_most(first)
    assert "angry" in expresses_most(second)


def test_an_emoji_that_somebody_always_chooses_for_an_emotion_counts_as_one_of_it() -> None:
    angry = expression(0.6, angry=0.9, sad=0.1)
    taught = taste(MAP, own=[Choice("🔥", angry.probabilities, 0.0)] * 20)
    assert rank(MAP, angry).emoji[0] == "😠"
    assert rank(MAP, angry, taught).emoji[0] == "🔥"


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_an_emotion_is_answered_by_emoji_that_express_it(emotion: str) -> None:
    for emoji in rank(MAP, Expression.of(tuple(float(name == emotion) for name in EMOTIONS))).emoji[:3]:
        assert MAP.profiles[MAP.emoji.index(emoji), EMOTIONS.index(emotion)] >= 0.3, emoji


@given(_expressions)
def test_the_first_five_are_of_at_least_three_families(seen: Expression) -> None:
    families = {MAP.families[MAP.emoji.index(emoji)] for emoji in rank(MAP, seen).emoji[:5]}
    assert len(families) >= 3


@pytest.mark.parametrize(
    ("emoji", "seen"),
    [
        ("😌", expression(0.3, happy=0.6, neutral=0.4)),
        ("😴", expression(0.05, neutral=1.0)),
        ("😔", expression(0.5, sad=1.0)),
        ("🫣", expression(0.5, surprise=1.0)),
        ("😏", expression(0.3, happy=0.4, neutral=0.6)),
    ],
)
def test_an_emoji_for_a_cue_is_not_among_the_first_five_without_it(emoji: str, seen: Expression) -> None:
    assert emoji not in rank(MAP, seen).emoji[:5]


def test_a_seen_cue_brings_its_emoji_forward() -> None:
    still, gaping = expression(0.6, surprise=1.0), expression(0.6, Cue.OPEN_MOUTH, surprise=1.0)
    place = MAP.emoji.index("😮")
    assert emoji_probabilities(MAP, gaping)[place] > emoji_probabilities(MAP, still)[place]
