"""Admins and chat administrators on Telegram: the real python-telegram-bot against a Bot API server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from bots.admin import texts as admin_texts
from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES
from bots.pictures.maker import PictureMaker
from db import Role, State, Store
from recognizer import Recognizer
from tests.bots.admins import SHIPPED, add_faces, add_version, admin_service
from tests.bots.telegram.server import Fault, TelegramServer, labels, served, telegram_server
from tests.rows import count_rows
from tests.waiting import PATIENCE_S, until

ANNA, BERT, EVE = 1, 2, 3
GROUP = -5
_IN_GROUP: dict[str, Any] = {"chat": {"id": GROUP, "type": "group", "title": "G"}}


@pytest.fixture
async def telegram(recognizer: Recognizer, store: Store, picture_maker: PictureMaker) -> AsyncIterator[TelegramServer]:
    async with (
        admin_service(recognizer, store, picture_maker, f"telegram:{ANNA}, telegram:{BERT}") as service,
        telegram_server() as server,
    ):
        server.known_chats.add(ANNA)
        async with served(service, server):
            yield server


@pytest.mark.parametrize("text", ["/review", "/models, please", "/promote!"])
async def test_others_are_told_what_to_ask_for(telegram: TelegramServer, text: str) -> None:
    await telegram.send(person=EVE, text=text)
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == texts.ADMINS_ONLY.format(id="telegram:3")


async def test_a_forged_tap_by_somebody_else_is_refused(telegram: TelegramServer, store: Store) -> None:
    await add_faces(store, 1)
    await telegram.send(person=ANNA, text="/review")
    [page] = await telegram.sent("sendPhoto")
    await telegram.tap(page, "Happy", person=EVE)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == texts.ADMINS_ONLY.format(id="telegram:3")
    assert await count_rows(store, "labels") == 0
    assert await telegram.count("editMessageMedia") == 0


async def test_in_a_group_an_admin_is_asked_to_write_privately(telegram: TelegramServer, store: Store) -> None:
    await add_faces(store, 1)
    await telegram.send(person=ANNA, chat=GROUP, text="/review@telemelya_bot")
    [answer] = await telegram.sent("sendMessage")
    assert answer["text"] == admin_texts.IN_PRIVATE.format(command="review")
    assert not telegram.made


async def test_faces_are_reviewed_in_one_message(telegram: TelegramServer, store: Store) -> None:
    await add_faces(store, 2)
    await telegram.send(person=ANNA, text="/review")
    [page] = await telegram.sent("sendPhoto")
    first = telegram.made[page["message_id"]]
    assert _size(first) == (288, 288)
    assert labels(page) == [
        ["😠 Angry", "🤢 Disgusted", "😨 Afraid", "😄 Happy"],
        ["😐 Neutral", "😢 Sad", "😲 Surprised"],
        ["🚫 Not a face", "🤷 Unsure", "⏭ Skip", "↩ Undo"],
    ]
    await telegram.tap(page, "Happy", person=ANNA)
    [edited] = await telegram.sent("editMessageMedia")
    assert edited["message_id"] == page["message_id"]
    assert edited["caption"].startswith("Kept: 😄 Happy.")
    assert telegram.made[page["message_id"]] != first
    await telegram.tap(edited, "Undo", person=ANNA)
    undone = (await telegram.sent("editMessageMedia", 2))[1]
    assert undone["caption"].startswith(admin_texts.UNDONE)
    assert telegram.made[page["message_id"]] == first
    await telegram.tap(undone, "Skip", person=ANNA)
    skipped = (await telegram.sent("editMessageMedia", 3))[2]
    assert skipped["caption"].startswith(admin_texts.SKIPPED)
    assert await count_rows(store, "labels") == 0
    assert await telegram.count("sendMessage") == 0


async def test_an_emptied_queue_is_said_in_words_in_place_of_the_face(telegram: TelegramServer, store: Store) -> None:
    await add_faces(store, 1)
    await telegram.send(person=ANNA, text="/review")
    [page] = await telegram.sent("sendPhoto")
    await telegram.tap(page, "Unsure", person=ANNA)
    [over] = await telegram.sent("sendMessage")
    assert admin_texts.QUEUE_EMPTY in over["text"]
    [gone] = await telegram.sent("deleteMessage")
    assert gone["message_id"] == page["message_id"]
    await telegram.tap(over, "Undo", person=ANNA)
    [back] = await telegram.sent("editMessageMedia")
    assert back["message_id"] == over["message_id"]
    assert labels(back)[2][2] == "⏭ Skip"


async def test_where_a_message_cannot_be_edited_the_next_face_comes_in_a_new_one(
    telegram: TelegramServer, store: Store
) -> None:
    await add_faces(store, 2)
    telegram.forbids_media_edits = True
    await telegram.send(person=ANNA, text="/review")
    [page] = await telegram.sent("sendPhoto")
    await telegram.tap(page, "Happy", person=ANNA)
    following = (await telegram.sent("sendPhoto", 2))[1]
    assert following["caption"].startswith("Kept: 😄 Happy.")
    assert await count_rows(store, "labels") == 1


async def test_the_same_button_twice_leaves_one_message(telegram: TelegramServer, store: Store) -> None:
    await add_faces(store, 2)
    await telegram.send(person=ANNA, text="/review")
    [page] = await telegram.sent("sendPhoto")
    await telegram.tap(page, "Happy", person=ANNA)
    await telegram.sent("editMessageMedia")
    await telegram.tap(page, "Happy", person=ANNA)
    await telegram.sent("answerCallbackQuery", 2)
    await telegram.send(person=ANNA, text="/help")
    await telegram.sent("sendMessage")
    assert await telegram.count("sendPhoto") == await telegram.count("editMessageMedia") == 1


async def test_a_retraining_is_shown_in_one_message_and_promoted_from_it(
    telegram: TelegramServer, store: Store
) -> None:
    await add_version(store, "older")
    await telegram.send(person=ANNA, text="/retrain full")
    [progress] = await telegram.sent("sendMessage")
    assert "Retraining (full), asked for by you" in progress["text"]
    assert labels(progress) == [["Cancel"]]
    running = await store.retrainings.running()
    assert running is not None
    await store.retrainings.beat(running.id, "learning", 0.42)
    [edited] = await telegram.sent("editMessageText")
    assert edited["message_id"] == progress["message_id"]
    assert "▰▰▰▰▱▱▱▱▱▱ 42%\nlearning" in edited["text"]
    await telegram.tap(edited, "Cancel", person=ANNA)
    [notice] = await telegram.sent("answerCallbackQuery")
    assert notice["text"] == admin_texts.CANCELLING
    assert await store.retrainings.beat(running.id, "learning", 0.42)
    await add_version(store, "full-1")
    await store.retrainings.finish(running.id, State.DONE, "", "full-1")
    report = (await telegram.sent("editMessageText", 2))[1]
    assert "learned from 70 faces of 14 people" in report["text"]
    assert labels(report) == [["Promote full-1", "Shadow full-1"]]
    await telegram.tap(report, "Promote", person=ANNA)
    done = (await telegram.sent("editMessageText", 3))[2]
    assert done["text"].startswith("full-1 is served from now on")
    assert await telegram.count("sendMessage") == 1
    assert await _active(store) == "full-1"


async def test_the_last_word_of_a_retraining_comes_in_a_new_message_where_the_old_one_cannot_be_edited(
    telegram: TelegramServer, store: Store
) -> None:
    await telegram.send(person=ANNA, text="/retrain")
    await telegram.sent("sendMessage")
    running = await store.retrainings.running()
    assert running is not None
    telegram.is_away_for_edits = True
    await add_version(store, "adapt-1")
    await store.retrainings.finish(running.id, State.DONE, "", "adapt-1")
    report = (await telegram.sent("sendMessage", 2))[1]
    assert "learned from 70 faces of 14 people" in report["text"]
    assert labels(report) == [["Promote adapt-1", "Shadow adapt-1"]]


async def test_what_is_not_offered_says_how_to_promote_it_all_the_same(telegram: TelegramServer, store: Store) -> None:
    await telegram.send(person=ANNA, text="/retrain")
    await telegram.sent("sendMessage")
    running = await store.retrainings.running()
    assert running is not None
    await add_version(store, "worse", offered=False)
    await store.retrainings.finish(running.id, State.DONE, "", "worse")
    [report] = await telegram.sent("editMessageText")
    assert "no better" in report["text"]
    assert 'python -m training promote worse --because "REASON"' in report["text"]
    assert labels(report) == [["Shadow worse"]]
    await telegram.send(person=ANNA, text="/promote worse I have seen the faces")
    promoted = (await telegram.sent("sendMessage", 2))[1]
    assert admin_texts.REASON_KEPT in promoted["text"]
    assert (await store.versions.history(1))[0].reason == "I have seen the faces"


async def test_a_second_admin_sees_the_progress_of_the_first(telegram: TelegramServer, store: Store) -> None:
    await telegram.send(person=ANNA, text="/retrain")
    await telegram.sent("sendMessage")
    await telegram.send(person=BERT, text="/retrain")
    berts = (await telegram.sent("sendMessage", 2))[1]
    assert "asked for by an admin on Telegram" in berts["text"]
    assert await count_rows(store, "retrainings") == 1


async def test_of_two_admins_who_promote_the_second_is_told(telegram: TelegramServer, store: Store) -> None:
    await add_version(store, "a")
    await add_version(store, "b")
    for admin in (ANNA, BERT):
        await telegram.send(person=admin, text="/models")
    pages = {page["chat_id"]: page for page in await telegram.sent("sendMessage", 2)}
    await telegram.tap(pages[ANNA], "Promote a", person=ANNA)
    await telegram.sent("editMessageText")
    await telegram.tap(pages[BERT], "Promote b", person=BERT)
    told = (await telegram.sent("editMessageText", 2))[1]
    assert told["text"].startswith("a was promoted by someone else meanwhile")
    assert await _active(store) == "a"
    await telegram.send(person=BERT, text="/rollback")
    offer = (await telegram.sent("sendMessage", 3))[2]
    await telegram.tap(offer, f"Go back to {SHIPPED}", person=BERT)
    await telegram.sent("editMessageText", 3)
    assert await _active(store) == SHIPPED


async def test_stopping_does_not_wait_for_a_retraining(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker
) -> None:
    async with (
        admin_service(recognizer, store, picture_maker, f"telegram:{ANNA}") as service,
        telegram_server() as server,
        asyncio.timeout(PATIENCE_S),  # the retraining never ends
        served(service, server),
    ):
        await server.send(person=ANNA, text="/retrain")
        await server.sent("sendMessage")
    assert await store.retrainings.running() is not None


async def test_admins_who_have_written_to_the_bot_have_their_commands_in_the_menu(telegram: TelegramServer) -> None:
    await telegram.until(lambda: len(telegram.scoped_commands.get(f"chat {ANNA}", {})) == 10)
    assert set(telegram.scoped_commands) == {"all_chat_administrators", f"chat {ANNA}"}
    assert {"help", *admin_texts.COMMANDS} < set(telegram.scoped_commands[f"chat {ANNA}"]["de"])
    assert "chat_settings" in telegram.scoped_commands["all_chat_administrators"][""]
    assert not {"chat_settings", *admin_texts.COMMANDS} & set(telegram.commands[""])


async def test_who_was_an_admin_once_loses_their_menu_when_they_use_it(telegram: TelegramServer) -> None:
    await telegram.until(lambda: len(telegram.scoped_commands.get(f"chat {ANNA}", {})) == len(OWN_NAMES))
    telegram.scoped_commands[f"chat {EVE}"] = dict(telegram.scoped_commands[f"chat {ANNA}"])
    await telegram.send(person=EVE, chat=GROUP, text="/models@telemelya_bot")
    await telegram.sent("sendMessage")
    assert not telegram.called("getMyCommands")
    telegram.fail("deleteMyCommands", Fault(400, "Bad Request: no"))
    with capture_logs() as logs:
        await telegram.send(person=EVE, text="/models")
        await until(lambda: any(line["event"] == "menu_not_withdrawn" for line in logs))
    await telegram.sent("sendMessage", 2)
    await telegram.send(person=EVE, text="/models")
    await telegram.until(lambda: not telegram.scoped_commands[f"chat {EVE}"])
    for count, person in enumerate((EVE, BERT, ANNA), start=4):
        await telegram.send(person=person, text="/models")
        await telegram.sent("sendMessage", count)
    assert len(telegram.called("getMyCommands")) == 2
    assert len(telegram.scoped_commands[f"chat {ANNA}"]) == len(OWN_NAMES)


async def test_of_a_stranger_telegram_is_asked_once_whether_they_have_a_menu(telegram: TelegramServer) -> None:
    for count in (1, 2, 3):
        await telegram.send(person=EVE, text="/models")
        await telegram.sent("sendMessage", count)
    await telegram.until(lambda: telegram.called("getMyCommands"))
    await telegram.send(person=EVE, text="/start")
    await telegram.sent("sendMessage", 4)
    assert len(telegram.called("getMyCommands")) == 1
    assert not telegram.called("deleteMyCommands")


async def test_a_groups_administrator_lets_everybody_tap_and_a_member_does_not(
    telegram: TelegramServer, store: Store, selfie: bytes
) -> None:
    telegram.statuses |= {(GROUP, ANNA): "member", (GROUP, BERT): "administrator", (GROUP, EVE): "creator"}
    photo = await telegram.send(person=ANNA, chat=GROUP, photo=telegram.picture(selfie), caption="/emoji")
    [answer] = await telegram.sent("sendMessage")
    second = labels(answer)[0][1]
    await telegram.tap(answer, second, person=EVE, original=photo, **_IN_GROUP)
    await telegram.sent("answerCallbackQuery")  # updates are handled at once: this one before its setting changes
    await telegram.send(person=ANNA, chat=GROUP, text="/chat_settings")
    refused = (await telegram.sent("sendMessage", 2))[1]
    assert refused["text"] == texts.CHAT_ADMINS_ONLY
    await telegram.send(person=EVE, chat=GROUP, text="/chat_settings")
    settings = (await telegram.sent("sendMessage", 3))[2]
    assert texts.SENDER_TAPS in settings["text"]
    await telegram.tap(settings, texts.LET_EVERYONE_TAP, person=ANNA, **_IN_GROUP)
    await telegram.tap(settings, texts.LET_EVERYONE_TAP, person=BERT, **_IN_GROUP)
    [changed] = await telegram.sent("editMessageText")
    assert texts.EVERYONE_TAPS in changed["text"]
    await telegram.tap(answer, second, person=EVE, original=photo, **_IN_GROUP)
    notices = [each["text"] for each in await telegram.sent("answerCallbackQuery", 4)]
    assert sorted(notices) == sorted([texts.NOT_YOURS, texts.CHAT_ADMINS_ONLY, texts.SETTING_KEPT, texts.VOTED])
    assert await count_rows(store, "taps WHERE person_id IS NOT NULL") == 1
    assert await telegram.count("editMessageText") == 1
    assert len(telegram.reactions) <= 1


async def test_in_a_private_chat_one_is_ones_own_administrator(telegram: TelegramServer) -> None:
    await telegram.send(person=EVE, text="/chat_settings")
    [settings] = await telegram.sent("sendMessage")
    assert labels(settings)[-1] == [texts.LET_EVERYONE_TAP]


async def test_an_anonymous_administrator_speaks_as_the_group(telegram: TelegramServer) -> None:
    chat = {"id": GROUP, "type": "group", "title": "G"}
    await telegram.send(person=1087968824, chat=GROUP, text="/chat_settings", sender_chat=chat)
    [settings] = await telegram.sent("sendMessage")
    assert texts.SENDER_TAPS in settings["text"]


async def _active(store: Store) -> str:
    held = await store.versions.holding(Role.ACTIVE)
    assert held is not None
    return held.name


def _size(content: bytes) -> tuple[int, int]:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return decoded.shape[0], decoded.shape[1]
