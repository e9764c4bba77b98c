"""A Bot API server on loopback: telemelya's, with missing methods and Telegram's refusals added."""

import asyncio
import itertools
import json
import re
import socket
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import fakeredis
import numpy as np
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message, Receive, Scope, Send
from telegram.constants import ReactionEmoji
from telemelya.server import bot_api
from telemelya.server.state import StateManager

from bots.conversation.service import EmojiService
from bots.serving.rate_limits import RateLimit
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.rate_limiter import Limits, RateLimiter
from bots.telegram.source import Source
from recognizer.emoji_map import without_selector
from tests.bots.telegram.webhooks import WebhookSender
from tests.contracts.telegram import contract_if_there
from tests.waiting import PATIENCE_S

TOKEN = "123456789:AAtelemelyaTestTokenOfNoBotAnywhere00"
SUPERGROUPS_BELOW = -1_000_000_000_000
"""Numbers of groups lie above it, those of supergroups and channels below."""
_METHOD = re.compile(r"/bot[^/]+/(\w+)$")
QUICK = Limits(RateLimit(1000, 1), RateLimit(1000, 1), RateLimit(1000, 1))
"""Limits that hold nobody up, for tests of something else."""
_MARKED = re.compile(r"(?<![\w@/])(?:/\w{1,32}(?:@\w{4,32})?|@\w{4,32})(?![\w@])")
"""Commands and mentions, which do not follow a letter as those in e-mail addresses do."""
_GIFTS = ("unlimited", "limited", "unique")
_PACK_NAME = re.compile(r"[A-Za-z]\w*_by_telemelya_bot", re.ASCII)
_ALLOWED = {without_selector(emoji.value) for emoji in ReactionEmoji}


@dataclass(frozen=True)
class Call:
    """A call of the bot: its fields as they were sent, and when it came in seconds."""

    method: str
    fields: dict[str, str]
    at_s: float


@dataclass(frozen=True)
class Fault:
    """How a call fails: refused with a code, or the connection is dropped. is_done: only the answer is lost.

    delay_s: seconds before the answer.
    """

    code: int = 0
    description: str = ""
    parameters: dict[str, int] | None = None
    is_done: bool = False
    delay_s: float = 0.0


@dataclass
class Pack:
    """A sticker set: who owns it, what it is called, and its stickers with their files, the oldest first."""

    owner: int
    title: str
    stickers: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)


DROPPED = Fault()
BAD_GATEWAY = Fault(502, "Bad Gateway")


class TelegramServer:
    """The bot as seen by a person and their chat, and how they talk to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reactions: list[tuple[int, int, str]] = []
        self.updates: asyncio.Queue[Any] = asyncio.Queue()
        self.fetched: list[Any] = []
        self.packs: dict[str, Pack] = {}
        self.custom_emoji: dict[str, str] = {}
        self.chat_reactions: dict[int, list[dict[str, str]]] = {}
        self.present_reactions: dict[tuple[int, int], str] = {}
        self.forbids_icons = False
        self.inline_answers: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.forbidden_reactions: set[str] = set()
        self.made: dict[int, bytes] = {}
        self.shown: dict[int, dict[str, Any]] = {}
        self.forbids_pictures = False
        self.token_is_revoked = False
        self.forbids_deletion = False
        self.commands: dict[str, dict[str, str]] = {}
        self.descriptions: dict[tuple[str, str], str] = {}
        self.scoped_commands: dict[str, dict[str, dict[str, str]]] = {}
        self.statuses: dict[tuple[int, int], str] = {}
        self.forbids_media_edits = False
        self.is_away_for_edits = False
        self.known_chats: set[int] = set()
        self._numbers = itertools.count(1000)
        self.violations: list[str] = []
        self.requests: list[Call] = []
        self.deleted: set[int] = set()
        self.too_big: set[str] = set()
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._contract = contract_if_there()
        self.webhook = WebhookSender()
        self.webhook_errors: dict[str, Any] = {}
        self._answered, self._news = 0, asyncio.Condition()
        self._state = bot_api.state_manager

    async def send(
        self, *, person: int = 7, chat: int | None = None, language: str = "en", **content: Any
    ) -> dict[str, Any]:
        """Send a message from a person, private unless `chat` names a group; return the message."""
        for said, marked in (("text", "entities"), ("caption", "caption_entities")):
            if entities := entities_of(content.get(said) or ""):  # unless a test has others
                content.setdefault(marked, entities)
        message = {
            "message_id": next(self._numbers),
            "date": int(time.time()),
            "from": user(person, language),
            "chat": chat_of(chat or person),
            **{name: value for name, value in content.items() if value is not None},
        }
        if "reply_to_message" in message:
            message["reply_to_message"] = _without_reply(message["reply_to_message"])
        self.known_chats.add(chat or person)
        await self.deliver(message=message)
        return message

    async def edit(self, message: dict[str, Any], **content: Any) -> None:
        """Let a person edit a message of theirs."""
        for said, marked in (("text", "entities"), ("caption", "caption_entities")):
            if entities := entities_of(content.get(said) or ""):
                content[marked] = entities
        await self.deliver(edited_message={**message, "edit_date": int(time.time()), **content})

    def picture(self, data: bytes) -> list[dict[str, Any]]:
        """Store a file and return a photo's sizes as Telegram lists them."""
        return [{**self.file(data), "width": side, "height": side} for side in (90, 320, 800)]

    def file(self, data: bytes) -> dict[str, Any]:
        """Store a file and return the reference to it in a message."""
        number = f"file{next(self._numbers)}"
        self.files[number] = data
        return {"file_id": number, "file_unique_id": number, "file_size": len(data)}

    async def tap(
        self,
        record: dict[str, Any],
        label: str,
        *,
        person: int = 7,
        language: str = "en",
        original: dict[str, Any] | None = None,
        **facts: Any,
    ) -> None:
        """Press the button with `label` under a message that the bot sent or edited.

        original: the message it replies to, None if that was deleted. facts: other fields of the button's message.
        """
        keys = [key for row in _markup(record)["inline_keyboard"] for key in row]
        data = next(key["callback_data"] for key in keys if label in key["text"])
        said = {name: record[name] for name in ("text", "caption") if record.get(name)}
        message = {
            "message_id": record["message_id"],
            "date": int(time.time()),
            "chat": chat_of(record["chat_id"]),
            **self.shown.get(record["message_id"], {}),
            **said,
            "reply_markup": _markup(record),
            **({"reply_to_message": _without_reply(original)} if original else {}),
            **facts,
        }
        sender = user(person, language)
        query = {"id": str(next(self._numbers)), "from": sender, "chat_instance": "1", "message": message, "data": data}
        await self.deliver(callback_query=query)

    async def react(self, chat: int, message: int, reactions: list[dict[str, str]], *, person: int = 7) -> None:
        """Let a person have these reactions on a message."""
        facts = {"chat": chat_of(chat), "message_id": message, "date": int(time.time()), "old_reaction": []}
        await self.deliver(message_reaction={**facts, "user": user(person), "new_reaction": reactions})

    async def ask_inline(self, words: str = "", *, person: int = 7, offset: str = "") -> dict[str, Any]:
        """Type words after the bot's name; return how the bot answers."""
        number = str(next(self._numbers))
        query = {"id": number, "from": user(person), "query": words, "offset": offset}
        await self.deliver(inline_query=query)
        await self.until(lambda: any(each["inline_query_id"] == number for each in self.inline_answers))
        return next(each for each in self.inline_answers if each["inline_query_id"] == number)

    def fail(self, method: str, fault: "Fault", times: int = 1) -> None:
        """Let the next calls of a method fail."""
        self._faults[method].extend([fault] * times)

    def fault_of(self, method: str) -> "Fault | None":
        """Return how the call of a method that came last is to fail, None if it is not."""
        if self.forbids_icons and "icon_custom_emoji_id" in self.requests[-1].fields.get("reply_markup", ""):
            return Fault(400, "Bad Request: BUTTON_ICON_INVALID")
        return self._faults[method].popleft() if self._faults[method] else None

    def called(self, method: str) -> "list[Call]":
        """Return the calls of a method so far, also those that failed."""
        return [call for call in self.requests if call.method == method]

    async def sent(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the bot has called `method` `count` times in all, and give those calls."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    before = self._answered
                    calls = await self._calls(method)
                    if len(calls) >= count:
                        return calls
                    await self._another(before)
        except TimeoutError:
            raise AssertionError(f"the bot called {method} fewer than {count} times") from None

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until what the bot has called makes this hold."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self._another(self._answered)

    async def _another(self, before: int) -> None:
        """Wait until more than `before` calls have been answered."""
        async with self._news:
            await self._news.wait_for(lambda: self._answered > before)

    async def note_call(self) -> None:
        """A call was answered."""
        async with self._news:
            self._answered += 1
            self._news.notify_all()

    async def count(self, method: str) -> int:
        """How often the bot has called `method` so far."""
        return len(await self._calls(method))

    async def _calls(self, method: str) -> list[dict[str, Any]]:
        return [call for call in await self._state.get_responses("default") if call["method"] == method]

    async def deliver(self, **content: Any) -> None:
        """Deliver an update, which must fit Telegram's contract."""
        update = {"update_id": next(self._numbers), **content}
        if self._contract is not None:
            self.violations += self._contract.violations_of_update(update)
        if self.webhook.registered is not None:
            await self.webhook.put(update)
        else:
            await self.updates.put(update)

    async def check(self, method: str, request: Request) -> None:
        """Check a request against Telegram's contract."""
        async with request.form() as form:
            files = frozenset(name for name, value in form.items() if isinstance(value, UploadFile))
            fields = {name: str(value) for name, value in form.items() if name not in files}
        self.requests.append(Call(method, fields, time.monotonic()))
        if self._contract is None:
            return
        self.violations += self._contract.violations_of_request(method, fields, files)

    async def keep(self, method: str, form: Any, file: UploadFile) -> dict[str, Any]:
        """Accept a picture from the bot: its bytes go to `made`, the call to `sent`. Return the message."""
        number = await self._state.next_message_id("default")
        self.made[number] = await file.read()
        is_hidden = form.get("has_spoiler") == "true"
        self.shown[number] = self._shown(method.removeprefix("send").lower(), self.made[number], is_hidden=is_hidden)
        told = {key: json.loads(str(form[key])) for key in ("reply_markup", "reply_parameters") if key in form}
        record = {
            "method": method,
            "chat_id": int(form["chat_id"]),
            "message_id": number,
            "caption": form.get("caption"),
            "file_name": file.filename,
            "message_thread_id": form.get("message_thread_id"),
            "has_spoiler": form.get("has_spoiler") == "true",
            "reply_markup": None,
            **told,
        }
        await self._state.push_response("default", record)
        chat = {"id": record["chat_id"], "type": "private"}
        message = {"message_id": number, "from": bot_api.DEFAULT_BOT_INFO, "chat": chat, "date": int(time.time())}
        await self._state.store_message("default", number, {**message, "caption": record["caption"]})
        return message

    def _shown(self, kind: str, data: bytes, *, is_hidden: bool) -> dict[str, Any]:
        """Return what a message with a file has of it."""
        reference = self.file(data)
        sides = {"width": 512, "height": 512}
        hidden = {"has_media_spoiler": True} if is_hidden else {}
        if kind == "photo":
            return {"photo": self.picture(data), **hidden}
        if kind == "sticker":
            return {"sticker": {**reference, **sides, "type": "regular", "is_animated": False, "is_video": False}}
        if kind == "animation":
            return {"animation": {**reference, **sides, "duration": 2}, "document": reference, **hidden}
        return {"document": reference}

    async def change(self, number: int, form: Any, media: dict[str, Any], file: UploadFile) -> Any:
        """Put another picture into a message, as `keep` does into a new one; refuse if nothing would change."""
        caption = media.get("caption")
        before = await self._state.get_message("default", number)
        if before is None:
            return _refuse(400, "Bad Request: message to edit not found")
        content, markup = await file.read(), json.loads(str(form.get("reply_markup", "null")))
        if (before.get("caption"), before.get("reply_markup"), self.made.get(number)) == (caption, markup, content):
            return _refuse(400, "Bad Request: message is not modified: specified new message content and reply markup")
        self.made[number] = content
        is_hidden = media.get("has_spoiler", False)
        self.shown[number] = self._shown(media["type"], content, is_hidden=is_hidden)
        after = {**before, "text": None, "caption": caption, "reply_markup": markup}
        await self._state.update_message("default", number, after)
        chat = int(str(form["chat_id"]))
        facts = {"message_id": number, "chat_id": chat, "caption": caption, "reply_markup": markup}
        facts |= {"type": media["type"], "has_spoiler": is_hidden}
        await self._state.push_response("default", {"method": "editMessageMedia", "text": None, **facts})
        message = {"message_id": number, "from": bot_api.DEFAULT_BOT_INFO, "date": int(time.time()), "caption": caption}
        return {"ok": True, "result": {**message, "chat": {"id": chat, "type": "private"}}}

    def add_sticker(self, pack: "Pack", told: dict[str, Any]) -> JSONResponse | None:
        """Add a sticker that was sent before to a set; return the refusal if it does not fit."""
        data = self.files[told["sticker"]]
        if any(data == each for _, each in pack.stickers):
            return None  # Telegram leaves the set as it is
        if len(pack.stickers) >= 120:
            return _refuse(400, "Bad Request: STICKERS_TOO_MUCH")
        sticker = {**self._shown("sticker", data, is_hidden=False)["sticker"], "emoji": told["emoji_list"][0]}
        pack.stickers.append((sticker, data))
        return None

    async def download_by_key(self, path: str) -> bytes | None:
        """Return the bytes of a file, for telemelya's download route."""
        return self.files.get(path)


def entities_of(text: str) -> list[dict[str, Any]]:
    """Return the commands and mentions that Telegram marks in a text; offsets and lengths are in UTF-16 units."""
    return [
        {
            "type": "mention" if found[0].startswith("@") else "bot_command",
            "offset": len(text[: found.start()].encode("utf-16-le")) // 2,
            "length": len(found[0]),
        }
        for found in _MARKED.finditer(text)
    ]


def user(number: int, language: str = "en") -> dict[str, Any]:
    """Return a person as Telegram describes them."""
    return {"id": number, "is_bot": False, "first_name": "Ada", "language_code": language}


def chat_of(number: int) -> dict[str, Any]:
    """Return a chat as Telegram describes it; its number tells the type."""
    if number > 0:
        return {"id": number, "type": "private", "first_name": "Ada"}
    return {"id": number, "type": "group" if number > SUPERGROUPS_BELOW else "supergroup", "title": "G"}


def _without_reply(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as Telegram shows it within another one."""
    return {name: value for name, value in message.items() if name != "reply_to_message"}


def labels(record: dict[str, Any]) -> list[list[str]]:
    """Return the labels of a message's buttons, row by row."""
    return [[key["text"] for key in row] for row in _markup(record)["inline_keyboard"]]


def _markup(record: dict[str, Any]) -> dict[str, Any]:
    markup = record["reply_markup"]
    parsed: dict[str, Any] = json.loads(markup) if isinstance(markup, str) else markup
    return parsed


def _refuse(code: int, description: str) -> JSONResponse:
    return JSONResponse({"ok": False, "error_code": code, "description": description}, code)


def _missing_methods(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    @router.post("/bot{token}/getMe")
    async def get_me(token: str) -> Any:
        if token != TOKEN:
            return _refuse(401, "Unauthorized")
        return {"ok": True, "result": bot_api.DEFAULT_BOT_INFO}

    @router.post("/bot{token}/getUpdates")
    async def get_updates(token: str, request: Request) -> Any:
        if server.token_is_revoked:
            return _refuse(401, "Unauthorized")
        form = await request.form()
        offset, most = int(str(form.get("offset", "0"))), int(str(form.get("limit", "100")))
        server.fetched = [each for each in server.fetched if each["update_id"] >= offset]
        if not server.fetched:
            try:
                server.fetched.append(await asyncio.wait_for(server.updates.get(), 0.2))
            except TimeoutError:
                return {"ok": True, "result": []}
        while not server.updates.empty() and len(server.fetched) < most:  # what came together goes together
            server.fetched.append(server.updates.get_nowait())
        return {"ok": True, "result": server.fetched}

    @router.post("/bot{token}/{method:path}escription")
    async def describe(token: str, method: str, request: Request) -> Any:
        """setMyDescription, getMyShortDescription and the like."""
        form, what = await request.form(), "short_description" if "Short" in method else "description"
        key = what, str(form.get("language_code", ""))
        if method.startswith("get"):
            return {"ok": True, "result": {what: server.descriptions.get(key, "")}}
        server.descriptions[key] = str(form.get(what, ""))
        return {"ok": True, "result": True}

    @router.post("/bot{token}/getFile")
    async def get_file(token: str, request: Request) -> Any:
        number = str((await request.form())["file_id"])
        if number in server.too_big:
            return _refuse(400, "Bad Request: file is too big")
        if number not in server.files:
            return _refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        return {"ok": True, "result": {"file_id": number, "file_unique_id": number, "file_path": number}}

    @router.post("/bot{token}/setMessageReaction")
    async def set_message_reaction(token: str, request: Request) -> Any:
        form = await request.form()
        chat, number = int(str(form["chat_id"])), int(str(form["message_id"]))
        chosen = json.loads(str(form.get("reaction", "[]")))
        if not chosen:
            server.present_reactions.pop((chat, number), None)
            return {"ok": True, "result": True}
        emoji = chosen[0].get("emoji") or chosen[0].get("custom_emoji_id")
        is_standard = emoji in _ALLOWED and emoji not in server.forbidden_reactions
        listed = server.chat_reactions.get(chat)
        if chosen[0] not in listed if listed is not None else not is_standard:
            return _refuse(400, "Bad Request: REACTION_INVALID")
        server.reactions.append((chat, number, emoji))
        server.present_reactions[chat, number] = emoji
        return {"ok": True, "result": True}

    @router.post("/bot{token}/deleteMessage")
    async def delete_message(token: str, request: Request) -> Any:
        if server.forbids_deletion:
            return _refuse(400, "Bad Request: message to delete not found")
        return await bot_api.delete_message(token, request)

    @router.post("/bot{token}/editMessageText")
    async def edit_message_text(token: str, request: Request) -> Any:
        if server.is_away_for_edits:
            return _refuse(502, "Bad Gateway")
        if int(str((await request.form())["message_id"])) in server.made:
            return _refuse(400, "Bad Request: there is no text in the message to edit")
        return await bot_api.edit_message_text(token, request)

    return router


def _methods_for_menus(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    @router.post("/bot{token}/setMyCommands")
    async def set_my_commands(token: str, request: Request) -> Any:
        form = await request.form()
        listed = json.loads(str(form["commands"]))
        scope = json.loads(str(form.get("scope", '{"type": "default"}')))
        if scope["type"] == "chat" and int(scope["chat_id"]) not in server.known_chats:
            return _refuse(400, "Bad Request: chat not found")
        where = scope["type"] if scope["type"] != "chat" else f"chat {scope['chat_id']}"
        commands = {each["command"]: each["description"] for each in listed}
        by_language = server.commands if where == "default" else server.scoped_commands.setdefault(where, {})
        by_language[str(form.get("language_code", ""))] = commands
        return {"ok": True, "result": True}

    def commands_of(form: FormData) -> dict[str, dict[str, str]]:
        return server.scoped_commands.get(f"chat {json.loads(str(form['scope']))['chat_id']}", {})

    @router.post("/bot{token}/getMyCommands")
    async def get_my_commands(token: str, request: Request) -> Any:
        form = await request.form()
        found = commands_of(form).get(str(form.get("language_code", "")), {})
        listed = [{"command": name, "description": meaning} for name, meaning in found.items()]
        return {"ok": True, "result": listed}

    @router.post("/bot{token}/deleteMyCommands")
    async def delete_my_commands(token: str, request: Request) -> Any:
        form = await request.form()
        commands_of(form).pop(str(form.get("language_code", "")), None)
        return {"ok": True, "result": True}

    return router


def _methods_for_webhooks(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    @router.post("/bot{token}/setWebhook")
    async def set_webhook(token: str, request: Request) -> Any:
        server.webhook.register({name: str(value) for name, value in (await request.form()).items()})
        return {"ok": True, "result": True}

    @router.post("/bot{token}/deleteWebhook")
    async def delete_webhook(token: str) -> Any:
        server.webhook.registered = None
        return {"ok": True, "result": True}

    @router.post("/bot{token}/getWebhookInfo")
    async def get_webhook_info(token: str) -> Any:
        if server.token_is_revoked:
            return _refuse(401, "Unauthorized")
        url = server.webhook.registered["url"] if server.webhook.registered is not None else ""
        told = {"url": url, "has_custom_certificate": False, "pending_update_count": server.webhook.waiting}
        return {"ok": True, "result": {**told, **server.webhook_errors}}

    return router


def _methods_that_send(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    @router.post("/bot{token}/sendPhoto")
    async def send_photo(token: str, request: Request) -> Any:
        form = await request.form()
        file = form["photo"]
        assert isinstance(file, UploadFile)
        if server.forbids_pictures:
            return _refuse(400, "Bad Request: not enough rights to send photos to the chat")
        if len(str(form.get("caption", "")).encode("utf-16-le")) > 2 * 1024:
            return _refuse(400, "Bad Request: message caption is too long")
        height, width = await _size(file)
        if max(height, width) > 20 * min(height, width):
            return _refuse(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        return {"ok": True, "result": await server.keep("sendPhoto", form, file)}

    @router.post("/bot{token}/sendSticker")
    async def send_sticker(token: str, request: Request) -> Any:
        form = await request.form()
        file = form["sticker"]
        assert isinstance(file, UploadFile)
        if server.forbids_pictures:
            return _refuse(400, "Bad Request: not enough rights to send stickers to the chat")
        if max(await _size(file)) != 512 or (file.size or 0) > 512 * 1024:
            return _refuse(400, "Bad Request: STICKER_PNG_DIMENSIONS")
        return {"ok": True, "result": await server.keep("sendSticker", form, file)}

    @router.post("/bot{token}/sendAnimation")
    async def send_animation(token: str, request: Request) -> Any:
        form = await request.form()
        file = form["animation"]
        assert isinstance(file, UploadFile)
        return {"ok": True, "result": await server.keep("sendAnimation", form, file)}

    @router.post("/bot{token}/sendDocument")
    async def send_document(token: str, request: Request) -> Any:
        form = await request.form()
        file = form["document"]
        assert isinstance(file, UploadFile)
        return {"ok": True, "result": await server.keep("sendDocument", form, file)}

    @router.post("/bot{token}/sendMessage")
    async def send_message(token: str, request: Request) -> Any:
        reply = json.loads(str((await request.form()).get("reply_parameters", "{}")))
        if reply.get("message_id") in server.deleted and not reply.get("allow_sending_without_reply"):
            return _refuse(400, "Bad Request: message to be replied not found")
        return await bot_api.send_message(token, request)

    return router


def _methods_for_stickers(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    @router.post("/bot{token}/createNewStickerSet")
    async def create_new_sticker_set(token: str, request: Request) -> Any:
        form = await request.form()
        owner, name = int(str(form["user_id"])), str(form["name"])
        if owner not in server.known_chats:
            return _refuse(400, "Bad Request: PEER_ID_INVALID")
        if name in server.packs:
            return _refuse(400, "Bad Request: sticker set name is already occupied")
        if not _PACK_NAME.fullmatch(name) or "__" in name or len(name) > 64:
            return _refuse(400, "Bad Request: invalid sticker set name is specified")
        pack = Pack(owner, str(form["title"]))
        for sticker in json.loads(str(form["stickers"])):
            if (refusal := server.add_sticker(pack, sticker)) is not None:
                return refusal
        server.packs[name] = pack
        return {"ok": True, "result": True}

    @router.post("/bot{token}/addStickerToSet")
    async def add_sticker_to_set(token: str, request: Request) -> Any:
        form = await request.form()
        pack = server.packs.get(str(form["name"]))
        if pack is None or pack.owner != int(str(form["user_id"])):
            return _refuse(400, "Bad Request: STICKERSET_INVALID")
        refusal = server.add_sticker(pack, json.loads(str(form["sticker"])))
        return {"ok": True, "result": True} if refusal is None else refusal

    @router.post("/bot{token}/getStickerSet")
    async def get_sticker_set(token: str, request: Request) -> Any:
        name = str((await request.form())["name"])
        pack = server.packs.get(name)
        if pack is None:
            return _refuse(400, "Bad Request: STICKERSET_INVALID")
        told = {"name": name, "title": pack.title, "sticker_type": "regular"}
        return {"ok": True, "result": {**told, "stickers": [sticker for sticker, _ in pack.stickers]}}

    @router.post("/bot{token}/deleteStickerSet")
    async def delete_sticker_set(token: str, request: Request) -> Any:
        if server.packs.pop(str((await request.form())["name"]), None) is None:
            return _refuse(400, "Bad Request: STICKERSET_INVALID")
        return {"ok": True, "result": True}

    @router.post("/bot{token}/answerInlineQuery")
    async def answer_inline_query(token: str, request: Request) -> Any:
        form = await request.form()
        answer = {name: str(value) for name, value in form.items()}
        answered = {**answer, "results": json.loads(answer["results"])} if "results" in answer else answer
        server.inline_answers.append(answered)
        return {"ok": True, "result": True}

    @router.post("/bot{token}/getCustomEmojiStickers")
    async def get_custom_emoji_stickers(token: str, request: Request) -> Any:
        wanted = json.loads(str((await request.form())["custom_emoji_ids"]))
        kind = {"type": "custom_emoji", "width": 100, "height": 100, "is_animated": True, "is_video": False}
        known = [
            {**server.file(b""), **kind, "custom_emoji_id": number, "emoji": server.custom_emoji[number]}
            for number in wanted
            if number in server.custom_emoji
        ]
        return {"ok": True, "result": known}

    @router.post("/bot{token}/getChat")
    async def get_chat(token: str, request: Request) -> Any:
        number = int(str((await request.form())["chat_id"]))
        gifts = dict.fromkeys(
            (*(f"{each}_gifts" for each in _GIFTS), "premium_subscription", "gifts_from_channels"), True
        )
        told = {**chat_of(number), "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
        if number in server.chat_reactions:
            told["available_reactions"] = server.chat_reactions[number]
        return {"ok": True, "result": told}

    return router


def _missing_methods_for_admins(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    @router.post("/bot{token}/getChatMember")
    async def get_chat_member(token: str, request: Request) -> Any:
        form = await request.form()
        chat, person = int(str(form["chat_id"])), int(str(form["user_id"]))
        status = server.statuses.get((chat, person))
        if status is None:
            return _refuse(400, "Bad Request: member not found")
        return {"ok": True, "result": _member(person, status)}

    @router.post("/bot{token}/editMessageMedia")
    async def edit_message_media(token: str, request: Request) -> Any:
        form = await request.form()
        number, media = int(str(form["message_id"])), json.loads(str(form["media"]))
        file = form[media["media"].removeprefix("attach://")]
        assert isinstance(file, UploadFile)
        if server.forbids_media_edits:
            return _refuse(400, "Bad Request: message can't be edited")
        if len(media.get("caption", "").encode("utf-16-le")) > 2 * 1024:
            return _refuse(400, "Bad Request: message caption is too long")
        if number in server.made and "sticker" in server.shown[number]:
            return _refuse(400, "Bad Request: message can't be edited")
        return await server.change(number, form, media, file)

    return router


def _member(person: int, status: str) -> dict[str, Any]:
    """Return a chat member with this status, in Telegram's format."""
    rights = (
        *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
        *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users"),
        *("can_post_stories", "can_edit_stories", "can_delete_stories"),
    )
    of_status = {"administrator": rights, "creator": ("is_anonymous",)}.get(status, ())
    user = {"id": person, "is_bot": False, "first_name": "Ada"}
    return {"user": user, "status": status, **dict.fromkeys(of_status, False)}


async def _size(file: UploadFile) -> tuple[int, int]:
    """Return height and width of a picture, which can be read again afterwards."""
    decoded = cv2.imdecode(np.frombuffer(await file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    await file.seek(0)
    assert decoded is not None
    return decoded.shape[0], decoded.shape[1]


async def _fail(fault: Fault, do: Callable[[Send], Coroutine[Any, Any, None]], scope: Scope, send: Send) -> None:
    """Answer a call with a fault, after doing it if only its answer is lost."""

    async def lose(_message: Message) -> None:
        pass

    if fault.is_done:
        await do(lose)
    await asyncio.sleep(fault.delay_s)
    if fault.code:
        refusal = {"ok": False, "error_code": fault.code, "description": fault.description}
        told = {**refusal, **({"parameters": fault.parameters} if fault.parameters else {})}
        await JSONResponse(told, fault.code)(scope, _again(b""), send)
    else:  # an answer that breaks off: uvicorn closes the connection
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _again(body: bytes) -> Receive:
    """Return what hands out a request's body once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


@asynccontextmanager
async def served(
    service: EmojiService,
    server: TelegramServer,
    limits: Limits = QUICK,
    album_quiet_s: float = 0.5,
    source: Source | None = None,
) -> AsyncIterator[TelegramAdapter]:
    """Run the adapter against the server until the block ends."""
    adapter = TelegramAdapter(
        service,
        TOKEN,
        source=source,
        api_url=server.url,
        album_quiet_s=album_quiet_s,
        rate_limiter=RateLimiter(limits),
    )
    running = asyncio.create_task(adapter.run())
    yield adapter
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


@asynccontextmanager
async def telegram_server() -> AsyncIterator[TelegramServer]:
    """Run the server on a free port of 127.0.0.1 until the block ends."""
    state = StateManager()
    state._redis = fakeredis.FakeAsyncRedis(decode_responses=True)
    app = FastAPI()

    async def noting_app(scope: Scope, receive: Receive, send: Send) -> None:
        method = _METHOD.match(scope["path"])
        if method is not None:
            received = await Request(scope, receive).body()
            await server.check(method[1], Request(scope, _again(received)))
            receive = _again(received)
            fault = server.fault_of(method[1])
            if fault is not None:
                await _fail(fault, partial(app, scope, receive), scope, send)
                await server.note_call()
                return
        await app(scope, receive, send)
        await server.note_call()

    uvicorn_server = _Server(uvicorn.Config(noting_app, "127.0.0.1", 0, log_level="warning"))
    before = bot_api.state_manager, bot_api.media_manager
    bot_api.state_manager = state
    server = TelegramServer("")
    bot_api.media_manager = server
    app.include_router(_missing_methods(server))
    app.include_router(_methods_for_menus(server))
    app.include_router(_methods_for_webhooks(server))
    app.include_router(_methods_that_send(server))
    app.include_router(_methods_for_stickers(server))
    app.include_router(_missing_methods_for_admins(server))
    app.include_router(bot_api.router)
    serving = asyncio.create_task(uvicorn_server.serve())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await uvicorn_server.has_started.wait()
        port = uvicorn_server.servers[0].sockets[0].getsockname()[1]
        server.url = f"http://127.0.0.1:{port}"
        yield server
    finally:
        await server.webhook.close()
        uvicorn_server.should_exit = True
        await serving
        bot_api.state_manager, bot_api.media_manager = before
    assert not server.violations, "\n".join(server.violations)
