import pytest
from emoji import EMOJI_DATA, STATUS
from hypothesis import given
from hypothesis import strategies as st

from bots.looks import Looks, Presentation, SkinTone, dressed, plain

ALL_EMOJI = sorted(EMOJI_DATA)
LOOKS = st.builds(Looks, st.sampled_from([None, *SkinTone]), st.sampled_from([None, *Presentation]))


@given(st.sampled_from(ALL_EMOJI), LOOKS)
def test_a_dressed_emoji_is_one_of_unicodes_or_unchanged(emoji: str, looks: Looks) -> None:
    shown = dressed(emoji, looks)
    assert shown == emoji or EMOJI_DATA[shown]["status"] == STATUS["fully_qualified"]


@given(st.sampled_from(ALL_EMOJI), LOOKS)
def test_dressing_twice_changes_nothing_more(emoji: str, looks: Looks) -> None:
    shown = dressed(emoji, looks)
    assert dressed(shown, looks) == shown


@given(st.sampled_from(ALL_EMOJI))
def test_neutral_looks_leave_every_emoji_alone(emoji: str) -> None:
    assert dressed(emoji, Looks()) == emoji


@given(st.text(max_size=8), LOOKS)
def test_what_is_no_emoji_is_left_alone(text: str, looks: Looks) -> None:
    shown = dressed(text, looks)
    assert shown == text or shown in EMOJI_DATA


@pytest.mark.parametrize(
    ("emoji", "looks", "shown"),
    [
        ("🙋", Looks(SkinTone.MEDIUM, Presentation.WOMAN), "🙋🏽‍♀️"),
        ("🤦", Looks(SkinTone.LIGHT, Presentation.MAN), "🤦🏻‍♂️"),
        ("🤷", Looks(SkinTone.DARK), "🤷🏿"),
        ("🤷", Looks(presentation=Presentation.WOMAN), "🤷‍♀️"),
        ("👍", Looks(SkinTone.MEDIUM_LIGHT, Presentation.MAN), "👍🏼"),
        ("✌️", Looks(SkinTone.MEDIUM_DARK), "✌🏾"),
        ("🕵️", Looks(presentation=Presentation.MAN), "🕵️‍♂️"),
        ("🧟", Looks(SkinTone.DARK, Presentation.WOMAN), "🧟‍♀️"),
        ("🧑‍💻", Looks(SkinTone.MEDIUM, Presentation.WOMAN), "👩🏽‍💻"),
        ("🤦‍♀️", Looks(SkinTone.DARK), "🤦🏿‍♀️"),
        ("🤦‍♀️", Looks(presentation=Presentation.MAN), "🤦‍♂️"),
        ("😄", Looks(SkinTone.DARK, Presentation.WOMAN), "😄"),
        ("👩‍❤️‍👨", Looks(SkinTone.DARK, Presentation.MAN), "👩‍❤️‍👨"),
    ],
)
def test_an_emoji_wears_as_much_of_the_looks_as_there_is(emoji: str, looks: Looks, shown: str) -> None:
    assert dressed(emoji, looks) == shown


@pytest.mark.parametrize(("emoji", "bare"), [("👍🏽", "👍"), ("🤷🏿‍♀️", "🤷"), ("🤷‍♂️", "🤷"), ("😁", "😁"), ("", "")])
def test_plain_takes_tone_and_sign_off(emoji: str, bare: str) -> None:
    assert plain(emoji) == bare
