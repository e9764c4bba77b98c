"""Photos with known content, as files, whose reading is timed."""

from collections.abc import Callable

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from training.scenes import HEIGHT, WIDTH, shipped_photos

_PHONE = (4000, 3000)
_GRAIN = 5.0
LONG_SIDE = 480
"""Of the frames of a live picture, in pixels, as the web page sends them."""
_FRAMES = 48
_SEED = 20261127


def portrait() -> bytes:
    """Return a 1280x960 JPEG with one big face."""
    part = skimage.data.astronaut()[0:300, 56:456]
    return _jpeg(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))


def small_face() -> bytes:
    """Return a 1280x960 JPEG with one face so small that only the proposals find it."""
    scene = cv2.resize(shipped_photos()[4], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    scene[500:640, 900:1040] = cv2.resize(skimage.data.astronaut()[50:200, 150:300], (140, 140))
    return _jpeg(scene)


def phone_portrait() -> bytes:
    """Return a 4000x3000 JPEG with one big face and the grain of a sensor, 1.9 MB."""
    large = cv2.resize(skimage.data.astronaut()[0:300, 56:456], _PHONE, interpolation=cv2.INTER_CUBIC)
    width, height = _PHONE
    grain = np.random.default_rng(_SEED).normal(0, _GRAIN, (height // 2, width // 2, 3)).astype(np.float32)
    return _jpeg(np.clip(large + cv2.resize(grain, _PHONE), 0, 255).astype(np.uint8))


def live_frames() -> list[bytes]:
    """Return the frames of a live picture, JPEGs of 480x360: a face moves from side to side."""
    face = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)[:360]
    frames = []
    for number in range(_FRAMES):
        frame = np.full((360, LONG_SIDE, 3), 90, np.uint8)
        left = 64 - 32 + int(30 * np.sin(2 * np.pi * number / _FRAMES))
        frame[:, left : left + 416] = face[:, 48:464]
        frames.append(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes())
    return frames


PHOTOS: dict[str, Callable[[], bytes]] = {
    "1280x960, one big face": portrait,
    "1280x960, one small face": small_face,
    "4000x3000, one big face": phone_portrait,
}


def _jpeg(pixels: NDArray[np.uint8] | cv2.typing.MatLike) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
