"""Compose pictures to share: a photo with faces covered by emoji, stickers, a photo with numbered faces.

A decoded photo in, bytes out, all in memory. No metadata of the photo is copied. The caller decides which emoji covers
which face.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from bots.messages import Cover
from bots.pictures.artwork import Artwork
from bots.pictures.covering import CoveredFace, Disc, cover, disc_of, grey_layer, lay_over, premultiplied, reach
from bots.pictures.head_cutting import cut_out
from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import WORKING_SIDE, Photo
from recognizer.finding.segmentation import HeadView
from recognizer.finding.views import shrunk, warp

FileForm = Literal["webp", "png", "jpeg"]
STICKER_SIDE = 512
"""In pixels; one side of a Telegram sticker has exactly this length (https://core.telegram.org/stickers)."""
STICKER_BYTES = 512 * 1024
"""Largest file of a static Telegram sticker."""

AVATAR_HEIGHT = 480
"""Of an avatar on a sticker, in pixels: the rest is for its outline."""
COVER_SIDE = 512

_JPEG_QUALITY = 90
_WEBP_QUALITIES = (90, 75, 50, 25)

_HEAD = (256, 196, 140)
"""The disc that hides the head in a sticker: x, y, largest radius, in pixels."""
_BUST = (256, 296, 196)
"""The circle in which a sticker shows the photo: x, y, radius, in pixels."""
_ROOM = (18, 494)
"""From where to where a head that is cut out reaches, in pixels from the left and from the top."""
_BADGE_EDGE, _BADGE_REACH, _BADGE_RADIUS = 12, 90, 70
"""An emoji beside a head: its distance from two edges, how far it may reach from its centre at most, and the largest
radius of its disc, in pixels.
"""
_OUTLINE_WIDTH, _BADGE_OUTLINE_WIDTH = 13, 7
_RIM_WIDTH = 1.5
_RIM_GREY = 150

_COLOURS = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (240, 228, 66),
)  # fmt: skip
"""RGB, distinguishable with all kinds of colour vision: Okabe and Ito (https://jfly.uni-koeln.de/color/)."""
_DARK, _WHITE = (20, 20, 20), (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_OVAL = (0.74, 0.92)
"""Semi-axes of a face's outline, in radii of the disc that would hide it."""
_SUBPIXELS = 16
_MOST_PIXELS_AWAY = 50_000
"""Limit of coordinates, because OpenCV draws with 32-bit integers."""


def enlarged(crop: NDArray[np.uint8], times: int) -> bytes:
    """Return a grey crop `(48, 48)`, enlarged `times` in both directions, as the bytes of a JPEG."""
    grown = cv2.resize(crop, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    _, content = cv2.imencode(".jpg", grown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return content.tobytes()


def emoji_me(photo: Photo, faces: Sequence[CoveredFace], artwork: Artwork) -> bytes:
    """Return the photo as a JPEG of at most 1280 pixels a side, each face covered by its emoji with the head's tilt.

    No pixel within 0.75 box sides of a box's centre depends on the photo's content there. Where emoji overlap, that of
    the smaller face is on top, so that everyone is visible. An emoji without artwork becomes an empty badge.
    """
    shown = _shown(photo)
    pixels = shown.pixels.copy()
    cover(pixels, _discs(shown, faces), artwork)
    return _jpeg(pixels)


def places_of(photo: Photo, faces: Sequence[CoveredFace]) -> list[Cover]:
    """Return where `emoji_me` puts what covers the faces, in their order; without those whose box is not valid."""
    height, width = photo.pixels.shape[:2]
    longest = max(height, width)
    return [
        Cover(disc.x / width, disc.y / height, disc.radius / longest, disc.tilt_degrees, disc.emoji)
        for disc in _discs(photo, faces)
    ]


def arranged(photo: Photo, covers: Sequence[Cover], artwork: Artwork, clock: ProcessorClock) -> bytes:
    """Return the photo as a JPEG of at most 1280 pixels a side with these covers, the smallest on top.

    Raise `PhotoError` if no time is left.
    """
    pixels = _shown(photo).pixels.copy()
    height, width = pixels.shape[:2]
    longest = max(height, width)
    for each in sorted(covers, key=lambda each: each.radius, reverse=True):
        clock.check()
        place = each.x * width, each.y * height, each.radius * longest
        cover(pixels, [Disc(*place, each.tilt_degrees, each.emoji)], artwork)
    return _jpeg(pixels)


def cover_image(emoji: str, artwork: Artwork) -> bytes:
    """Return what covers a face as a transparent PNG, `COVER_SIDE` pixels a side: the disc is in its middle, its radius
    a quarter of the side.
    """
    layer = np.zeros((COVER_SIDE, COVER_SIDE, 4), np.uint8)
    cover(layer, [Disc(COVER_SIDE / 2, COVER_SIDE / 2, COVER_SIDE / 4, 0.0, emoji)], artwork)
    return _encoded(layer, "png")


def cover_frame(frame: Photo, faces: Sequence[CoveredFace], artwork: Artwork) -> None:
    """Cover the faces of a film's frame, in place, as `emoji_me` covers those of a photo."""
    cover(frame.pixels, _discs(frame, faces), artwork)


def sticker(
    photo: Photo,
    face: CoveredFace,
    form: FileForm,
    artwork: Artwork,
    others: Sequence[CoveredFace] = (),
) -> bytes:
    """Return a 512x512 sticker on a transparent background: a round cut-out of head and shoulders with a white outline.

    The head is covered by its emoji. form: a WebP has at most `STICKER_BYTES`, a JPEG a white background. others:
    the other faces of the photo; they are covered, too. If the face's box is not in the photo, the sticker is the
    emoji alone.
    """
    x, y, largest = _HEAD
    far = reach(face.emoji, artwork) if face.emoji is not None else 1.0
    head = Disc(x, y, min(largest, (y - 1.5 * _OUTLINE_WIDTH) / far), 0.0, face.emoji)
    place = disc_of(face, photo.scale)
    layer = np.zeros((STICKER_SIDE, STICKER_SIDE, 4), np.uint8)
    if place is not None:
        covered = photo.pixels.copy()
        cover(covered, _discs(photo, [face, *others]), artwork)
        head = replace(head, tilt_degrees=place.tilt_degrees)
        layer = _bust(covered, place, head)
    cover(layer, [head], artwork)
    return _encoded(_with_outline(layer), form)


def head_sticker(  # noqa: PLR0913, PLR0917  # what is seen on it
    photo: Photo,
    head: HeadView,
    form: FileForm,
    artwork: Artwork,
    others: Sequence[CoveredFace] = (),
    badge: str | None = None,
) -> bytes:
    """Return a 512x512 sticker on a transparent background: the head itself, cut out, upright, with a white outline.

    head: of this photo. form and others: as in `sticker`. badge: an emoji for the lower corner that is farther from the
    face, None for none.
    """
    covered = photo.pixels.copy()
    cover(covered, _discs(photo, others), artwork)
    alpha = cut_out(head)
    to_view = _to_view(alpha > 0.5)
    pixels = warp(covered, head.to_photo @ np.vstack([to_view, (0, 0, 1)]), STICKER_SIDE)
    cut = cv2.warpAffine(alpha, to_view, (STICKER_SIDE,) * 2, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)[..., None]
    ground = _with_outline(np.round(np.dstack([pixels * cut, 255 * cut])).astype(np.uint8))
    if badge is not None:
        face = (float(head.outline[:, 0].mean()) - to_view[0, 2]) / to_view[0, 0]
        lay_over(ground, _badge(badge, artwork, is_right=face <= STICKER_SIDE / 2))
    return _encoded(ground, form)


def outlined(photo: Photo, faces: Sequence[CoveredFace]) -> bytes:
    """Return the photo as a JPEG of at most 1280 pixels a side, with each face outlined in its own colour and numbered.

    Numbers start at 1, in the given order. A box that is not in the photo uses up its number without an outline.
    """
    shown = _shown(photo)
    pixels = shown.pixels.copy()
    marks = [
        (number, disc)
        for number, face in enumerate(faces, start=1)
        if (disc := disc_of(face, shown.scale)) is not None and _is_drawable(disc)
    ]
    for number, disc in marks:
        _draw_outline(pixels, disc, _colour(number))
    for number, disc in marks:
        _draw_number(pixels, disc, number)
    return _jpeg(pixels)


def _shown(photo: Photo) -> Photo:
    """Return the photo with at most `WORKING_SIDE` pixels a side, which a panorama exceeds."""
    shrink = WORKING_SIDE / max(photo.pixels.shape)
    if shrink >= 1:
        return photo
    return Photo(shrunk(photo.pixels, shrink), photo.scale / shrink)


def _discs(photo: Photo, faces: Sequence[CoveredFace]) -> list[Disc]:
    places = (disc_of(face, photo.scale) for face in faces)
    return [place for place in places if place is not None]


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _bust(covered: NDArray[np.uint8], place: Disc, head: Disc) -> NDArray[np.uint8]:
    """Return the sticker's part of the covered photo, with `place` mapped to `head`, as a premultiplied layer.

    The cut-out ends where the photo ends within the circle.
    """
    scale = place.radius / head.radius
    corner = np.array([place.x - scale * head.x, place.y - scale * head.y])
    to_photo = np.column_stack([scale * np.eye(2), corner + (scale - 1) / 2])
    view = warp(covered, to_photo, STICKER_SIDE)
    centres = np.arange(STICKER_SIDE) + 0.5
    x, y, radius = _BUST
    round_alpha = np.clip(radius + 0.5 - np.hypot(centres - x, (centres - y)[:, None]), 0, 1)
    height, width = covered.shape[:2]
    columns, rows = corner[0] + scale * centres, corner[1] + scale * centres
    in_photo = ((rows >= 0) & (rows < height))[:, None] & (columns >= 0) & (columns < width)
    alpha = (round_alpha * in_photo)[..., None]
    return np.round(np.dstack([view * alpha, 255 * alpha])).astype(np.uint8)


def _to_view(cut: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the affine map `(2, 3)` from a sticker to the view of a head that puts what is cut out into the sticker's
    middle, as large as it fits; the middle of the view if nothing is.
    """
    places = np.argwhere(cut)[:, ::-1] if cut.any() else np.array([(0, 0), cut.shape])
    first, last = places.min(axis=0), places.max(axis=0)
    low, high = _ROOM
    scale = max(1, int((last - first).max())) / (high - low)
    return np.column_stack([scale * np.eye(2), (first + last) / 2 - scale * (low + high) / 2])


def _badge(emoji: str, artwork: Artwork, *, is_right: bool) -> NDArray[np.uint8]:
    """Return a premultiplied layer with an outlined emoji in a lower corner of a sticker."""
    far = reach(emoji, artwork)
    radius = min(_BADGE_RADIUS, _BADGE_REACH / far)
    inward = _BADGE_EDGE + far * radius
    layer = np.zeros((STICKER_SIDE, STICKER_SIDE, 4), np.uint8)
    x, y = STICKER_SIDE - inward if is_right else inward, STICKER_SIDE - inward
    cover(layer, [Disc(x, y, radius, 0.0, emoji)], artwork)
    return _with_outline(layer, _BADGE_OUTLINE_WIDTH)


def _with_outline(layer: NDArray[np.uint8], line: float = _OUTLINE_WIDTH) -> NDArray[np.uint8]:
    """Return a premultiplied layer over a white outline of its silhouette, with a thin grey rim for white chats."""
    distance = cv2.distanceTransform((layer[..., 3] < 128).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ground = np.zeros_like(layer)
    for width, grey in ((line + _RIM_WIDTH, _RIM_GREY), (line, 255)):
        lay_over(ground, grey_layer(width + 0.5 - distance, grey))
    lay_over(ground, layer)
    return ground


def avatar_sticker(drawing: NDArray[np.uint8], form: FileForm) -> bytes:
    """Return a 512x512 sticker of a drawing with a white outline. drawing: RGBA, straight alpha, as high as
    `AVATAR_HEIGHT` and no wider. form: as in `sticker`.
    """
    layer = np.zeros((STICKER_SIDE, STICKER_SIDE, 4), np.uint8)
    top, left = (STICKER_SIDE - drawing.shape[0]) // 2, (STICKER_SIDE - drawing.shape[1]) // 2
    layer[top : top + drawing.shape[0], left : left + drawing.shape[1]] = premultiplied(drawing)
    return _encoded(_with_outline(layer), form)


def _encoded(layer: NDArray[np.uint8], form: FileForm) -> bytes:
    """Encode a premultiplied layer as a file with straight alpha."""
    if form == "jpeg":
        ground = np.full((*layer.shape[:2], 3), 255, np.uint8)
        lay_over(ground, layer)
        return _jpeg(ground)
    alpha = layer[..., 3:].astype(np.float32)
    straight = np.round(layer[..., :3] * (255 / np.maximum(alpha, 1))).clip(0, 255)
    pixels = cv2.cvtColor(np.dstack([straight, alpha]).astype(np.uint8), cv2.COLOR_RGBA2BGRA)
    if form == "png":
        return cv2.imencode(".png", pixels)[1].tobytes()
    files = (cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, q])[1].tobytes() for q in _WEBP_QUALITIES)
    return next(file for file in files if len(file) <= STICKER_BYTES)


def _draw_outline(pixels: NDArray[np.uint8], disc: Disc, colour: tuple[int, int, int]) -> None:
    """Draw an oval around the face, inside the disc that would hide it."""
    centre = tuple(round(_SUBPIXELS * (value - 0.5)) for value in (disc.x, disc.y))
    axes = tuple(round(_SUBPIXELS * share * disc.radius) for share in _OVAL)
    width = round(min(max(0.045 * disc.radius, 2), 8))
    for drawn, thickness in ((_DARK, width + 2 * max(1, width // 2)), (colour, width)):
        cv2.ellipse(pixels, centre, axes, disc.tilt_degrees, 0, 360, drawn, thickness, cv2.LINE_AA, 4)


def _draw_number(pixels: NDArray[np.uint8], disc: Disc, number: int) -> None:
    """Draw the face's number on a badge at the upper left of its oval, moved to fit into the picture."""
    height, width = pixels.shape[:2]
    radius = min(max(0.24 * disc.radius, max(height, width) / 64, 12), 36, min(height, width) / 2 - 1)
    away = 0.54 * disc.radius + 0.7 * radius
    x, y = (
        (min(max(place - away, radius + 1), side - radius - 1)) for place, side in ((disc.x, width), (disc.y, height))
    )
    centre = (round(_SUBPIXELS * (x - 0.5)), round(_SUBPIXELS * (y - 0.5)))
    for drawn, share in ((_DARK, 1.0), (_WHITE, 0.9), (_colour(number), 0.78)):
        cv2.circle(pixels, centre, round(_SUBPIXELS * share * radius), drawn, cv2.FILLED, cv2.LINE_AA, 4)
    ink = _ink_of(str(number), height=0.95 * radius, width=1.25 * radius)
    rim = max(1, round(radius / 16))
    halo = cv2.dilate(np.pad(ink, rim), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)).astype(np.uint8, copy=False)
    for drawn, mask in ((_DARK, halo), (_WHITE, ink)):
        _stamp(pixels, mask, (x, y), drawn)


def _ink_of(text: str, height: float, width: float) -> NDArray[np.uint8]:
    """Return the text as a mask cropped to its ink, as large as fits; OpenCV's versions place letters differently."""
    canvas = np.zeros((200, 100 * (len(text) + 1)), np.uint8)
    cv2.putText(canvas, text, (50, 150), _FONT, 3, 255, 12, cv2.LINE_AA)
    left, top, ink_width, ink_height = cv2.boundingRect(canvas)
    return shrunk(canvas[top : top + ink_height, left : left + ink_width], min(height / ink_height, width / ink_width))


def _stamp(
    pixels: NDArray[np.uint8], mask: NDArray[np.uint8], centre: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    """Paint a colour through a mask centred at a point of the picture, in place."""
    left, top = (max(0, round(place - side / 2)) for place, side in zip(centre, mask.shape[::-1], strict=True))
    part = pixels[top : top + mask.shape[0], left : left + mask.shape[1]]
    share = mask[: part.shape[0], : part.shape[1], None] / 255
    part[:] = np.round(part + share * (np.array(colour) - part)).astype(np.uint8)


def _colour(number: int) -> tuple[int, int, int]:
    return _COLOURS[(number - 1) % len(_COLOURS)]


def _is_drawable(disc: Disc) -> bool:
    return max(abs(disc.x), abs(disc.y), disc.radius) < _MOST_PIXELS_AWAY
