"""Sample a few still frames of a short video held in memory."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.photo import MAX_BYTES, MAX_PIXELS, Photo, PhotoError, PhotoProblem

FRAMES = 3


def frames(data: bytes, count: int = FRAMES) -> list[Photo]:
    """Return up to `count` frames, evenly spaced over the clip. Raise `PhotoError` if no frame can be read, or the clip
    is too large.
    """
    if not data:
        raise PhotoError(PhotoProblem.EMPTY)
    if len(data) > MAX_BYTES:
        raise PhotoError(PhotoProblem.TOO_MANY_BYTES)
    stream = io.BytesIO(data)  # OpenCV keeps no reference to it
    clip = cv2.VideoCapture(stream, cv2.CAP_FFMPEG, [])  # type: ignore[call-overload]  # any binary stream works
    try:
        return _sample(clip, count)
    except cv2.error as error:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE) from error
    finally:
        clip.release()


def _sample(clip: cv2.VideoCapture, count: int) -> list[Photo]:
    if not clip.isOpened():
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    if clip.get(cv2.CAP_PROP_FRAME_WIDTH) * clip.get(cv2.CAP_PROP_FRAME_HEIGHT) > MAX_PIXELS:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS)
    length = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    sampled = []
    for number in range(count):
        clip.set(cv2.CAP_PROP_POS_FRAMES, max(0, length) * (2 * number + 1) // (2 * count))
        grabbed, frame = clip.read()
        if grabbed:
            pixels: NDArray[np.uint8] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
            sampled.append(Photo(pixels, 1.0))
    if not sampled:
        raise PhotoError(PhotoProblem.DAMAGED)
    return sampled
