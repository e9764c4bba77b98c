"""What is seen in a picture before its faces are classified."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.finding.face_geometry import Detection
from recognizer.finding.landmarks import Landmarks
from recognizer.readings import Milliseconds

MOST_FACES = 40
"""Number of faces that are read in a photo, the widest; all are found where faces are covered."""


@dataclass(frozen=True, eq=False)
class SeenFace:
    """One face, ready to be classified.

    found: in pixels of the picture as it was decoded, with its mesh if there are no landmarks. landmarks: None of all
    but a few wide faces. crop and framings: as in `Face`.
    """

    found: Detection
    landmarks: Landmarks | None
    crop: NDArray[np.uint8]
    framings: NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """A picture whose faces were found.

    faces: the widest first. width, height: of the upright original in pixels. scale: the width of a pixel as it was
    decoded in pixels of the original. ms: how long the steps took so far.
    """

    faces: tuple[SeenFace, ...]
    width: int
    height: int
    scale: float
    ms: Milliseconds
