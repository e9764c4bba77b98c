import pytest
from emoji import EMOJI_DATA, STATUS
from hypothesis import given
from hypothesis import strategies as st

from bots.conversation.emoji_variants import Appearance, Presentation, SkinTone, plain, variant_of

ALL_EMOJI = sorted(EMOJI_DATA)
LOOKS = st.builds(Appearance, st.sampled_from([None, *SkinTone]), st.sampled_from([None, *Presentation]))


@given(st.sampled_from(ALL_EMOJI), LOOKS)
def test_a_dressed_emoji_is_one_of_unicodes_or_unchanged(emoji: str, appearance: Appearance) -> None:
    shown = variant_of(emoji, appearance)
    assert shown == emoji or EMOJI_DATA[shown]["status"] == STATUS["fully_qualified"]


@given(st.sampled_from(ALL_EMOJI), LOOKS)
def test_dressing_twice_changes_nothing_more(emoji: str, appearance: Appearance) -> None:
    shown = variant_of(emoji, appearance)
    assert variant_of(shown, appearance) == shown


@given(st.sampled_from(ALL_EMOJI))
def test_neutral_looks_leave_every_emoji_alone(emoji: str) -> None:
    assert variant_of(emoji, Appearance()) == emoji


@given(st.text(max_size=8), LOOKS)
def test_what_is_no_emoji_is_left_alone(text: str, appearance: Appearance) -> None:
    shown = variant_of(text, appearance)
    assert shown == text or shown in EMOJI_DATA


@pytest.mark.parametrize(
    ("emoji", "appearance", "shown"),
    [
        ("🙋", Appearance(SkinTone.MEDIUM, Presentation.WOMAN), "🙋🏽‍♀️"),
        ("🤦", Appearance(SkinTone.LIGHT, Presentation.MAN), "🤦🏻‍♂️"),
        ("🤷", Appearance(SkinTone.DARK), "🤷🏿"),
        ("🤷", Appearance(presentation=Presentation.WOMAN), "🤷‍♀️"),
        ("👍", Appearance(SkinTone.MEDIUM_LIGHT, Presentation.MAN), "👍🏼"),
        ("✌️", Appearance(SkinTone.MEDIUM_DARK), "✌🏾"),
        ("🕵️", Appearance(presentation=Presentation.MAN), "🕵️‍♂️"),
        ("🧟", Appearance(SkinTone.DARK, Presentation.WOMAN), "🧟‍♀️"),
        ("🧑‍💻", Appearance(SkinTone.MEDIUM, Presentation.WOMAN), "👩🏽‍💻"),
        ("🤦‍♀️", Appearance(SkinTone.DARK), "🤦🏿‍♀️"),
        ("🤦‍♀️", Appearance(presentation=Presentation.MAN), "🤦‍♂️"),
        ("😄", Appearance(SkinTone.DARK, Presentation.WOMAN), "😄"),
        ("👩‍❤️‍👨", Appearance(SkinTone.DARK, Presentation.MAN), "👩‍❤️‍👨"),
    ],
)
def test_an_emoji_wears_as_much_of_the_looks_as_there_is(emoji: str, appearance: Appearance, shown: str) -> None:
    assert variant_of(emoji, appearance) == shown


@pytest.mark.parametrize(("emoji", "bare"), [("👍🏽", "👍"), ("🤷🏿‍♀️", "🤷"), ("🤷‍♂️", "🤷"), ("😁", "😁"), ("", "")])
def test_plain_takes_tone_and_sign_off(emoji: str, bare: str) -> None:
    assert plain(emoji) == bare
