"""Find the landmarks of one verified face, and what its muscles do, with MediaPipe's Face Landmarker through LiteRT.

Two networks (https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker): 478 points with the irises from a
levelled crop (Grishchenko et al. 2020, https://arxiv.org/abs/2006.10962), and 52 blendshapes from 146 of these points
(Grishchenko et al. 2023, https://arxiv.org/abs/2309.05782). The detector's own mesh, nearly four times as fast,
verifies doubtful candidates; these networks look closer at a few big faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognizer.finding.detection import load_face_model
from recognizer.finding.face_geometry import MESH_MARGIN, Detection, levelled_view
from recognizer.runtime import FACE_MODELS, TfliteModel

_VIEW = 256
POINTS = 478
_BLENDSHAPE_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip
"""The points that the blendshape network takes, as MediaPipe's face_blendshapes_graph.cc lists them."""
BLENDSHAPES = (
    "neutral", "brow_down_left", "brow_down_right", "brow_inner_up", "brow_outer_up_left", "brow_outer_up_right",
    "cheek_puff", "cheek_squint_left", "cheek_squint_right", "eye_blink_left", "eye_blink_right", "eye_look_down_left",
    "eye_look_down_right", "eye_look_in_left", "eye_look_in_right", "eye_look_out_left", "eye_look_out_right",
    "eye_look_up_left", "eye_look_up_right", "eye_squint_left", "eye_squint_right", "eye_wide_left", "eye_wide_right",
    "jaw_forward", "jaw_left", "jaw_open", "jaw_right", "mouth_close", "mouth_dimple_left", "mouth_dimple_right",
    "mouth_frown_left", "mouth_frown_right", "mouth_funnel", "mouth_left", "mouth_lower_down_left",
    "mouth_lower_down_right", "mouth_press_left", "mouth_press_right", "mouth_pucker", "mouth_right",
    "mouth_roll_lower", "mouth_roll_upper", "mouth_shrug_lower", "mouth_shrug_upper", "mouth_smile_left",
    "mouth_smile_right", "mouth_stretch_left", "mouth_stretch_right", "mouth_upper_up_left", "mouth_upper_up_right",
    "nose_sneer_left", "nose_sneer_right",
)  # fmt: skip
"""MediaPipe's blendshapes in output order. Left and right are the person's own."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The landmarks of one face.

    points: float32 `(478, 2)`, x and y in pixels of the levelled view, ordered as MediaPipe's; the last ten are the
    irises. blendshapes: float32 `(52,)`, from 0 to 1, ordered as `BLENDSHAPES`.
    """

    points: NDArray[np.float32]
    blendshapes: NDArray[np.float32]

    def blendshape(self, name: str) -> float:
        """Return one blendshape, from 0 to 1. Raise `ValueError` if there is none of this name."""
        return float(self.blendshapes[BLENDSHAPES.index(name)])

    def both(self, name: str) -> tuple[float, float]:
        """Return the blendshape of the left and of the right side, each from 0 to 1. Raise `ValueError`."""
        return self.blendshape(f"{name}_left"), self.blendshape(f"{name}_right")


class Landmarker:
    """Finds the landmarks of verified faces. It may be called from several threads at once."""

    def __init__(self, points: TfliteModel, blendshapes: TfliteModel) -> None:
        self._points = points
        self._blendshapes = blendshapes

    @classmethod
    def load(cls, folder: Path = FACE_MODELS) -> Self:
        """Load the networks from the folder of models for faces. Raise `DetectorError`."""
        names = ("face_landmarks_detector.tflite", "face_blendshapes.tflite")
        return cls(*(load_face_model(folder / name, TfliteModel) for name in names))

    def find(self, levels: Sequence[NDArray[np.uint8]], face: Detection) -> Landmarks:
        """Return the landmarks of a verified face.

        levels: the RGB photo at decreasing sizes, see `recognizer.finding.views.halved`.
        """
        view, _ = levelled_view(levels, face, MESH_MARGIN, _VIEW)
        outputs = self._points.run(view[None].astype(np.float32) / np.float32(255))
        by_size = {output.size: output for output in outputs.values()}
        points = by_size[POINTS * 3].reshape(POINTS, 3)[:, :2]
        return Landmarks(points, self.blendshapes(points))

    def blendshapes(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the blendshapes, float32 `(52,)`, of points `(478, 2)` of a face with level eyes.

        The unit of the points does not matter, nor where they are.
        """
        [scores] = self._blendshapes.run(points[None, _BLENDSHAPE_POINTS]).values()
        return scores
