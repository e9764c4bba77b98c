"""What every decoder returns: pixels as stored in the file, reduced or not, and how to turn them upright."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    pixels: RGB uint8 `(height, width, 3)`, perhaps reduced. width, height: of the picture as stored, in pixels.
    orientation: of EXIF, 1 to 8.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    orientation: int = 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return pixels turned upright, in one piece of memory. orientation: of EXIF; an unknown one turns nothing."""
    for turn in _TURNS.get(orientation, ()):
        pixels = turn(pixels)
    return np.ascontiguousarray(pixels, dtype=np.uint8)


_Turn = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
_TURNS: dict[int, tuple[_Turn, ...]] = {
    2: (np.fliplr,),
    3: (np.flipud, np.fliplr),
    4: (np.flipud,),
    5: (np.rot90, np.flipud),
    6: (partial(np.rot90, k=3),),
    7: (np.rot90, np.fliplr),
    8: (np.rot90,),
}
"""The operations that turn a photo upright, by EXIF orientation (CIPA DC-008, tag 0x0112)."""
