import pytest

from bots.custom_emoji import CustomEmoji, in_text, spoken


@pytest.mark.parametrize(
    ("text", "shown", "name"),
    [
        ("<:blobcat:123456789012345678>", "<:blobcat:123456789012345678>", "blobcat"),
        ("<a:party:123456789012345678>", "<a:party:123456789012345678>", "party"),
        ("<😎:5368324170671202286>", "😎", "😎"),
    ],
)
def test_a_custom_emoji_comes_back_as_it_was_written(text: str, shown: str, name: str) -> None:
    parsed = CustomEmoji.parse(text)
    assert parsed is not None
    assert str(parsed) == text
    assert (in_text(text), spoken(text)) == (shown, name)


@pytest.mark.parametrize(
    "text", ["😎", "", "<:x:12>", "<b:party:123456789012345678>", "<:a b:123456789012345678>", ":x:"]
)
def test_anything_else_is_no_custom_emoji_and_stays_as_it_is(text: str) -> None:
    assert CustomEmoji.parse(text) is None
    assert in_text(text) == spoken(text) == text
