"""A guest of the web chat without a browser: loads the page, opens its socket, and sends what a page never would."""

import asyncio
import html
import json
import re
import uuid
from types import TracebackType
from typing import Any, Self

import httpx
import socketio

_CLIENT = re.compile(r"'client_id': '([^']+)'|\"client_id\": ?\"([^\"]+)\"|client_id=([\w-]+)")
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
_UPLOAD = re.compile(r"/_nicegui/client/[\w-]+/upload/\d+")


class Guest:
    """One open page. told: what its socket brought, by the names of the events. listeners: an element's number, and the
    listener of one of its events, for each.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=30)
        self.socket = socketio.AsyncClient()
        self.told: list[str] = []
        self.tab = str(uuid.uuid4())
        self.id = self.upload = ""
        self.listeners: list[tuple[int, str]] = []

    async def __aenter__(self) -> Self:
        page = await self.http.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 200
        found = _CLIENT.search(page.text)
        upload = _UPLOAD.search(page.text)
        assert found is not None
        assert upload is not None
        self.id = next(filter(None, found.groups()))
        self.upload = upload[0]
        elements = _ELEMENTS.search(page.text)
        assert elements is not None
        self.listeners = [
            (int(number), event["listener_id"])
            for number, element in json.loads(html.unescape(elements[1])).items()
            for event in element.get("events", ())
        ]
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

    async def send(self, event: str, message: Any) -> None:
        await self.socket.emit(event, message)

    async def is_served(self) -> bool:
        """Return whether the program still answers: the page, and this guest's socket."""
        page = await self.http.get("/")
        return page.status_code == 200 and self.socket.connected

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.disconnect()
        await self.http.aclose()
        await asyncio.sleep(0)
