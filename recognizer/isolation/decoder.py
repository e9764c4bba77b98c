"""Decode pictures where hostile ones do no harm: what may be expensive, in a process of its own that can be ended."""

from collections.abc import Callable

from recognizer.clock import ProcessorClock
from recognizer.decoding import photo as photos
from recognizer.isolation.processes import Processes
from recognizer.isolation.serialization import photo_from


class Decoder:
    """Decodes pictures. It may be called from several threads at once."""

    def __init__(self, processes: Processes, is_trusted: Callable[[bytes], bool] = photos.is_cheap) -> None:
        """processes: decode what is not trusted. is_trusted: tells which pictures are decoded in the calling thread."""
        self._processes = processes
        self._is_trusted = is_trusted

    def decode(self, data: bytes, clock: ProcessorClock) -> photos.Photo:
        """Return the picture as `photo.decode` does. Raise `PhotoError`."""
        if self._is_trusted(data):
            return photos.decode(data)
        return self._processes.run("decode", data, clock, photo_from)[0]

    def glance(self, data: bytes, clock: ProcessorClock) -> photos.Photo:
        """Return the picture as `photo.glance` does. Raise `PhotoError`."""
        if self._is_trusted(data):
            return photos.glance(data)
        return self._processes.run("glance", data, clock, photo_from)[0]

    def frames(self, data: bytes, clock: ProcessorClock) -> list[photos.Photo]:
        """Return frames as `clip.frames` does. Raise `PhotoError`."""
        return self._processes.run("frames", data, clock, photo_from)

    def film(self, data: bytes, clock: ProcessorClock) -> list[photos.Photo]:
        """Return a film as `film.film` does. Raise `PhotoError`."""
        return self._processes.run("film", data, clock, photo_from)
