"""`python -m recognizer PHOTO... [--json]`: print the expressions read in each photo.

Exit status: 0 if all photos were read, 1 if some photo could not be read (the others are printed), 2 on wrong usage, 3
if the detector, the model or the emoji map is missing or damaged.
"""

import argparse
import codecs
import json
import os
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from recognizer import (
    EMOTIONS,
    DetectorError,
    EmojiMapError,
    Face,
    IsolationError,
    ModelError,
    PhotoError,
    Reading,
    Recognizer,
)
from recognizer.decoding.photo import MAX_BYTES

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
    show = _json if options.json else _sentence
    status = 0
    with closing(recognizer):
        for path in options.photos:
            facts = _read(recognizer, path)
            print(_in_encoding_of(sys.stdout, show(facts)), flush=True)
            status = max(status, int("error" in facts))
    return status


def _read(recognizer: Recognizer, path: Path) -> dict[str, Any]:
    name = os.fsencode(path).decode(errors="replace")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        return {"photo": name, **_facts(recognizer.read(data))}
    except PhotoError as error:
        return {"photo": name, "error": {"code": error.code.value, "message": str(error)}}
    except IsolationError as error:
        return {"photo": name, "error": {"code": "failed", "message": str(error)}}
    except OSError as error:
        return {"photo": name, "error": {"code": "not_found", "message": f"Cannot open it: {error.strerror}."}}


def _json(facts: dict[str, Any]) -> str:
    """Return a line of JSON, in characters of ASCII where the terminal knows no others."""
    encoding = codecs.lookup(sys.stdout.encoding or "utf-8").name
    return json.dumps(facts, ensure_ascii=not encoding.startswith("utf"))


def _in_encoding_of(stream: TextIO, text: str) -> str:
    """Return the text with what the stream cannot show replaced."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


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
