"""Everything about a person as one JSON file, with the crops of their faces as pictures."""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import cv2
import numpy as np

from bots.messages import MadeFile
from db import OwnData, OwnFace, OwnMessages, OwnTap
from recognizer import EMOTIONS, FACE_SIZE

MOST_BYTES = 8_000_000
"""Largest file; Discord takes 10 MB from bots. What is too much is left out and counted, old pictures first."""
_NAME = "mugmoji-my-data.json"


def my_data_file(data: OwnData, messages: OwnMessages) -> MadeFile:
    """Return the file. Its keys are English in every language, for programs to read. messages: that are being answered,
    and that were.
    """
    while (room := MOST_BYTES - len(_json(_content(data, [None] * len(data.faces), messages)))) < 0 and data.faces:
        kept = data.faces[: len(data.faces) // 2]
        data = replace(data, faces=kept, faces_left_out=data.faces_left_out + len(data.faces) - len(kept))
    pictures = list(_pictures(data.faces, room))
    return MadeFile(_NAME, _json(_content(data, pictures, messages)))


def _pictures(faces: tuple[OwnFace, ...], room: int) -> Iterator[str | None]:
    """Yield each face's crop as a link with a PNG inside, None if there is none, or no room for it."""
    for face in faces:
        link = _link(face.crop) if face.crop is not None else None
        room -= len(link or "")
        yield link if room > 0 else None


def _link(crop: bytes) -> str:
    pixels = np.frombuffer(crop, np.uint8).reshape(FACE_SIZE, FACE_SIZE)
    return f"data:image/png;base64,{base64.b64encode(cv2.imencode('.png', pixels)[1].tobytes()).decode()}"


def _content(data: OwnData, pictures: list[str | None], messages: OwnMessages) -> dict[str, Any]:
    kept = sum(face.crop is not None for face in data.faces)
    return {
        "platform": data.platform,
        "may_learn_from_my_faces": data.keeps_faces,
        "consent": {"version": data.consent_version, "keep_at_most_days": data.consent_days or None},
        "settings": asdict(data.preferences),
        "faces": [_face(face, link) for face, link in zip(data.faces, pictures, strict=True)],
        "older_faces_left_out": data.faces_left_out,
        "pictures_left_out": kept - sum(link is not None for link in pictures),
        "what_i_said_about_faces_of_others": [_tap(tap) for tap in data.votes],
        "scores": [{"name": each.name, "points": each.points, "rounds": each.rounds} for each in data.scores],
        "games_that_are_on": [
            {"at": _time(at), "asked_for": emotion, "points": points} for at, emotion, points in data.games
        ],
        "photos_that_wait_for_an_answer": list(map(_time, messages.waiting)),
        "photos_that_were_answered": list(map(_time, messages.answered)),
        "what_i_did_as_an_admin": [{"at": _time(at), "what": what} for at, what in data.acts],
        "labels_i_set_as_an_admin": [{"at": _time(at), "verdict": verdict} for at, verdict in data.labels],
    }


def _face(face: OwnFace, link: str | None) -> dict[str, Any]:
    return {
        "at": _time(face.at),
        "model": face.model,
        "emotions": _emotions(face.probabilities),
        "suggested": list(face.suggestions),
        "picture": link,
        "said_about_it": [{**_tap(tap), "by_me": tap.by_me} for tap in face.taps],
        "labels_of_admins": list(face.verdicts),
        "versions_that_learned_from_it": list(face.learned_by),
        "versions_in_trial": {version: _emotions(seven) for version, seven in face.shadows},
    }


def _tap(tap: OwnTap) -> dict[str, Any]:
    return {"at": _time(tap.at), "emoji": tap.emoji, "emotion": tap.emotion, "by": tap.origin.value}


def _emotions(probabilities: tuple[float, ...]) -> dict[str, float]:
    return {emotion: round(share, 4) for emotion, share in zip(EMOTIONS, probabilities, strict=False)}


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
