"""A Bot API server on loopback: telemelya's, with the methods it lacks and the refusals Telegram would give."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import fakeredis
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from telegram.constants import ReactionEmoji
from telemelya.server import bot_api
from telemelya.server.state import StateManager

TOKEN = "123456789:AAtelemelyaTestTokenOfNoBotAnywhere00"
_ALLOWED = {emoji.value for emoji in ReactionEmoji}


class TelegramServer:
    """What a person and their chat see of the bot, and how they talk to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reactions: list[tuple[int, int, str]] = []
        self.updates: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.files: dict[str, bytes] = {}
        self.forbidden_reactions: set[str] = set()
        self.commands: dict[str, dict[str, str]] = {}
        self._numbers = itertools.count(1000)
        self._state = bot_api.state_manager

    async def send(
        self, *, person: int = 7, chat: int | None = None, language: str = "en", **content: Any
    ) -> dict[str, Any]:
        """A message from a person: a private one unless `chat` names a group. Gives the message."""
        command = content.get("text", "")
        if command.startswith("/"):
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command.split()[0])}]
        message = {
            "message_id": next(self._numbers),
            "date": int(time.time()),
            "from": {"id": person, "is_bot": False, "first_name": "Ada", "language_code": language},
            "chat": {"id": chat or person, "type": "group" if chat else "private", "title": "G"},
            **content,
        }
        await self._deliver(message=message)
        return message

    def picture(self, data: bytes) -> list[dict[str, Any]]:
        """A photo's sizes as Telegram lists them, the file stored on the server."""
        return [{**self.file(data), "width": side, "height": side} for side in (90, 320, 800)]

    def file(self, data: bytes) -> dict[str, Any]:
        """A file on the server, as a message refers to it."""
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
    ) -> None:
        """A person presses the button that carries `label` under a message the bot sent (or edited)."""
        keys = [key for row in _markup(record)["inline_keyboard"] for key in row]
        data = next(key["callback_data"] for key in keys if label in key["text"])
        message = {
            "message_id": record["message_id"],
            "date": int(time.time()),
            "chat": {"id": record["chat_id"], "type": "private"},
            "text": record.get("text") or "",
            "reply_markup": _markup(record),
            **({"reply_to_message": original} if original else {}),
        }
        sender = {"id": person, "is_bot": False, "first_name": "Ada", "language_code": language}
        query = {"id": str(next(self._numbers)), "from": sender, "chat_instance": "1", "message": message, "data": data}
        await self._deliver(callback_query=query)

    async def sent(self, method: str, count: int = 1, within_s: float = 10) -> list[dict[str, Any]]:
        """Wait until the bot has called `method` `count` times in all, and give those calls."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            calls = [call for call in await self._state.get_responses("default") if call["method"] == method]
            if len(calls) >= count:
                return calls
            await asyncio.sleep(0.02)
        raise AssertionError(f"the bot called {method} fewer than {count} times within {within_s} s")

    async def count(self, method: str) -> int:
        """How often the bot has called `method` so far."""
        return sum(call["method"] == method for call in await self._state.get_responses("default"))

    async def _deliver(self, **update: Any) -> None:
        await self.updates.put({"update_id": next(self._numbers), **update})

    async def upload(self, *_: Any) -> None:
        """Stands where telemelya has its object store; the bot uploads nothing."""

    async def download_by_key(self, path: str) -> bytes | None:
        """The bytes of a file, for telemelya's download route."""
        return self.files.get(path)


def labels(record: dict[str, Any]) -> list[list[str]]:
    """What is on the buttons of a message, row by row."""
    return [[key["text"] for key in row] for row in _markup(record)["inline_keyboard"]]


def _markup(record: dict[str, Any]) -> dict[str, Any]:
    markup = record["reply_markup"]
    parsed: dict[str, Any] = json.loads(markup) if isinstance(markup, str) else markup
    return parsed


def _missing_methods(server: TelegramServer) -> APIRouter:
    router = APIRouter()

    def refuse(code: int, description: str) -> JSONResponse:
        return JSONResponse({"ok": False, "error_code": code, "description": description}, code)

    @router.post("/bot{token}/getMe")
    async def get_me(token: str) -> Any:
        if token != TOKEN:
            return refuse(401, "Unauthorized")
        return {"ok": True, "result": bot_api.DEFAULT_BOT_INFO}

    @router.post("/bot{token}/getUpdates")
    async def get_updates(token: str) -> Any:
        try:
            return {"ok": True, "result": [await asyncio.wait_for(server.updates.get(), 0.2)]}
        except TimeoutError:
            return {"ok": True, "result": []}

    @router.post("/bot{token}/setMyCommands")
    async def set_my_commands(token: str, request: Request) -> Any:
        form = await request.form()
        listed = json.loads(str(form["commands"]))
        server.commands[str(form.get("language_code", ""))] = {each["command"]: each["description"] for each in listed}
        return {"ok": True, "result": True}

    @router.post("/bot{token}/getFile")
    async def get_file(token: str, request: Request) -> Any:
        number = str((await request.form())["file_id"])
        if number not in server.files:
            return refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        return {"ok": True, "result": {"file_id": number, "file_unique_id": number, "file_path": number}}

    @router.post("/bot{token}/setMessageReaction")
    async def set_message_reaction(token: str, request: Request) -> Any:
        form = await request.form()
        chosen = json.loads(str(form["reaction"]))[0]
        emoji = chosen.get("emoji")
        if chosen["type"] != "emoji" or emoji not in _ALLOWED or emoji in server.forbidden_reactions:
            return refuse(400, "Bad Request: REACTION_INVALID")
        server.reactions.append((int(str(form["chat_id"])), int(str(form["message_id"])), emoji))
        return {"ok": True, "result": True}

    return router


@asynccontextmanager
async def telegram_server() -> AsyncIterator[TelegramServer]:
    """Run the server on a free port of 127.0.0.1 until the block ends."""
    state = StateManager()
    state._redis = fakeredis.FakeAsyncRedis(decode_responses=True)
    app = FastAPI()
    uvicorn_server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning"))
    before = bot_api.state_manager, bot_api.media_manager
    bot_api.state_manager = state
    server = TelegramServer("")
    bot_api.media_manager = server
    app.include_router(_missing_methods(server))
    app.include_router(bot_api.router)
    serving = asyncio.create_task(uvicorn_server.serve())
    try:
        while not uvicorn_server.started:
            await asyncio.sleep(0.01)
        port = uvicorn_server.servers[0].sockets[0].getsockname()[1]
        server.url = f"http://127.0.0.1:{port}"
        yield server
    finally:
        uvicorn_server.should_exit = True
        await serving
        bot_api.state_manager, bot_api.media_manager = before
