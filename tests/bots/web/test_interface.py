"""The public interface of the web chat, as a program uses it: over HTTP and a socket, with a cookie."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from numpy.typing import NDArray
from PIL import Image
from starlette.types import Receive, Scope, Send

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.serving.admission import Admission
from bots.web.bodies import MemoryBudget
from bots.web.connections import HEAD_WITHIN_S
from bots.web.interface import WebInterface
from bots.web.live import FULL, MOST_FRAME_BYTES, MOST_OF_ONE, NO_FRAME, FrameShape, GreetingShape
from recognizer import EMOTIONS, Reading, Recognizer
from tests.attacks.guest import COMMANDS, COVERS, PHOTOS, PICTURES, TAPS, Guest
from tests.bots.web.program import Bot
from tests.waiting import PATIENCE_S


@pytest.fixture
async def guest(bot: Bot) -> AsyncIterator[Guest]:
    async with Guest(bot.port) as guest:
        yield guest


def _buttons(shape: dict[str, Any]) -> list[dict[str, Any]]:
    faces = [button for face in shape.get("faces", []) for row in face["rows"] for button in row]
    return faces + [button for row in shape["rows"] or [] for button in row]


async def _tap(guest: Guest, token: str, photo: bytes | None = None) -> dict[str, Any]:
    files = {"photo": ("photo", photo)} if photo is not None else {"nothing": ("", b"")}
    answer = await guest.http.post(TAPS, data={"token": token}, files=files)
    assert answer.status_code == 200, answer.text
    tapped: dict[str, Any] = answer.json()
    return tapped


async def test_a_photo_is_answered_face_by_face(guest: Guest, group_photo: bytes) -> None:
    [answer] = await guest.send(group_photo)
    assert [face["feeling"] for face in answer["faces"]] == ["happy", "happy"]
    left, right = (face["box"] for face in answer["faces"])
    assert left[0] < left[0] + left[2] < right[0] < right[0] + right[2] <= 1
    assert all(len(_buttons({"faces": [face], "rows": []})) == 5 for face in answer["faces"])
    assert [button["needs_photo"] for button in _buttons({"rows": answer["rows"]})] == [True, True]
    assert answer["picture"] is None


async def test_the_same_id_has_the_same_answer_while_it_is_made_and_later(guest: Guest, selfie: bytes) -> None:
    both = await asyncio.gather(guest.send(selfie, "the-same-id"), guest.send(selfie, "the-same-id"))
    later = await guest.send(b"whatever", "the-same-id")
    assert both[0][-1] == both[1][-1] == later[-1]
    async with Guest(guest.port) as stranger:
        assert (await stranger.send(b"whatever", "the-same-id"))[-1]["text"] != later[-1]["text"]


async def test_taps_change_the_face_that_they_belong_to(guest: Guest, group_photo: bytes) -> None:
    [answer] = await guest.send(group_photo)
    second = answer["faces"][1]["rows"][0][1]
    tapped = await _tap(guest, second["token"])
    assert (tapped["reaction"], tapped["text"]) == (second["label"], texts.CHOSEN.format(emoji=second["label"]))
    assert [button["tone"] for button in tapped["rows"][0]] == ["plain", "chosen", "plain"]
    assert tapped["question"]["rows"]
    more = next(button for button in _buttons(answer) if button["shows_more"])
    shown = await _tap(guest, more["token"])
    assert len(shown["rows"]) == 1
    assert len(shown["rows"][0]) > 40


async def test_a_picture_is_made_of_the_photo_that_comes_with_the_tap(guest: Guest, selfie: bytes) -> None:
    [answer] = await guest.send(selfie)
    token = next(button["token"] for button in _buttons(answer) if button["needs_photo"])
    made = await _tap(guest, token, selfie)
    assert made["picture"]["type"] == "image/jpeg"
    assert (await _tap(guest, token))["notice"] == texts.PHOTO_GONE


async def test_nobody_elses_buttons_do_anything(guest: Guest, selfie: bytes) -> None:
    [answer] = await guest.send(selfie)
    async with Guest(guest.port) as stranger:
        for button in _buttons(answer):
            assert (await _tap(stranger, button["token"], selfie))["notice"] in (texts.GONE, texts.NOT_YOURS)


async def test_a_preview_is_sent_to_those_who_ask_for_it(guest: Guest, selfie: bytes) -> None:
    form = {"id": "with-preview", "preview": "1"}
    answer = await guest.http.post(PHOTOS, data=form, files={"photo": ("photo", selfie)})
    assert json.loads(answer.text.splitlines()[-1])["preview"]["type"] == "image/jpeg"


async def test_an_answer_that_was_lost_comes_again_with_a_preview_of_the_photo_that_came_again(
    guest: Guest, selfie: bytes
) -> None:
    await guest.send(selfie, "lost-on-its-way")
    for photo, has_preview in ((selfie, True), (b"no photo", False)):
        form = {"id": "lost-on-its-way", "preview": "1"}
        again = await guest.http.post(PHOTOS, data=form, files={"photo": ("photo", photo)})
        [answer] = map(json.loads, again.text.splitlines())
        assert answer["faces"]
        assert (answer["preview"] is not None) is has_preview


async def test_a_photo_that_was_coming_while_its_sender_was_forgotten_is_not_stored(
    bot: Bot, guest: Guest, selfie: bytes
) -> None:
    has_begun, is_forgotten = asyncio.Event(), asyncio.Event()
    whole = httpx.Request("POST", guest.url, data={"id": "on-its-way"}, files={"photo": ("photo", selfie)})
    body = whole.read()

    async def in_two_pieces() -> AsyncIterator[bytes]:
        yield body[:1000]
        has_begun.set()
        await is_forgotten.wait()
        yield body[1000:]

    headers = {name: whole.headers[name] for name in ("Content-Type", "Content-Length")}
    sending = asyncio.create_task(guest.http.post(PHOTOS, content=in_two_pieces(), headers=headers))
    await has_begun.wait()
    await asyncio.sleep(1)  # for the head to arrive
    asked = await guest.http.post(COMMANDS, json={"name": "forget_me"})
    assert (await _tap(guest, asked.json()["rows"][1][0]["token"]))["has_forgotten"]
    before = bot.count("photos")
    is_forgotten.set()
    answer = json.loads((await sending).text)
    assert [face["rows"] for face in answer["faces"]] == [[]]
    assert bot.count("photos") == before


async def test_a_fault_of_the_bot_itself_is_no_answer_and_the_photo_may_be_sent_again(
    service: EmojiService, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Recognizer, _data: bytes) -> Reading:
        raise RuntimeError("a bug")

    served = FastAPI()
    served.include_router(WebInterface(service, MemoryBudget(1 << 30, 1 << 30), Admission()).router)

    async def of_a_visitor(scope: Scope, receive: Receive, send: Send) -> None:
        await served({**scope, "session": {"id": "ada"}}, receive, send)

    async def send() -> list[dict[str, Any]]:
        answer = await visitor.post(PHOTOS, data={"id": "the-same-id"}, files={"photo": ("photo", selfie)})
        return [json.loads(line) for line in answer.text.splitlines()]

    transport = httpx.ASGITransport(of_a_visitor)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot", timeout=PATIENCE_S) as visitor:
        with monkeypatch.context() as patch:
            patch.setattr(Recognizer, "read", broken)
            assert await send() == [{"text": texts.FAILED, "again": True}]
        assert (await send())[-1]["faces"]


async def test_what_people_read_names_no_commands(guest: Guest) -> None:
    for command in ("help", "privacy", "my_data", "forget_me", "settings", "play", "start"):
        answer = await guest.http.post(COMMANDS, json={"name": command})
        assert "/" not in answer.json()["text"].replace("://", ""), command


async def test_what_is_no_command_costs_little_and_is_not_repeated(guest: Guest) -> None:
    large = b'{"name":[' + b"[]," * 1_000_000 + b"[]]}"
    headers = {"Content-Type": "application/json"}
    assert (await guest.http.post(COMMANDS, content=large, headers=headers)).status_code == 413
    answer = await guest.http.post(COMMANDS, content=b'{"name": ["secret of mine"]}', headers=headers)
    assert answer.status_code == 422
    assert "secret of mine" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"name": "rm"}', b'{"name": ["help"]}', b"\xff", b"[" * 50_000])
async def test_a_malformed_command_is_refused(guest: Guest, body: bytes) -> None:
    answer = await guest.http.post(COMMANDS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422)
    assert await guest.is_served()


@pytest.mark.parametrize("token", ["", "x", "e:1:0", "e:1:99999999999999999999", "F:0:1", "m:-1:0", "\x00", "🦄"])
async def test_an_invented_token_changes_nothing(guest: Guest, token: str) -> None:
    answer = await guest.http.post(TAPS, data={"token": token}, files={"nothing": ("", b"")})
    assert answer.status_code in (200, 400)
    assert await guest.is_served()


async def test_the_description_is_that_of_the_answers(guest: Guest, selfie: bytes) -> None:
    described = (await guest.http.get("/api/v1/openapi.json")).json()
    assert set(described["paths"]) == {PHOTOS, TAPS, COMMANDS, COVERS, PICTURES, "/api/v1/covers/{emoji}.png"}
    lines = described["paths"]["/api/v1/photos"]["post"]["responses"]["200"]["content"]["application/x-ndjson"]
    [answer] = await guest.send(selfie)
    kinds = [each["$ref"] for each in lines["schema"]["anyOf"]]
    described_as = [kind for kind in kinds if Draft202012Validator({**described, "$ref": kind}).is_valid(answer)]
    assert [kind.rpartition("/")[2] for kind in described_as] == ["ReplyShape"]
    tapped = await _tap(guest, _buttons(answer)[0]["token"])
    Draft202012Validator({**described, "$ref": "#/components/schemas/TapReplyShape"}).validate(tapped)


async def _covers(guest: Guest, photo: bytes, token: str | None = None) -> dict[str, Any]:
    """Return what covers the faces of a photo, in a picture that was made of it."""
    if token is None:
        [answer] = await guest.send(photo)
        made = await _tap(guest, answer["rows"][0][0]["token"], photo)
        token = made["covers"]
    told = await guest.http.post(COVERS, data={"token": token}, files={"photo": ("photo", photo)})
    assert told.status_code == 200, told.text
    covers: dict[str, Any] = told.json()
    return covers


async def _picture(guest: Guest, photo: bytes, covers: Any) -> httpx.Response:
    field = covers if isinstance(covers, str) else json.dumps(covers)
    return await guest.http.post(PICTURES, data={"covers": field}, files={"photo": ("photo", photo)})


def _pixels(shape: dict[str, Any]) -> NDArray[np.int16]:
    image = Image.open(io.BytesIO(base64.b64decode(shape["picture"]["content"])))
    return np.asarray(image.convert("RGB")).astype(np.int16)


async def test_what_covers_the_faces_is_told_and_can_be_arranged(guest: Guest, group_photo: bytes) -> None:
    told = await _covers(guest, group_photo)
    left, right = told["covers"]
    assert left["x"] < right["x"]
    assert left["emoji"] in told["names"]
    assert len(left["choices"]) > 40
    covers = [{name: each[name] for name in ("x", "y", "radius", "tilt", "emoji")} for each in told["covers"]]
    covers[0]["emoji"] = None
    answer = await _picture(guest, group_photo, covers)
    assert answer.json()["text"] == texts.EMOJI_ME_MADE
    changed = np.abs(_pixels(answer.json()) - _pixels((await _picture(guest, group_photo, [])).json())).max(axis=2) > 40
    width = changed.shape[1]
    assert changed[:, : width // 2].any()
    assert changed[:, width // 2 :].any()
    bare = (await _picture(guest, group_photo, covers[1:])).json()
    bare_changed = np.abs(_pixels(bare) - _pixels((await _picture(guest, group_photo, [])).json())).max(axis=2) > 40
    assert not bare_changed[:, : width // 3].any()


async def test_a_stranger_learns_nothing_of_a_picture(guest: Guest, selfie: bytes) -> None:
    [answer] = await guest.send(selfie)
    token = answer["rows"][0][0]["token"]
    async with Guest(guest.port) as stranger:
        told = await _covers(stranger, selfie, token)
    assert (told["text"], told["covers"]) == (texts.GONE, [])


_COVER = {"x": 0.5, "y": 0.5, "radius": 0.1, "tilt": 0, "emoji": "😀"}


@pytest.mark.parametrize(
    "covers",
    [
        "",
        "{}",
        "[" * 5000,
        "[1]",
        [_COVER] * 101,
        [{**_COVER, "radius": 0}],
        [{**_COVER, "radius": 1e9}],
        [{**_COVER, "x": float("nan")}],
        [{**_COVER, "y": "0.5e400"}],
        [{**_COVER, "tilt": float("inf")}],
        [{**_COVER, "emoji": "no emoji"}],
        [{**_COVER, "emoji": "😀" * 33}],
        [{key: value for key, value in _COVER.items() if key != "emoji"}],
        " " * 13_000,
    ],
)
async def test_covers_that_make_no_sense_are_refused(guest: Guest, selfie: bytes, covers: Any) -> None:
    answer = await _picture(guest, selfie, covers)
    assert answer.status_code == 400
    assert await guest.is_served()


async def test_a_hundred_covers_are_drawn_whatever_their_emoji(guest: Guest, selfie: bytes) -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    longest = {"x": -0.1234, "y": -0.1234, "radius": 0.0512, "tilt": -123.4, "emoji": family}
    answer = await _picture(guest, selfie, json.dumps([longest] * 100, ensure_ascii=False))
    assert answer.status_code == 200
    assert answer.json()["picture"] is not None
    assert (await _picture(guest, b"no photo", [_COVER])).json()["text"] == texts.PHOTO_PROBLEMS["not_a_picture"]
    assert (await _picture(guest, selfie, [_COVER])).json()["picture"] is not None


async def test_what_covers_a_face_can_be_shown(guest: Guest) -> None:
    answer = await guest.http.get(f"{COVERS}/😀.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert "max-age" in answer.headers["cache-control"]
    again = await guest.http.get(f"{COVERS}/😀\ufe0f.png")
    assert again.content == answer.content
    for name in ("no emoji", "😀😀", "😀" + "\ufe0f" * 40, "x" * 5000, "..%2f..%2fapp"):
        assert (await guest.http.get(f"{COVERS}/{name}.png")).status_code == 404


def _live(guest: Guest, **headers: str) -> websockets.connect:
    cookies = "; ".join(f"{name}={value}" for name, value in guest.http.cookies.items())
    url = f"ws://127.0.0.1:{guest.port}/api/v1/live"
    return websockets.connect(url, additional_headers={"Cookie": cookies, **headers}, open_timeout=PATIENCE_S)


async def test_a_mirror_follows_a_face(guest: Guest, selfie: bytes, wall_photo: bytes) -> None:
    async with _live(guest) as mirror:
        greeting = GreetingShape.model_validate_json(await mirror.recv())
        assert greeting.emotions == list(EMOTIONS)
        for frame, count in ((selfie, 1), (selfie, 1), (wall_photo, 0), (selfie, 1), (b"no picture", 0), (selfie, 1)):
            await mirror.send(frame)
            shown = FrameShape.model_validate_json(await mirror.recv())
            assert len(shown.faces) == count
            for face in shown.faces:
                assert face.emotions[EMOTIONS.index("happy")] > 0.5
                assert 0.3 < face.box[0] + face.box[2] / 2 < 0.6


async def test_a_mirror_stays_open_for_longer_than_the_head_of_a_request_may_take(guest: Guest, selfie: bytes) -> None:
    async with _live(guest) as mirror:
        await mirror.recv()
        clock = asyncio.get_running_loop().time
        until = clock() + HEAD_WITHIN_S + 1
        while clock() < until:
            await mirror.send(selfie)
            assert FrameShape.model_validate_json(await mirror.recv()).faces
            await asyncio.sleep(0.5)


async def test_a_mirror_takes_nothing_but_frames(guest: Guest) -> None:
    for odd in ("text", b"", bytes(MOST_FRAME_BYTES + 1)):
        async with _live(guest) as mirror:
            await mirror.recv()
            await mirror.send(odd)
            await mirror.wait_closed()
            assert mirror.close_code == NO_FRAME


async def test_mirrors_of_one_browser_are_few_and_free_their_places(guest: Guest) -> None:
    opened = [await _live(guest) for _ in range(MOST_OF_ONE)]
    async with _live(guest) as another:
        await another.wait_closed()
        assert another.close_code == FULL
    for each in opened:
        await each.close()
    for _ in range(100):
        async with _live(guest) as another:
            with suppress(websockets.ConnectionClosed):
                await another.recv()
                return
        await asyncio.sleep(0.05)
    pytest.fail("no place was freed")


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_another_sites_page_opens_no_mirror(guest: Guest, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus):
        async with _live(guest, Origin=origin):
            pass


async def test_who_has_not_loaded_the_page_has_no_mirror(bot: Bot) -> None:
    with pytest.raises(websockets.InvalidStatus):
        async with websockets.connect(f"ws://127.0.0.1:{bot.port}/api/v1/live"):
            pass
