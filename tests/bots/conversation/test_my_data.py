"""Everything about a person in one file, and nothing about anybody else."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import pytest

from bots.conversation import texts
from bots.conversation.my_data import MOST_BYTES, my_data_file
from bots.conversation.service import EmojiService
from bots.messages import Command, CommandName, Reply
from db import (
    Actor,
    Chat,
    ChatChoices,
    Depth,
    FaceReading,
    OwnData,
    OwnFace,
    OwnMessages,
    Person,
    Platform,
    Preferences,
    Store,
    Verdict,
)

ADA, BERT, ADMIN = Person(Platform.TELEGRAM, "1"), Person(Platform.TELEGRAM, "2"), Person(Platform.CONSOLE, "Grace")
GROUP = Chat(Platform.TELEGRAM, "-5")
FACE = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄", "😐", "😢"), bytes(range(256)) * 9)


async def data_of(service: EmojiService, person: Person) -> dict[str, Any]:
    reply = await service.on_command(Command(person, GROUP, CommandName.MY_DATA))
    assert reply.file is not None
    content: dict[str, Any] = json.loads(reply.file.content)
    return content


async def test_a_person_gets_what_is_stored_with_their_faces_as_pictures(service: EmojiService, store: Store) -> None:
    await store.set_keeps_faces(ADA, True)
    await store.set_preferences(ADA, Preferences("de"))
    (reading,) = (await store.add_photo(ADA, GROUP, "model-1", [FACE])).readings
    await store.taps.add(reading.id, emoji="😐")
    await store.taps.add(reading.id, emotion="sad", voter=BERT)
    await store.feedback.add_label(reading.id, ADMIN, Verdict.SAD)
    content = await data_of(service, ADA)
    assert content["may_learn_from_my_faces"] is True
    assert content["older_faces_left_out"] == 0
    assert content["settings"]["language"] == "de"
    [face] = content["faces"]
    assert face["emotions"]["happy"] == 0.5
    assert face["suggested"] == ["😄", "😐", "😢"]
    said = [(each["emoji"], each["emotion"], each["by_me"]) for each in face["said_about_it"]]
    assert said == [("😐", None, True), (None, "sad", False)]
    assert face["labels_of_admins"] == ["sad"]
    picture = base64.b64decode(face["picture"].removeprefix("data:image/png;base64,"))
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    assert pixels.tobytes() == FACE.crop
    assert content["pictures_left_out"] == 0


async def test_photos_that_others_asked_about_and_words_on_faces_of_others_are_in_it(
    service: EmojiService, store: Store
) -> None:
    (mine,) = (await store.add_photo(BERT, GROUP, "model-1", [FACE], sender=ADA)).readings
    (other,) = (await store.add_photo(BERT, GROUP, "model-1", [FACE])).readings
    await store.chats.choose(GROUP, ChatChoices(everyone_taps=True))
    await store.taps.add(mine.id, emoji="😢")
    await store.taps.add(other.id, emoji="😄", voter=ADA)
    content = await data_of(service, ADA)
    [face] = content["faces"]
    assert [(each["emoji"], each["by_me"]) for each in face["said_about_it"]] == [("😢", False)]
    assert [each["emoji"] for each in content["what_i_said_about_faces_of_others"]] == ["😄"]


async def test_of_a_photo_that_somebody_else_sent_one_gets_ones_own_words_only(
    service: EmojiService, store: Store
) -> None:
    for person in (ADA, BERT):
        await store.set_keeps_faces(person, True)
    (reading,) = (await store.add_photo(ADA, GROUP, "model-1", [FACE], sender=BERT)).readings
    await store.taps.add(reading.id, emoji="😄")
    await store.taps.add(reading.id, emotion="sad", voter=BERT)
    await store.feedback.add_label(reading.id, ADMIN, Verdict.SAD)
    [face] = (await data_of(service, ADA))["faces"]
    assert face["picture"] is None
    assert [each["emoji"] for each in face["said_about_it"]] == ["😄"]
    assert face["labels_of_admins"] == []
    [theirs] = (await data_of(service, BERT))["faces"]
    assert theirs["picture"] is not None


async def test_games_and_what_one_did_as_an_admin_are_in_it(service: EmojiService, store: Store) -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    await store.retrainings.start(Depth.ADAPT, Actor.of(ADA))
    assert [each["what"] for each in (await data_of(service, ADA))["what_i_did_as_an_admin"]] == ["retrain adapt"]
    await store.games.start(GROUP, ADA, "sad", "😢", now)
    shared = await store.games.start(GROUP, None, "sad", "😢", now)
    await store.games.score(shared, ADA, "Ada", 40)
    content = await data_of(service, ADA)
    assert [each["asked_for"] for each in content["games_that_are_on"]] == ["sad"]
    assert content["scores"] == [{"name": "Ada", "points": 40, "rounds": 1}]


async def test_a_stranger_and_one_who_asks_in_public_get_a_sentence(service: EmojiService, store: Store) -> None:
    assert await service.on_command(Command(ADA, GROUP, CommandName.MY_DATA)) == Reply(texts.NOTHING_KNOWN)
    await store.set_keeps_faces(ADA, True)
    in_public = Command(ADA, GROUP, CommandName.MY_DATA, in_public=True)
    assert await service.on_command(in_public) == Reply(texts.ASK_IN_PRIVATE)


@pytest.mark.parametrize("count", [10, 6000])
def test_pictures_of_older_faces_are_left_out_where_there_is_no_room(count: int) -> None:
    noise = np.random.default_rng(1).integers(0, 255, 48 * 48, np.uint8).tobytes()
    face = OwnFace(datetime(2026, 1, 1, tzinfo=UTC), "model-1", FACE.probabilities, ("😄",), noise, (), (), (), ())
    data = OwnData("telegram", True, Preferences(), (face,) * count, (), ())
    file = my_data_file(data, OwnMessages())
    content = json.loads(file.content)
    assert len(file.content) <= MOST_BYTES
    assert len(content["faces"]) == count
    shown = [each["picture"] is not None for each in content["faces"]]
    assert shown == sorted(shown, reverse=True)
    assert content["pictures_left_out"] == shown.count(False)
    assert (shown.count(False) == 0) == (count == 10)
    assert json.loads(my_data_file(replace(data, faces=()), OwnMessages()).content)["faces"] == []
