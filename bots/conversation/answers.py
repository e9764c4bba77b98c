"""Compose the text of an answer to photos: a verdict, a choice, or a list of numbered faces."""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.conversation import texts
from bots.conversation.recipient import Recipient
from bots.custom_emoji import in_text
from recognizer import Face

MAX_FACES_LISTED = 40


@dataclass(frozen=True)
class Outcome:
    """The result for one picture: its faces and the model that read them, or the sentence (of `texts`) that explains
    why there are none. width, height: of the upright picture in pixels, 0 where there are no faces.
    """

    faces: tuple[Face, ...] = ()
    problem: str = ""
    model: str = ""
    width: int = 0
    height: int = 0


def answer_text(outcomes: Sequence[Outcome], recipient: Recipient, *, offers_choice: bool = True) -> str:
    """Return the text of the answer to all pictures of one message. offers_choice: there are buttons to choose with."""
    if len(outcomes) == 1:
        return _picture_text(outcomes[0], recipient, offers_choice=offers_choice)
    lines, number = [], 1
    for index, outcome in enumerate(outcomes, start=1):
        text = _numbered(outcome, number, recipient) if outcome.faces else recipient.voice.say(outcome.problem)
        lines.append(recipient.voice.say(texts.OF_PICTURE, number=index, text=text))
        number += len(outcome.faces)
    return "\n".join(lines)


def _picture_text(outcome: Outcome, recipient: Recipient, *, offers_choice: bool) -> str:
    """Return the text about a single picture."""
    voice = recipient.voice
    if outcome.problem:
        return voice.say(outcome.problem)
    if len(outcome.faces) > 1:
        return f"{voice.count(texts.SEVERAL_FACES, len(outcome.faces))}\n{_numbered(outcome, 1, recipient)}"
    return face_text(outcome.faces[0], recipient, offers_choice=offers_choice)


def face_text(face: Face, recipient: Recipient, *, offers_choice: bool) -> str:
    """Return what is said of one face. offers_choice: as in `answer_text`."""
    voice, verdict = recipient.voice, face.verdict
    feeling = voice.say(texts.FEELINGS[verdict.emotion])
    if not verdict.is_sure:
        unsure = texts.UNSURE if offers_choice else texts.UNSURE_ONLY
        return voice.say(unsure, first=feeling, second=voice.say(texts.FEELINGS[verdict.other]))
    emoji = in_text(recipient.variant_of(face.emoji[0]))
    if verdict.other:
        mixed = texts.MIXED_FACE if offers_choice else texts.MIXED_FACE_ONLY
        return voice.say(mixed, emoji=emoji, feeling=feeling, other=voice.say(texts.TRACES[verdict.other]))
    return voice.say(texts.ONE_FACE if offers_choice else texts.ONE_FACE_ONLY, emoji=emoji, feeling=feeling)


def _numbered(outcome: Outcome, first_number: int, recipient: Recipient) -> str:
    listed = outcome.faces[:MAX_FACES_LISTED]
    words = [
        recipient.voice.say(
            texts.NUMBERED_FACE if face.verdict.is_sure else texts.NUMBERED_UNSURE,
            number=number,
            emoji=in_text(recipient.variant_of(face.emoji[0])),
        )
        for number, face in enumerate(listed, start=first_number)
    ]
    if len(outcome.faces) > len(listed):
        words.append(recipient.voice.count(texts.MORE_FACES, len(outcome.faces) - len(listed)))
    return "  ".join(words)
