import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, nearest, speak
from bots.conversation.recipient import Recipient
from db import Preferences
from recognizer import EmojiMap


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("en_US", "en"),
        ("pt-BR", "pt"),
        ("pt-br", "pt"),
        ("es-419", "es"),
        ("zh-hans", "zh"),
        ("zh-CN", "zh"),
        ("zh-Hant-TW", "zh"),
        ("AR", "ar"),
        ("ja-JP", "ja"),
        ("nl", "en"),
        ("", "en"),
        ("*", "en"),
        ("und", "en"),
        ("☃", "en"),
        ("de" * 500, "en"),
    ],
)
def test_a_platforms_tag_becomes_a_language_the_bot_speaks(tag: str, language: str) -> None:
    assert nearest(tag) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("nl-NL,nl;q=0.9,de;q=0.8,en;q=0.7", "de"),
        ("en;q=0.2, ru;q=0.9", "ru"),
        ("fr;q=0, hi", "hi"),
        ("sv, *;q=0.5", "en"),
        ("de;q=much", "de"),
    ],
)
def test_a_browsers_list_is_read_by_preference(header: str, language: str) -> None:
    assert nearest(header) == language


@given(st.text() | st.text(alphabet="aeszh-_;,q=.0123456789 *"))
def test_any_text_at_all_gives_a_language(tag: str) -> None:
    assert nearest(tag) in OWN_NAMES


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 2, "I see 2 faces, biggest first:"),
        ("ru", 21, "Вижу 21 лицо, сначала самое крупное:"),
        ("ru", 3, "Вижу 3 лица, сначала самое крупное:"),
        ("ru", 12, "Вижу 12 лиц, сначала самое крупное:"),
        ("ar", 2, "أرى وجهين (2)، الأكبر أولًا:"),
        ("ar", 5, "أرى 5 وجوه، الأكبر أولًا:"),
        ("ar", 40, "أرى 40 وجهًا، الأكبر أولًا:"),
        ("ja", 7, "7人の顔が見えます（大きい順）："),
    ],
)
def test_a_count_is_said_in_the_plural_of_the_language(language: str, count: int, said: str) -> None:
    assert speak(language).count(texts.SEVERAL_FACES, count) == said


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "grinning face with smiling eyes"), ("de", "grinsendes gesicht mit lachenden augen"), ("hi", None)],
)
def test_an_emoji_has_a_name_where_unicode_gives_one(language: str, name: str | None) -> None:
    assert speak(language).name_of("😄") == name


def test_a_voice_is_made_once() -> None:
    assert speak("fr") is speak("fr")


@pytest.mark.parametrize("language", ["en", "hi"])
def test_names_come_from_unicode_and_in_english_where_there_is_no_other(language: str) -> None:
    recipient = Recipient.of(Preferences(), language)
    assert recipient.name_of("😂") == "face with tears of joy"
    assert recipient.name_of("no emoji") == "no emoji"
    assert all(recipient.name_of(emoji) != emoji for emoji in EmojiMap.load().emoji)
