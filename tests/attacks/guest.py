"""Guests without a browser: one who asks the web chat's interface, and one who opens the sockets of the console's pages
and sends what a page never would.
"""

import asyncio
import json
import re
import secrets
import uuid
from types import TracebackType
from typing import Any, Self

import httpx
import socketio

from bots.web.interface import PREFIX

PHOTOS, TAPS, COMMANDS, COVERS, PICTURES = (
    f"{PREFIX}/{name}" for name in ("photos", "taps", "commands", "covers", "pictures")
)
_CLIENT = re.compile(r"'client_id': '([^']+)'|\"client_id\": ?\"([^\"]+)\"|client_id=([\w-]+)")


class Guest:
    """One visitor of the web chat, with a cookie."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=60)

    async def __aenter__(self) -> Self:
        assert (await self.http.get("/")).status_code == 200
        return self

    async def send(self, photo: bytes, name: str = "") -> list[dict[str, Any]]:
        """Send a photo; return the lines of the answer."""
        form = {"id": name or secrets.token_hex(8)}
        answer = await self.http.post(PHOTOS, data=form, files={"photo": ("photo", photo)})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    async def is_served(self) -> bool:
        """Return whether the program still answers."""
        page = await self.http.get("/")
        answer = await self.http.post(COMMANDS, json={"name": "help"})
        return (page.status_code, answer.status_code) == (200, 200)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()
        await asyncio.sleep(0)


class ConsoleGuest(Guest):
    """An admin's open page of the console. told: what its socket brought, by the names of the events."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(port)
        self._token = token
        self.socket = socketio.AsyncClient()
        self.told: list[str] = []
        self.tab = str(uuid.uuid4())
        self.id = ""

    async def __aenter__(self) -> Self:
        entered = await self.http.post("/console/login", data={"name": "Ada", "token": self._token})
        assert entered.status_code == 303, entered.text
        page = await self.http.get("/console/review", headers={"Accept": "text/html"})
        assert page.status_code == 200
        found = _CLIENT.search(page.text)
        assert found is not None
        self.id = next(filter(None, found.groups()))
        self.socket.on("*", lambda event, *_: self.told.append(event))
        await self.connect()
        return self

    async def connect(self, **headers: str) -> None:
        """Open the socket and join the page."""
        query = f"client_id={self.id}&next_message_id=0&implicit_handshake=false"
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        await self.socket.connect(
            f"{self.url}/?{query}",
            socketio_path="/_nicegui_ws/socket.io",
            transports=["websocket"],
            headers={"Cookie": cookies, **headers},
        )
        joined = await self.socket.call(
            "handshake", {"client_id": self.id, "tab_id": self.tab, "document_id": self.tab}
        )
        assert joined is True

    async def emit(self, event: str, message: Any) -> None:
        """Send an event through the socket."""
        await self.socket.emit(event, message)

    async def is_served(self) -> bool:
        """Return whether the program still answers: the page, and this guest's socket."""
        return await super().is_served() and self.socket.connected

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.disconnect()
        await super().__aexit__(kind, error, trace)
