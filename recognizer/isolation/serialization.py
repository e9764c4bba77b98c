"""How results leave an isolated process: as JSON and the bytes of arrays.

Nothing in them is run, and nothing is believed but numbers within bounds: a picture may have taken the process over.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recognizer.decoding.photo import Photo
from recognizer.decoding.working_size import MAX_SIDE
from recognizer.emotions import FACE_SIZE
from recognizer.finding.face_geometry import KEYPOINTS, Box, Detection
from recognizer.finding.landmarks import BLENDSHAPES, POINTS, Landmarks
from recognizer.finding.registration import FRAME_SIZES
from recognizer.finding.verification import MESH_POINTS
from recognizer.readings import Milliseconds
from recognizer.scenes import MOST_FACES, Scene, SeenFace

MOST_HEADER_BYTES = 1 << 18
_MOST_BYTES = 128_000_000
"""Size of all arrays of a result; the frames of a film are the most, with 70 MB."""
_MOST_MESSAGES, _MOST_ARRAYS = 200, 5 * MOST_FACES
_MOST_DIMENSIONS = 3
_FARTHEST = 1e6
"""Limit of a coordinate, in pixels."""
_KINDS: dict[str, np.dtype[Any]] = {"pixels": np.dtype(np.uint8), "numbers": np.dtype(np.float32)}


@dataclass(frozen=True, eq=False)
class Message:
    """One photo or scene on its way.

    fields: what JSON can say of it. arrays: of uint8 or float32.
    """

    fields: dict[str, Any]
    arrays: Sequence[NDArray[Any]]

    def header(self) -> dict[str, Any]:
        """Return what `read_messages` has to know before it reads what `write` writes."""
        names = {kind: name for name, kind in _KINDS.items()}
        return {"fields": self.fields, "arrays": [[names[array.dtype], *array.shape] for array in self.arrays]}

    def write(self, stream: IO[bytes]) -> None:
        """Write the bytes of the arrays."""
        for array in self.arrays:
            stream.write(np.ascontiguousarray(array).data)


def read_messages(headers: Sequence[Mapping[str, Any]], fill: Callable[[memoryview], None]) -> Iterator[Message]:
    """Yield the messages that these headers announce.

    fill: receives as many bytes as a view has. Raise `ValueError`, `KeyError` or `TypeError` if they are unsound.
    """
    if len(headers) > _MOST_MESSAGES:
        raise ValueError("no result has so many messages")
    left = _MOST_BYTES
    for header in headers:
        if len(header["arrays"]) > _MOST_ARRAYS:
            raise ValueError("no message has so many arrays")
        arrays = []
        for name, *shape in header["arrays"]:
            left -= _bytes_of(name, shape)
            if left < 0:
                raise ValueError("no result is that large")
            array = np.empty(shape, _KINDS[name])
            fill(memoryview(array).cast("B"))  # type: ignore[arg-type]
            arrays.append(array)
        yield Message(dict(header["fields"]), arrays)


def photo_message(photo: Photo) -> Message:
    """Pack a photo."""
    return Message({"scale": photo.scale, "is_reduced": photo.is_reduced}, [photo.pixels])


def photo_from(message: Message) -> Photo:
    """Unpack a photo. Raise `ValueError`, `KeyError` or `TypeError` if it is none."""
    [pixels] = message.arrays
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError("no photo has that shape")
    return Photo(pixels, _scale(message.fields["scale"]), bool(message.fields["is_reduced"]))


def scene_message(scene: Scene) -> Message:
    """Pack a scene."""
    faces = []
    arrays: list[NDArray[Any]] = []
    for face in scene.faces:
        found, landmarks = face.found, face.landmarks
        arrays += [face.crop, face.framings, found.keypoints]
        arrays += [found.mesh] if found.mesh is not None else []
        arrays += [landmarks.points, landmarks.blendshapes] if landmarks is not None else []
        box = [float(side) for side in (found.box.x, found.box.y, found.box.width, found.box.height)]
        has = {"mesh": found.mesh is not None, "landmarks": landmarks is not None}
        faces.append({"box": box, "score": float(found.score), **has})
    ms = [scene.ms.decode, scene.ms.detect, scene.ms.classify]
    fields = {"faces": faces, "width": scene.width, "height": scene.height, "scale": scene.scale, "ms": ms}
    return Message(fields, arrays)


def scene_from(message: Message) -> Scene:
    """Unpack a scene. Raise `ValueError`, `KeyError` or `TypeError` if it is none."""
    fields, arrays = message.fields, iter(message.arrays)
    if len(fields["faces"]) > MOST_FACES:
        raise ValueError("no scene has so many faces")
    faces = tuple(_face(face, arrays) for face in fields["faces"])
    if next(arrays, None) is not None:
        raise ValueError("more arrays than faces need")
    decode, detect, classify = (_within(took, 0, math.inf) for took in fields["ms"])
    width, height = (int(_within(fields[name], 1, MAX_SIDE)) for name in ("width", "height"))
    return Scene(faces, width, height, _scale(fields["scale"]), Milliseconds(decode, detect, classify, 0.0))


def _face(fields: Mapping[str, Any], arrays: Iterator[NDArray[Any]]) -> SeenFace:
    crop = _next(arrays, np.uint8, FACE_SIZE, FACE_SIZE)
    framings = _next(arrays, np.uint8, len(FRAME_SIZES), FACE_SIZE, FACE_SIZE)
    keypoints = _next(arrays, np.float32, len(KEYPOINTS), 2)
    mesh = _next(arrays, np.float32, MESH_POINTS, 2) if fields["mesh"] else None
    landmarks = None
    if fields["landmarks"]:
        points = _next(arrays, np.float32, POINTS, 2)
        landmarks = Landmarks(points, _next(arrays, np.float32, len(BLENDSHAPES)))
    x, y, width, height = fields["box"]
    corner = (_within(side, -_FARTHEST, _FARTHEST) for side in (x, y))
    size = (_within(side, 1, _FARTHEST) for side in (width, height))
    found = Detection(Box(*corner, *size), _within(fields["score"], 0, 1), keypoints, mesh)
    return SeenFace(found, landmarks, crop, framings)


def _next(arrays: Iterator[NDArray[Any]], kind: type[np.generic], *shape: int) -> NDArray[Any]:
    array = next(arrays, None)
    if array is None or array.shape != shape or array.dtype != kind or not (np.abs(array) <= _FARTHEST).all():
        raise ValueError("no face has such an array")
    return array


def _bytes_of(name: str, shape: Sequence[Any]) -> int:
    """Return the size of an array. Raise `ValueError` if none has that shape."""
    if not 1 <= len(shape) <= _MOST_DIMENSIONS:
        raise ValueError("no array has so many dimensions")
    if not all(type(side) is int and 0 < side <= MAX_SIDE for side in shape):
        raise ValueError("no array has such a side")
    return int(_KINDS[name].itemsize * math.prod(shape))


def _scale(value: Any) -> float:
    """Return the width of a photo's pixel in pixels of the original."""
    return _within(value, 0.5, MAX_SIDE)


def _within(value: Any, least: float, most: float) -> float:
    number = float(value)
    if not (least <= number <= most and math.isfinite(number)):
        raise ValueError("no such number is sent")
    return number
