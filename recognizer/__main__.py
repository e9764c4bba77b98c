"""`python -m recognizer PHOTO... [--json]`: print the expressions read in each photo.

Exit status: 0 if all photos were read, 1 if some photo could not be read (the others are printed), 2 on wrong usage, 3
if the detector, the model or the emoji map is missing or damaged.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recognizer import EMOTIONS, DetectorError, EmojiMapError, Face, ModelError, PhotoError, Reading, Recognizer

SHOWN_EMOJI = 5


def main(arguments: list[str] | None = None) -> int:
    """Read the photos named on the command line, print the results and return the exit status."""
    parser = argparse.ArgumentParser("python -m recognizer", description="Reads facial expressions in photos.")
    parser.add_argument("photos", metavar="PHOTO", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one line of JSON a photo")
    options = parser.parse_args(arguments)
    try:
        recognizer = Recognizer.load()
    except (DetectorError, ModelError, EmojiMapError) as error:
        print(error, file=sys.stderr)
        return 3
    facts = [_read(recognizer, path) for path in options.photos]
    for each in facts:
        print(json.dumps(each, ensure_ascii=False) if options.json else _sentence(each))
    return 1 if any("error" in each for each in facts) else 0


def _read(recognizer: Recognizer, path: Path) -> dict[str, Any]:
    try:
        return {"photo": str(path), **_facts(recognizer.read(path.read_bytes()))}
    except PhotoError as error:
        return {"photo": str(path), "error": {"code": error.code.value, "message": str(error)}}
    except OSError as error:
        return {"photo": str(path), "error": {"code": "not_found", "message": f"Cannot open it: {error.strerror}."}}


def _facts(reading: Reading) -> dict[str, Any]:
    ms = {step: round(took, 2) for step, took in asdict(reading.ms).items()}
    return {"faces": [_face(face) for face in reading.faces], "model": reading.model, "ms": ms}


def _face(face: Face) -> dict[str, Any]:
    box = [round(side, 1) for side in (face.box.x, face.box.y, face.box.width, face.box.height)]
    emotions = {name: round(p, 4) for name, p in zip(EMOTIONS, face.probabilities, strict=True)}
    return {"box": box, "score": round(face.score, 3), "emotions": emotions, "emoji": list(face.emoji[:SHOWN_EMOJI])}


def _sentence(facts: dict[str, Any]) -> str:
    if "error" in facts:
        return f"{facts['photo']}: {facts['error']['message']}"
    if not facts["faces"]:
        return f"{facts['photo']}: no face found"
    words = []
    for face in facts["faces"]:
        emotion = max(face["emotions"], key=face["emotions"].get)
        words.append(f"{' '.join(face['emoji'])}  {emotion} {face['emotions'][emotion]:.0%}")
    return f"{facts['photo']}: " + "; ".join(words)


if __name__ == "__main__":
    sys.exit(main())
