from itertools import combinations

import cv2
import numpy as np
import pytest

from bots.messages import Form
from bots.pictures.avatars import avatar
from bots.pictures.compositing import AVATAR_HEIGHT, STICKER_BYTES, STICKER_SIDE
from bots.pictures.looks import Hair, HairColour, Look
from bots.pictures.maker import PictureMaker
from db import Platform
from recognizer import EMOTIONS

LOOK = Look(Hair.SHORT)


def test_each_emotion_looks_different() -> None:
    drawn = [avatar(LOOK, emotion, 140) for emotion in EMOTIONS]
    assert {each.shape for each in drawn} == {(140, 132, 4)}
    for one, other in combinations(drawn, 2):
        assert (np.abs(one.astype(int) - other).max(axis=2) > 60).sum() > 40


@pytest.mark.parametrize(
    "others",
    [
        [Look(hair) for hair in Hair],
        [Look(Hair.LONG, colour) for colour in HairColour],
        [Look(Hair.HEADSCARF, colour) for colour in HairColour],
        [Look(Hair.BOB, skin_tone=tone) for tone in (None, "light", "medium_light", "medium", "medium_dark", "dark")],
        [Look(Hair.BUN, presentation=each) for each in (None, "woman", "man")],
    ],
    ids=["hair", "colour", "colour of a scarf", "skin", "clothes"],
)
def test_each_choice_can_be_seen(others: list[Look]) -> None:
    assert len({avatar(look, "happy", 70).tobytes() for look in others}) == len(others)


def test_what_another_version_stored_is_drawn_like_nothing_chosen() -> None:
    odd = avatar(Look(Hair.SHORT, skin_tone="plaid", presentation="klingon"), "sad", 70)
    np.testing.assert_array_equal(odd, avatar(LOOK, "sad", 70))


def test_there_is_no_other_emotion() -> None:
    with pytest.raises(ValueError, match="boredom"):
        avatar(LOOK, "boredom", 70)


@pytest.mark.parametrize(("platform", "beginning"), [(Platform.TELEGRAM, b"RIFF"), (Platform.DISCORD, b"\x89PNG")])
@pytest.mark.parametrize("look", [LOOK, Look(Hair.AFRO), Look(Hair.HEADSCARF, skin_tone="dark")])
def test_it_is_a_sticker_with_a_white_outline_within_the_square(
    picture_maker: PictureMaker, platform: Platform, beginning: bytes, look: Look
) -> None:
    made = picture_maker.avatar(look, "surprise", platform)
    assert made.form is Form.STICKER
    assert made.content.startswith(beginning)
    assert len(made.content) <= STICKER_BYTES
    pixels = cv2.imdecode(np.frombuffer(made.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.shape == (STICKER_SIDE, STICKER_SIDE, 4)
    seen = pixels[..., 3] > 128
    assert AVATAR_HEIGHT * 0.85 < np.ptp(np.flatnonzero(seen.any(axis=1))) < STICKER_SIDE
    assert not seen[:, 0].any()
    assert not seen[:, -1].any()
    top = int(np.flatnonzero(seen.any(axis=1))[0])
    middle = int(np.flatnonzero(seen[top]).mean())
    assert (pixels[top + 6, middle, :3] > 240).all()
