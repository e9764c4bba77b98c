"""Synthesise views for the proposal network: FER2013 faces of all sizes and orientations on backgrounds, and where they
are.

A face lies on its background as a square with hard or soft edges or as a soft oval, with a brightness and contrast of
its own, so that neither a frame nor a seam betrays it. Decoys lie there in the same way: parts of photos, scrambled
faces, checks, plain shapes.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer import FACE_SIZE
from recognizer.finding.proposals import REFERENCE_SIDE, STRIDE
from training.scenes import shipped_photos

VIEW = 128
"""Side of a view, in pixels."""
CELLS = VIEW // STRIDE
LEAST_SIDE, MOST_SIDE = 22.0, 76.0
"""Sides of the frames that are to be proposed, in pixels of the view: somewhat more than an octave, because a photo is
searched at sizes that are an octave apart. Cells on faces of other sizes count neither way.
"""
_SIDES_DRAWN = (14.0, 120.0)
_FACES_A_VIEW = (0.35, 0.4, 0.18, 0.07)
"""Shares of views with no, one, two and three faces."""
_DECOYS_A_VIEW = (0.4, 0.3, 0.2, 0.1)
_TIGHT_SHARE = 0.06
"""Share of faces around which there is nothing but their repeated edge, as around one that fills its photo."""
_SEEN_PART = 0.42
_CORE = 0.18
"""A cell is to propose a face if its centre is within this share of the face's side from the face's centre."""


@dataclass(frozen=True)
class PlacedFace:
    """A face in a view: centre and side of its frame in pixels, clockwise roll from upright in radians."""

    x: float
    y: float
    side: float
    roll: float


class ViewMaker:
    """Draws views from FER2013 faces, uint8 `(n, 48, 48)`, and the photos without a face that packages ship."""

    def __init__(self, faces: NDArray[np.uint8], random: np.random.Generator) -> None:
        self._faces = faces
        self._random = random
        self._photos = [cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.uint8) for photo in shipped_photos()]

    def draw(self) -> tuple[NDArray[np.uint8], list[PlacedFace]]:
        """Return a grey view, uint8 `(128, 128)`, and its faces."""
        random = self._random
        view = self._behind()
        for _ in range(int(random.choice(len(_DECOYS_A_VIEW), p=_DECOYS_A_VIEW))):
            view = self._laid_over(view, self._place(), self._decoy())
        placed: list[PlacedFace] = []
        for _ in range(int(random.choice(len(_FACES_A_VIEW), p=_FACES_A_VIEW))):
            face = self._place()
            if not any(_is_hidden(face, other) for other in placed):
                view = self._laid_over(view, face, self._any_face().astype(np.float32))
                placed.append(face)
        if random.random() < 0.3:
            view = cv2.GaussianBlur(view, (0, 0), random.uniform(0.4, 1.3)).astype(np.float32)
        if random.random() < 0.5:
            view = view + random.normal(0, random.uniform(1, 9), view.shape).astype(np.float32)
        if random.random() < 0.2:
            view = (view - 128) * random.uniform(0.25, 0.8) + 128
        return np.clip(view, 0, 255).astype(np.uint8), placed

    def _behind(self) -> NDArray[np.float32]:
        """Return a background with a brightness and contrast of its own."""
        random, kind = self._random, self._random.random()
        if kind < 0.6:
            view = self._photo_part()
        elif kind < 0.68:
            view = self._face_part()
        elif kind < 0.78:
            view = self._checks(VIEW)
        elif kind < 0.88:
            cells = int(random.choice([2, 4, 8, 16, 32, 64]))
            view = _resized(random.integers(0, 256, (cells, cells)).astype(np.uint8))
        else:
            view = self._waves()
        return (view.astype(np.float32) - 128) * random.uniform(0.4, 1.2) + 128 + random.uniform(-60, 60)

    def _photo_part(self) -> NDArray[np.uint8]:
        random = self._random
        photo = self._photos[random.integers(len(self._photos))]
        side = round(math.exp(random.uniform(math.log(48), math.log(min(photo.shape)))))
        y, x = (int(random.integers(length - side + 1)) for length in photo.shape)
        part = _resized(photo[y : y + side, x : x + side])
        return np.rot90(part, int(random.integers(4))) if random.random() < 0.3 else part

    def _face_part(self) -> NDArray[np.uint8]:
        """Return a part of a face that is too small to be one."""
        side = int(self._random.integers(8, 22))
        y, x = (int(place) for place in self._random.integers(FACE_SIZE - side, size=2))
        return _resized(self._any_face()[y : y + side, x : x + side])

    def _checks(self, side: int) -> NDArray[np.uint8]:
        """Return turned checks or stripes of two greys."""
        random = self._random
        y, x = np.mgrid[:side, :side]
        turn, cell = random.uniform(0, np.pi), random.uniform(3, side / 2)
        along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        rows = np.floor(across / cell) if random.random() < 0.7 else 0
        odd = (np.floor(along / cell) + rows).astype(int) % 2
        return np.asarray(random.integers(0, 256, 2)[odd], np.uint8)

    def _decoy(self) -> NDArray[np.float32]:
        """Return what is no face, in the place of one, float32 `(48, 48)`."""
        random, kind = self._random, self._random.random()
        if kind < 0.35:
            size = (FACE_SIZE, FACE_SIZE)
            return cv2.resize(self._photo_part(), size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if kind < 0.6:
            return self._scrambled()
        if kind < 0.8:
            return self._checks(FACE_SIZE).astype(np.float32)
        grey = np.full((FACE_SIZE, FACE_SIZE), random.uniform(0, 255))
        slope = np.linspace(-1, 1, FACE_SIZE) * random.uniform(-60, 60)
        return (grey + slope + slope[:, None] * random.uniform(-1, 1)).astype(np.float32)

    def _scrambled(self) -> NDArray[np.float32]:
        """Return a face whose parts have changed places."""
        cells = int(self._random.choice([2, 3, 4]))
        part = FACE_SIZE // cells
        parts = self._any_face().reshape(cells, part, cells, part).swapaxes(1, 2).reshape(-1, part, part)
        parts = np.roll(parts, int(self._random.integers(1, cells)), axis=0)[self._random.permutation(len(parts))]
        mixed = parts.reshape(cells, cells, part, part).swapaxes(1, 2).reshape(FACE_SIZE, FACE_SIZE)
        return mixed.astype(np.float32)

    def _any_face(self) -> NDArray[np.uint8]:
        return np.asarray(self._faces[self._random.integers(len(self._faces))])

    def _waves(self) -> NDArray[np.uint8]:
        random, (y, x) = self._random, np.mgrid[:VIEW, :VIEW]
        turn, (low, high) = random.uniform(0, np.pi), random.uniform(0, 255, 2)
        along = x * math.cos(turn) + y * math.sin(turn)
        wave = np.sin(along / random.uniform(1, 20)) / 2 + 0.5
        ramp = (along - along.min()) / np.ptp(along)
        mixed = low + (high - low) * (wave if random.random() < 0.6 else ramp)
        return np.asarray(mixed, np.uint8)

    def _place(self) -> PlacedFace:
        random = self._random
        side = math.exp(random.uniform(*np.log(_SIDES_DRAWN)))
        if random.random() < 0.3:
            low, high = -0.1 * side, VIEW + 0.1 * side
        else:
            low, high = min(side, VIEW) / 2, max(VIEW - side / 2, VIEW / 2 + 1e-3)
        x, y = random.uniform(low, high, 2).tolist()
        natural = random.normal(0, math.radians(14))
        quarter = math.pi / 2 * random.integers(1, 4) if random.random() < 0.4 else 0.0
        roll = natural + quarter if random.random() < 0.85 else random.uniform(0, 2 * math.pi)
        return PlacedFace(x, y, side, float(roll))

    def _laid_over(
        self, view: NDArray[np.float32], place: PlacedFace, shown: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the view with a picture `(48, 48)` at a place, in another light."""
        random, shown, mask = self._random, self._lit(shown), self._mask()
        scale = place.side / FACE_SIZE
        if scale < 1:
            shown = cv2.GaussianBlur(shown, (0, 0), max(0.2, 0.45 * (1 / scale - 1))).astype(np.float32)
        middle = (FACE_SIZE - 1) / 2
        affine = cv2.getRotationMatrix2D((middle, middle), -math.degrees(place.roll), scale)
        affine[:, 2] += np.array([place.x - middle, place.y - middle])
        laid = cv2.warpAffine(shown, affine, (VIEW, VIEW), borderMode=cv2.BORDER_REPLICATE)
        is_tight = random.random() < _TIGHT_SHARE
        share = 1.0 if is_tight else cv2.warpAffine(mask, affine, (VIEW, VIEW))
        return (view * (1 - share) + laid * share).astype(np.float32)

    def _lit(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a picture, or its mirror image, in another light."""
        random = self._random
        if random.random() < 0.5:
            picture = picture[:, ::-1]
        light = float(np.clip(picture.mean() + random.normal(0, 45), 25, 230))
        lit = (picture - picture.mean()) * random.uniform(0.5, 1.3) + light
        if random.random() < 0.2:
            slope = np.linspace(-1, 1, FACE_SIZE) * random.uniform(-60, 60)
            lit = lit + (slope[:, None] if random.random() < 0.5 else slope)
        return np.ascontiguousarray(lit, np.float32)

    def _mask(self) -> NDArray[np.float32]:
        """Return how opaque each pixel of a face is, float32 `(48, 48)`: a square, a soft square or a soft oval."""
        random, kind = self._random, self._random.random()
        y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
        if kind < 0.3:
            return np.ones((FACE_SIZE, FACE_SIZE), np.float32)
        if kind < 0.5:
            inwards = np.minimum(np.minimum(x, FACE_SIZE - 1 - x), np.minimum(y, FACE_SIZE - 1 - y)) + 0.5
            return np.asarray(np.clip(inwards / random.uniform(1, 7), 0, 1), np.float32)
        middle = (FACE_SIZE - 1) / 2
        outwards = np.hypot((x - middle) / middle / 0.8, (y - middle) / middle)
        edge = 1 + random.uniform(-0.12, 0.1)
        return np.asarray(np.clip((edge - outwards) / random.uniform(0.05, 0.35) + 0.5, 0, 1), np.float32)


def target_of(placed: list[PlacedFace]) -> NDArray[np.float32]:
    """Return what the network is to say of a view, float32 `(16, 16, 5)`.

    By cell: 1 if it proposes a face; its weight, 0 where either answer is right; offset of the face's centre to the
    right and down, in cells; binary logarithm of its side relative to `REFERENCE_SIDE`.
    """
    target = np.zeros((CELLS, CELLS, 5), np.float32)
    target[..., 1] = 1
    centres = (np.arange(CELLS) + 0.5) * STRIDE
    x, y = np.meshgrid(centres, centres)
    away = [np.maximum(abs(x - face.x), abs(y - face.y)) for face in placed]
    for face, distance in zip(placed, away, strict=True):
        target[distance < 0.5 * face.side, 1] = 0
    for face, distance in zip(placed, away, strict=True):
        if LEAST_SIDE <= face.side <= MOST_SIDE:
            core = distance <= max(_CORE * face.side, STRIDE / 2)
            offsets = np.stack([face.x - x[core], face.y - y[core]], axis=-1) / STRIDE
            size = math.log2(face.side / REFERENCE_SIDE)
            target[core] = np.column_stack([np.ones((len(offsets), 2)), offsets, np.full(len(offsets), size)])
    return target


def _is_hidden(face: PlacedFace, other: PlacedFace) -> bool:
    away = max(abs(face.x - other.x), abs(face.y - other.y))
    return away < _SEEN_PART * (face.side + other.side)


def _resized(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if len(picture) > VIEW else cv2.INTER_CUBIC
    return cv2.resize(picture, (VIEW, VIEW), interpolation=method).astype(np.uint8, copy=False)
