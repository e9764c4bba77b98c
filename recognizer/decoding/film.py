"""The first seconds of a clip as a film to work on: small upright frames at a steady rate, within a budget."""

import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from itertools import chain
from typing import TYPE_CHECKING

import cv2
import numpy as np

from recognizer.decoding.animation import animation_frames, is_animation
from recognizer.decoding.clip import (
    opened,
    packets_of,
    photo_of,
    refusing_odd_headers,
    require_bytes,
    require_frame,
    upright_photo,
)
from recognizer.decoding.photo import Photo, decode
from recognizer.decoding.picture_kinds import Kind, kind_of
from recognizer.photo_error import PhotoError, PhotoProblem

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

    from recognizer.decoding.clip import VideoPacket

FRAME_RATE = 10
"""Frames a second."""
MOST_S = 10.0
"""Length of a film, in seconds; what comes later in a clip is left out."""
SIDE = 480
"""Longest side of a frame, in pixels."""
_MOST_TIME_S = 3.0
"""Processor time after which no further frame is decoded; the film ends there."""


def film(data: bytes) -> list[Photo]:
    """Return the frames of a clip's first `MOST_S` seconds, `FRAME_RATE` a second, none larger than `SIDE`.

    A still picture is a film of one frame. Raise `PhotoError` if no frame can be read, or they are too large.
    """
    require_bytes(data)
    kind = kind_of(data)
    if is_animation(data, kind):
        with suppress(PhotoError), refusing_odd_headers():
            return _steady((begins, photo_of(pixels, factor)) for begins, pixels, factor in animation_frames(data))
    if kind not in {None, Kind.GIF}:
        return [_small(decode(data))]
    first = [_small(decode(data))] if kind is Kind.GIF else []
    with suppress(PhotoError) if first else nullcontext(), opened(data) as (file, stream):
        return _steady(_timed(chain(packets_of(file, stream), (None,)), stream))
    return first


def _timed(packets: "Iterable[VideoPacket | None]", stream: "VideoStream") -> Iterator[tuple[float, "VideoFrame"]]:
    """Yield when each frame is shown, in seconds after the first, until one cannot be decoded."""
    first, last = None, 0.0
    unit = float(stream.time_base or 0)
    try:
        for packet in packets:
            for frame in stream.codec_context.decode(packet):
                if frame.pts is not None:
                    first = frame.pts if first is None else first
                    last = max(last, unit * (frame.pts - first))
                yield last, frame
    except (OSError, ValueError):
        return


def _steady(timed: "Iterable[tuple[float, Photo | VideoFrame]]") -> list[Photo]:
    """Return what is shown at each moment of a steady rate. Only what is shown is converted."""
    most, end = round(MOST_S * FRAME_RATE), time.process_time() + _MOST_TIME_S
    taken: list[Photo] = []
    shown: Photo | VideoFrame | None = None
    for begins, frame in timed:
        due = min(most, round(begins * FRAME_RATE)) - len(taken)
        if shown is not None and due > 0:
            taken += [_small(shown)] * due
        if len(taken) >= most or time.process_time() > end:
            return taken
        shown = frame
    if shown is not None:
        taken.append(_small(shown))
    if not taken:
        raise PhotoError(PhotoProblem.DAMAGED)
    return taken


def _small(frame: "Photo | VideoFrame") -> Photo:
    """Return a frame upright and no larger than `SIDE`."""
    if not isinstance(frame, Photo):
        require_frame(frame.width, frame.height)
        return upright_photo(frame, *_size(frame.width, frame.height))
    height, width = frame.pixels.shape[:2]
    size = _size(width, height)
    if size == (width, height):
        return frame
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    return Photo(small.astype(np.uint8, copy=False), frame.scale * width / size[0])


def _size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of a frame as it is worked on: whole pixels, none 0."""
    shrink = min(1.0, SIDE / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))
