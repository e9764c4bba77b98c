"""Clips: every usual kind is read, upright and evenly, and none costs more than its budget."""

import io
import struct
from contextlib import suppress
from typing import Any

import av
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer import PhotoError, PhotoProblem, Recognizer
from recognizer.decoding.clip import frames
from recognizer.decoding.photo import WORKING_SIDE
from recognizer.decoding.picture import upright
from tests.films import film
from tests.pictures import checkers, encoded

KINDS = (
    ("mp4", "libx264", "yuv420p"),
    ("mp4", "mpeg4", "yuv420p"),
    ("mov", "libx265", "yuv420p"),
    ("mov", "libx265", "yuv420p10le"),
    ("mov", "prores_ks", "yuv422p10le"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("webm", "libvpx-vp9", "yuva420p"),
    ("webm", "libvpx", "yuv420p"),
    ("mp4", "libsvtav1", "yuv420p"),
    ("webm", "libsvtav1", "yuv420p"),
    ("matroska", "libx264", "yuv420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("mpegts", "libx264", "yuv420p"),
    ("flv", "libx264", "yuv420p"),
    ("gif", "gif", "rgb8"),
)

MATRICES = (
    (1, (1, 0, 0, 1)),
    (2, (-1, 0, 0, 1)),
    (3, (-1, 0, 0, -1)),
    (4, (1, 0, 0, -1)),
    (5, (0, 1, 1, 0)),
    (6, (0, 1, -1, 0)),
    (7, (0, -1, -1, 0)),
    (8, (0, -1, 1, 0)),
)
"""The orientation of EXIF that stands for each display matrix of a track (ISO/IEC 14496-12)."""


def greys(count: int, side: int = 64) -> list[NDArray[np.uint8]]:
    """Return pictures that get lighter, from black to white."""
    return [np.full((side, side, 3), 255 * number // (count - 1), np.uint8) for number in range(count)]


def problem_of(data: bytes) -> PhotoProblem:
    with pytest.raises(PhotoError) as error:
        frames(data)
    return error.value.code


@pytest.mark.parametrize(("container", "codec", "pixels"), KINDS)
def test_every_usual_kind_of_clip_is_read(recognizer: Recognizer, container: str, codec: str, pixels: str) -> None:
    face = skimage.data.astronaut()[:320, 64:384]
    reading = recognizer.read(film([face] * 6, container, codec, pixels))
    assert [found.emotion for found in reading.faces] == ["happy"]
    assert reading.faces[0].box.x == pytest.approx(105, abs=15)


def test_a_clip_of_a_camera_with_a_time_before_each_packet_is_read(recognizer: Recognizer) -> None:
    stream = film([skimage.data.astronaut()[:320, 64:384]] * 6, "mpegts", "libx264", "yuv420p")
    packets = (stream[start : start + 188] for start in range(0, len(stream), 188))
    reading = recognizer.read(b"".join(bytes(4) + packet for packet in packets))
    assert [found.emotion for found in reading.faces] == ["happy"]


@pytest.mark.parametrize("interval", [1, 5, 300])
def test_frames_are_evenly_spaced_however_many_key_frames_there_are(interval: int) -> None:
    clip = film(greys(60), options={"g": str(interval)})
    means = [photo.pixels.mean() for photo in frames(clip)]
    assert means == pytest.approx([255 / 6, 255 / 2, 255 * 5 / 6], abs=14)


def test_a_short_clip_gives_the_frames_it_has() -> None:
    assert len(frames(film(greys(2)[:1]))) == 1


def test_a_large_clip_is_shrunk_frame_by_frame() -> None:
    photos = frames(film([np.full((1440, 2560, 3), 99, np.uint8)] * 3))
    assert {photo.pixels.shape for photo in photos} == {(720, WORKING_SIDE, 3)}
    assert photos[0].scale == 2


@pytest.mark.parametrize(("side", "height"), [(4096, 4096), (7040, 7040), (16000, 640)])
def test_frames_that_are_too_large_are_refused_unread(side: int, height: int) -> None:
    clip = film([np.zeros((height, side, 3), np.uint8)], codec="mjpeg", pixels="yuvj420p")
    assert problem_of(clip) == PhotoProblem.TOO_MANY_PIXELS


def test_frames_that_are_too_small_are_refused() -> None:
    assert problem_of(film(greys(2, side=16))) == PhotoProblem.TOO_SMALL


_MATRICES = {
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
"""The matrices of a clip's track that ask for a turn clockwise, in degrees."""


@pytest.mark.parametrize("degrees", _MATRICES)
def test_a_phone_s_clip_comes_out_upright(degrees: int) -> None:
    upright = np.asarray(checkers(320, 192))
    stored = np.ascontiguousarray(np.rot90(upright, degrees // 90))
    data = bytearray(film([stored] * 3, codec="mpeg4"))
    matrix = data.index(struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), data.index(b"tkhd"))
    a, b, c, d = (value << 16 for value in _MATRICES[degrees])
    struct.pack_into(">9i", data, matrix, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    pixels = frames(bytes(data))[0].pixels
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 12


def test_a_picture_sent_as_a_clip_is_a_clip_of_one_frame() -> None:
    for form in ("PNG", "JPEG", "WEBP", "AVIF"):
        assert [photo.pixels.shape for photo in frames(encoded(checkers(), form))] == [(64, 96, 3)]


def test_sound_is_no_picture() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream: Any = file.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        file.mux(stream.encode(sound))
        file.mux(stream.encode(None))
    assert problem_of(buffer.getvalue()) == PhotoProblem.NOT_A_PICTURE


def test_a_clip_that_is_cut_off_is_read_as_far_as_it_goes_or_refused() -> None:
    whole = film(greys(30), "matroska")
    assert frames(whole[: len(whole) * 2 // 3])
    mp4 = film(greys(30))
    assert problem_of(mp4[: len(mp4) // 2]) == PhotoProblem.DAMAGED


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", PhotoProblem.EMPTY),
        (bytes(21 * 2**20), PhotoProblem.TOO_MANY_BYTES),
        (b"not a film at all", PhotoProblem.NOT_A_PICTURE),
        (b"Good morning! " * 99, PhotoProblem.NOT_A_PICTURE),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", PhotoProblem.NOT_A_PICTURE),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", PhotoProblem.NOT_A_PICTURE),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(999), PhotoProblem.DAMAGED),
        (b"\x1a\x45\xdf\xa3" + bytes(999), PhotoProblem.DAMAGED),
    ],
)
def test_what_is_no_clip_is_refused(data: bytes, problem: PhotoProblem) -> None:
    assert problem_of(data) == problem


@settings(max_examples=60)
@given(place=st.integers(0, 10_000), noise=st.binary(max_size=16))
def test_mutated_clips_are_read_or_refused(place: int, noise: bytes) -> None:
    clip = bytearray(_FILM)
    clip[place % len(clip) : place % len(clip) + len(noise)] = noise
    with suppress(PhotoError):
        assert all(photo.pixels.ndim == 3 for photo in frames(bytes(clip)))


_FILM = film(greys(12))


@pytest.mark.parametrize(("orientation", "matrix"), MATRICES)
def test_a_frame_is_turned_and_mirrored_as_the_file_asks(orientation: int, matrix: tuple[int, ...]) -> None:
    stored = checkers(64, 96) if orientation > 4 else checkers(96, 64)
    data = film([np.asarray(stored)] * 2, "mp4", "mpeg4")
    place = data.index(b"tkhd") + 44
    a, b, c, d = (65_536 * each for each in matrix)
    asked = data[:place] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[place + 36 :]
    expected = upright(np.asarray(stored), orientation)
    found = frames(asked)[0].pixels
    assert found.shape == expected.shape
    assert np.mean(np.abs(found.astype(int) - expected)) < 20


@pytest.mark.parametrize("brand", [b"heic", b"msf1", b"avis"])
def test_a_film_that_calls_itself_a_picture_is_a_film(brand: bytes) -> None:
    data = film(greys(3), "mp4", "mpeg4")
    assert len(frames(data[:8] + brand + data[12:])) == 3
