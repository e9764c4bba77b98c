"""Find which pixels around a face show a person, with MediaPipe's Selfie Segmentation through LiteRT.

One small network (https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter, 249 kB) looks at a levelled
view of head and shoulders. Which of these pixels are the head is for others to decide; the face's outline that is
returned with them comes from the face mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.finding.detection import load_face_model
from recognizer.finding.face_geometry import MESH_MARGIN, Detection, levelled_view
from recognizer.runtime import FACE_MODELS, TfliteModel

SIDE = 384
"""Width and height of the view of a head, in pixels."""
_MARGIN = 3.0
"""Width of that view, in box widths: all of the hair is in it, and enough of the shoulders to know a person by."""
_NETWORK_VIEW = 256
_OUTLINE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Points of the face mesh around the face, clockwise from the middle of the forehead, as MediaPipe's
FACEMESH_FACE_OVAL lists them.
"""
CHIN = _OUTLINE.index(152)
"""Place of the chin among the points of an outline."""
EARS = (_OUTLINE.index(454), _OUTLINE.index(234))
"""Places of the points before the ears, at the right and at the left of the view."""


@dataclass(frozen=True, eq=False)
class HeadView:
    """A face with what is around it, in a view with level eyes.

    view: RGB uint8 `(SIDE, SIDE, 3)`. person: the probability that a pixel shows a person, float32 `(SIDE, SIDE)`.
    inside: which pixels lie in the photo, `(SIDE, SIDE)`; the others repeat its edge. outline: of the face, float32
    `(36, 2)`, x and y in pixels of the view, clockwise from the middle of the forehead; `CHIN` and `EARS` are places in
    it. to_photo: the affine map `(2, 3)` from the view to the photo.
    """

    view: NDArray[np.uint8]
    person: NDArray[np.float32]
    inside: NDArray[np.bool_]
    outline: NDArray[np.float32]
    to_photo: NDArray[np.float64]


class PersonSegmenter:
    """Finds the pixels of a person. It may be called from several threads at once."""

    def __init__(self, network: TfliteModel) -> None:
        self._network = network

    @classmethod
    def load(cls, folder: Path = FACE_MODELS) -> Self:
        """Load the network from the folder of models for faces. Raise `DetectorError`."""
        return cls(load_face_model(folder / "selfie_segmentation.tflite", TfliteModel))

    def head(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> HeadView:
        """Return the head of a face whose mesh is known.

        levels: the RGB photo at decreasing sizes, see `recognizer.finding.views.halved`. Raise `ValueError` for a face
        without a mesh.
        """
        if face.mesh is None:
            raise ValueError("the face has no mesh")
        view, to_photo = levelled_view(levels, face, _MARGIN, SIDE)
        small, _ = levelled_view(levels, face, _MARGIN, _NETWORK_VIEW)
        [person] = self._network.run(small[None].astype(np.float32) / np.float32(255)).values()
        across = cv2.resize(person.reshape(_NETWORK_VIEW, _NETWORK_VIEW), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        outline = ((face.mesh[_OUTLINE, :] - 0.5) * (MESH_MARGIN / _MARGIN) + 0.5) * SIDE
        inside = _inside(levels[0].shape[:2], to_photo)
        return HeadView(
            view, (np.clip(across, 0, 1) * inside).astype(np.float32), inside, outline.astype(np.float32), to_photo
        )


def _inside(size: tuple[int, ...], to_photo: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which pixels of the view lie in a photo of this height and width."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    x, y = (row[0] * columns + row[1] * rows + row[2] for row in to_photo)
    inside: NDArray[np.bool_] = (x >= 0) & (y >= 0) & (x <= size[1] - 1) & (y <= size[0] - 1)
    return inside
