"""Show the faces on which each cue is strongest, to be counted by eye: `python -m training cue-sheet FOLDER`.

A cue may speak only if at least 54 of its 60 strongest faces show it. Beside the cues that do, the sheets show those
that were tried and failed. Their faces are FER2013's, enlarged on a background of their own blurred edges.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.cues import MOST_TURN, RULES, lips_gap, turn
from recognizer.finding.detection import FaceDetector
from recognizer.finding.face_geometry import Detection
from recognizer.finding.landmarks import Landmarker, Landmarks
from recognizer.finding.views import halved
from training.data import DataError, Faces

STRONGEST = 60
Strength = Callable[[Landmarks, Sequence[float]], float]
_SIDE = 288
"""Width of an enlarged face in pixels, which the box of the detector spans to about three quarters."""
_SURE, _MOST_ROLL = 0.9, 0.8
_CLOSED_LIPS = 0.05
_COLUMNS, _TILE = 6, 220
_SEED = 1


@dataclass(frozen=True, eq=False)
class LookedAt:
    """Faces with their landmarks: pixels uint8 `(n, 48, 48)`, and the landmarks of each."""

    pixels: NDArray[np.uint8]
    landmarks: tuple[Landmarks, ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The faces on which a cue is strongest.

    strengths: of these faces, the strongest first. picture: the faces, grey uint8. share: of all faces on which the cue
    speaks, from 0 to 1; None for a cue that was only tried.
    """

    cue: str
    strengths: tuple[float, ...]
    picture: NDArray[np.uint8]
    share: float | None


def look(faces: Faces, count: int) -> LookedAt:
    """Find the landmarks of `count` distinct faces at random, and leave out those without a sure, upright face.

    Raise `DataError` if none is left.
    """
    detector, landmarker = FaceDetector.load(), Landmarker.load()
    pixels, found = [], []
    for face in _distinct(faces, count):
        photo = on_blurred_edges(face, _SIDE)
        seen = next((each for each in detector.find(photo) if _is_clear(each)), None)
        if seen is not None:
            pixels.append(face)
            found.append(landmarker.find(halved(photo), seen))
    if not found:
        raise DataError(f"The detector found no face among {count}; are these FER2013 faces?")
    return LookedAt(np.stack(pixels), tuple(found))


def sheets(seen: LookedAt, probabilities: NDArray[np.float32]) -> tuple[Sheet, ...]:
    """Return a sheet for each cue, and for each that was tried. probabilities: `(n, 7)`, as shown by the bot."""
    least = {cue.value: rule.least for cue, rule in RULES.items()}
    return tuple(
        _sheet(name, strength, least.get(name), seen, probabilities) for name, strength in _candidates().items()
    )


def on_blurred_edges(face: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an RGB photo of a grey face enlarged to `side` pixels, on a border of its blurred edges."""
    border = side // 5
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    photo = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
    photo = cv2.GaussianBlur(photo, (0, 0), side / 12)
    photo[border:-border, border:-border] = large
    return cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def write(sheet: Sheet, folder: Path) -> Path:
    """Write a sheet into a folder and return its path."""
    path = folder / f"{sheet.cue}.png"
    cv2.imwrite(str(path), sheet.picture)
    return path


def _distinct(faces: Faces, count: int) -> Sequence[NDArray[np.uint8]]:
    order = np.random.default_rng(_SEED).permutation(len(faces))
    return list({face.tobytes(): face for face in faces.pixels[order]}.values())[:count]


def _is_clear(face: Detection) -> bool:
    return face.score >= _SURE and abs(face.roll) < _MOST_ROLL


def _candidates() -> Mapping[str, Strength]:
    """Return the strength of every cue, and of those that were tried and may not speak."""
    tried = {
        "wink": _wink,
        "kiss": _kiss,
        "puffed_cheeks": _puffed_cheeks,
        "smirk": _smirk,
        "one_brow": _one_brow,
        "turned_down_mouth": _turned_down_mouth,
    }
    return {**{cue.value: rule.strength for cue, rule in RULES.items()}, **tried}


def _wink(seen: Landmarks, _: Sequence[float]) -> float:
    return _difference(seen, "eye_blink")


def _kiss(seen: Landmarks, _: Sequence[float]) -> float:
    closed = max(0.0, 1 - lips_gap(seen.points) / _CLOSED_LIPS)
    return seen.blendshape("mouth_pucker") * closed if turn(seen.points) < MOST_TURN else 0.0


def _puffed_cheeks(seen: Landmarks, _: Sequence[float]) -> float:
    return seen.blendshape("cheek_puff")


def _smirk(seen: Landmarks, _: Sequence[float]) -> float:
    return _difference(seen, "mouth_smile")


def _one_brow(seen: Landmarks, _: Sequence[float]) -> float:
    return _difference(seen, "brow_outer_up")


def _turned_down_mouth(seen: Landmarks, _: Sequence[float]) -> float:
    return seen.blendshape("mouth_shrug_lower") * (1 - seen.blendshape("jaw_open"))


def _difference(seen: Landmarks, name: str) -> float:
    """Return the difference of the two sides, from 0 to 1; 0 for a turned head."""
    left, right = seen.both(name)
    return abs(left - right) if turn(seen.points) < MOST_TURN else 0.0


def _sheet(
    cue: str, strength: Strength, least: float | None, seen: LookedAt, probabilities: NDArray[np.float32]
) -> Sheet:
    strengths = np.array([strength(*each) for each in zip(seen.landmarks, probabilities.tolist(), strict=True)])
    order = np.argsort(-strengths)[:STRONGEST]
    tiles = [_tile(seen.pixels[row], f"{place}: {strengths[row]:.2f}") for place, row in enumerate(order, 1)]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)]
    share = None if least is None else float((strengths >= least).mean())
    return Sheet(cue, tuple(strengths[order].tolist()), np.vstack(rows), share)


def _tile(face: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    tile = cv2.resize(face, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
    cv2.rectangle(tile, (0, 0), (80, 17), 255, -1)
    cv2.putText(tile, text, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1)
    return tile.astype(np.uint8, copy=False)
