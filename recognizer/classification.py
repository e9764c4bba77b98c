"""Registered faces to calibrated emotion probabilities, through LiteRT.

A model is two files: `expression.tflite` (int8 weights, float activations) and `model.json`, which says how its outputs
become what the bot shows: temperatures (Guo et al. 2017, https://arxiv.org/abs/1706.04599), the class-prior correction
(Menon et al. 2021, https://arxiv.org/abs/2007.07314), over which views of a face predictions are averaged, and what was
learned from feedback (`recognizer.adaptation`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.adaptation import Adaptation
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
    """The model's files are missing or do not fit together; the message says what to do."""


@dataclass(frozen=True)
class View:
    """One look at a face, in a frame `zoom` times as wide as its own; mirrored: at its mirror image."""

    zoom: float
    mirrored: bool


@dataclass(frozen=True)
class Calibration:
    """log_prior: `(k,)`, subtracted from the logarithm of probabilities; temperature: what is left is divided by it."""

    temperature: float
    log_prior: tuple[float, ...]


@dataclass(frozen=True)
class ModelCard:
    """What turns the network's outputs into probabilities.

    version: names this model in readings. views: the looks at a face that are averaged. shown: from the output for the
    official label to what the bot shows. fer2013: from the same output to the benchmark's label, None to leave it.
    majority: from the output for the FER+ votes to what most taggers would say, None where the network has none.
    adaptation: what was learned from feedback, the last step to what is shown; None for nothing.
    """

    version: str
    views: tuple[View, ...]
    shown: Calibration
    fer2013: Calibration | None = None
    majority: Calibration | None = None
    adaptation: Adaptation | None = None

    @classmethod
    def load(cls, path: Path) -> "ModelCard":
        """Read `model.json`. Raises `ModelError`."""
        try:
            return cls.read(path.read_bytes(), str(path))
        except OSError as error:
            raise ModelError(f"{path} is missing or damaged ({error}); restore the model folder.") from error

    @classmethod
    def read(cls, content: bytes, path: str) -> "ModelCard":
        """Read the content of `model.json`; path: what an error calls it. Raises `ModelError`."""
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
    """The expression classifier; safe for concurrent callers."""

    def __init__(self, network: TfliteModel, card: ModelCard) -> None:
        self._network = network
        self.card = card

    @classmethod
    def load(cls, folder: Path = MODEL_FOLDER) -> "Classifier":
        """Load the two files of a model. Raises `ModelError`."""
        card = ModelCard.load(folder / CARD_FILE)
        try:
            return cls(TfliteModel.from_file(folder / WEIGHTS_FILE), card)
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder / WEIGHTS_FILE} is missing or damaged; restore the model folder.") from error

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "Classifier":
        """Make one of the contents of its files, by their names. Raises `ModelError`."""
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
        """The heads that `classify` can give."""
        given = [head for head, output in _OUTPUTS.items() if output in self._network.output_widths]
        return tuple(head for head in given if head != "majority" or self.card.majority is not None)

    def classify(self, faces: NDArray[np.uint8], head: Head = "shown") -> NDArray[np.float32]:
        """Emotion probabilities `(n, 7)` of uint8 grey faces `(n, 48, 48)` framed like FER2013; rows sum to 1.

        head "fer2013" gives the probabilities of FER2013's official label (for the published benchmark), "shown" those
        that people get to see, each calibrated and corrected for the class prior as the card says; "ferplus" gives
        `(n, 8)`, the votes that ten people would give, in the order of `training.data.FERPLUS`, and "majority" what
        most of them would say.
        Raises `ValueError` on other shapes, and where the network has no such head.
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
        """What is shown, `(n, 7)`, of faces seen several times, uint8 `(n, looks, 48, 48)`: the mean over their looks.

        Raises as `classify`.
        """
        shown = self.classify(faces.reshape(-1, *faces.shape[2:]))
        mean: NDArray[np.float32] = shown.reshape(*faces.shape[:2], shown.shape[1]).mean(axis=1)
        return mean

    def embed(self, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What would be shown without any adaptation, `(n, 7)`, and the embeddings to adapt it by, `(n, d)`.

        faces: as in `classify`. Raises `ValueError` where the network has no embeddings.
        """
        if _EMBEDDING not in self._network.output_widths:
            raise ValueError(f"{self.card.version} has no embeddings")
        probabilities, embeddings = self._outputs(faces, _OUTPUTS["shown"], _EMBEDDING)
        return calibrate(probabilities, self.card.shown), embeddings

    def _outputs(self, faces: NDArray[np.uint8], *names: str) -> list[NDArray[np.float32]]:
        """The network's outputs of these names, each the mean over the views: `(n, width)`."""
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
    """The faces in a wider or tighter frame around the same centre; beyond the edge it is repeated."""
    if view.zoom == 1:
        return faces[:, :, ::-1] if view.mirrored else faces
    shift = (1 - view.zoom) * (FACE_SIZE - 1) / 2
    across, left = (-view.zoom, FACE_SIZE - 1 - shift) if view.mirrored else (view.zoom, shift)
    frame = np.array([[across, 0, left], [0, view.zoom, shift]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (FACE_SIZE, FACE_SIZE)
    return np.stack([cv2.warpAffine(face, frame, size, flags=flags, borderMode=cv2.BORDER_REPLICATE) for face in faces])


def calibrate(probabilities: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float32]:
    """Temperature and prior correction of probabilities `(n, k)`; rows sum to 1."""
    logits = (np.log(np.clip(probabilities, 1e-9, 1)) - np.asarray(calibration.log_prior)) / calibration.temperature
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shown: NDArray[np.float32] = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
    return shown
