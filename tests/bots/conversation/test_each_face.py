"""Answers for a platform that shows each face apart, with buttons of its own."""

import cv2
import numpy as np
import pytest
import skimage.data

from bots.conversation import texts
from bots.conversation.answers import Outcome
from bots.conversation.buttons import needs_photo, shows_more
from bots.conversation.emotions import Emotions
from bots.conversation.service import EmojiService
from bots.messages import Button, Command, CommandName, FaceReply, PhotoMessage, Picture, Reply, Tap, TapReply
from db import Chat, Person, Platform
from recognizer import EMOTIONS, Recognizer
from tests.conftest import jpeg
from tests.faults import Faults

GUEST, CHAT = Person(Platform.WEB, "guest"), Chat(Platform.WEB, "guest")


async def answer(service: EmojiService, photo: bytes) -> Reply:
    message = PhotoMessage(GUEST, CHAT, (Picture(photo),), comes_again=True, shows_each_face=True)
    return [reply async for reply in service.on_photo(message)][-1]


async def tap(service: EmojiService, button: Button, photo: bytes = b"") -> TapReply:
    async def fetch() -> Picture | None:
        return Picture(photo) if photo else None

    return await service.on_tap(Tap(GUEST, CHAT, button.token, fetch=fetch, shows_each_face=True))


def button_of(face: FaceReply, label: str) -> Button:
    return next(each for row in face.rows for each in row if each.label == label)


@pytest.fixture
def three() -> bytes:
    """Three faces of different sizes, the biggest in the middle."""
    canvas = np.full((420, 1000, 3), 200, np.uint8)
    face = skimage.data.astronaut()[:300, 60:360]
    for side, left in ((220, 20), (300, 340), (200, 720)):
        canvas[60 : 60 + side, left : left + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return jpeg(canvas)


async def test_faces_come_from_left_to_right_with_places_and_buttons_of_their_own(
    service: EmojiService, three: bytes
) -> None:
    reply = await answer(service, three)
    assert reply.text == texts.FACES_APART.many.format(count=3)
    lefts = [face.box[0] for face in reply.faces]
    assert lefts == sorted(lefts)
    assert reply.faces[1].box[2] == max(face.box[2] for face in reply.faces)
    for face in reply.faces:
        assert [len(row) for row in face.rows] == [3, 2]
        assert (face.feeling, face.text) == ("happy", texts.ONE_FACE.format(emoji=face.emoji, feeling="happy"))
        assert 0 < face.box[2] < 0.3
    assert [[button.label for button in row] for row in reply.rows] == [[texts.EMOJI_ME, texts.BLUR]]
    assert reply.picture is None


async def test_one_face_says_what_it_shows(service: EmojiService, selfie: bytes) -> None:
    reply = await answer(service, selfie)
    assert reply.text == reply.faces[0].text
    assert [button.label for button in reply.rows[0]] == [texts.EMOJI_ME, texts.STICKER]
    assert [needs_photo(button.token) for button in reply.rows[0]] == [True, True]


async def test_a_choice_changes_its_own_face_only(service: EmojiService, three: bytes) -> None:
    reply = await answer(service, three)
    second = reply.faces[1].rows[0][1]
    tapped = await tap(service, second)
    assert (tapped.reaction, tapped.text) == (second.label, texts.CHOSEN.format(emoji=second.label))
    assert tapped.rows is not None
    assert [len(row) for row in tapped.rows] == [3, 2]
    tokens = {button.token.split(":")[1] for row in tapped.rows for button in row}
    assert tokens == {second.token.split(":")[1]}


async def test_another_emoji_brings_the_word_for_what_it_shows(
    service: EmojiService, recognizer: Recognizer, selfie: bytes
) -> None:
    [face] = (await answer(service, selfie)).faces
    more = await tap(service, button_of(face, texts.MORE))
    assert more.rows is not None
    emotions = Emotions(lambda: recognizer.emoji_map)
    shown = {button: emotions.emotion_of(button.label) for row in more.rows for button in row}
    assert len(set(shown.values())) > 1
    for button, emotion in shown.items():
        assert emotion is not None
        assert (await tap(service, button)).feeling == texts.FEELINGS[emotion]


async def test_a_correction_has_the_emoji_of_what_the_face_shows(service: EmojiService, three: bytes) -> None:
    reply = await answer(service, three)
    asked = await tap(service, button_of(reply.faces[2], texts.NONE_FITS))
    assert asked.rows is not None
    feelings = [button for row in asked.rows for button in row][: len(EMOTIONS)]
    for emotion, feeling in zip(EMOTIONS, feelings, strict=True):
        corrected = await tap(service, feeling)
        assert corrected.reaction == service.emoji_of(emotion)
        assert corrected.text == texts.EMOTION_KEPT.format(feeling=texts.FEELINGS[emotion])
        assert corrected.feeling == texts.FEELINGS[emotion]


async def test_more_are_all_that_there_are(service: EmojiService, selfie: bytes) -> None:
    reply = await answer(service, selfie)
    more = button_of(reply.faces[0], texts.MORE)
    assert shows_more(more.token)
    shown = await tap(service, more)
    assert shown.rows is not None
    [row] = shown.rows
    assert len({button.label for button in row}) == len(row) > 40
    last = await tap(service, row[-1])
    assert last.reaction == row[-1].label
    assert last.rows is not None
    assert last.rows[0][-1].label == row[-1].label


async def test_without_a_database_faces_are_shown_without_buttons(
    service: EmojiService, faults: Faults, three: bytes
) -> None:
    with faults.no_database():
        reply = await answer(service, three)
    assert len(reply.faces) == 3
    assert all(not face.rows for face in reply.faces)
    assert not reply.rows


async def test_the_biggest_face_plays_wherever_it_stands(service: EmojiService, three: bytes) -> None:
    await service.on_command(Command(GUEST, CHAT, CommandName.PLAY))
    read: list[float] = []
    play_read = service._photo_answers.read

    async def reading(photo: PhotoMessage) -> list[Outcome]:
        outcomes = await play_read(photo)
        read.extend(face.box.width for face in outcomes[0].faces)
        return outcomes

    service._photo_answers.read = reading  # type: ignore[method-assign]
    await answer(service, three)
    assert read[0] == max(read)
