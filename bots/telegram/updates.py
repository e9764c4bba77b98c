"""Take updates from Telegram: one that the library cannot read is skipped, and none holds up the end."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import structlog
from telegram import Update
from telegram.ext import BaseUpdateProcessor
from telegram.request import HTTPXRequest

from db import Platform

LONGEST_END_S = 3.0
"""Seconds for which updates that are being answered are waited for at the end."""
_log = structlog.get_logger()


class UpdatesRequest(HTTPXRequest):
    """Fetches batches of updates.

    The library drops a whole batch for one update that it cannot read, and fetches it again for ever. Such a one is
    replaced here with an empty update of the same number, so that it counts as received.
    """

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return an answer of Telegram. Raise `TelegramError` if it is no JSON."""
        answer: dict[str, Any] = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer, dict) and isinstance(updates := answer.get("result"), list):
            return {**answer, "result": [readable for each in updates if (readable := _readable(each)) is not None]}
        return answer


def _readable(update: Any) -> dict[str, Any] | None:
    """Return an update if the library can read it, else an empty one; None if it has no number."""
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int):
        _log.warning("update_skipped", platform=Platform.TELEGRAM, reason="no number")
        return None
    try:
        Update.de_json(update, None)
    except Exception as error:  # whatever a newer Telegram sends
        kinds = sorted(update.keys() - {"update_id"})
        _log.warning("update_skipped", platform=Platform.TELEGRAM, kinds=kinds, reason=type(error).__name__)
        return {"update_id": number}
    return dict(update)


class UpdateProcessor(BaseUpdateProcessor):
    """Answers many updates at once; at the end it waits for them only so long, whatever each of them waits for."""

    def __init__(self, most_at_once: int, longest_end_s: float = LONGEST_END_S) -> None:
        """Set how many updates are answered at once, and how many seconds the end may take."""
        super().__init__(most_at_once)
        self._longest_end_s = longest_end_s
        self._running: set[asyncio.Task[Any]] = set()
        self._lost = 0
        self._has_ended = False

    async def initialize(self) -> None:
        """Begin to answer."""
        self._has_ended, self._lost = False, 0

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:  # noqa: ARG002
        """Answer an update. coroutine: does it."""
        if self._has_ended:
            self._lost += 1
            asyncio.ensure_future(coroutine).cancel()
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await coroutine
        finally:
            self._running.discard(task)

    async def end(self) -> None:
        """Let what is being answered come to its end, for so long; answer nothing more after it."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._longest_end_s)
        self._has_ended = True
        lost = set(self._running)
        for task in lost:
            task.cancel()
        if lost:
            await asyncio.wait(lost, timeout=self._longest_end_s)
        self._lost += len(lost)

    async def shutdown(self) -> None:
        """Say how many updates were lost."""
        if self._lost:
            _log.warning("updates_lost_at_the_end", platform=Platform.TELEGRAM, count=self._lost)
        self._lost = 0
