"""Cover faces with emoji, or blur them: compute a disc that hides the head from the detector's box, and paint it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bots.pictures.artwork import Artwork
from recognizer import Box

RADIUS = 0.85
"""Radius of a disc, in sides of the detector's box. BlazeFace's box reaches from the eyebrows to the chin; the disc
also covers forehead, ears and the chin line.
"""
RISE = 0.1
"""Distance from the box's centre to the disc's, towards the top of the head, in sides of the box."""

BLUR_CELLS = 5
"""Squares across a blurred face: too few to make out whose it is, or what it shows."""
_BLUR_STEP = 16
"""Colours of a blur are rounded to multiples of this."""
_LARGEST = 1e6
_SAFETY = 1.0
_SOLID_SHARE = 0.97
_BADGE_SHARE = 0.84
_BADGE_RIM = 1.05
_WHITE, _BLACK = 255, 0
_MOST_RENDERED = 1024
"""In pixels; for larger faces this size is enlarged."""


@dataclass(frozen=True)
class CoveredFace:
    """A face and the emoji that covers it, None for a blur.

    box: in pixels of the upright original photo. tilt_degrees: clockwise turn of the head as seen in the photo.
    """

    box: Box
    tilt_degrees: float
    emoji: str | None


@dataclass(frozen=True)
class Disc:
    """Position of an emoji that hides a head.

    x, y, radius: in pixels, where 0 is the edge of the picture and 0.5 the centre of its first pixel. tilt_degrees:
    clockwise. emoji: None for a blur.
    """

    x: float
    y: float
    radius: float
    tilt_degrees: float
    emoji: str | None


def disc_of(face: CoveredFace, scale: float) -> Disc | None:
    """Return the disc that hides a face in a picture whose pixels are `scale` original pixels wide.

    It contains every pixel within 0.75 sides of the box's centre, and so the whole box. Return None if the box is
    invalid: empty, not finite, or a million pixels away. A tilt that is not finite counts as 0.
    """
    box = face.box
    side = max(box.width, box.height) / scale
    x, y = (box.x + box.width / 2) / scale, (box.y + box.height / 2) / scale
    if not (min(box.width, box.height) > 0 and side < _LARGEST and abs(x) < _LARGEST and abs(y) < _LARGEST):
        return None
    tilt = face.tilt_degrees if math.isfinite(face.tilt_degrees) else 0.0
    turn = math.radians(tilt)
    rise = RISE * side
    return Disc(x + rise * math.sin(turn), y - rise * math.cos(turn), RADIUS * side + _SAFETY, tilt, face.emoji)


def cover(layer: NDArray[np.uint8], discs: Iterable[Disc], artwork: Artwork) -> None:
    """Paint the discs' emoji on a layer, in place, the smallest last.

    layer: RGB `(height, width, 3)`, or RGBA with premultiplied alpha `(height, width, 4)`. Below each emoji an opaque
    disc is painted: hidden by an emoji that is a face, and a white badge behind any other. An emoji without artwork
    becomes an empty badge. Of what a blur hides no more is left than the mean colours of `BLUR_CELLS` x `BLUR_CELLS`
    squares. Raise `ArtworkError` if a drawing is damaged.
    """
    for disc in sorted(discs, key=lambda disc: disc.radius, reverse=True):
        _cover(layer, disc, artwork)


def reach(emoji: str, artwork: Artwork) -> float:
    """Return how far an emoji's ink reaches from its disc's centre, in radii of the disc: 1.05 or more."""
    if emoji not in artwork:
        return _BADGE_RIM
    shape = artwork.shape(emoji)
    return shape.reach / shape.radius / _SOLID_SHARE if shape.is_solid else _BADGE_RIM


def grey_layer(alpha: NDArray[np.floating], grey: int) -> NDArray[np.uint8]:
    """Return a premultiplied RGBA layer of one grey, 0 to 255; `alpha` `(height, width)` is clipped to 0 to 1."""
    cut = np.clip(alpha, 0, 1)
    tone, opacity = np.round(grey * cut), np.round(255 * cut)
    return np.stack([tone, tone, tone, opacity], axis=-1).astype(np.uint8)


def lay_over(layer: NDArray[np.uint8], patch: NDArray[np.uint8]) -> None:
    """Composite a premultiplied RGBA patch over a layer of the same size, in place; layers as in `cover`."""
    channels = layer.shape[2]
    through = cv2.merge([255 - patch[..., 3]] * channels)
    light = patch if channels == 4 else cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB)
    layer[:] = cv2.add(cv2.multiply(layer, through, scale=1 / 255), light)


def _cover(layer: NDArray[np.uint8], disc: Disc, artwork: Artwork) -> None:
    if disc.emoji is None:
        _blur(layer, disc)
    elif disc.emoji in artwork:
        _paint_emoji(layer, disc, disc.emoji, artwork)
    else:
        _paint_badge(layer, disc)


def _blur(layer: NDArray[np.uint8], disc: Disc) -> None:
    """Replace what is in a disc by squares, each in the mean colour of what was there, rounded."""
    corners = np.array([[disc.x - disc.radius, disc.y - disc.radius], [disc.x + disc.radius, disc.y + disc.radius]])
    left, top, right, bottom = _visible(layer, corners)
    if left >= right or top >= bottom:
        return
    part = layer[top:bottom, left:right]
    cell = 2 * (disc.radius + 1) / BLUR_CELLS
    cells = tuple(max(1, math.floor(side / cell)) for side in part.shape[1::-1])
    means = cv2.resize(part, cells, interpolation=cv2.INTER_AREA).astype(np.int32)
    rounded = np.clip((means + _BLUR_STEP // 2) // _BLUR_STEP * _BLUR_STEP, 0, 255).astype(np.uint8)
    squares = cv2.resize(rounded, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    x, y = np.arange(left, right) + 0.5 - disc.x, np.arange(top, bottom) + 0.5 - disc.y
    inside = np.clip(disc.radius + 0.5 - np.hypot(y[:, None], x), 0, 1)[..., None]
    part[:] = np.round(part + inside * (squares.reshape(part.shape).astype(np.float64) - part)).astype(np.uint8)


def _paint_emoji(layer: NDArray[np.uint8], disc: Disc, emoji: str, artwork: Artwork) -> None:
    shape = artwork.shape(emoji)
    if shape.is_solid:
        _paint_disc(layer, disc, disc.radius, _WHITE)
        emoji_radius = disc.radius / _SOLID_SHARE
    else:
        _paint_badge(layer, disc)
        emoji_radius = disc.radius * _BADGE_SHARE
    side = emoji_radius / shape.radius
    canvas = premultiplied(artwork.image(emoji, _rendered_side(side)))
    scale = side / len(canvas)
    turn = math.radians(disc.tilt_degrees)
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    centre = len(canvas) * np.array([shape.x, shape.y])
    _paint_turned(layer, canvas, np.column_stack([linear, (disc.x, disc.y) - linear @ centre]))


def _rendered_side(side: float) -> int:
    """Return a power of the square root of 2, so that few sizes are rendered and none is shrunk by more than that."""
    return min(_MOST_RENDERED, math.ceil(2 ** (math.ceil(2 * math.log2(side)) / 2)))


def _paint_badge(layer: NDArray[np.uint8], disc: Disc) -> None:
    _paint_disc(layer, disc, disc.radius * _BADGE_RIM, _BLACK)
    _paint_disc(layer, disc, disc.radius, _WHITE)


def _paint_disc(layer: NDArray[np.uint8], disc: Disc, radius: float, grey: int) -> None:
    """Paint a disc with an anti-aliased edge; pixels completely inside get exactly its grey."""
    corners = np.array([[disc.x - radius, disc.y - radius], [disc.x + radius, disc.y + radius]])
    left, top, right, bottom = _visible(layer, corners)
    if left >= right or top >= bottom:
        return
    x, y = np.arange(left, right) + 0.5 - disc.x, np.arange(top, bottom) + 0.5 - disc.y
    distance = np.sqrt(np.square(y)[:, None] + np.square(x))
    lay_over(layer[top:bottom, left:right], grey_layer(radius + 0.5 - distance, grey))


def _paint_turned(layer: NDArray[np.uint8], canvas: NDArray[np.uint8], to_layer: NDArray[np.float64]) -> None:
    """Paint a premultiplied RGBA canvas, rotated and scaled.

    to_layer: `(2, 3)`, maps its coordinates to the layer's; in both 0 is the edge.
    """
    height, width = canvas.shape[:2]
    corners = to_layer @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float64)
    left, top, right, bottom = _visible(layer, corners.T)
    if left >= right or top >= bottom:
        return
    between_centres = to_layer.copy()
    between_centres[:, 2] += to_layer[:, :2].sum(axis=1) / 2 - 0.5 - (left, top)
    size = (right - left, bottom - top)
    patch = cv2.warpAffine(canvas, between_centres, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    lay_over(layer[top:bottom, left:right], patch.astype(np.uint8, copy=False))


def _visible(layer: NDArray[np.uint8], points: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the layer's part around `points` `(n, 2)`; empty if it is outside."""
    height, width = layer.shape[:2]
    left, top = np.clip(np.floor(points.min(axis=0)) - 1, 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(points.max(axis=0)) + 1, 0, (width, height)).astype(int).tolist()
    return left, top, right, bottom


def premultiplied(straight: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGBA with straight alpha as RGBA whose colours are multiplied by it; both uint8."""
    alpha = straight[..., 3]
    opaque = np.full_like(alpha, 255)
    return cv2.multiply(straight, cv2.merge([alpha, alpha, alpha, opaque]), scale=1 / 255).astype(np.uint8, copy=False)
