"""Albums by webhook: each message is acknowledged before the next one comes, perhaps to another process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bots.conversation import texts
from bots.conversation.service import EmojiService
from db import Automatic, Chat, ChatChoices, Person, Platform, Store, gathering
from tests.bots.telegram.server import TelegramServer, served, telegram_server
from tests.bots.telegram.test_webhook import Process
from tests.faults import Faults
from tests.rows import count_rows, nothing_is_open, select_rows
from tests.waiting import until

GROUP = -5
OF_PICTURE = texts.OF_PICTURE.split("{", maxsplit=1)[0].strip()
QUIET_S = 1.0
"""Longer than a busy machine takes from one message of an album to the next, with what each writes to the disk."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def server(service: EmojiService, store: Store) -> AsyncIterator[TelegramServer]:
    """Two processes to which the messages come in turn."""
    processes = [Process(store) for _ in range(2)]
    async with telegram_server() as server, AsyncExitStack() as stack:
        for each in processes:
            await stack.enter_async_context(each.listening())
            await stack.enter_async_context(served(service, server, source=each.webhook, album_quiet_s=QUIET_S))
        await until(lambda: len(server.called("setWebhook")) == 2)
        server.webhook.targets = [each.address for each in processes]
        yield server


async def settled(server: TelegramServer) -> None:
    """Wait until everything is acknowledged, and an album's quiet is over, which may begin anew once."""
    await until(lambda: not server.webhook.waiting)
    await asyncio.sleep(2 * QUIET_S + 0.7)


async def test_an_album_that_comes_to_two_processes_is_answered_once(
    server: TelegramServer, selfie: bytes, store: Store
) -> None:
    sent = [await server.send(photo=server.picture(selfie), media_group_id="a") for _ in range(5)]
    await settled(server)
    [answer] = await server.sent("sendMessage")
    assert answer["text"].count(OF_PICTURE) == 5
    [call] = server.called("sendMessage")
    assert f'"message_id": {sent[0]["message_id"]}' in call.fields["reply_parameters"]
    await until(lambda: server.reactions)
    assert set(server.webhook.statuses) == {200}
    await nothing_is_open(store)
    assert await count_rows(store, "answered_messages") == 1


async def test_what_comes_after_the_answer_is_left_out(server: TelegramServer, selfie: bytes) -> None:
    await server.send(photo=server.picture(selfie), media_group_id="a")
    await server.sent("sendMessage")
    await server.send(photo=server.picture(selfie), media_group_id="a")
    await settled(server)
    assert await server.count("sendMessage") == 1


async def test_a_caption_on_any_message_speaks_for_the_album(server: TelegramServer, selfie: bytes) -> None:
    for number in range(3):
        caption = "/emoji_me" if number == 2 else None
        await server.send(chat=GROUP, photo=server.picture(selfie), media_group_id="a", caption=caption)
    await server.sent("sendPhoto")
    await settled(server)
    assert not server.called("sendMessage")


async def test_of_an_album_that_nobody_asked_about_nothing_is_kept(
    server: TelegramServer, selfie: bytes, store: Store
) -> None:
    for _ in range(2):
        await server.send(chat=GROUP, photo=server.picture(selfie), media_group_id="a")
    await settled(server)
    await nothing_is_open(store)
    assert not server.called("getFile")
    assert await count_rows(store, "answered_messages") == 0


async def test_an_album_in_a_chat_with_automatic_reactions_gets_one(
    server: TelegramServer, selfie: bytes, store: Store
) -> None:
    def react(_before: ChatChoices) -> ChatChoices:
        return ChatChoices(automatic=Automatic.REACT)

    await store.chats.change(Chat(Platform.TELEGRAM, str(GROUP)), react)
    sent = [await server.send(chat=GROUP, photo=server.picture(selfie), media_group_id="a") for _ in range(3)]
    await server.until(lambda: server.reactions)
    await settled(server)
    assert [message for _, message, _ in server.reactions] == [sent[0]["message_id"]]


async def test_an_album_of_other_files_gets_one_sentence(server: TelegramServer) -> None:
    for _ in range(3):
        document = {**server.file(b"%PDF"), "mime_type": "application/pdf"}
        await server.send(document=document, media_group_id="a")
    await settled(server)
    assert [each["text"] for each in await server.sent("sendMessage")] == [texts.NO_PICTURE_FILE]


async def test_the_journal_keeps_no_word_of_an_album(server: TelegramServer, selfie: bytes, store: Store) -> None:
    caption = "/emoji of my secret garden"
    await server.send(photo=server.picture(selfie), media_group_id="a", caption=caption)
    await until(lambda: not server.webhook.waiting)
    [row] = await select_rows(store, "SELECT address FROM open_messages")
    assert "garden" not in str(row)
    await server.sent("sendMessage")


def part(server: TelegramServer, photo: bytes, message: int, **facts: Any) -> dict[str, Any]:
    file = {"id": server.file(photo)["file_id"], "size": 0, "is_photo": True, "has_spoiler": False}
    place = {"chat": 7, "type": "private", "message": message, "answered": message, "person": 7, "language": "en"}
    nobody = dict.fromkeys(("speaks_as", "topic", "direct_topic", "sender"))
    asked = {"wish": "emoji", "has_wish": False, "asks": True, "is_new": True, "files": [file], "numbers": [message]}
    return {**place, **nobody, **asked, **facts}


async def leave_open(
    store: Store, server: TelegramServer, photo: bytes, held_until: datetime = LONG_AGO, **facts: Any
) -> int:
    """Store an album of two as a process leaves it that died while it gathered."""
    person, chat = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "7")
    name, now = chat.message("album a"), datetime.now(UTC)
    first = gathering(part(server, photo, 41, **facts))
    opened = await store.journal.open(person, chat, name, first, "another", now, held_until)
    assert await store.journal.extend(store.journal.hash_of(name), part(server, photo, 40, **facts), 10)
    assert opened.id is not None
    return opened.id


async def test_an_album_of_a_process_that_died_is_answered_by_another(
    server: TelegramServer, selfie: bytes, store: Store
) -> None:
    await leave_open(store, server, selfie)
    [answer] = await server.sent("sendMessage")
    assert answer["text"].count(OF_PICTURE) == 2
    assert '"message_id": 40' in server.called("sendMessage")[0].fields["reply_parameters"]


async def test_for_one_that_may_be_answered_there_is_an_apology(
    server: TelegramServer, selfie: bytes, store: Store
) -> None:
    number = await leave_open(store, server, selfie, held_until=datetime.now(UTC) + timedelta(minutes=1))
    assert await store.journal.begin_to_send(number, "another", 0, "")
    await store.journal.renew("another", LONG_AGO)
    [said] = await server.sent("sendMessage")
    assert said["text"] == texts.MAYBE_ANSWERED


async def test_one_that_nobody_asked_about_is_dropped(server: TelegramServer, selfie: bytes, store: Store) -> None:
    await leave_open(store, server, selfie, asks=False, chat=GROUP, type="group")
    await nothing_is_open(store)
    assert not server.called("sendMessage")
    assert await count_rows(store, "answered_messages") == 0


async def test_without_the_database_each_photo_is_answered_alone(
    server: TelegramServer, selfie: bytes, faults: Faults
) -> None:
    with faults.full_disk():
        for _ in range(2):
            await server.send(photo=server.picture(selfie), media_group_id="a")
        await server.sent("sendMessage", 2)
        await settled(server)
    assert await server.count("sendMessage") == 2


async def test_a_photo_that_cannot_be_added_to_its_album_is_answered_alone(
    server: TelegramServer, selfie: bytes, faults: Faults
) -> None:
    def fault(statement: str) -> OperationalError | None:  # of reading the album to add to it, nothing else
        is_of_adding = statement.startswith("SELECT open_messages.id") and statement.endswith("message_hash = ?")
        return OperationalError(statement, {}, OSError("the database is gone")) if is_of_adding else None

    with faults.on(fault):
        sent = [await server.send(photo=server.picture(selfie), media_group_id="a") for _ in range(2)]
        await server.sent("sendMessage", 2)
        await settled(server)
    answered = sorted(
        json.loads(call.fields["reply_parameters"])["message_id"] for call in server.called("sendMessage")
    )
    assert answered == [each["message_id"] for each in sent]


async def test_an_edit_of_an_album_that_was_answered_is_not_answered_whichever_process_gets_it(
    server: TelegramServer, selfie: bytes
) -> None:
    sent = [
        await server.send(chat=GROUP, photo=server.picture(selfie), media_group_id="a", caption=caption)
        for caption in ("/emoji", None)
    ]
    await server.sent("sendMessage")
    for message in (*sent, *sent):
        await server.edit(message, caption="/emoji please")
    await settled(server)
    assert await server.count("sendMessage") == 1


async def test_an_edit_that_wants_emoji_me_of_an_answered_album_gets_it(server: TelegramServer, selfie: bytes) -> None:
    sent = [await server.send(photo=server.picture(selfie), media_group_id="a") for _ in range(2)]
    await server.sent("sendMessage")
    for _ in range(2):
        await server.edit(sent[1], caption="/emoji_me")
    await settled(server)
    assert (await server.count("sendMessage"), await server.count("sendPhoto")) == (1, 1)


async def test_an_edit_of_an_album_that_got_emoji_me_is_not_answered_by_the_same_process(
    server: TelegramServer, selfie: bytes
) -> None:
    server.webhook.targets = server.webhook.targets[:1]
    sent = [
        await server.send(photo=server.picture(selfie), media_group_id="a", caption=caption)
        for caption in ("/emoji_me", None)
    ]
    await server.sent("sendPhoto")
    for message in sent:
        await server.edit(message, caption="/emoji_me please")
    await settled(server)
    assert await server.count("sendPhoto") == 1


async def test_an_edit_that_newly_speaks_to_the_bot_in_an_album_is_answered_once(
    server: TelegramServer, selfie: bytes
) -> None:
    sent = [await server.send(chat=GROUP, photo=server.picture(selfie), media_group_id="a") for _ in range(2)]
    await server.edit(sent[1], caption="/emoji")  # perhaps while it is gathered, without an answer
    await settled(server)
    await server.edit(sent[1], caption="/emoji!")
    await settled(server)
    [call] = server.called("sendMessage")
    assert json.loads(call.fields["reply_parameters"])["message_id"] == sent[1]["message_id"]
