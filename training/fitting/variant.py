"""A changed picture of each training face, with what teachers say of it. Made by `training.fitting.variants`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.fitting.targets import Rows


@dataclass(frozen=True, eq=False)
class Variant:
    """One changed picture of each of `n` faces, each perhaps mixed with another face's.

    pixels: uint8 `(n, 48, 48)`. said: for each head the teachers' mean probabilities over the picture and its mirror
    image, `(n, k)`.
    """

    pixels: NDArray[np.uint8]
    said: Rows
