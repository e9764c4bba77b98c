"""Telegram's side of a webhook, and the proxy before the bot's processes.

As https://github.com/tdlib/telegram-bot-api (WebhookActor.cpp) does: the updates of one chat one after the other, each
again until it is acknowledged; those of different chats at once.
"""

import asyncio
import itertools
import json
from collections import defaultdict
from typing import Any

import httpx

from bots.telegram.webhook import SECRET_HEADER

_AGAIN_AFTER_S = (0.1, 0.3, 1.0)
"""Pauses before an update is sent again, the last one from then on; Telegram's are longer."""


class WebhookSender:
    """Sends updates to one of `targets` after the other, which are addresses of processes; those that do not answer
    are passed over, as a proxy does.
    """

    def __init__(self) -> None:
        self.registered: dict[str, Any] | None = None
        self.targets: list[str] = []
        self.statuses: list[int] = []
        self._turns = itertools.count()
        self._chats: defaultdict[int, asyncio.Queue[dict[str, Any]]] = defaultdict(asyncio.Queue)
        self._senders: dict[int, asyncio.Task[None]] = {}
        self._client = httpx.AsyncClient(timeout=60)

    def register(self, form: dict[str, str]) -> None:
        """Note what `setWebhook` was called with."""
        told = {name: form.get(name) for name in ("url", "secret_token", "max_connections")}
        self.registered = {**told, "allowed_updates": json.loads(form.get("allowed_updates", "[]"))}

    async def put(self, update: dict[str, Any]) -> None:
        """Send an update when those of its chat before it are acknowledged."""
        chat = _chat_in(update)
        await self._chats[chat].put(update)
        if chat not in self._senders:
            self._senders[chat] = asyncio.create_task(self._send_all(self._chats[chat]))

    @property
    def waiting(self) -> int:
        """Return how many updates are not acknowledged."""
        return sum(each._unfinished_tasks for each in self._chats.values())  # type: ignore[attr-defined]

    async def post(self, update: Any, secret: str | None = None, target: str = "") -> httpx.Response:
        """Send something once. secret: None for the right one. Raise `httpx.HTTPError`."""
        assert self.registered is not None
        target = target or self.targets[next(self._turns) % len(self.targets)]
        path = httpx.URL(self.registered["url"]).path
        headers = {SECRET_HEADER.encode(): (secret if secret is not None else self.registered["secret_token"]).encode()}
        body = update if isinstance(update, bytes) else json.dumps(update).encode()
        return await self._client.post(f"{target}{path}", content=body, headers=headers)

    async def close(self) -> None:
        """Send nothing more."""
        for each in self._senders.values():
            each.cancel()
        await asyncio.gather(*self._senders.values(), return_exceptions=True)
        await self._client.aclose()

    async def _send_all(self, updates: "asyncio.Queue[dict[str, Any]]") -> None:
        while True:
            update = await updates.get()
            await self._send(update)
            updates.task_done()

    async def _send(self, update: dict[str, Any]) -> None:
        for pause_s in itertools.chain(_AGAIN_AFTER_S, itertools.repeat(_AGAIN_AFTER_S[-1])):
            for _ in self.targets:
                try:
                    answer = await self.post(update)
                except httpx.HTTPError:
                    continue  # the proxy tries the next process
                self.statuses.append(answer.status_code)
                if answer.is_success:
                    return
                break
            await asyncio.sleep(pause_s)


def _chat_in(update: dict[str, Any]) -> int:
    """Return the chat whose updates an update waits for."""
    for content in update.values():
        if isinstance(content, dict):
            message = content.get("message", content)
            return int(message.get("chat", content.get("from", {"id": 0}))["id"])
    return 0
