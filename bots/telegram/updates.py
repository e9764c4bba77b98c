"""Take updates from Telegram: one that the library cannot read is skipped, and none holds up the end.

Telegram forgets an update as soon as a later one is asked for. So that no photo is lost if the process ends at any
moment, it is told so only of updates that are answered, or whose photo is in the journal.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import structlog
from telegram import Update
from telegram.ext import BaseUpdateProcessor
from telegram.request import HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from bots.serving.admission import Admission, RefusedError
from bots.telegram.admitting import is_about_a_file, kind_of, whose
from db import Platform

LONGEST_END_S = 3.0
"""Seconds for which updates that are being answered are waited for at the end, unless the operator says otherwise."""
LONGEST_UNSETTLED_S = 20.0
"""Seconds after which an update counts as received, whatever has become of it: longer than an album is gathered."""
LOOK_AGAIN_S = 0.1
"""Pause before Telegram is asked again while updates are neither answered nor in the journal."""
_log = structlog.get_logger()


class Receipts:
    """Which updates have come and are not settled: neither answered nor in the journal."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: returns seconds."""
        self._clock = clock
        self._open: dict[int, float] = {}
        self._newest = -1
        self._changed = asyncio.Event()

    def note(self, number: int) -> bool:
        """Note an update that has come; return whether it is new."""
        is_new = number > self._newest
        if is_new:
            self._newest = number
            self._open[number] = self._clock()
        return is_new

    def settle(self, number: int) -> None:
        """Note that an update may be forgotten."""
        self._open.pop(number, None)
        self._changed.set()

    def oldest(self) -> int | None:
        """Return the first update that is not settled; None if there is none."""
        latest = self._clock() - LONGEST_UNSETTLED_S
        self._open = {number: since for number, since in self._open.items() if since > latest}
        return min(self._open, default=None)

    async def wait(self, longest_s: float) -> None:
        """Wait until all updates are settled, at most so many seconds."""
        try:
            async with asyncio.timeout(longest_s):
                while self.oldest() is not None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass


class UpdatesRequest(HTTPXRequest):
    """Fetches batches of updates.

    The library drops a whole batch for one update that it cannot read, and fetches it again for ever. Such a one is
    replaced here with an empty update of the same number, so that it counts as received.
    """

    def __init__(self, receipts: Receipts) -> None:
        """receipts: of the updates that were fetched."""
        super().__init__()
        self._receipts = receipts

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **more: Any
    ) -> tuple[int, bytes]:
        """Make a request; of updates, only those that are new are returned. Raise `TelegramError`."""
        asked = request_data.parameters.get("offset") if request_data is not None else None
        if request_data is None or not isinstance(asked, int):
            return await super().do_request(url, method, request_data, *timeouts, **more)
        await self._receipts.wait(LOOK_AGAIN_S)
        oldest = self._receipts.oldest()
        if oldest is not None and oldest < asked:
            told = {**request_data.parameters, "offset": oldest}
            request_data = RequestData([RequestParameter.from_input(name, value) for name, value in told.items()])
        status, payload = await super().do_request(url, method, request_data, *timeouts, **more)
        return status, self._new_in(payload)

    def _new_in(self, payload: bytes) -> bytes:
        """Return an answer without the updates that have come before."""
        try:
            answer = json.loads(payload)
            updates = answer["result"]
            new = [each for each in updates if not _has_number(each) or self._receipts.note(each["update_id"])]
        except (KeyError, TypeError, ValueError):
            return payload  # the library says what is wrong with it
        return payload if len(new) == len(updates) else json.dumps({**answer, "result": new}).encode()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return an answer of Telegram. Raise `TelegramError` if it is no JSON."""
        answer: dict[str, Any] = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer, dict) and isinstance(updates := answer.get("result"), list):
            return {**answer, "result": [readable for each in updates if (readable := _readable(each)) is not None]}
        return answer


def _has_number(update: Any) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _readable(update: Any) -> dict[str, Any] | None:
    """Return an update if the library can read it, else an empty one; None if it has no number."""
    if not _has_number(update):
        _log.warning("update_skipped", platform=Platform.TELEGRAM, reason="no number")
        return None
    try:
        Update.de_json(update, None)
    except Exception as error:  # whatever a newer Telegram sends
        kinds = sorted(update.keys() - {"update_id"})
        _log.warning("update_skipped", platform=Platform.TELEGRAM, kinds=kinds, reason=type(error).__name__)
        return {"update_id": update["update_id"]}
    return dict(update)


class Settlement:
    """Lets Telegram forget an update, and those that are answered together with it.

    is_handed_over: another update's settlement does it.
    """

    def __init__(self, *settle: Callable[[], None]) -> None:
        self._settle = list(settle)
        self.is_handed_over = False

    def join(self, other: "Settlement") -> None:
        """Take over another one."""
        self._settle += other._settle
        other.is_handed_over = True

    def settle(self) -> None:
        """Let Telegram forget: a photo is in the journal, or none is lost with it."""
        for settle in self._settle:
            settle()


_settlement: ContextVar[Settlement] = ContextVar("_settlement")


def settlement() -> Settlement:
    """Return that of the update that is being answered."""
    return _settlement.get(Settlement())


class UpdateProcessor(BaseUpdateProcessor):
    """Answers many updates at once, as many as are admitted; at the end it waits for them only so long, whatever each
    of them waits for.
    """

    def __init__(
        self,
        most_at_once: int,
        admission: Admission,
        receipts: Receipts,
        refuse: Callable[[Update], None],
        longest_end_s: float = LONGEST_END_S,
    ) -> None:
        """Set the parts.

        most_at_once: more than are ever admitted, so that none waits for a place. refuse: tells somebody to slow down.
        longest_end_s: how many seconds the end may take.
        """
        super().__init__(most_at_once)
        self._admission = admission
        self._receipts = receipts
        self._refuse = refuse
        self._longest_end_s = longest_end_s
        self._lost = 0

    async def initialize(self) -> None:
        """Begin to answer."""
        self._lost = 0
        self._admission.open()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Answer an update. coroutine: does it."""
        if self._admission.is_closed or not isinstance(update, Update):
            self._lost += 1
            _drop(coroutine)
            return
        try:
            with self._admission.admitted(whose(update), kind_of(update)):
                await self._answer(update, coroutine)
        except RefusedError as error:
            _drop(coroutine)
            self._receipts.settle(update.update_id)
            if error.tells:
                self._refuse(update)

    async def _answer(self, update: Update, coroutine: Awaitable[Any]) -> None:
        settlement = Settlement(lambda: self._receipts.settle(update.update_id))
        if not is_about_a_file(update):
            settlement.settle()
        _settlement.set(settlement)
        await coroutine
        if not settlement.is_handed_over:
            settlement.settle()

    async def end(self) -> None:
        """Let what is being answered come to its end, for so long; answer nothing more."""
        self._lost += await self._admission.finish(self._longest_end_s)

    async def shutdown(self) -> None:
        """Say how many updates were not answered; photos among them are in the journal."""
        if self._lost:
            _log.warning("updates_lost_at_the_end", platform=Platform.TELEGRAM, count=self._lost)
        self._lost = 0


def _drop(coroutine: Awaitable[Any]) -> None:
    asyncio.ensure_future(coroutine).cancel()
