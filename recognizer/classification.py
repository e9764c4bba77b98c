"""Classify registered faces into calibrated emotion probabilities, with LiteRT.

A model consists of two files: `expression.tflite` (int8 weights, float activations) and `model.json`. The second
describes how the network's outputs become the probabilities shown: temperatures (Guo et al. 2017,
https://arxiv.org/abs/1706.04599), the class-prior correction (Menon et al. 2021, https://arxiv.org/abs/2007.07314), the
views of a face whose predictions are averaged (test-time augmentation), and the correction learned from feedback
(`recognizer.adaptation`). Finding and cropping faces is left to `recognizer.finding`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.adaptation import Adaptation
from recognizer.checksums import read_sound
from recognizer.emotions import EMOTIONS, FACE_SIZE
from recognizer.runtime import TfliteModel

MODEL_FOLDER = Path(str(files("recognizer") / "model"))
WEIGHTS_FILE = "expression.tflite"
CARD_FILE = "model.json"

Head = Literal["shown", "fer2013", "ferplus", "majority"]
_OUTPUTS: dict[Head, str] = {"shown": "fer2013", "fer2013": "fer2013", "ferplus": "ferplus", "majority": "ferplus"}

_EMBEDDING = "embedding"
_FACES_A_RUN = 16


class ModelError(Exception):
    """The model's files are missing or do not belong together; the message says what to do."""


@dataclass(frozen=True)
class View:
    """One view for test-time augmentation: a frame `zoom` times as wide as the face's own, flipped if `mirrored`."""

    zoom: float
    mirrored: bool


@dataclass(frozen=True)
class Calibration:
    """Calibration of one output.

    log_prior: `(k,)`, subtracted from the log-probabilities. temperature: above 0, the divisor of the difference.
    """

    temperature: float
    log_prior: tuple[float, ...]


@dataclass(frozen=True)
class ModelCard:
    """Parameters that turn the network's outputs into probabilities.

    version: identifies this model in readings. views: the views of a face that are averaged, at least one. shown:
    calibration from the `fer2013` output to the probabilities shown. fer2013: calibration from the same output to the
    benchmark's label, None for no calibration. majority: calibration from the `ferplus` output to the label most
    taggers would choose, None if the network has no such output. adaptation: correction learned from feedback, applied
    last to the probabilities shown; None for no correction.
    """

    version: str
    views: tuple[View, ...]
    shown: Calibration
    fer2013: Calibration | None = None
    majority: Calibration | None = None
    adaptation: Adaptation | None = None

    @classmethod
    def load(cls, path: Path) -> "ModelCard":
        """Read the file `model.json`. Raise `ModelError` if it is missing, damaged or out of range."""
        try:
            return cls.read(read_sound(path), str(path))
        except OSError as error:
            raise ModelError(f"{path} is missing or damaged ({error}); restore the model folder.") from error

    @classmethod
    def read(cls, content: bytes, path: str) -> "ModelCard":
        """Parse the content of `model.json`; `path` names it in errors. Raise `ModelError` if it is damaged or out of
        range.
        """
        try:
            card = json.loads(content)["serving"]
            loaded = cls(
                card["version"],
                tuple(View(**view) for view in card["views"]),
                _calibration(card["shown"]),
                None if card["fer2013"] is None else _calibration(card["fer2013"]),
                None if card["majority"] is None else _calibration(card["majority"]),
                Adaptation.of(card["adaptation"]) if card.get("adaptation") else None,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is missing or damaged ({error}); restore the model folder.") from error
        if not loaded.views or len(loaded.shown.log_prior) != len(EMOTIONS):
            raise ModelError(f"{path}: views or log_prior is out of range; restore the model folder.")
        return loaded


def _calibration(given: dict[str, Any]) -> Calibration:
    if given["temperature"] <= 0:
        raise ValueError("a temperature must be above 0")
    return Calibration(float(given["temperature"]), tuple(given["log_prior"]))


class Classifier:
    """The expression classifier. It may be called from several threads at once."""

    def __init__(self, network: TfliteModel, card: ModelCard) -> None:
        self._network = network
        self.card = card

    @classmethod
    def load(cls, folder: Path = MODEL_FOLDER) -> "Classifier":
        """Load a model's two files from a folder. Raise `ModelError`."""
        card = ModelCard.load(folder / CARD_FILE)
        try:
            return cls(TfliteModel(read_sound(folder / WEIGHTS_FILE)), card)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{folder / WEIGHTS_FILE} is missing or damaged ({error}); restore the model folder."
            ) from error

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "Classifier":
        """Build a classifier from file contents keyed by file name. Raise `ModelError` if they are no complete
        model.
        """
        try:
            card, network = ModelCard.read(files[CARD_FILE], CARD_FILE), TfliteModel(files[WEIGHTS_FILE])
        except (KeyError, ValueError) as error:
            raise ModelError(f"These are not the files of a model ({error}).") from error
        adaptation, width = card.adaptation, network.output_widths.get(_EMBEDDING, 0)
        if adaptation is not None and len(adaptation.gate) != width:
            raise ModelError(f"{card.version} learned on {len(adaptation.gate)} features, but its network has {width}.")
        return cls(network, card)

    @property
    def heads(self) -> tuple[Head, ...]:
        """Return the heads that `classify` supports for this model."""
        given = [head for head, output in _OUTPUTS.items() if output in self._network.output_widths]
        return tuple(head for head in given if head != "majority" or self.card.majority is not None)

    def classify(self, faces: NDArray[np.uint8], head: Head = "shown") -> NDArray[np.float32]:
        """Return emotion probabilities, float32 `(n, 7)`, of uint8 grey faces `(n, 48, 48)` framed like FER2013; rows
        sum to 1.

        Heads: "shown" is what people see, "fer2013" the official FER2013 label for the published benchmark. Both are
        calibrated and prior-corrected as the model card says. "ferplus" returns `(n, 8)`, the distribution of the FER+
        votes in the order of `training.data.FERPLUS`, and "majority" the label most taggers would choose.

        Raise `ValueError` for any other shape or dtype, and if the network does not have the head.
        """
        if faces.ndim != 3 or faces.shape[1:] != (FACE_SIZE, FACE_SIZE) or faces.dtype != np.uint8:
            raise ValueError(f"faces must be uint8 (n, {FACE_SIZE}, {FACE_SIZE}), not {faces.dtype} {faces.shape}")
        if head not in self.heads:
            raise ValueError(f"{self.card.version} has no head {head}")
        if head == "shown" and self.card.adaptation is not None:
            return self.card.adaptation.apply(*self.embed(faces))
        (probabilities,) = self._outputs(faces, _OUTPUTS[head])
        card = self.card
        calibration = {"shown": card.shown, "fer2013": card.fer2013, "majority": card.majority}.get(head)
        return probabilities if calibration is None else calibrate(probabilities, calibration)

    def classify_framings(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the "shown" probabilities, float32 `(n, 7)`, averaged over several crops of each face.

        faces: uint8 `(n, crops, 48, 48)`. Raise `ValueError` as `classify` does.
        """
        shown = self.classify(faces.reshape(-1, *faces.shape[2:]))
        mean: NDArray[np.float32] = shown.reshape(*faces.shape[:2], shown.shape[1]).mean(axis=1)
        return mean

    def classify_view(self, faces: NDArray[np.uint8], number: int) -> NDArray[np.float32]:
        """Return the "shown" probabilities, float32 `(n, 7)`, of one of the views only, for live pictures.

        number: of the view, counted over and over from 0. faces: as for `classify`. Raise `ValueError` as `classify`.
        """
        one = replace(self.card, views=(self.card.views[number % len(self.card.views)],))
        return Classifier(self._network, one).classify(faces)

    def embed(self, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the "shown" probabilities before adaptation, `(n, 7)`, and the embeddings that an adaptation uses,
        `(n, d)`.

        faces: as for `classify`. Raise `ValueError` if the network has no embedding output.
        """
        if _EMBEDDING not in self._network.output_widths:
            raise ValueError(f"{self.card.version} has no embeddings")
        probabilities, embeddings = self._outputs(faces, _OUTPUTS["shown"], _EMBEDDING)
        return calibrate(probabilities, self.card.shown), embeddings

    def _outputs(self, faces: NDArray[np.uint8], *names: str) -> list[NDArray[np.float32]]:
        """Return the named outputs of the network, each averaged over the views: `(n, width)`."""
        starts = range(0, len(faces), _FACES_A_RUN)
        runs = [self._run(faces[start : start + _FACES_A_RUN], names) for start in starts]
        widths = self._network.output_widths
        return [
            np.concatenate([np.empty((0, widths[name]), np.float32), *(run[place] for run in runs)])
            for place, name in enumerate(names)
        ]

    def _run(self, faces: NDArray[np.uint8], names: tuple[str, ...]) -> list[NDArray[np.float32]]:
        views = np.concatenate([seen(faces, view) for view in self.card.views])
        outputs = self._network.run(views.astype(np.float32))
        return [outputs[name].reshape(-1, len(faces), outputs[name].shape[-1]).mean(axis=0) for name in names]


def seen(faces: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """Return the faces resampled in a wider or tighter frame around the same centre, with the edge pixels repeated."""
    if view.zoom == 1:
        return faces[:, :, ::-1] if view.mirrored else faces
    shift = (1 - view.zoom) * (FACE_SIZE - 1) / 2
    across, left = (-view.zoom, FACE_SIZE - 1 - shift) if view.mirrored else (view.zoom, shift)
    frame = np.array([[across, 0, left], [0, view.zoom, shift]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (FACE_SIZE, FACE_SIZE)
    return np.stack([cv2.warpAffine(face, frame, size, flags=flags, borderMode=cv2.BORDER_REPLICATE) for face in faces])


def calibrate(probabilities: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float32]:
    """Apply the prior correction and the temperature to probabilities `(n, k)`; the rows of the result sum to 1."""
    logits = (np.log(np.clip(probabilities, 1e-9, 1)) - np.asarray(calibration.log_prior)) / calibration.temperature
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shown: NDArray[np.float32] = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
    return shown
