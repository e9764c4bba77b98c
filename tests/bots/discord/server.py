"""A small Discord on loopback for the real client: its HTTP API, and its gateway with one shard.

It does what simcord leaves out: refused logins, closed connections, malformed events, rate limits with their headers,
lost answers, and nonces. It knows one server with one channel, in which everybody may do everything.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import discord
import pytest
import yarl
from aiohttp import web

ME, ALICE, GUILD, CHANNEL, SECOND_CHANNEL, ROLE = 1000, 2000, 3000, 4000, 4001, 3000
EVERYTHING = str(discord.Permissions.all().value)
_NOW = "2026-11-27T10:00:00+00:00"
LOADING = 128

Answer = Callable[[], web.Response]


@dataclass
class Call:
    """A request that came in."""

    method: str
    path: str
    body: Any


@dataclass
class Refusal:
    """An answer in place of the usual one. after_effect: the call has its effect first."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    drops: bool = False
    after_effect: bool = False


def rate_limit(seconds: float) -> Refusal:
    """Return Discord's answer to a call too many."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
    return Refusal(429, {"Via": "1.1 test", "Retry-After": str(seconds)}, body)


class DiscordServer:
    """Answers the client, and sends it events. calls: all requests. reactions: the bot's own on each message."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: dict[int, dict[str, Any]] = {}
        self.reactions: dict[int, set[str]] = {}
        self.identified: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.is_ready = asyncio.Event()
        self._refusals: list[tuple[str, re.Pattern[str], Refusal]] = []
        self._nonces: dict[str, int] = {}
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 0
        self._last_id = 10**17
        self.base = ""

    def refuse(self, method: str, path: str, *refusals: Refusal) -> None:
        """Let the next calls with this method, whose path matches the regular expression, get these answers."""
        self._refusals += [(method, re.compile(path), refusal) for refusal in refusals]

    def calls_of(self, method: str, path: str) -> list[Call]:
        """Return the calls with a method whose path matches a regular expression."""
        return [call for call in self.calls if call.method == method and re.search(path, call.path)]

    async def send(self, event: str, data: Any) -> None:
        """Send an event to the client."""
        assert self._socket is not None
        self._sequence += 1
        await self._socket.send_json({"op": 0, "t": event, "s": self._sequence, "d": data})

    async def write(self, content: str = "", *, channel_id: int = CHANNEL, **facts: Any) -> dict[str, Any]:
        """Let Alice write a message that mentions the bot; facts: further fields of it."""
        message = self.written(content, channel_id=channel_id, **facts)
        self.messages[int(message["id"])] = message
        await self.send("MESSAGE_CREATE", message)
        return message

    def written(self, content: str = "", *, channel_id: int = CHANNEL, **facts: Any) -> dict[str, Any]:
        """Return a message of Alice's that mentions the bot; facts: further fields of it."""
        return {
            **self._message(channel_id, content),
            "author": _user(ALICE, "alice"),
            "member": {"roles": [], "joined_at": _NOW, "deaf": False, "mute": False, "flags": 0},
            "mentions": [_user(ME, "mugmoji", bot=True)],
            **facts,
        }

    async def command(self, name: str, photo: dict[str, Any]) -> dict[str, Any]:
        """Let Alice give a slash command with a photo; return the message that is to become its answer."""
        answer = self._message(CHANNEL, "") | {"author": _user(ME, "mugmoji", bot=True), "flags": LOADING}
        self.messages[int(answer["id"])] = answer
        given = self.pressed(answer, "") | {
            "type": 2,
            "data": {
                "id": "77",
                "name": name,
                "type": 1,
                "options": [{"name": "photo", "type": 11, "value": photo["id"]}],
                "resolved": {"attachments": {photo["id"]: photo}},
            },
        }
        del given["message"]
        await self.send("INTERACTION_CREATE", given)
        return answer

    async def press(self, answer: dict[str, Any], custom_id: str) -> None:
        """Let Alice press a button under a message of the bot."""
        await self.send("INTERACTION_CREATE", self.pressed(answer, custom_id))

    def pressed(self, answer: dict[str, Any], custom_id: str) -> dict[str, Any]:
        """Return what a button that Alice presses under a message of the bot brings."""
        self._last_id += 1
        return {
            "id": str(self._last_id),
            "application_id": str(ME),
            "type": 3,
            "token": f"token{self._last_id}x{answer['id']}",
            "version": 1,
            "data": {"custom_id": custom_id, "component_type": 2},
            "guild_id": str(GUILD),
            "channel_id": str(CHANNEL),
            "channel": _channel(CHANNEL, "selfies"),
            "member": {
                "user": _user(ALICE, "alice"),
                "roles": [],
                "joined_at": _NOW,
                "deaf": False,
                "mute": False,
                "flags": 0,
                "permissions": EVERYTHING,
            },
            "message": answer,
            "app_permissions": EVERYTHING,
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(GUILD)},
            "context": 0,
            "attachment_size_limit": 10**7,
        }

    @asynccontextmanager
    async def running(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        """Serve while in this context, in place of Discord."""
        application = web.Application(client_max_size=2**26)
        application.router.add_get("/gateway", self._gateway)
        application.router.add_route("*", "/api/v10/{path:.*}", self._call)
        application.router.add_get("/files/{name}", self._file)
        runner = web.AppRunner(application, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        monkeypatch.setattr(discord.http.Route, "BASE", f"{self.base}/api/v10")
        gateway = yarl.URL(self.base.replace("http", "ws")) / "gateway"
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        try:
            yield
        finally:
            if self._socket is not None:
                await self._socket.close()
            await runner.cleanup()

    files: dict[str, Callable[[web.Request], Any]]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await self.files[request.match_info["name"]](request)
        return response

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = self._socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 45_000}})
        async for message in socket:
            told = json.loads(message.data)
            if told["op"] == 1:
                await socket.send_json({"op": 11})
            elif told["op"] == 2:
                self.identified.append(told["d"])
                if self.close_code is not None:
                    await socket.close(code=self.close_code)
                    break
                await self._welcome()
        return socket

    async def _welcome(self) -> None:
        await self.send(
            "READY",
            {
                "v": 10,
                "user": _user(ME, "mugmoji", bot=True),
                "guilds": [{"id": str(GUILD), "unavailable": True}],
                "session_id": "session",
                "shard": [0, 1],
                "resume_gateway_url": self.base.replace("http", "ws"),
                "application": {"id": str(ME), "flags": 0},
            },
        )
        await self.send("GUILD_CREATE", guild())
        self.is_ready.set()

    async def _call(self, request: web.Request) -> web.Response:
        path = "/" + request.match_info["path"]
        is_question = request.method == "GET"
        if is_question and request.can_read_body:
            return _json({"code": 0, "message": "a body where none belongs"}, status=400)
        body = dict(request.query) if is_question else await _body(request)
        self.calls.append(Call(request.method, path, body))
        place = next(
            (
                place
                for place, (method, pattern, _) in enumerate(self._refusals)
                if method == request.method and pattern.search(path)
            ),
            None,
        )
        if place is None:
            return self._answer(request.method, path, body)
        refusal = self._refusals.pop(place)[2]
        if refusal.after_effect:
            self._answer(request.method, path, body)
        if refusal.drops:
            assert request.transport is not None
            request.transport.abort()
        if isinstance(refusal.body, str):
            return web.Response(status=refusal.status, text=refusal.body, content_type="text/html")
        return _json(refusal.body or {"code": 0, "message": ""}, status=refusal.status, headers=refusal.headers)

    def _answer(self, method: str, path: str, body: Any) -> web.Response:  # noqa: PLR0911, PLR0912  # one for each route
        parts = path.strip("/").split("/")
        match method, *parts:
            case "GET", "users", "@me":
                return _json(_user(ME, "mugmoji", bot=True))
            case "GET", "oauth2", "applications", "@me":
                return _json(_application())
            case "GET", "gateway", "bot":
                limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
                url = self.base.replace("http", "ws") + "/gateway"
                return _json({"url": url, "shards": 1, "session_start_limit": limit})
            case (("GET" | "PUT"), "applications", _, "commands"):
                return _json([])
            case "POST", "channels", channel_id, "messages":
                return _json(self._posted(int(channel_id), body))
            case "GET", "channels", channel_id, "messages":
                since = int(body.get("after", 0))
                there = [self.messages[each] for each in sorted(self.messages) if each > since]
                there = [each for each in there if each["channel_id"] == channel_id]
                return _json(there[::-1])
            case "GET", "channels", _, "messages", message_id if int(message_id) in self.messages:
                return _json(self.messages[int(message_id)])
            case "PATCH", "channels", _, "messages", message_id:
                self.messages[int(message_id)].update(body)
                return _json(self.messages[int(message_id)])
            case (("PUT" | "DELETE"), "channels", _, "messages", message_id, "reactions", emoji, "@me"):
                own = self.reactions.setdefault(int(message_id), set())
                (own.add if method == "PUT" else own.discard)(unquote(emoji))
                return web.Response(status=204)
            case "POST", "interactions", _, _, "callback":
                return _json({"interaction": {"id": parts[1], "type": 3}})
            case (("GET" | "PATCH"), "webhooks", _, token, "messages", "@original") if self._answered_by(token):
                message = self.messages[int(self._answered_by(token))]
                if method == "PATCH":
                    message.update({name: body[name] for name in ("content", "components") if name in body}, flags=0)
                return _json(message)
            case "POST", "webhooks", _, token:
                return _json(self._posted(CHANNEL, body))
        return _json({"code": 0, "message": "404: Not Found"}, status=404)

    def _answered_by(self, token: str) -> str:
        """Return the number of the message that a token lets the bot edit; empty if it is not there."""
        number = token.partition("x")[2]
        return number if number in set(map(str, self.messages)) else ""

    def _posted(self, channel_id: int, body: Any) -> dict[str, Any]:
        """Store a message of the bot, and return it; one with a nonce that is known is not stored twice."""
        nonce = body.get("nonce")
        if nonce in self._nonces and body.get("enforce_nonce"):
            return self.messages[self._nonces[nonce]]
        message = self._message(channel_id, body.get("content", ""))
        reference = body.get("message_reference")
        if reference is not None:
            message |= {"type": 19, "message_reference": {**reference, "channel_id": str(channel_id)}}
        message |= {"author": _user(ME, "mugmoji", bot=True), "components": body.get("components", [])}
        self.messages[int(message["id"])] = message
        if nonce is not None:
            self._nonces[nonce] = int(message["id"])
        return message

    def _message(self, channel_id: int, content: str) -> dict[str, Any]:
        self._last_id += 1
        return {
            "id": str(self._last_id),
            "channel_id": str(channel_id),
            "guild_id": str(GUILD),
            "type": 0,
            "content": content,
            "timestamp": _NOW,
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "flags": 0,
        }

    @property
    def answers(self) -> list[dict[str, Any]]:
        """Return the messages of the bot."""
        return [each for each in self.messages.values() if each["author"]["id"] == str(ME)]


def photo_of(server: DiscordServer, name: str = "me.jpg", number: int = 1, **facts: Any) -> dict[str, Any]:
    """Return a picture as a message has it, whose file the server hands out. facts: in place of others."""
    url = f"{server.base}/files/{name}"
    return {
        "id": str(number),
        "filename": name,
        "size": 100,
        "url": url,
        "proxy_url": url,
        "content_type": "image/jpeg",
    } | facts


def _json(told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an answer with the type that Discord sends, without a charset."""
    facts = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=json.dumps(told).encode(), status=status, headers=facts)


async def _body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    if request.content_type == "multipart/form-data":
        form = await request.post()
        payload = form["payload_json"]
        return json.loads(payload) if isinstance(payload, str) else None
    return None


def _user(number: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(number),
        "username": name,
        "discriminator": "0",
        "global_name": None,
        "avatar": None,
        "bot": bot,
        "public_flags": 0,
        "flags": 0,
    }


def _application() -> dict[str, Any]:
    return {
        "id": str(ME),
        "name": "mugmoji",
        "icon": None,
        "description": "",
        "rpc_origins": [],
        "bot_public": True,
        "bot_require_code_grant": False,
        "owner": _user(ALICE, "alice"),
        "verify_key": "",
        "flags": 0,
        "team": None,
    }


def _channel(number: int, name: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "type": 0,
        "guild_id": str(GUILD),
        "name": name,
        "position": 0,
        "permission_overwrites": [],
        "nsfw": False,
        "parent_id": None,
        "topic": None,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "flags": 0,
        "permissions": EVERYTHING,
    }


def guild() -> dict[str, Any]:
    """Return the server, as Discord describes it to a bot that connects."""
    everybody = {
        "id": str(ROLE),
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": EVERYTHING,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    me = {
        "user": _user(ME, "mugmoji", bot=True),
        "roles": [],
        "joined_at": _NOW,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }
    return {
        "id": str(GUILD),
        "name": "server",
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": str(ALICE),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [everybody],
        "emojis": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "joined_at": _NOW,
        "large": False,
        "unavailable": False,
        "member_count": 2,
        "voice_states": [],
        "members": [me],
        "channels": [_channel(CHANNEL, "selfies"), _channel(SECOND_CHANNEL, "more-selfies")],
        "threads": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "stickers": [],
    }
