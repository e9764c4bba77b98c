"""The log of a busy and unlucky day on Telegram names nobody."""

from typing import Any

import pytest

from bots.conversation import texts
from db import Person, Platform, Store
from tests.bots.log_privacy import assert_names_nothing, logged_at_debug
from tests.bots.telegram.server import TOKEN, Fault, TelegramServer, labels
from tests.rows import execute
from tests.waiting import until

ADA, BERT, GROUP = 778899001122, 665544332211, -1009876543210
NAMES = {"first_name": "Adalgisa", "last_name": "Whitcombe", "username": "whitcombe_adalgisa"}
ADMIN_COMMANDS = ("/review", "/retrain", "/models", "/rollback", "/promote")


def _said_by(person: int, chat: int) -> dict[str, Any]:
    sender = {"id": person, "is_bot": False, "language_code": "en", **NAMES}
    return {"person": person, "chat": chat, "from": sender}


async def test_photos_taps_commands_and_failures_leave_no_trace_of_people(
    telegram: TelegramServer, store: Store, selfie: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged_at_debug():
        alone, group = _said_by(ADA, ADA), _said_by(BERT, GROUP)
        message = await telegram.send(photo=telegram.picture(selfie), caption="my secret caption", **alone)
        [answer] = await telegram.sent("sendMessage")
        await telegram.tap(answer, labels(answer)[0][1], person=ADA, original=message)
        question = (await telegram.sent("sendMessage", 2))[1]
        await telegram.tap(question, texts.ALLOW_FACES, person=ADA)
        await telegram.sent("editMessageText", 2)
        await telegram.tap(answer, labels(answer)[0][1], person=BERT, original=message)
        for name in ("start", "help", "settings", "privacy", "my_data", "chat_settings", "play", "forget_me"):
            await telegram.send(text=f"/{name}", **alone)
            await telegram.send(text=f"/{name}@telemelya_bot", **group)
        for name in ADMIN_COMMANDS:
            await telegram.send(text=name, **alone)
        await telegram.send(document={"file_id": "gone4711", "file_unique_id": "u", "mime_type": "image/png"}, **alone)
        await telegram.send(photo=telegram.picture(selfie[:3000]), **alone)
        telegram.fail("sendMessage", Fault(400, f"Bad Request: chat {ADA} not found"))
        await telegram.send(photo=telegram.picture(selfie), **alone)
        await telegram.send(text="/emoji", **group, reply_to_message=message)
        await execute(store, "DROP TABLE taps", "DROP TABLE people")
        await telegram.send(photo=telegram.picture(selfie), **alone)
        await telegram.tap(answer, labels(answer)[0][0], person=ADA, original=message)
        log = ""

        def tells_of_the_fault() -> bool:
            nonlocal log
            log += capsys.readouterr().err
            return "preferences_not_read" in log

        await until(tells_of_the_fault)
        before = len(await telegram.sent("sendMessage"))
        await telegram.send(text="/help", **alone)
        await telegram.sent("sendMessage", before + 1)
    log += capsys.readouterr().err
    secrets = [TOKEN, ADA, BERT, GROUP, *NAMES.values(), "secret caption", *telegram.files, "gone4711"]
    hashes = [Person(Platform.TELEGRAM, str(number)).hashed("a secret for tests") for number in (ADA, BERT)]
    links = [telegram.url.removeprefix("http://") + "/", "t.me/", *hashes]
    assert_names_nothing(log, [*secrets, *links], telegram.files.values())
    assert "preferences_not_read" in log
