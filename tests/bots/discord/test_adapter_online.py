"""The adapter as it runs for an operator, against a small Discord on loopback: refusals, lost calls, rate limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bots.adapter import AdapterError
from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord import delivery
from bots.discord.adapter import DiscordAdapter
from tests.bots.discord.server import ALICE, ME, SECOND_CHANNEL, DiscordServer, Refusal, rate_limit
from tests.waiting import PATIENCE_S, until

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


def photo_of(server: DiscordServer, name: str = "me.jpg", number: int = 1, **facts: Any) -> dict[str, Any]:
    url = f"{server.base}/files/{name}"
    return {
        "id": str(number),
        "filename": name,
        "size": 100,
        "url": url,
        "proxy_url": url,
        "content_type": "image/jpeg",
    } | facts


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
    online.refuse("PUT", REACTIONS, *[rate_limit(2.0)] * 3)
    for _ in range(3):
        await send_selfie(online)
    await until(lambda: len(online.answers) == 3)
    assert not online.reactions
    await until(lambda: len(online.reactions) == 3)


async def test_a_rate_limit_on_a_message_delays_only_its_own_channel(online: DiscordServer) -> None:
    online.refuse("POST", MESSAGES, rate_limit(1.5))
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
