"""The adapter as it runs for an operator, against a small Discord on loopback: refusals, lost calls, rate limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bots.adapter import AdapterError
from bots.conversation import texts
from bots.conversation.languages import speak
from bots.conversation.service import EmojiService
from bots.conversation.waiting_notice import waiting_notice
from bots.discord import commands, delivery
from bots.discord.adapter import DiscordAdapter
from bots.discord.addressing import Address
from bots.discord.answering import Answers
from bots.serving.admission import CAPS, Kind
from db import Chat, Person, Platform, Store
from tests.bots.discord.server import (
    ALICE,
    CHANNEL,
    GUILD,
    LOADING,
    ME,
    SECOND_CHANNEL,
    DiscordServer,
    Refusal,
    photo_of,
    rate_limit,
)
from tests.rows import count_rows, execute, nothing_is_open
from tests.waiting import PATIENCE_S, until

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MESSAGES, REACTIONS = r"^/channels/\d+/messages$", r"/reactions/"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch, selfie: bytes) -> AsyncIterator[DiscordServer]:
    monkeypatch.setattr(delivery, "PAUSES_S", (0.05, 0.05, 0.05))
    made = DiscordServer()

    async def photo(_request: web.Request) -> web.Response:
        return web.Response(body=selfie)

    made.files = {"me.jpg": photo}
    async with made.running(monkeypatch):
        yield made


@pytest.fixture
async def online(server: DiscordServer, service: EmojiService) -> AsyncIterator[DiscordServer]:
    """Return the server once the bot is connected to it."""
    async with serving(service):
        async with asyncio.timeout(PATIENCE_S):
            await server.is_ready.wait()
        yield server


@asynccontextmanager
async def serving(service: EmojiService, *, reads_all_messages: bool = False) -> AsyncIterator[asyncio.Task[None]]:
    adapter = DiscordAdapter(service, "not.a.token", reads_all_messages=reads_all_messages)
    task = asyncio.create_task(adapter.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _begun(server: DiscordServer, service: EmojiService, stop_after_s: float) -> asyncio.Task[None]:
    """Return the adapter's task once it is connected; a test ends it itself."""
    running = asyncio.create_task(DiscordAdapter(service, "not.a.token", stop_after_s=stop_after_s).run())
    async with asyncio.timeout(PATIENCE_S):
        await server.is_ready.wait()
    return running


def _hold_back(server: DiscordServer, name: str, content: bytes = b"") -> tuple[asyncio.Event, asyncio.Event]:
    """Let a file come only once the second event is set; the first one is as soon as it is asked for."""
    is_asked_for, may_come = asyncio.Event(), asyncio.Event()

    async def held(_request: web.Request) -> web.Response:
        is_asked_for.set()
        await may_come.wait()
        return web.Response(body=content)

    server.files[name] = held
    return is_asked_for, may_come


async def send_selfie(server: DiscordServer, **facts: Any) -> dict[str, Any]:
    return await server.write(f"<@{ME}>", attachments=[photo_of(server)], **facts)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_token_refused_with_any_status_is_one_sentence(
    server: DiscordServer, service: EmojiService, status: int
) -> None:
    server.refuse("GET", "^/users/@me$", Refusal(status))
    with pytest.raises(AdapterError, match="DISCORD_TOKEN") as refusal:
        await DiscordAdapter(service, "not.a.token").run()
    assert "not.a.token" not in str(refusal.value)


async def test_a_page_of_a_proxy_is_no_refusal_of_the_token(server: DiscordServer, service: EmojiService) -> None:
    server.refuse("GET", "^/users/@me$", Refusal(403, body="<html>Sorry, you have been blocked</html>"))
    with capture_logs() as logs:
        async with serving(service), asyncio.timeout(PATIENCE_S):
            await server.is_ready.wait()
    assert [each["status"] for each in logs if each["event"] == "discord_unreachable"] == [403]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(4004, "DISCORD_TOKEN"), (4013, "discord.py"), (4012, "discord.py"), (4014, "Message Content")],
)
async def test_a_connection_that_discord_closes_for_good_is_one_sentence(
    server: DiscordServer, service: EmojiService, code: int, sentence: str
) -> None:
    server.close_code = code
    with pytest.raises(AdapterError, match=sentence):
        await DiscordAdapter(service, "not.a.token", reads_all_messages=True).run()


async def test_the_intent_for_content_is_asked_for_only_where_the_operator_says_so(
    server: DiscordServer, service: EmojiService
) -> None:
    for reads_all_messages in (False, True):
        server.is_ready.clear()
        async with serving(service, reads_all_messages=reads_all_messages), asyncio.timeout(PATIENCE_S):
            await server.is_ready.wait()
    assert [bool(each["intents"] & 1 << 15) for each in server.identified] == [False, True]


@pytest.mark.parametrize("malformed", [{}, {"id": "1"}, None, [], "text", {"id": "x", "channel_id": "y", "author": 3}])
async def test_a_malformed_event_is_left_out_and_the_next_answered(online: DiscordServer, malformed: object) -> None:
    with capture_logs() as logs:
        for event in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "INTERACTION_CREATE", "MESSAGE_REACTION_ADD", "GUILD_CREATE"):
            await online.send(event, malformed)
        await send_selfie(online)
        await until(lambda: online.answers)
    assert any(each["event"] == "malformed_event" for each in logs)
    assert len(online.identified) == 1
    assert "You look happy" in online.answers[0]["content"]


async def test_what_is_no_event_at_all_leads_to_a_new_connection(
    online: DiscordServer, capsys: pytest.CaptureFixture[str]
) -> None:
    online.is_ready.clear()
    assert online._socket is not None
    with capture_logs() as logs:
        await online._socket.send_str('{"op": 0, "t": "MESSAGE_CREATE"')
        async with asyncio.timeout(PATIENCE_S):
            await online.is_ready.wait()
    [told] = [each for each in logs if each["event"] == "discord_unreachable"]
    assert told["reason"] == "JSONDecodeError"
    assert len(online.identified) == 2
    assert "Traceback" not in capsys.readouterr().err


async def test_a_rate_limit_on_a_reaction_holds_up_no_answer(online: DiscordServer) -> None:
    online.refuse("PUT", REACTIONS, rate_limit(8.0), rate_limit(0.5), rate_limit(0.5))
    for _ in range(3):
        await send_selfie(online)
    await until(lambda: len(online.answers) == 3)
    assert not online.reactions
    await until(lambda: len(online.reactions) == 3)


async def test_a_rate_limit_on_a_message_delays_only_its_own_channel(online: DiscordServer) -> None:
    online.refuse("POST", MESSAGES, rate_limit(8.0))
    slow = await send_selfie(online)
    await until(lambda: online.calls_of("POST", MESSAGES))
    await send_selfie(online, channel_id=SECOND_CHANNEL)
    await until(lambda: len(online.answers) == 2)
    assert [each["channel_id"] for each in online.answers] == [str(SECOND_CHANNEL), slow["channel_id"]]


@pytest.mark.parametrize(
    "lost",
    [Refusal(drops=True), Refusal(drops=True, after_effect=True), Refusal(503), Refusal(503, after_effect=True)],
)
async def test_an_answer_lost_on_the_way_is_sent_again_and_arrives_once(online: DiscordServer, lost: Refusal) -> None:
    online.refuse("POST", MESSAGES, lost)
    photo = await send_selfie(online)
    await until(lambda: int(photo["id"]) in online.reactions)
    [answer] = online.answers
    assert "You look happy" in answer["content"]
    first, second = online.calls_of("POST", MESSAGES)
    assert first.body["nonce"] == second.body["nonce"]
    assert second.body["enforce_nonce"]


async def test_an_answer_lost_for_good_is_one_line_without_its_content(online: DiscordServer) -> None:
    online.refuse("POST", MESSAGES, *[Refusal(503)] * 4)
    with capture_logs() as logs:
        await send_selfie(online)
        await until(lambda: any(each["event"] == "answer_lost" for each in logs))
    [line] = [each for each in logs if each["event"] == "answer_lost"]
    assert line["status"] == 503
    assert "happy" not in str(line)
    assert not online.calls_of("PUT", REACTIONS)


@pytest.mark.parametrize(
    "gone",
    [
        Refusal(404, body={"code": 10008, "message": "Unknown Message"}),
        Refusal(
            400,
            body={
                "code": 50035,
                "message": "Invalid Form Body",
                "errors": {
                    "message_reference": {
                        "_errors": [{"code": "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "message": "Unknown message"}]
                    }
                },
            },
        ),
    ],
)
async def test_of_a_photo_that_is_gone_nothing_is_shown_and_nothing_else_tried(
    online: DiscordServer, gone: Refusal
) -> None:
    online.refuse("POST", MESSAGES, gone)
    await send_selfie(online)
    await until(lambda: online.answers)
    [answer] = online.answers
    assert answer["content"] == texts.PHOTO_GONE
    assert "message_reference" not in answer
    await send_selfie(online)
    await until(lambda: len(online.reactions) == 1)
    assert len(online.calls_of("PUT", REACTIONS)) == 1


async def test_of_quick_presses_the_last_wins_everywhere(online: DiscordServer) -> None:
    photo = await send_selfie(online)
    await until(lambda: int(photo["id"]) in online.reactions)
    [answer] = online.answers
    buttons = answer["components"][0]["components"]
    for place in (1, 2, 0, 1, 2, 1):
        await online.press(answer, buttons[place]["custom_id"])
    emoji = buttons[1]["label"]
    await until(lambda: len(online.calls_of("PATCH", "/messages/@original")) == 6)
    await until(lambda: online.reactions[int(photo["id"])] == {emoji})
    assert emoji in answer["content"]


async def test_a_press_whose_acknowledgement_is_slow_keeps_its_place(
    online: DiscordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = await send_selfie(online)
    await until(lambda: int(photo["id"]) in online.reactions)
    [answer] = online.answers
    buttons = answer["components"][0]["components"]
    online.refuse("POST", "/callback$", rate_limit(0.5))
    await online.press(answer, buttons[1]["custom_id"])
    await online.press(answer, buttons[2]["custom_id"])
    await until(lambda: len(online.calls_of("PATCH", "/messages/@original")) == 2)
    assert buttons[2]["label"] in answer["content"]
    await until(lambda: online.reactions[int(photo["id"])] == {buttons[2]["label"]})


async def test_a_reaction_that_is_refused_for_a_while_is_replaced_all_the_same(online: DiscordServer) -> None:
    photo = await send_selfie(online)
    await until(lambda: int(photo["id"]) in online.reactions)
    [answer] = online.answers
    buttons = answer["components"][0]["components"]
    online.refuse("DELETE", REACTIONS, Refusal(503))
    online.refuse("PUT", REACTIONS, Refusal(503), Refusal(drops=True, after_effect=True))
    await online.press(answer, buttons[1]["custom_id"])
    await until(lambda: online.reactions[int(photo["id"])] == {buttons[1]["label"]})


async def test_where_it_may_speak_is_taken_for_granted_while_discord_does_not_say(online: DiscordServer) -> None:
    slept = CHANNEL + 500
    online.refuse("GET", f"/channels/{slept}$", Refusal(503), Refusal(503))
    await send_selfie(online, channel_id=slept)
    await until(lambda: online.answers)
    assert "You look happy" in online.answers[0]["content"]
    await send_selfie(online, channel_id=slept)
    await until(lambda: len(online.calls_of("GET", f"/channels/{slept}$")) == 3)
    await asyncio.sleep(0.3)
    assert len(online.answers) == 1, "Discord says that the channel is not there"


async def test_a_file_that_does_not_end_is_cut_off(online: DiscordServer) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": "1000000000"})
        await response.prepare(request)
        while sent < 2**27:
            await response.write(bytes(2**20))
            sent += 2**20
        return response

    online.files["endless.jpg"] = endless
    files = [photo_of(online, "endless.jpg"), photo_of(online, number=2)]
    await online.write(f"<@{ME}>", attachments=files)
    await until(lambda: online.answers)
    assert "You look happy" in online.answers[0]["content"]
    assert online.answers[0]["content"].endswith(texts.SOME_TOO_LARGE)
    assert sent < 2**26


async def test_a_failure_in_an_event_is_one_line(
    online: DiscordServer, service: EmojiService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_reaction: object) -> None:
        raise ValueError("what somebody wrote")

    monkeypatch.setattr(service, "on_reaction", fail)
    facts = {"user_id": str(ALICE), "channel_id": "4000", "message_id": "5", "guild_id": "3000", "type": 0}
    with capture_logs() as logs:
        await online.send("MESSAGE_REACTION_ADD", facts | {"emoji": {"id": None, "name": "😁"}, "burst": False})
        await until(lambda: any(each["event"] == "discord_event_failed" for each in logs))
    [line] = [each for each in logs if each["event"] == "discord_event_failed"]
    assert line["reason"] == "ValueError"
    assert "somebody" not in str(line) + capsys.readouterr().err


async def _left_open(server: DiscordServer, store: Store, **facts: Any) -> tuple[int, int]:
    """Let a photo be left open by another process; return its numbers: at Discord, and in the journal."""
    message = server._message(CHANNEL, f"<@{ME}>") | {
        "author": {"id": str(ALICE), "username": "alice", "discriminator": "0", "avatar": None},
        "attachments": [photo_of(server)],
    }
    number = facts.get("message", int(message["id"]))
    server.messages.setdefault(number, message)
    asking = facts.get("asking", number)
    place = {"channel": CHANNEL, "guild": GUILD, "message": number, "asking": asking, "person": ALICE, "language": ""}
    chat = Chat(Platform.DISCORD, str(CHANNEL))
    since = facts.get("since", datetime.now(UTC))
    alice = Person(Platform.DISCORD, str(ALICE))
    entry = await store.journal.open(alice, chat, chat.message(str(number)), place, "another", since, LONG_AGO)
    assert entry.id is not None
    return number, entry.id


async def test_photos_that_were_left_open_are_answered_after_the_start(
    server: DiscordServer, service: EmojiService, store: Store
) -> None:
    number, _ = await _left_open(server, store)
    gone, _ = await _left_open(server, store)
    del server.messages[gone]
    async with serving(service):
        await until(lambda: len(server.answers) == 2)
        await nothing_is_open(store)
    said = {each.get("message_reference", {}).get("message_id"): each["content"] for each in server.answers}
    assert "You look happy" in said[number]
    assert said[None] == texts.PHOTO_GONE


@pytest.mark.parametrize("was_sent", [False, True])
async def test_whether_an_answer_was_sent_is_looked_up(
    server: DiscordServer, service: EmojiService, store: Store, was_sent: bool
) -> None:
    number, entry = await _left_open(server, store)
    assert await store.journal.begin_to_send(entry, "another", 0, "")
    if was_sent:
        answer = server._message(CHANNEL, "You look happy")
        answer |= {"message_reference": {"channel_id": str(CHANNEL), "message_id": str(number)}}
        server.messages[int(answer["id"])] = answer
    async with serving(service):
        await nothing_is_open(store)
        sent = server.calls_of("POST", MESSAGES)
    assert len(sent) == (0 if was_sent else 1)


@pytest.mark.parametrize("is_sending", [False, True])
async def test_a_notice_that_somebody_has_to_wait_is_no_answer_and_is_replaced_by_it(
    server: DiscordServer, service: EmojiService, store: Store, is_sending: bool
) -> None:
    number, entry = await _left_open(server, store)
    if is_sending:
        assert await store.journal.begin_to_send(entry, "another", 0, "")
    notice = _reply(server, number, NOTICE)
    async with serving(service):
        await nothing_is_open(store)
    assert "You look happy" in server.messages[notice]["content"]
    assert not server.calls_of("POST", MESSAGES)


async def test_an_answer_to_who_asked_before_is_none_to_who_asks_again(
    server: DiscordServer, service: EmojiService, store: Store
) -> None:
    number, _ = await _left_open(server, store)
    _reply(server, number, "You look happy")
    asking = server._message(CHANNEL, f"<@{ME}>") | {"author": server.messages[number]["author"]}
    server.messages[int(asking["id"])] = asking
    await execute(store, "DELETE FROM open_messages")
    _, entry = await _left_open(server, store, message=number, asking=int(asking["id"]))
    assert await store.journal.begin_to_send(entry, "another", 0, "")
    async with serving(service):
        await nothing_is_open(store)
    assert len(server.calls_of("POST", MESSAGES)) == 1


def _reply(server: DiscordServer, number: int, content: str) -> int:
    """Let the bot have replied to a message; return the reply's number."""
    reply = server._posted(CHANNEL, {"content": content, "message_reference": {"message_id": str(number)}})
    return int(reply["id"])


async def test_a_command_that_breaks_says_so(online: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr(commands, "_suggest", broken)
    with capture_logs() as logs:
        answer = await online.command("emoji", photo_of(online))
        await until(lambda: online.messages[int(answer["id"])]["content"] == texts.FAILED)
    assert [each["reason"] for each in logs if each["event"] == "command_failed"] == ["ValueError"]


@pytest.fixture
def short_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what did not arrive be tried again in a moment."""
    monkeypatch.setattr("bots.serving.journal.HELD_FOR", timedelta(seconds=0.3))
    monkeypatch.setattr("bots.serving.journal.LOOKED_EVERY_S", 0.1)


@pytest.mark.usefixtures("short_outages")
@pytest.mark.parametrize("after_effect", [False, True])
async def test_an_answer_that_discord_was_out_of_reach_for_comes_once_when_it_is_back(
    online: DiscordServer, store: Store, after_effect: bool
) -> None:
    online.refuse("POST", MESSAGES, Refusal(drops=True, after_effect=after_effect), *[Refusal(503)] * 7)
    await send_selfie(online)
    await until(lambda: online.answers)
    await nothing_is_open(store)
    [answer] = online.answers
    assert "You look happy" in answer["content"]
    assert len(online.calls_of("POST", MESSAGES)) == (4 if after_effect else 9)


@pytest.mark.usefixtures("short_outages")
@pytest.mark.parametrize("path", [r"/messages/\d+$", MESSAGES])
async def test_what_was_left_open_is_not_given_up_while_discord_is_out_of_reach(
    server: DiscordServer, service: EmojiService, store: Store, path: str
) -> None:
    _, entry = await _left_open(server, store)
    assert await store.journal.begin_to_send(entry, "another", 0, "")
    server.refuse("GET", path, *[Refusal(503)] * 2)
    async with serving(service):
        await until(lambda: server.answers)
        await nothing_is_open(store)
    assert ["You look happy" in each["content"] for each in server.answers] == [True]


@pytest.mark.usefixtures("short_outages")
@pytest.mark.parametrize("hours", [0, 2])
async def test_an_apology_that_discord_was_out_of_reach_for_comes_when_it_is_back(
    server: DiscordServer, service: EmojiService, store: Store, hours: int
) -> None:
    number, _ = await _left_open(server, store, since=datetime.now(UTC) - timedelta(hours=hours))
    del server.messages[number]
    server.refuse("POST", MESSAGES, *[Refusal(503)] * 4)
    async with serving(service):
        await until(lambda: server.answers)
        await nothing_is_open(store)
    assert [each["content"] for each in server.answers] == [texts.INTERRUPTED_LONG if hours else texts.PHOTO_GONE]


async def test_a_photo_that_was_left_open_and_is_no_longer_in_its_message_is_apologised_for(
    server: DiscordServer, service: EmojiService, store: Store
) -> None:
    number, _ = await _left_open(server, store)
    server.messages[number]["attachments"] = []
    async with serving(service):
        await nothing_is_open(store)
    assert [each["content"] for each in server.answers] == [texts.PHOTO_GONE]


@pytest.mark.usefixtures("short_outages")
async def test_a_photo_in_hand_while_the_connection_is_replaced_is_answered_through_the_new_one(
    online: DiscordServer, store: Store, selfie: bytes
) -> None:
    is_asked_for, may_come = _hold_back(online, "slow.jpg", selfie)
    await online.write(f"<@{ME}>", attachments=[photo_of(online, "slow.jpg")])
    async with asyncio.timeout(PATIENCE_S):
        await is_asked_for.wait()
        online.is_ready.clear()
        assert online._socket is not None
        await online._socket.send_str("no event")
        await online.is_ready.wait()
    may_come.set()
    await until(lambda: online.answers)
    await nothing_is_open(store)
    assert ["You look happy" in each["content"] for each in online.answers] == [True]


async def test_what_comes_while_the_bot_ends_is_answered_after_the_next_start_or_refused_in_words(
    server: DiscordServer, service: EmojiService, store: Store, selfie: bytes
) -> None:
    is_asked_for, may_come = _hold_back(server, "slow.jpg", selfie)
    running = await _begun(server, service, stop_after_s=60)
    await send_selfie(server)
    await until(lambda: server.answers)
    [first] = server.answers
    await server.write(f"<@{ME}>", attachments=[photo_of(server, "slow.jpg")])
    async with asyncio.timeout(PATIENCE_S):
        await is_asked_for.wait()
    running.cancel()
    await asyncio.sleep(0.1)
    late = await send_selfie(server)
    await server.press(first, first["components"][0]["components"][1]["custom_id"])
    await until(lambda: server.calls_of("POST", "/callback$"))
    may_come.set()
    await asyncio.wait([running])
    assert server.calls_of("POST", "/callback$")[0].body["data"]["content"] == texts.STOPPING
    assert len(server.answers) == 2
    assert await count_rows(store, "open_messages") == 1
    await service.journal.release()
    async with serving(service):
        await nothing_is_open(store)
        await until(lambda: len(server.answers) == 3)
    assert str(server.answers[2]["message_reference"]["message_id"]) == late["id"]
    assert "You look happy" in server.answers[2]["content"]


async def test_a_command_that_the_end_interrupts_is_apologised_for_after_the_next_start(
    server: DiscordServer, service: EmojiService, store: Store
) -> None:
    is_asked_for, may_end = _hold_back(server, "endless.jpg")
    running = await _begun(server, service, stop_after_s=0.1)
    async with asyncio.timeout(PATIENCE_S):
        answer = await server.command("emoji", photo_of(server, "endless.jpg"))
        await is_asked_for.wait()
    running.cancel()
    await asyncio.wait([running])
    assert await count_rows(store, "open_messages") == 1
    may_end.set()
    await service.journal.release()
    async with serving(service):
        await nothing_is_open(store)
    assert server.messages[int(answer["id"])]["content"] == texts.INTERRUPTED_LONG


async def test_a_command_that_is_answered_leaves_nothing_open(
    online: DiscordServer, service: EmojiService, store: Store
) -> None:
    answer = await online.command("emoji", photo_of(online))
    await until(lambda: "You look happy" in online.messages[int(answer["id"])]["content"])
    await nothing_is_open(store)
    cover = await online.command("emoji_me", photo_of(online))
    await until(lambda: online.messages[int(cover["id"])]["flags"] == 0)
    await nothing_is_open(store)
    assert await count_rows(store, "answered_messages") == 2


NOTICE = waiting_notice(speak("en"), 3)


@pytest.mark.parametrize(
    ("is_sending", "flags", "shown", "said"),
    [
        (False, 0, NOTICE, texts.INTERRUPTED_LONG),
        (True, LOADING, "", texts.INTERRUPTED_LONG),
        (True, 0, NOTICE, texts.INTERRUPTED_LONG),
        (True, 0, "You look happy", "You look happy"),
    ],
)
async def test_a_command_is_apologised_for_unless_it_was_answered(
    server: DiscordServer, service: EmojiService, store: Store, is_sending: bool, flags: int, shown: str, said: str
) -> None:
    answer = server._message(CHANNEL, shown) | {"flags": flags}
    server.messages[int(answer["id"])] = answer
    gone = f"tokenx{10**16}"
    for token in (f"tokenx{answer['id']}", gone):
        asked = {"application": ME, "token": token, "person": ALICE, "language": "en-US"}
        chat = Chat(Platform.DISCORD, str(CHANNEL))
        alice = Person(Platform.DISCORD, str(ALICE))
        entry = await store.journal.open(
            alice, chat, chat.message(token), asked, "another", datetime.now(UTC), LONG_AGO
        )
        assert entry.id is not None
        if is_sending:
            assert await store.journal.begin_to_send(entry.id, "another", 0, "")
    async with serving(service):
        await nothing_is_open(store)
    assert server.messages[int(answer["id"])]["content"] == said


async def test_photos_of_long_ago_get_one_word_for_the_channel(
    server: DiscordServer, service: EmojiService, store: Store
) -> None:
    for _ in range(3):
        await _left_open(server, store, since=datetime.now(UTC) - timedelta(hours=2))
    async with serving(service):
        await nothing_is_open(store)
        await until(lambda: server.answers)
    assert [each["content"] for each in server.answers] == [texts.INTERRUPTED_LONG]


async def test_photos_in_hand_are_answered_before_the_end(
    server: DiscordServer, service: EmojiService, store: Store
) -> None:
    running = await _begun(server, service, stop_after_s=60)
    for number in range(4):
        await server.write(f"<@{ME}>", attachments=[photo_of(server, number=number + 1)])
    async with asyncio.timeout(PATIENCE_S):
        while await count_rows(store, "open_messages") < 4 and len(server.answers) < 4:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait([running])
    assert len(server.answers) == 4
    assert await count_rows(store, "open_messages") == 0


async def test_who_sends_too_much_is_told_so_once_and_the_rest_is_dropped(
    server: DiscordServer, service: EmojiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, may_go_on, answer = 0, asyncio.Event(), Answers.answer

    async def slow(self: Answers, message: discord.Message, address: Address) -> None:
        nonlocal seen
        seen += 1
        await may_go_on.wait()
        await answer(self, message, address)

    monkeypatch.setattr(Answers, "answer", slow)
    cap = CAPS[Kind.OTHER].of_person
    async with serving(service):
        async with asyncio.timeout(PATIENCE_S):
            await server.is_ready.wait()
        for _ in range(cap + 10):
            await server.write(f"<@{ME}>")
        await until(lambda: server.answers)
        await asyncio.sleep(0.3)
        assert [each["content"] for each in server.answers] == [texts.TOO_FAST]
        assert seen == cap
        may_go_on.set()
        await server.write(f"<@{ME}>")
        await until(lambda: seen == cap + 1)
