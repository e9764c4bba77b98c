"""Augment training faces. Selfies are not FER2013, so the network is trained on pictures worse than FER2013's.

Works on uint8 pixels with OpenCV, outside the network's graph: the exported network contains none of it, and all Keras
backends see the same faces. A face takes about 60 microseconds, a thirtieth of a training step for it.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from training.fitting.recipe import Augmentation

_Face = NDArray[np.uint8]
_GREYS = np.arange(256, dtype=np.float32)
_ERASED_SHARE = (0.02, 0.2)
"""Share of the face's area; Zhong et al. 2020 (https://arxiv.org/abs/1708.04896) use up to 0.4, which hides whole
mouths.
"""


def augmented(faces: NDArray[np.uint8], limits: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the grey uint8 faces `(n, height, width)`, each changed at random within `limits`; same shape and
    dtype.
    """
    return np.stack([_augmented(face, limits, random) for face in faces]) if len(faces) else faces


def mixed_up(
    columns: list[NDArray[np.float32]], strength: float, random: np.random.Generator
) -> list[NDArray[np.float32]]:
    """Return each row mixed with another row of the batch, all columns by the same shares drawn from Beta(a, a).

    columns: arrays with one row for each face, `(n, ...)`. strength: a; 0 leaves them unchanged. The larger share stays
    with the row itself. Source: Zhang et al. 2018 (https://arxiv.org/abs/1710.09412).
    """
    if strength == 0 or not columns:
        return columns
    count = len(columns[0])
    partner, share = random.permutation(count), random.beta(strength, strength, count).astype(np.float32)
    share = np.maximum(share, 1 - share)
    return [_blended(column, partner, share) for column in columns]


def cut_in(columns: list[NDArray[np.float32]], share: float, random: np.random.Generator) -> list[NDArray[np.float32]]:
    """Return rows of which that share has a rectangle of another row's picture in its own, and so much of its targets.

    columns: as in `mixed_up`; the first holds the pictures, `(n, height, width)`. share: probability, 0 leaves all
    unchanged. The rectangle's part of the picture is drawn uniformly up to a half, so the larger part stays with the
    row itself. Source: CutMix, Yun et al. 2019 (https://arxiv.org/abs/1905.04899).
    """
    if share == 0 or not columns:
        return columns
    pictures = columns[0].copy()
    count, height, width = pictures.shape
    partner, lost = random.permutation(count), np.zeros(count, np.float32)
    for row in np.flatnonzero(random.random(count) < share):
        side = math.sqrt(random.uniform(0, 0.5))
        tall, wide = round(side * height), round(side * width)
        y, x = random.integers(height - tall + 1), random.integers(width - wide + 1)
        pictures[row, y : y + tall, x : x + wide] = columns[0][partner[row], y : y + tall, x : x + wide]
        lost[row] = tall * wide / (height * width)
    return [pictures, *(_blended(column, partner, 1 - lost) for column in columns[1:])]


def _blended(column: NDArray[np.float32], partner: NDArray[np.intp], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each row by its own share, `(n,)`, and the row of its partner by the rest."""
    own = share.reshape(-1, *(1,) * (column.ndim - 1))
    blended: NDArray[np.float32] = own * column + (1 - own) * column[partner]
    return blended


def _augmented(face: _Face, limits: Augmentation, random: np.random.Generator) -> _Face:
    face = _warped(face, limits, random)
    if random.random() < limits.low_resolution:
        face = _coarser(face, int(random.integers(16, 40)))
    if random.random() < limits.blur:
        face = cv2.GaussianBlur(face, (0, 0), float(random.uniform(0.4, 1.4))).astype(np.uint8, copy=False)
    face = _relit(face, limits, random)
    if random.random() < limits.noise:
        noise = random.standard_normal(face.shape, np.float32) * np.float32(random.uniform(2, 16))
        face = np.clip(face + noise, 0, 255).astype(np.uint8)
    if random.random() < limits.jpeg:
        face = _through_jpeg(face, int(random.integers(15, 75)))
    if random.random() < limits.erase:
        face = _erased(face, random)
    return face


def _warped(face: _Face, limits: Augmentation, random: np.random.Generator) -> _Face:
    """Apply rotation, shift, zoom, stretch and flip as one affine map, so that pixels are interpolated once."""
    height, width = face.shape
    turn, zoom, stretch, right, down, mirrored = random.uniform(-1, 1, 6).tolist()
    angle, scale, stretch = math.radians(limits.rotation_degrees) * turn, limits.zoom * zoom, limits.stretch * stretch
    mirror = -1 if limits.flip and mirrored < 0 else 1
    across, along = mirror * math.exp(scale + stretch), math.exp(scale - stretch)
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = (width - 1) / 2, (height - 1) / 2
    a, b, c, d = cos * across, -sin * along, sin * across, cos * along
    matrix = np.array(
        [
            [a, b, x + limits.shift * right * width - a * x - b * y],
            [c, d, y + limits.shift * down * height - c * x - d * y],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(face, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.uint8, copy=False)


def _relit(face: _Face, limits: Augmentation, random: np.random.Generator) -> _Face:
    """Apply gamma, contrast and brightness as one lookup table, and light from one side."""
    gamma, contrast, brightness, side, turn = random.uniform(-1, 1, 5).tolist()
    mean = float(face.mean())
    greys = 255 * (_GREYS / 255) ** math.exp(limits.gamma * gamma)
    greys = (greys - mean) * math.exp(limits.contrast * contrast) + mean + 255 * limits.brightness * brightness
    relit = cv2.LUT(face, np.clip(greys + 0.5, 0, 255).astype(np.uint8)).astype(np.uint8, copy=False)
    if limits.side_light:
        x, y = (limits.side_light * side * each for each in (math.cos(math.pi * turn), math.sin(math.pi * turn)))
        height, width = face.shape
        light = 1 + np.linspace(-x, x, width, dtype=np.float32) + np.linspace(-y, y, height, dtype=np.float32)[:, None]
        relit = np.clip(relit * light, 0, 255).astype(np.uint8)
    return relit


def _coarser(face: _Face, side: int) -> _Face:
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _through_jpeg(face: _Face, quality: int) -> _Face:
    coded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    if decoded is None:
        raise RuntimeError("OpenCV cannot read the JPEG it wrote")
    return decoded.astype(np.uint8, copy=False)


def _erased(face: _Face, random: np.random.Generator) -> _Face:
    """Cover a rectangle of the face with one grey or with noise, as a hand, a phone or a mask would."""
    height, width = face.shape
    area, aspect = random.uniform(*_ERASED_SHARE) * face.size, np.exp(random.uniform(-0.8, 0.8))
    tall = min(height, max(1, round(float(np.sqrt(area * aspect)))))
    wide = min(width, max(1, round(float(np.sqrt(area / aspect)))))
    y, x = random.integers(height - tall + 1), random.integers(width - wide + 1)
    erased = face.copy()
    cover = random.integers(0, 256, (tall, wide)) if random.random() < 0.5 else random.integers(0, 256)
    erased[y : y + tall, x : x + wide] = cover
    return erased
