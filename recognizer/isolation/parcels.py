"""How results leave an isolated process: as JSON and the bytes of arrays.

Nothing in them is run or trusted: a process that a picture has taken over can say something wrong, and no more.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recognizer.decoding.photo import Photo
from recognizer.emotions import FACE_SIZE
from recognizer.finding.face_geometry import KEYPOINTS, Box, Detection
from recognizer.finding.landmarks import BLENDSHAPES, POINTS, Landmarks
from recognizer.finding.registration import FRAME_SIZES
from recognizer.finding.verification import MESH_POINTS
from recognizer.readings import Milliseconds
from recognizer.scenes import Scene, SeenFace

_MOST_BYTES = 64_000_000
"""Size of the largest array that is received."""
_KINDS: dict[str, np.dtype[Any]] = {"pixels": np.dtype(np.uint8), "numbers": np.dtype(np.float32)}


@dataclass(frozen=True, eq=False)
class Parcel:
    """One result on its way.

    said: what JSON can say of it. arrays: of uint8 or float32.
    """

    said: dict[str, Any]
    arrays: Sequence[NDArray[Any]]

    def label(self) -> dict[str, Any]:
        """Return what `received` has to know before it reads what `write` writes."""
        names = {kind: name for name, kind in _KINDS.items()}
        return {"said": self.said, "arrays": [[names[array.dtype], *array.shape] for array in self.arrays]}

    def write(self, stream: IO[bytes]) -> None:
        """Write the bytes of the arrays."""
        for array in self.arrays:
            stream.write(np.ascontiguousarray(array).data)


def received(labels: Sequence[Mapping[str, Any]], stream: IO[bytes]) -> Iterator[Parcel]:
    """Yield the parcels of a stream. Raise `ValueError`, `KeyError`, `TypeError` or `EOFError` if it is unsound."""
    for label in labels:
        yield Parcel(label["said"], [_array(stream, _KINDS[kind], shape) for kind, *shape in label["arrays"]])


def _array(stream: IO[bytes], kind: np.dtype[Any], shape: Sequence[int]) -> NDArray[Any]:
    size = kind.itemsize * math.prod(shape)
    if min(shape) <= 0 or size > _MOST_BYTES:
        raise ValueError("no such array is sent")
    array = np.empty(shape, kind)
    rest = memoryview(array).cast("B")  # type: ignore[arg-type]
    while rest:
        count = stream.readinto(rest)  # type: ignore[attr-defined]  # a BufferedReader
        if not count:
            raise EOFError
        rest = rest[count:]
    return array


def photo_parcel(photo: Photo) -> Parcel:
    """Pack a photo."""
    return Parcel({"scale": photo.scale, "is_reduced": photo.is_reduced}, [photo.pixels])


def photo_of(parcel: Parcel) -> Photo:
    """Unpack a photo. Raise `ValueError`, `KeyError` or `TypeError` if it is none."""
    [pixels] = parcel.arrays
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError("no photo has that shape")
    return Photo(pixels, float(parcel.said["scale"]), bool(parcel.said["is_reduced"]))


def scene_parcel(scene: Scene) -> Parcel:
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
    said = {"faces": faces, "width": scene.width, "height": scene.height, "scale": scene.scale, "ms": ms}
    return Parcel(said, arrays)


def scene_of(parcel: Parcel) -> Scene:
    """Unpack a scene. Raise `ValueError`, `KeyError` or `TypeError` if it is none."""
    said, arrays = parcel.said, iter(parcel.arrays)
    faces = tuple(_face(face, arrays) for face in said["faces"])
    if next(arrays, None) is not None:
        raise ValueError("more arrays than faces need")
    decode, detect, classify = map(_finite, said["ms"])
    size = int(said["width"]), int(said["height"])
    return Scene(faces, *size, _finite(said["scale"]), Milliseconds(decode, detect, classify, 0.0))


def _face(said: Mapping[str, Any], arrays: Iterator[NDArray[Any]]) -> SeenFace:
    crop = _next(arrays, np.uint8, FACE_SIZE, FACE_SIZE)
    framings = _next(arrays, np.uint8, len(FRAME_SIZES), FACE_SIZE, FACE_SIZE)
    keypoints = _next(arrays, np.float32, len(KEYPOINTS), 2)
    mesh = _next(arrays, np.float32, MESH_POINTS, 2) if said["mesh"] else None
    landmarks = None
    if said["landmarks"]:
        points = _next(arrays, np.float32, POINTS, 2)
        landmarks = Landmarks(points, _next(arrays, np.float32, len(BLENDSHAPES)))
    box = Box(*map(_finite, said["box"]))
    return SeenFace(Detection(box, _finite(said["score"]), keypoints, mesh), landmarks, crop, framings)


def _next(arrays: Iterator[NDArray[Any]], kind: type[np.generic], *shape: int) -> NDArray[Any]:
    array = next(arrays, None)
    if array is None or array.shape != shape or array.dtype != kind or not np.isfinite(array).all():
        raise ValueError("no face has such an array")
    return array


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number
