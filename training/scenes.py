"""Synthesise photos with known content: FER2013 faces pasted on backgrounds, and pictures without a face.

Nothing is downloaded; real backgrounds come from installed packages.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data
import sklearn.datasets
from numpy.typing import NDArray

from recognizer import Box

WIDTH, HEIGHT = 1280, 960
_FACELESS = (
    "brick.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "color.png", "grass.png",
    "gravel.png", "horse.png", "hubble_deep_field.jpg", "ihc.png", "microaneurysms.png", "moon.png", "page.png",
    "motorcycle_left.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip


@cache
def shipped_photos() -> tuple[NDArray[np.uint8], ...]:
    """Return the RGB photos without a face that scikit-image and scikit-learn contain."""
    folders = (Path(skimage.data.__file__).parent, Path(sklearn.datasets.__file__).parent / "images")
    paths = [folder / name for folder in folders for name in (*_FACELESS, "china.jpg", "flower.jpg")]
    read = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths if path.exists()]
    return tuple(photo.astype(np.uint8, copy=False) for photo in read if photo is not None)


def background(random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a 1280x960 RGB picture: a shipped photo, noise clouds, stripes or a gradient."""
    kind = random.integers(4)
    if kind == 0:
        photos = shipped_photos()
        photo = photos[random.integers(len(photos))]
        return _resized(photo)
    if kind == 1:
        cells = int(random.choice([4, 16, 64, 240]))
        noise = random.integers(0, 256, (cells * 3 // 4, cells, 3)).astype(np.uint8)
        return _resized(noise)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    turn, colours = random.uniform(0, np.pi), random.integers(0, 256, (2, 3))
    along = x * np.cos(turn) + y * np.sin(turn)
    wave = np.sin(along / random.uniform(4, 80)) / 2 + 0.5 if kind == 2 else (along - along.min()) / np.ptp(along)
    mixed = colours[0] * wave[..., None] + colours[1] * (1 - wave[..., None])
    picture: NDArray[np.uint8] = np.clip(mixed + random.normal(0, 6, mixed.shape), 0, 255).astype(np.uint8)
    return picture


def _resized(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def pasted(
    face: NDArray[np.uint8], side: int, random: np.random.Generator, behind: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], Box]:
    """Return a scene with a grey 48x48 face, enlarged to `side` pixels, at a random place, and the face's box.

    behind: the background `(960, 1280, 3)`; None makes one.
    """
    scene = background(random) if behind is None else behind.copy()
    x, y = int(random.integers(WIDTH - side + 1)), int(random.integers(HEIGHT - side + 1))
    scene[y : y + side, x : x + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)[..., None]
    return scene, Box(x, y, side, side)


def crowd(faces: NDArray[np.uint8], side: int, columns: int) -> NDArray[np.uint8]:
    """Return grey faces `(n, 48, 48)` in a grid on plain grey, `side` pixels each, half a side apart."""
    rows = -(-len(faces) // columns)
    scene = np.full((round(side * (1.5 * rows + 0.5)), round(side * (1.5 * columns + 0.5)), 3), 128, np.uint8)
    for index, face in enumerate(faces):
        y, x = (round(side * (0.5 + 1.5 * place)) for place in divmod(index, columns))
        scene[y : y + side, x : x + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)[..., None]
    return scene


def faceless(faces: NDArray[np.uint8], count: int, random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures without a face: shipped photos, crops of them, backgrounds, and corners of FER2013 frames."""
    photos = shipped_photos()
    for index in range(count):
        photo = photos[random.integers(len(photos))]
        if index < len(photos):
            yield photos[index]
        elif index % 3 == 0:
            y, x = (int(random.integers(length // 2)) for length in photo.shape[:2])
            yield np.ascontiguousarray(photo[y : y + photo.shape[0] // 2, x : x + photo.shape[1] // 2])
        elif index % 3 == 1:
            yield background(random)
        else:
            corner = (
                faces[random.integers(len(faces))][:12, :12]
                if index % 2
                else faces[random.integers(len(faces))][-10:, -10:]
            )
            grey = cv2.resize(corner, (640, 640), interpolation=cv2.INTER_CUBIC)
            yield cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def is_found(truth: Box, box: Box) -> bool:
    """Check whether a detection matches a pasted face: its centre is inside, its size between a third and 1.6 times."""
    x, y = box.x + box.width / 2 - truth.x, box.y + box.height / 2 - truth.y
    return 0 < x < truth.width and 0 < y < truth.height and 0.33 < box.width / truth.width < 1.6


def quarter_turned(scene: NDArray[np.uint8], box: Box, quarter_turns: int) -> tuple[NDArray[np.uint8], Box]:
    """Return the scene rotated counter-clockwise by quarter turns, and the box in it."""
    width = scene.shape[1]
    for _ in range(quarter_turns):
        scene, box = np.rot90(scene), Box(box.y, width - box.x - box.width, box.height, box.width)
        width = scene.shape[1]
    return np.ascontiguousarray(scene), box
