"""`python -m tests.bench.emoji_sheet [--out docs/emoji-sheet.png]`: faces of varied expressions with their top five.

Faces of FER2013's valid split, enlarged on a grey background and read as a photo is. For each emotion the three faces
are shown whose highest probability is nearest to 0.95, 0.7 and 0.5, then three with two nearly equal emotions.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bots.pictures.artwork import Artwork
from recognizer import EMOTIONS, Face, Recognizer
from training.data import default_folder, load

_SURENESSES = (0.95, 0.7, 0.5)
_MIXED = 3
_TOP = 5
_PICTURE, _EMOJI, _GAP, _COLUMNS = 144, 40, 12, 4
_GROUND, _FRAME = 128, 420
_POOL = 1000


def main() -> int:
    """Write the sheet and return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.bench.emoji_sheet")
    parser.add_argument("--out", type=Path, default=Path("docs/emoji-sheet.png"))
    options = parser.parse_args()
    if not default_folder().exists():
        print("No FER2013 data here; set FER2013_DIR.", file=sys.stderr)
        return 3
    recognizer, artwork = Recognizer.load(), Artwork.load()
    pixels = load(default_folder())["valid"].pixels[:_POOL]
    read = {row: face for row, each in enumerate(pixels) if (face := _read(recognizer, each)) is not None}
    pixels = pixels[list(read)]
    faces = list(read.values())
    shown = np.array([face.probabilities for face in faces], np.float32)
    cells = [_cell(pixels[row], faces[row], artwork) for row in _chosen(shown)]
    sheet = np.vstack([np.hstack(cells[start : start + _COLUMNS]) for start in range(0, len(cells), _COLUMNS)])
    cv2.imwrite(str(options.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    print(f"{options.out}: {len(cells)} faces")
    return 0


def _chosen(shown: NDArray[np.float32]) -> list[int]:
    """Return the rows of the faces to show, by emotion and confidence, then the mixed ones."""
    rows: list[int] = []
    first = shown.argmax(axis=1)
    for emotion in range(len(EMOTIONS)):
        for sureness in _SURENESSES:
            distance = np.where(first == emotion, np.abs(shown[:, emotion] - sureness), np.inf)
            rows.append(next(int(row) for row in np.argsort(distance) if row not in rows))
    ordered = np.sort(shown, axis=1)
    mixed = (row for row in np.argsort(ordered[:, -3] - ordered[:, -2]) if ordered[row, -1] - ordered[row, -2] < 0.1)
    return rows + [int(row) for row in mixed if row not in rows][:_MIXED]


def _read(recognizer: Recognizer, face: NDArray[np.uint8]) -> Face | None:
    scene = np.full((_FRAME + 180, _FRAME + 180, 3), _GROUND, np.uint8)
    scene[90 : 90 + _FRAME, 90 : 90 + _FRAME] = _enlarged(face, _FRAME)
    found = recognizer.read(cv2.imencode(".png", scene)[1].tobytes()).faces
    return found[0] if found else None


def _cell(pixels: NDArray[np.uint8], face: Face, artwork: Artwork) -> NDArray[np.uint8]:
    """Draw the face with its first emoji below."""
    width, height = max(_PICTURE, _TOP * _EMOJI) + 2 * _GAP, _PICTURE + _EMOJI + 3 * _GAP
    cell = np.full((height, width, 3), 255, np.uint8)
    left = (width - _PICTURE) // 2
    cell[_GAP : _GAP + _PICTURE, left : left + _PICTURE] = _enlarged(pixels, _PICTURE)
    for place, emoji in enumerate(face.emoji[:_TOP]):
        drawn = artwork.image(emoji, _EMOJI).astype(np.float32)
        x, y = (width - _TOP * _EMOJI) // 2 + place * _EMOJI, _PICTURE + 2 * _GAP
        ground, opaque = cell[y : y + _EMOJI, x : x + _EMOJI], drawn[..., 3:] / 255
        ground[:] = np.rint(drawn[..., :3] * opaque + ground * (1 - opaque)).astype(np.uint8)
    return cell


def _enlarged(face: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    grey = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


if __name__ == "__main__":
    sys.exit(main())
