"""Shared pictures: no trace of a covered face, numbers are visible, files are accepted by the platforms."""

import io
import math
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bots.messages import Cover
from bots.pictures.artwork import Artwork
from bots.pictures.compositing import (
    COVER_SIDE,
    STICKER_BYTES,
    STICKER_SIDE,
    arranged,
    cover_image,
    emoji_me,
    head_sticker,
    outlined,
    places_of,
    sticker,
)
from bots.pictures.covering import CoveredFace
from bots.pictures.maker import FaceEmoji, PictureMaker
from db import Platform
from recognizer import Box, PhotoError, Recognizer
from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import WORKING_SIDE, Photo, decode, shrunk_photo
from tests.conftest import jpeg
from tests.pictures import checkers, encoded

WIDTH, HEIGHT = 320, 240
EMOJI = ("😀", "🥳", "😤", "👎", "💢", "❤️", "👀", "💔", "🗿", "🫠", "🫥", "😶‍🌫️", "no emoji", "")
FORMS: tuple[Literal["webp", "png"], ...] = ("webp", "png")
numbers = st.floats(-400, 700) | st.floats()
sides = st.floats(0.01, 900) | st.floats()
faces = st.builds(CoveredFace, st.builds(Box, numbers, numbers, sides, sides), numbers, st.sampled_from(EMOJI))


@pytest.fixture(scope="module")
def artwork() -> Artwork:
    return Artwork.load()


def noise(seed: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> Photo:
    return decode(encoded(Image.fromarray(pixels), "PNG"))


def opened(data: bytes, mode: str = "RGB") -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode)).astype(np.int16)


def oval(box: Box, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.bool_]:
    """Return the pixels of the ellipse that is one and a half times the box."""
    y, x = np.mgrid[:height, :width] + 0.5
    across = (x - box.x - box.width / 2) / (0.75 * box.width)
    down = (y - box.y - box.height / 2) / (0.75 * box.height)
    inside: NDArray[np.bool_] = np.hypot(across, down) <= 1
    return inside


boxes = st.builds(Box, st.floats(-40, 300), st.floats(-40, 220), st.floats(1, 150), st.floats(1, 150))


@settings(max_examples=30)
@given(box=boxes, tilt=st.floats(-360, 360), emoji=st.sampled_from(EMOJI))
def test_what_a_face_showed_makes_no_difference(artwork: Artwork, box: Box, tilt: float, emoji: str) -> None:
    one, other = noise(1), noise(1)
    other[oval(box)] = noise(2)[oval(box)]
    covered = CoveredFace(box, tilt, emoji)
    assert emoji_me(png(one), [covered], artwork) == emoji_me(png(other), [covered], artwork)
    assert sticker(png(one), covered, "png", artwork) == sticker(png(other), covered, "png", artwork)


@settings(max_examples=15)
@given(crowd=st.lists(st.builds(CoveredFace, boxes, st.floats(-180, 180), st.sampled_from(EMOJI)), max_size=5))
def test_neighbours_do_not_uncover_each_other(artwork: Artwork, crowd: list[CoveredFace]) -> None:
    one, other = noise(1), noise(1)
    for face in crowd:
        other[oval(face.box)] = noise(2)[oval(face.box)]
    assert emoji_me(png(one), crowd, artwork) == emoji_me(png(other), crowd, artwork)
    if crowd:
        stickers = [sticker(png(pixels), crowd[0], "png", artwork, crowd[1:]) for pixels in (one, other)]
        assert stickers[0] == stickers[1]


@settings(max_examples=40)
@given(crowd=st.lists(faces, max_size=3))
def test_no_box_and_no_tilt_breaks_a_picture(artwork: Artwork, crowd: list[CoveredFace]) -> None:
    photo = png(noise(1, 64, 48))
    assert opened(emoji_me(photo, crowd, artwork)).shape == (48, 64, 3)
    assert opened(outlined(photo, crowd)).shape == (48, 64, 3)
    for face in crowd:
        assert opened(sticker(photo, face, "png", artwork, crowd), "RGBA").shape == (STICKER_SIDE, STICKER_SIDE, 4)


@settings(max_examples=50)
@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_photo_raise_a_photo_error(picture_maker: PictureMaker, data: bytes) -> None:
    answered = FaceEmoji((1 / 7,) * 7, "😀")
    for make in (
        lambda: picture_maker.emoji_me(data, [answered], Platform.TELEGRAM),
        lambda: picture_maker.sticker(data, answered, Platform.TELEGRAM),
        lambda: picture_maker.outlined(data, []),
    ):
        with pytest.raises(PhotoError):
            make()


@settings(max_examples=20)
@given(crowd=st.lists(st.builds(CoveredFace, boxes, st.floats(-180, 180), st.sampled_from(EMOJI)), max_size=4))
def test_covers_that_nobody_moved_are_those_of_emoji_me(artwork: Artwork, crowd: list[CoveredFace]) -> None:
    photo = png(noise(3))
    covers = places_of(photo, crowd)
    made = opened(arranged(photo, covers, artwork, ProcessorClock()))
    assert np.abs(made - opened(emoji_me(photo, crowd, artwork))).mean() < 0.5


def test_covers_go_where_they_were_put_in_shares_of_the_photo(artwork: Artwork) -> None:
    photo = png(np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
    made = opened(arranged(photo, [Cover(0.25, 0.75, 0.1, 0, "😀")], artwork, ProcessorClock()))
    y, x = np.argwhere(np.abs(made - 128).max(axis=2) > 12).mean(axis=0)
    assert math.hypot(x - 0.25 * WIDTH, y - 0.75 * HEIGHT) < 4


def test_arranging_stops_when_the_time_is_over(artwork: Artwork) -> None:
    with pytest.raises(PhotoError, match="takes too long"):
        arranged(png(noise(1)), [Cover(0.5, 0.5, 0.5, 0, "😀")], artwork, ProcessorClock(limit_s=-1))


@pytest.mark.parametrize("emoji", EMOJI)
def test_the_image_of_a_cover_is_what_the_picture_shows(artwork: Artwork, emoji: str) -> None:
    image = opened(cover_image(emoji, artwork), "RGBA")
    assert image.shape == (COVER_SIDE, COVER_SIDE, 4)
    alpha = image[..., 3]
    assert np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]).max() == 0, "nothing is cut off"
    ground = np.full((COVER_SIDE, COVER_SIDE, 3), 128, np.uint8)
    made = opened(arranged(png(ground), [Cover(0.5, 0.5, 0.25, 0, emoji)], artwork, ProcessorClock()))
    laid = 128 + (image[..., :3] - 128) * (alpha[..., None] / 255)
    assert np.abs(made - laid).mean() < 1.5


def test_a_photo_without_faces_stays_as_it_is(artwork: Artwork, selfie: bytes) -> None:
    for picture in (emoji_me(decode(selfie), [], artwork), outlined(decode(selfie), [])):
        assert np.abs(opened(picture) - opened(selfie)).mean() < 2


def test_the_rest_of_the_photo_stays(artwork: Artwork) -> None:
    box = Box(140, 100, 40, 40)
    photo = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    changed = np.abs(opened(emoji_me(png(photo), [CoveredFace(box, 20, "😀")], artwork)) - 128).max(axis=2) > 12
    assert changed[oval(box)].mean() > 0.99
    assert not changed[~oval(Box(120, 80, 80, 80))].any()


def test_the_recogniser_finds_no_face_beneath_emoji(artwork: Artwork, recognizer: Recognizer, selfie: bytes) -> None:
    found = recognizer.read(selfie).faces[0]
    thumb = emoji_me(decode(selfie), [CoveredFace(found.box, 0, "👎")], artwork)
    assert recognizer.read(thumb).faces == ()


def test_the_smaller_of_two_overlapping_emoji_is_on_top(artwork: Artwork) -> None:
    big, small = CoveredFace(Box(80, 60, 120, 120), 0, "😡"), CoveredFace(Box(160, 100, 40, 40), 0, "😀")
    photo = png(np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
    one, other = (opened(emoji_me(photo, crowd, artwork)) for crowd in ([big, small], [small, big]))
    assert np.array_equal(one, other)
    alone = opened(emoji_me(photo, [small], artwork))
    inner = oval(Box(168, 104, 24, 24))
    assert np.abs(one[inner] - alone[inner]).mean() < 3


def test_boxes_are_in_pixels_of_the_upright_original(artwork: Artwork) -> None:
    large = np.full((1920, 2560, 3), 128, np.uint8)
    picture = opened(emoji_me(decode(jpeg(large)), [CoveredFace(Box(1800, 400, 200, 200), 0, "😀")], artwork))
    assert picture.shape == (960, WORKING_SIDE, 3)
    y, x = np.argwhere(np.abs(picture - 128).max(axis=2) > 12).mean(axis=0)
    assert math.hypot(x - 950, y - 240) < 4


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photo_comes_back_upright_and_without_its_metadata(artwork: Artwork, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = orientation, "a camera", "a comment"
    photo = decode(encoded(checkers(), "JPEG", exif=exif))
    face = CoveredFace(Box(20, 20, 10, 10), 0, "😀")
    for picture in (emoji_me(photo, [face], artwork), outlined(photo, [face])):
        read = Image.open(io.BytesIO(picture))
        assert read.size == ((64, 96) if orientation > 4 else (96, 64))
        assert len(read.getexif()) == 0
        assert b"camera" not in picture


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("emoji", EMOJI)
def test_a_sticker_is_what_the_platforms_take(artwork: Artwork, form: Literal["webp", "png"], emoji: str) -> None:
    data = sticker(png(noise(1, 1280, 960)), CoveredFace(Box(540, 300, 160, 160), 12, emoji), form, artwork)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size, image.mode) == (form.upper(), (STICKER_SIDE, STICKER_SIDE), "RGBA")
    assert form == "png" or len(data) <= STICKER_BYTES
    alpha = np.asarray(image)[..., 3]
    edges = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert edges.max() == 0, "neither emoji nor outline is cut off"
    assert alpha[STICKER_SIDE // 2, STICKER_SIDE // 2] == 255


def test_a_sticker_has_a_white_outline(artwork: Artwork, selfie: bytes, recognizer: Recognizer) -> None:
    box = recognizer.read(selfie).faces[0].box
    image = opened(sticker(decode(selfie), CoveredFace(box, 0, "😀"), "png", artwork), "RGBA")
    row = image[300]
    first = int(np.flatnonzero(row[:, 3] == 255)[0])
    assert row[first + 3 : first + 10].min() == 255


@pytest.mark.parametrize("badge", [None, *EMOJI])
def test_a_sticker_of_a_head_is_what_the_platforms_take(
    artwork: Artwork, recognizer: Recognizer, selfie: bytes, badge: str | None
) -> None:
    photo = decode(selfie)
    head = recognizer.head_in(photo, recognizer.read(selfie).faces[0])
    for form in FORMS:
        data = head_sticker(photo, head, form, artwork, (), badge)
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size, image.mode) == (form.upper(), (STICKER_SIDE, STICKER_SIDE), "RGBA")
        assert form == "png" or len(data) <= STICKER_BYTES
        alpha = np.asarray(image)[..., 3]
        assert np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]).max() == 0, "nothing is cut off"
        assert alpha[STICKER_SIDE // 2, STICKER_SIDE // 2] == 255


def test_a_head_has_a_white_outline_of_one_width(artwork: Artwork, recognizer: Recognizer, selfie: bytes) -> None:
    photo = decode(selfie)
    head = recognizer.head_in(photo, recognizer.read(selfie).faces[0])
    image = opened(head_sticker(photo, head, "png", artwork), "RGBA")
    distance = cv2.distanceTransform((image[..., 3] > 250).astype(np.uint8), cv2.DIST_L2, 5)
    rim = (distance > 3) & (distance < 11)
    assert image[rim].min() > 235


def test_the_emoji_of_a_head_is_in_the_corner_away_from_the_face(
    artwork: Artwork, recognizer: Recognizer, selfie: bytes
) -> None:
    photo = decode(selfie)
    mirrored = shrunk_photo(np.ascontiguousarray(photo.pixels[:, ::-1]))
    corners = []
    for seen in (photo, mirrored):
        head = recognizer.head_in(seen, recognizer.everyone_in(seen).faces[0])
        with_emoji, without = (opened(head_sticker(seen, head, "png", artwork, (), each)) for each in ("😁", None))
        changed = np.argwhere(np.abs(with_emoji - without).max(axis=2) > 30)
        assert changed.min() > STICKER_SIDE / 2 or changed[:, 1].max() < STICKER_SIDE / 2
        corners.append(changed[:, 1].mean() > STICKER_SIDE / 2)
    assert corners[0] != corners[1]


def test_others_in_the_photo_are_covered_on_a_head_too(
    artwork: Artwork, recognizer: Recognizer, group_photo: bytes
) -> None:
    photo = decode(group_photo)
    first, second = recognizer.everyone_in(photo).faces
    near = CoveredFace(replace(second.box, x=first.box.x + 1.2 * first.box.width, y=first.box.y), 0, "😡")
    blank = photo.pixels.copy()
    blank[oval(near.box, blank.shape[1], blank.shape[0])] = 0
    head = recognizer.head_in(photo, first)
    stickers = [head_sticker(each, head, "png", artwork, [near]) for each in (photo, Photo(blank, photo.scale))]
    assert stickers[0] == stickers[1]


def test_a_sticker_of_a_face_outside_the_photo_is_the_emoji_alone(artwork: Artwork) -> None:
    photos = png(noise(1)), png(noise(2))
    for box in (Box(math.nan, 0, 10, 10), Box(9000, 9000, 10, 10), Box(10, 10, 0, 0)):
        one, other = (sticker(photo, CoveredFace(box, 0, "😀"), "png", artwork) for photo in photos)
        assert one == other
        assert (opened(one, "RGBA")[..., 3] == 255).mean() > 0.2


def test_a_face_at_the_edge_gives_a_sticker_that_ends_with_the_photo(artwork: Artwork) -> None:
    photo = png(np.full((HEIGHT, WIDTH, 3), (0, 200, 0), np.uint8))
    image = opened(sticker(photo, CoveredFace(Box(-20, 100, 40, 40), 0, "😀"), "png", artwork), "RGBA")
    green = (image[..., 1] > 150) & (image[..., 0] < 50) & (image[..., 3] == 255)
    assert green[:, 270:].any()
    assert not green[:, :250].any()


@pytest.mark.parametrize("shade", [0, 90, 255])
def test_outlines_are_seen_on_dark_and_on_light(shade: int) -> None:
    box = Box(120, 80, 80, 80)
    photo = png(np.full((HEIGHT, WIDTH, 3), shade, np.uint8))
    picture = opened(outlined(photo, [CoveredFace(box, 0, "😀")]))
    drawn = np.abs(picture - shade).max(axis=2) > 60
    assert drawn.mean() > 0.02
    assert not drawn[100:140, 140:180].any(), "the face itself stays free"


def test_each_face_gets_its_own_colour_and_number() -> None:
    photo = png(np.full((HEIGHT, WIDTH * 4, 3), 128, np.uint8))
    crowd = [CoveredFace(Box(60 + 170 * place, 80, 80, 80), 0, "😀") for place in range(7)]
    picture = opened(outlined(photo, crowd))
    crops = [picture[:, 170 * place + 10 : 170 * place + 190] for place in range(7)]
    differences = [np.abs(a - b).mean() for i, a in enumerate(crops) for b in crops[:i]]
    assert min(differences) > 1


def test_a_number_does_not_move_when_a_face_before_it_has_no_place() -> None:
    photo = png(np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
    nowhere, left, right = (CoveredFace(Box(x, 80, 60, 60), 0, "😀") for x in (math.nan, 60, 200))
    all_three, second = opened(outlined(photo, [nowhere, left, right])), opened(outlined(photo, [right, left]))
    assert np.abs(all_three[:, :150] - second[:, :150]).mean() < 0.5


@pytest.mark.parametrize("corner", [(-30, -30), (290, -30), (-30, 210), (290, 210)])
def test_a_number_stays_in_the_picture(corner: tuple[int, int]) -> None:
    """As much white ink of the badge is visible at a corner as in the middle."""
    black = png(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    x, y = corner
    seen = [
        int((opened(outlined(black, [CoveredFace(Box(left, top, 60, 60), 0, "😀")])).min(axis=2) > 200).sum())
        for left, top in ((130, 90), (x, y))
    ]
    assert seen[1] > 0.9 * seen[0] > 20


def test_a_tiny_photo_is_outlined_too() -> None:
    picture = outlined(png(noise(1, 24, 24)), [CoveredFace(Box(2, 2, 20, 20), 0, "😀")] * 12)
    assert opened(picture).shape == (24, 24, 3)
