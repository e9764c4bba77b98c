"""Covering: the disc hides more than the box, turns with the head, and is where the emoji is painted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bots.pictures.artwork import Artwork
from bots.pictures.covering import BLUR_CELLS, CoveredFace, Disc, cover, disc_of, reach
from recognizer import Box


@pytest.fixture(scope="module")
def artwork() -> Artwork:
    return Artwork.load()


def painted(discs: list[Disc], artwork: Artwork, side: int = 400) -> NDArray[np.uint8]:
    layer = np.full((side, side, 3), 90, np.uint8)
    cover(layer, discs, artwork)
    return layer


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(0.1, 500), st.floats(-360, 360), st.floats(0.5, 8))
def test_the_disc_holds_all_within_three_quarters_of_a_side(
    x: float, y: float, side: float, tilt: float, scale: float
) -> None:
    disc = disc_of(CoveredFace(Box(x, y, side, side), tilt, "😀"), scale)
    assert disc is not None
    away = math.hypot(disc.x - (x + side / 2) / scale, disc.y - (y + side / 2) / scale)
    assert disc.radius >= away + 0.75 * side / scale


def test_the_disc_rises_towards_the_top_of_the_head() -> None:
    box = Box(100, 100, 50, 50)
    upright, right, upside_down = (disc_of(CoveredFace(box, tilt, "😀"), 1.0) for tilt in (0, 90, 180))
    assert upright is not None
    assert right is not None
    assert upside_down is not None
    assert upright.y < 125 < upside_down.y
    assert right.x > 125
    assert right.y == pytest.approx(125)


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 0, 0), Box(0, 0, -5, 5), Box(math.nan, 0, 5, 5), Box(0, 0, math.nan, 5), Box(0, 0, 5, math.nan),
        Box(0, math.inf, 5, 5), Box(0, 0, math.inf, 5), Box(1e300, 0, 5, 5), Box(0, 0, 1e300, 1e300),
    ],
)  # fmt: skip
def test_a_box_that_is_no_place_has_no_disc(box: Box) -> None:
    assert disc_of(CoveredFace(box, 0, "😀"), 1.0) is None


@pytest.mark.parametrize("tilt", [math.nan, math.inf, -math.inf])
def test_a_tilt_that_is_not_finite_is_none(tilt: float) -> None:
    box = Box(10, 10, 30, 30)
    assert disc_of(CoveredFace(box, tilt, "😀"), 1.0) == disc_of(CoveredFace(box, 0, "😀"), 1.0)


def test_an_emoji_turns_clockwise_with_the_head(artwork: Artwork) -> None:
    upright, quarter = (painted([Disc(200, 200, 90, tilt, "😤")], artwork).astype(int) for tilt in (0, 90))
    assert np.abs(np.rot90(upright, -1) - quarter).mean() < 2
    assert np.abs(np.rot90(upright, 1) - quarter).mean() > 10


@pytest.mark.parametrize("emoji", ["😀", "🥳", "👎", "🗿", "❤️", "no emoji"])
def test_an_emoji_reaches_as_far_as_is_said(artwork: Artwork, emoji: str) -> None:
    changed = np.argwhere(np.abs(painted([Disc(200, 200, 80, 33, emoji)], artwork) - 90.0).max(axis=2) > 30) + 0.5
    farthest = np.hypot(changed[:, 0] - 200, changed[:, 1] - 200).max()
    assert farthest == pytest.approx(80 * reach(emoji, artwork), abs=3)


def test_a_face_hides_the_disc_beneath_it(artwork: Artwork) -> None:
    y, x = np.mgrid[:400, :400] + 0.5
    ring = np.abs(np.hypot(x - 200, y - 200) - 82) < 12
    assert painted([Disc(200, 200, 90, 0, "😀")], artwork)[ring, 2].max() < 60, "yellow and black, no white"


def test_an_emoji_without_artwork_leaves_a_white_badge(artwork: Artwork) -> None:
    layer = painted([Disc(200, 200, 90, 0, "no emoji")], artwork)
    assert layer[140:260, 140:260].min() == 255
    assert layer[0, 0].tolist() == [90, 90, 90]


def test_a_transparent_layer_becomes_opaque_where_emoji_are(artwork: Artwork) -> None:
    layer = np.zeros((200, 200, 4), np.uint8)
    cover(layer, [Disc(100, 100, 50, 0, "😀")], artwork)
    assert layer[100, 100, 3] == 255
    assert layer[0, 0].tolist() == [0, 0, 0, 0]
    assert (layer[..., :3] <= layer[..., 3:]).all(), "premultiplied colours are never over alpha"


@pytest.mark.parametrize("disc", [Disc(-900, 100, 50, 0, "🥳"), Disc(100, 1e5, 50, 0, "👎")])
def test_a_disc_out_of_sight_paints_nothing(artwork: Artwork, disc: Disc) -> None:
    assert (painted([disc], artwork) == 90).all()


def test_a_disc_larger_than_the_picture_covers_all_of_it(artwork: Artwork) -> None:
    assert not (painted([Disc(200, 200, 9000, 10, "😀")], artwork) == 90).any()


def blurred(layer: NDArray[np.uint8], disc: Disc, artwork: Artwork) -> NDArray[np.uint8]:
    layer = layer.copy()
    cover(layer, [disc], artwork)
    return layer


def shuffled(layer: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    """Return a layer in which the pixels of each square of a square part are in another order."""
    random, layer = np.random.default_rng(5), layer.copy()
    cell = side // BLUR_CELLS
    for row in range(BLUR_CELLS):
        for column in range(BLUR_CELLS):
            part = layer[top + row * cell : top + (row + 1) * cell, left + column * cell : left + (column + 1) * cell]
            part[:] = random.permutation(part.reshape(-1, 3)).reshape(part.shape)
    return layer


def test_a_blur_leaves_nothing_but_few_mean_colours(artwork: Artwork) -> None:
    disc = Disc(200, 200, 99, 0, None)
    layer = np.random.default_rng(1).integers(0, 256, (400, 400, 3)).astype(np.uint8)
    result = blurred(layer, disc, artwork)
    y, x = np.mgrid[:400, :400] + 0.5 - 200
    inside = np.hypot(x, y) < 98
    assert len(np.unique(result[inside], axis=0)) <= BLUR_CELLS**2
    other = layer.copy()
    other[100:300, 100:300] = shuffled(layer, 100, 100, 200)[100:300, 100:300]
    assert np.array_equal(blurred(other, disc, artwork)[inside], result[inside]), "the order of pixels is lost"
    assert np.array_equal(result[:, :95], layer[:, :95]), "the rest stays"


@given(st.floats(-300, 700), st.floats(-300, 700), st.floats(0.1, 900))
def test_a_blur_at_any_place_and_size_has_few_colours(artwork: Artwork, x: float, y: float, radius: float) -> None:
    layer = np.random.default_rng(2).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    result = blurred(layer, Disc(x, y, radius, 30, None), artwork)
    rows, columns = np.mgrid[:60, :80] + 0.5
    distance = np.hypot(columns - x, rows - y)
    assert len(np.unique(result[distance < radius - 1], axis=0)) <= BLUR_CELLS**2
    assert np.array_equal(result[distance > radius + 1], layer[distance > radius + 1])
