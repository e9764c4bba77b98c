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
from recognizer.eyes import Eyes
from recognizer.isolation.parcels import Parcel, photo_of, photo_parcel, received, scene_of, scene_parcel
from recognizer.readings import Stopwatch
from recognizer.scenes import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    photo = Photo(np.ascontiguousarray(skimage.data.astronaut()), 2.0)
    return Eyes.load().scene_in(photo, Stopwatch(), ProcessorClock())


def sent(parcel: Parcel) -> Parcel:
    """Return a parcel as it arrives."""
    stream = io.BytesIO()
    parcel.write(stream)
    (arrived,) = received(json.loads(json.dumps([parcel.label()])), io.BytesIO(stream.getvalue()))
    return arrived


def test_a_photo_arrives_as_it_was() -> None:
    photo = Photo(np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3), 1.5, is_reduced=True)
    arrived = photo_of(sent(photo_parcel(photo)))
    assert (arrived.scale, arrived.is_reduced) == (1.5, True)
    np.testing.assert_array_equal(arrived.pixels, photo.pixels)


def test_a_scene_arrives_as_it_was(scene: Scene) -> None:
    arrived = scene_of(sent(scene_parcel(scene)))
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
    assert scene_of(sent(scene_parcel(Eyes.load().scene_in(blank, Stopwatch(), ProcessorClock())))).faces == ()


def _without_a_box(parcel: Parcel) -> None:
    del parcel.said["faces"][0]["box"]


def _at_no_number(parcel: Parcel) -> None:
    parcel.said["faces"][0]["box"][0] = float("nan")


def _of_no_size(parcel: Parcel) -> None:
    parcel.said["scale"] = "wide"


def _without_the_mesh_that_is_there(parcel: Parcel) -> None:
    parcel.said["faces"][0]["mesh"] = False


def _with_too_many_arrays(parcel: Parcel) -> None:
    parcel.said["faces"].clear()


def _with_an_endless_landmark(parcel: Parcel) -> None:
    parcel.arrays[-1][0] = np.inf


@pytest.mark.parametrize(
    "spoil",
    [
        _without_a_box,
        _at_no_number,
        _of_no_size,
        _without_the_mesh_that_is_there,
        _with_too_many_arrays,
        _with_an_endless_landmark,
    ],
)
def test_what_is_no_scene_is_refused(scene: Scene, spoil: Callable[[Parcel], None]) -> None:
    parcel = sent(scene_parcel(scene))
    spoil(parcel)
    with pytest.raises((ValueError, KeyError, TypeError)):
        scene_of(parcel)


@pytest.mark.parametrize(
    "label",
    [
        ["pixels", 100_000, 100_000],
        ["pixels", 0, 3],
        ["pixels", -4, -4],
        ["pixels"],
        ["objects", 2],
        ["pixels", "2"],
        ["pixels", 3.5, 2],
    ],
)
def test_an_array_that_cannot_be_is_not_received(label: list[Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        list(received([{"said": {}, "arrays": [label]}], io.BytesIO(bytes(99))))


def test_an_array_that_ends_too_early_is_not_received() -> None:
    with pytest.raises(EOFError):
        list(received([{"said": {}, "arrays": [["pixels", 100]]}], io.BytesIO(bytes(99))))
