"""Sample a few still frames of a short video or an animation in memory, within a budget of pixels, frames and time."""

import io
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recognizer.decoding.animation import animation_frames, frame_count, is_animation
from recognizer.decoding.photo import MAX_BYTES, Photo, PhotoError, PhotoProblem, decode, shrunk_photo
from recognizer.decoding.picture import upright
from recognizer.decoding.picture_kinds import Kind, kind_of
from recognizer.decoding.planes import rgb_of
from recognizer.decoding.working_size import MIN_SIDE, working_size

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]

FRAMES = 3
MAX_FRAME_PIXELS = 4096 * 2304
"""Largest frame, in pixels: 4K."""
MAX_DURATION_S = 600
"""Length of the start of a clip from which frames are taken, in seconds."""

_MOST_PACKETS = 50_000
_MOST_PIXELS_FOR_ALL_FRAMES = 2_500_000
"""Frames with more pixels are taken among the key frames, for which a decoder need not keep others."""
_PIXELS_A_FRAME = 100_000_000
"""Pixels decoded on the way to one sampled frame; where it is not reached, the last one decoded stands for it."""
_MOST_TIME_S = 2.5
"""Processor time after which no further frame is decoded."""
_ANIMATIONS = {Kind.GIF}
_ATTACHED_PICTURE = 0x400
"""FFmpeg's AV_DISPOSITION_ATTACHED_PIC."""
_CONTAINERS = (
    (4, b"ftyp", "mp4"), (4, b"moov", "mp4"), (4, b"mdat", "mp4"), (4, b"wide", "mp4"), (4, b"free", "mp4"),
    (4, b"skip", "mp4"), (0, b"\x1a\x45\xdf\xa3", "matroska"), (8, b"AVI ", "avi"), (0, b"FLV\x01", "flv"),
    (0, b"GIF8", "gif"), (0, b"\x00\x00\x01\xba", "mpeg"), (0, b"\x00\x00\x01\xb3", "mpegvideo"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"), (0, b"OggS", "ogg"),
)  # fmt: skip
"""Offset and first bytes of containers, and FFmpeg's name of each. No other is opened: some name other files."""
_RAW_PHOTOS = (b"ftypcrx ",)
"""What raw photos in such a container begin with, after their first four bytes."""
_SYNC, _PACKETS_OF_TS = b"\x47", ((0, 188), (4, 192))
"""The mark that begins every packet of an MPEG transport stream, which has no other; its first place, and the bytes to
the next one: as broadcast, and as cameras write it, with a time before each.
"""


def frames(data: bytes, count: int = FRAMES) -> list[Photo]:
    """Return up to `count` frames, evenly spaced over the clip's first ten minutes, in the size of `working_scale`.

    A still picture is a clip of one frame. Raise `PhotoError` if no frame can be read, or they are too large.
    """
    require_bytes(data)
    kind = kind_of(data)
    if is_animation(data, kind):
        with suppress(PhotoError), refusing_odd_headers():
            return _of_animation(data, count)
    if kind not in {None, *_ANIMATIONS}:
        return [decode(data)]
    first = [decode(data)] if kind is not None else []
    try:
        with opened(data) as (file, stream):
            return _sample(file, stream, count)
    except PhotoError:
        if first:
            return first
        raise


def require_bytes(data: bytes) -> None:
    """Raise `PhotoError` if there are none, or too many."""
    if not data:
        raise PhotoError(PhotoProblem.EMPTY)
    if len(data) > MAX_BYTES:
        raise PhotoError(PhotoProblem.TOO_MANY_BYTES)


@contextmanager
def opened(data: bytes) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """Open a video or a GIF, and find what moves in it. Raise `PhotoError`, whatever the context raises."""
    container = _container_of(data)
    if container is None:
        raise PhotoError(PhotoProblem.NOT_A_PICTURE)
    import av  # noqa: PLC0415  (takes a tenth of a second to import)

    with refusing_odd_headers(), av.open(io.BytesIO(data), "r", format=container) as file:
        stream = _video_of(file)
        if stream is None:
            raise PhotoError(PhotoProblem.NOT_A_PICTURE)
        context = stream.codec_context
        require_frame(context.width, context.height)
        context.thread_count = 1
        context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}  # whatever the header says
        yield file, stream


@contextmanager
def refusing_odd_headers() -> Iterator[None]:
    """Raise `PhotoError` in place of what libraries raise in this context, for odd headers too."""
    try:
        yield
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS) from error
    except Exception as error:
        raise PhotoError(PhotoProblem.DAMAGED) from error


def is_clip(data: bytes) -> bool:
    """Return whether the bytes begin like a video or an animation, or like a GIF, which may be one."""
    kind = kind_of(data)
    if kind is None:
        return _container_of(data) is not None
    return kind in _ANIMATIONS or is_animation(data, kind)


def _container_of(data: bytes) -> str | None:
    """Return FFmpeg's name of the container, None if it is none that is opened."""
    if any(data[first : first + 2 * length + 1 : length] == _SYNC * 3 for first, length in _PACKETS_OF_TS):
        return "mpegts"
    if data.startswith(_RAW_PHOTOS, 4):
        return None
    return next((name for place, magic, name in _CONTAINERS if data.startswith(magic, place)), None)


def _of_animation(data: bytes, count: int) -> list[Photo]:
    total = frame_count(data)
    wanted = {total * (2 * number + 1) // (2 * count) for number in range(count)}
    end = time.process_time() + _MOST_TIME_S
    sampled, last = [], None
    for place, (_, pixels, factor) in enumerate(animation_frames(data)):
        last = photo_of(pixels, factor)
        if place in wanted:
            sampled.append(last)
        if time.process_time() > end or place >= max(wanted):
            break
    return sampled or [last] if last is not None else sampled


def photo_of(pixels: NDArray[np.uint8], factor: float) -> Photo:
    """Return upright pixels in the size at which they are read. factor: how many times smaller they are already."""
    photo = shrunk_photo(pixels)
    return replace(photo, scale=photo.scale * factor)


def _sample(file: "InputContainer", stream: "VideoStream", count: int) -> list[Photo]:
    context = stream.codec_context
    packets = list(packets_of(file, stream))
    if context.width * context.height > _MOST_PIXELS_FOR_ALL_FRAMES:
        packets = [packet for packet in packets if packet.is_keyframe]
    if not packets:
        raise PhotoError(PhotoProblem.DAMAGED)
    end = time.process_time() + _MOST_TIME_S
    sampled = [_photo(frame) for frame in _evenly_spaced(packets, stream, count, lambda: time.process_time() < end)]
    if not sampled:
        raise PhotoError(PhotoProblem.DAMAGED)
    return sampled


def _video_of(file: "InputContainer") -> "VideoStream | None":
    """Return the first moving stream; the cover of a piece of music is none."""
    return next((each for each in file.streams.video if not each.disposition & _ATTACHED_PICTURE), None)


def require_frame(width: int, height: int) -> None:
    """Raise `PhotoError` if a frame is too large to decode, or too small to read."""
    if width * height > MAX_FRAME_PIXELS:
        raise PhotoError(PhotoProblem.TOO_MANY_PIXELS)
    if 0 < min(width, height) < MIN_SIDE:
        raise PhotoError(PhotoProblem.TOO_SMALL)


def packets_of(file: "InputContainer", stream: "VideoStream") -> Iterator["VideoPacket"]:
    """Yield the packets of the clip's first `MAX_DURATION_S`, until one cannot be read."""
    first: float | None = None
    try:
        for packet in islice(file.demux(stream), _MOST_PACKETS):
            if packet.pts is None or not packet.size:
                continue
            at = float(packet.pts * packet.time_base)
            first = at if first is None else first
            if at - first > MAX_DURATION_S:
                return
            yield packet
    except (OSError, ValueError):  # the rest is cut off
        return


def _evenly_spaced(
    packets: list["VideoPacket"], stream: "VideoStream", count: int, has_time: Callable[[], bool]
) -> Iterator["VideoFrame"]:
    """Yield a frame for each of `count` moments, without decoding any packet twice."""
    times = sorted(packet.pts for packet in packets if packet.pts is not None)
    targets = [times[len(times) * (2 * number + 1) // (2 * count)] for number in range(count)]
    position, previous = 0, None
    for target in targets:
        key = _key_before(packets, target)
        if key > position:
            stream.codec_context.flush_buffers()
            position = key
        found, position = _decode_to(packets, position, stream, target, has_time)
        if found is not None and (previous is None or found.pts != previous.pts):
            yield found
            previous = found


def _key_before(packets: list["VideoPacket"], target: int) -> int:
    keys = (number for number, packet in enumerate(packets) if packet.is_keyframe and (packet.pts or 0) <= target)
    return max(keys, default=0)


def _decode_to(
    packets: list["VideoPacket"], position: int, stream: "VideoStream", target: int, has_time: Callable[[], bool]
) -> tuple["VideoFrame | None", int]:
    """Decode until a frame is due at `target` or later, or too much is decoded; return the last frame and the place."""
    last, pixels = None, 0
    while position <= len(packets) and pixels < _PIXELS_A_FRAME and (has_time() or last is None):
        for frame in _decoded(packets, position, stream):
            last, pixels = frame, pixels + frame.width * frame.height
        position += 1
        if last is not None and last.pts is not None and last.pts >= target:
            break
    return last, position


def _decoded(packets: list["VideoPacket"], position: int, stream: "VideoStream") -> list["VideoFrame"]:
    """Return the frames that a packet completes, none if it is broken or there is no memory for them.

    After the last packet, return those that were held back.
    """
    try:
        return stream.codec_context.decode(packets[position] if position < len(packets) else None)
    except (OSError, ValueError, MemoryError):
        return []


def _photo(frame: "VideoFrame") -> Photo:
    require_frame(frame.width, frame.height)
    width, height = working_size(frame.width, frame.height)
    return upright_photo(frame, width, height)


def upright_photo(frame: "VideoFrame", width: int, height: int) -> Photo:
    """Return a frame in this size, in pixels before it is turned as the phone says."""
    return Photo(upright(rgb_of(frame, width, height), _orientation_of(frame)), frame.width / width)


def _orientation_of(frame: "VideoFrame") -> int:
    """Return the EXIF orientation for what a file asks players to do with a frame: turn it, mirror it, or both."""
    from av.sidedata.sidedata import SideDataContainer  # noqa: PLC0415  (as above)

    contained: Any = SideDataContainer  # its types lack the argument
    side_data = contained(frame).get("DISPLAYMATRIX")  # `frame.side_data` would keep the frame alive
    matrix = b"" if side_data is None else bytes(side_data)
    if len(matrix) < _BYTES_OF_MATRIX:
        return 1
    across_x, across_y, _, down_x, down_y = struct.unpack_from("=5i", matrix)
    if abs(across_x) + abs(down_y) >= abs(across_y) + abs(down_x):
        return _ORIENTATIONS[across_x < 0, down_y < 0]
    return _TURNED_ORIENTATIONS[down_x < 0, across_y < 0]


_BYTES_OF_MATRIX = 36
_ORIENTATIONS = {(False, False): 1, (True, False): 2, (True, True): 3, (False, True): 4}
_TURNED_ORIENTATIONS = {(False, False): 5, (True, False): 6, (True, True): 7, (False, True): 8}
"""By whether the first side of the picture goes to the left, and the other one up; after its rows became columns, too.
"""
