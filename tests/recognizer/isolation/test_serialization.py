"""What an isolated process sends: it arrives as it was, or is refused."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skimage.data

from recognizer.clock import ProcessorClock
from recognizer.decoding.photo import Photo
from recognizer.face_finder import FaceFinder
from recognizer.isolation.serialization import (
    Message,
    photo_from,
    photo_message,
    read_messages,
    scene_from,
    scene_message,
)
from recognizer.readings import Stopwatch
from recognizer.scenes import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    photo = Photo(np.ascontiguousarray(skimage.data.astronaut()), 2.0)
    return FaceFinder.load().scene_in(photo, Stopwatch(), ProcessorClock())


def filler(content: bytes) -> Callable[[memoryview], None]:
    """Return what fills views with these bytes, one after the other."""
    stream = io.BytesIO(content)

    def fill(view: memoryview) -> None:
        if stream.readinto(view) < len(view):
            raise EOFError

    return fill


def sent(message: Message) -> Message:
    """Return a message as it arrives."""
    stream = io.BytesIO()
    message.write(stream)
    headers = json.loads(json.dumps([message.header()]))
    (arrived,) = read_messages(headers, filler(stream.getvalue()))
    return arrived


def test_a_photo_arrives_as_it_was() -> None:
    photo = Photo(np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3), 1.5, is_reduced=True)
    arrived = photo_from(sent(photo_message(photo)))
    assert (arrived.scale, arrived.is_reduced) == (1.5, True)
    np.testing.assert_array_equal(arrived.pixels, photo.pixels)


def test_a_scene_arrives_as_it_was(scene: Scene) -> None:
    arrived = scene_from(sent(scene_message(scene)))
    assert (
        (arrived.width, arrived.height, arrived.scale) == (1024, 1024, 2.0) == (scene.width, scene.height, scene.scale)
    )
    assert arrived.ms == scene.ms
    (face,), (there,) = scene.faces, arrived.faces
    assert (there.found.box, there.found.score) == (face.found.box, face.found.score)
    assert face.found.mesh is not None
    assert there.found.mesh is not None
    assert face.landmarks is not None
    assert there.landmarks is not None
    for one, other in (
        (face.crop, there.crop),
        (face.framings, there.framings),
        (face.found.keypoints, there.found.keypoints),
        (face.found.mesh, there.found.mesh),
        (face.landmarks.points, there.landmarks.points),
        (face.landmarks.blendshapes, there.landmarks.blendshapes),
    ):
        np.testing.assert_array_equal(one, other)


def test_a_scene_without_faces_arrives() -> None:
    blank = Photo(np.full((64, 64, 3), 200, np.uint8), 1.0)
    assert scene_from(sent(scene_message(FaceFinder.load().scene_in(blank, Stopwatch(), ProcessorClock())))).faces == ()


def face(message: Message) -> dict[str, Any]:
    """Return the fields of the first face."""
    fields: dict[str, Any] = message.fields["faces"][0]
    return fields


SPOILS: dict[str, Callable[[Message], object]] = {
    "no box": lambda message: face(message).pop("box"),
    "a box of three numbers": lambda message: face(message)["box"].pop(),
    "a place that is no number": lambda message: face(message)["box"].__setitem__(0, float("nan")),
    "a place in another world": lambda message: face(message)["box"].__setitem__(1, 1e300),
    "a box of no width": lambda message: face(message)["box"].__setitem__(2, 0),
    "a box of negative height": lambda message: face(message)["box"].__setitem__(3, -5),
    "a score of 2": lambda message: face(message).update(score=2),
    "no word on a mesh that is there": lambda message: face(message).update(mesh=False),
    "more arrays than faces": lambda message: message.fields["faces"].clear(),
    "too many faces": lambda message: message.fields.update(faces=message.fields["faces"] * 41),
    "an endless landmark": lambda message: message.arrays[-1].__setitem__(0, np.inf),
    "a keypoint that is no number": lambda message: message.arrays[2].__setitem__(0, np.nan),
    "a width of 0": lambda message: message.fields.update(width=0),
    "a negative height": lambda message: message.fields.update(height=-7),
    "a width without end": lambda message: message.fields.update(width=float("inf")),
    "a scale of words": lambda message: message.fields.update(scale="wide"),
    "a scale of 0": lambda message: message.fields.update(scale=0),
    "time that runs backwards": lambda message: message.fields.update(ms=[-1, 0, 0]),
    "too few times": lambda message: message.fields.update(ms=[1]),
    "no fields": lambda message: message.fields.clear(),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_no_scene_is_refused(scene: Scene, spoil: str) -> None:
    message = sent(scene_message(scene))
    SPOILS[spoil](message)
    with pytest.raises((ValueError, KeyError, TypeError)):
        scene_from(message)


@pytest.mark.parametrize("scale", [float("nan"), 0, -1, 1e300, "wide", None])
def test_what_is_no_photo_is_refused(scale: object) -> None:
    pixels = np.zeros((30, 40, 3), np.uint8)
    with pytest.raises((ValueError, KeyError, TypeError)):
        photo_from(Message({"scale": scale, "is_reduced": False}, [pixels]))
    for wrong in ([], [pixels, pixels], [pixels[..., :2]], [pixels.astype(np.float32)], [pixels[0]]):
        with pytest.raises((ValueError, KeyError, TypeError)):
            photo_from(Message({"scale": 1.0, "is_reduced": False}, wrong))


@pytest.mark.parametrize(
    "arrays",
    [
        [["pixels", 60_000, 60_000]],
        [["pixels", 100_000, 1]],
        [["pixels", 0, 3]],
        [["pixels", -4, -4]],
        [["pixels"]],
        [["pixels", 1, 1, 1, 1]],
        [["objects", 2]],
        [["pixels", "2"]],
        [["pixels", "x", 200_000_000]],
        [["pixels", 3.5, 2]],
        [["pixels", True]],
        [["pixels", [2], 200_000_000]],
        [["pixels", 8_000, 8_000]] * 3,
        [["pixels", 1]] * 300,
        [[]],
        7,
        None,
    ],
)
def test_arrays_that_cannot_be_are_not_received(arrays: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        list(read_messages([{"fields": {}, "arrays": arrays}], lambda _: None))


def test_more_messages_than_a_film_has_frames_are_not_received() -> None:
    with pytest.raises(ValueError, match="so many messages"):
        list(read_messages([{"fields": {}, "arrays": []}] * 300, lambda _: None))
