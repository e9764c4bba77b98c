"""Follow the faces of a film, so that each is covered in every frame, with one emoji throughout.

The faces are searched for every few frames and in the last one; nothing is shown after the last search. In between they
are taken to move in a straight line; where a search does not see a face again, it stays covered where it was until the
search after that, and a face that is new is covered before it was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recognizer import Box, Face, PhotoError, PhotoProblem, Recognizer
from recognizer.clock import ProcessorClock
from recognizer.decoding.film import FRAME_RATE
from recognizer.decoding.photo import Photo
from recognizer.readings import Place

SEARCH_EVERY = 3
"""Frames from one search to the next."""
MOST_TIME_S = 8.0
"""Processor time for all searches; a film that takes longer ends where it is used up."""
_LEAST_FRAMES = FRAME_RATE
"""Frames without which it is no film."""
_READINGS = 3
"""Frames, evenly spaced, in which the faces are read."""
_LATER_READINGS = 3
"""Faces, the widest, that are in none of these and are read where they were last seen."""
_SAME_WITHIN = 0.9
"""Distance of two places, in widths of the face, up to which they may be of the same face."""
_GROWTH_A_WIDTH = 0.5
"""How much larger a moving face's box becomes between searches, in its widths a width of movement."""


@dataclass
class Track:
    """One face of a film.

    places: where it is in each frame. face: its clearest reading, None if it was in none of the frames that were read,
    which are few. seen: the last search that saw it, a number of a frame.
    """

    places: dict[int, Place] = field(default_factory=dict)
    face: Face | None = None
    seen: int = 0


@dataclass(frozen=True)
class FilmFaces:
    """The faces of a film, and how many of its frames were searched; the rest is to be left out."""

    tracks: tuple[Track, ...]
    length: int


def film_faces(recognizer: Recognizer, frames: Sequence[Photo]) -> FilmFaces:
    """Return the faces of a film. Raise `PhotoError` if searching takes too long for even the first second."""
    tracks: list[Track] = []
    clock, length = ProcessorClock(MOST_TIME_S), 0
    middles = [len(frames) * (2 * number + 1) // (2 * _READINGS) for number in range(_READINGS)]
    read_at = {middle - middle % SEARCH_EVERY for middle in middles}
    for number in sorted({*range(0, len(frames), SEARCH_EVERY), len(frames) - 1}):
        try:
            _search(recognizer, frames[number], number, tracks, clock)
        except PhotoError as error:
            if error.code is not PhotoProblem.TOOK_TOO_LONG or length < min(_LEAST_FRAMES, len(frames)):
                raise
            break
        length = number + 1
        if number in read_at:
            _read(recognizer, frames[number], number, tracks)
    unread = [track for track in tracks if track.face is None]
    for track in sorted(unread, key=lambda each: each.places[each.seen].box.width, reverse=True)[:_LATER_READINGS]:
        if track.face is None:
            _read(recognizer, frames[track.seen], track.seen, tracks)
    for track in tracks:
        _hold(track, length)
    return FilmFaces(tuple(tracks), length)


def _search(recognizer: Recognizer, frame: Photo, number: int, tracks: list[Track], clock: ProcessorClock) -> None:
    """Add where the faces are in a frame to their tracks, and a new track for each that was not there before."""
    alive = [track for track in tracks if number - track.seen <= 2 * SEARCH_EVERY]
    for place in recognizer.places_in(frame, clock):
        track = min(alive, key=lambda each: _apart(each.places[each.seen].box, place.box), default=None)
        if track is None or _apart(track.places[track.seen].box, place.box) > _SAME_WITHIN:
            tracks.append(Track(dict.fromkeys(range(max(0, number - SEARCH_EVERY + 1), number + 1), place)))
            tracks[-1].seen = number
            continue
        alive.remove(track)
        _move(track, number, place)


def _move(track: Track, number: int, place: Place) -> None:
    """Let a face move in a straight line from where it was last seen."""
    before = track.places[track.seen]
    growth = 1 + _GROWTH_A_WIDTH * min(1.0, _apart(before.box, place.box))
    for step in range(track.seen + 1, number):
        share = (step - track.seen) / (number - track.seen)
        track.places[step] = _between(before, place, share, growth)
    track.places[number], track.seen = place, number


def _hold(track: Track, length: int) -> None:
    """Keep a face covered for a while where it was last seen: it may be there still."""
    for step in range(track.seen + 1, min(length, track.seen + 2 * SEARCH_EVERY)):
        track.places[step] = track.places[track.seen]


def _read(recognizer: Recognizer, frame: Photo, number: int, tracks: Sequence[Track]) -> None:
    """Read the faces of a frame that was searched, and keep the clearest reading of each."""
    here = [track for track in tracks if number in track.places]
    for face in recognizer.everyone_in(frame).faces:
        track = min(here, key=lambda each: _apart(each.places[number].box, face.box), default=None)
        if track is not None and (track.face is None or face.confidence > track.face.confidence):
            track.face = face


def _apart(one: Box, other: Box) -> float:
    """Return the distance of two boxes' centres, in the width of the wider one."""
    across = one.x + one.width / 2 - other.x - other.width / 2
    down = one.y + one.height / 2 - other.y - other.height / 2
    return float(np.hypot(across, down)) / max(one.width, other.width, 1.0)


def _between(before: Place, after: Place, share: float, growth: float) -> Place:
    """Return a place on the way. share: 0 at the first, 1 at the second. growth: of its box, around the centre."""
    x, y, width, height = (
        (1 - share) * old + share * new
        for old, new in (
            (before.box.x, after.box.x),
            (before.box.y, after.box.y),
            (before.box.width, after.box.width),
            (before.box.height, after.box.height),
        )
    )
    box = Box(x - (growth - 1) * width / 2, y - (growth - 1) * height / 2, growth * width, growth * height)
    return Place(box, before.tilt_degrees if share < 0.5 else after.tilt_degrees)
