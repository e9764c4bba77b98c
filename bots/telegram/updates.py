"""Take updates from Telegram: one that the library cannot read is skipped, and none holds up the end.

Telegram forgets an update as soon as a later one is asked for. So that no photo is lost if the process ends at any
moment, it is told so only of updates that are answered, or whose photo is in the journal; but where many more wait, an
album that is still being gathered does not hold them up.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

import structlog
from cachetools import LRUCache
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
LOOK_AGAIN_S = 1.0
"""Pause before Telegram is asked again while updates are neither answered nor in the journal: it sends those again."""
NEXT_BATCH_S = 0.25
"""The same pause where more updates wait than fit a batch."""
MOST_IN_BATCH = 100
"""Updates that Telegram sends at once (https://core.telegram.org/bots/api#getupdates)."""
MOST_SENT_AGAIN = MOST_IN_BATCH // 2
"""Updates of a batch that it may send again, so that half of the next one is left for others."""
MOST_REMEMBERED = 10_000
"""Updates that are known if they come again; Telegram sends none that is older than the last two batches."""
_log = structlog.get_logger()


class Receipts:
    """Which updates have come, and which of them are not settled: neither answered nor in the journal."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: returns seconds."""
        self._clock = clock
        self._seen: LRUCache[int, None] = LRUCache(MOST_REMEMBERED)
        self._open: dict[int, float] = {}
        self._batch: tuple[int, ...] = ()
        self._next = 0
        self._changed = asyncio.Event()

    def begin(self) -> None:
        """Forget the updates that are not settled: nobody answers them any more, so Telegram sends them again."""
        for number in self._open:
            self._seen.pop(number, None)
        self._open.clear()
        self._batch, self._next = (), 0

    def note(self, numbers: Sequence[int]) -> set[int]:
        """Note a batch of updates, in Telegram's order; return those that are new.

        Their order says nothing about which are: after a week without any, Telegram goes on from a random number.
        """
        new = set(numbers) - self._seen.keys()
        self._seen.update(dict.fromkeys(numbers))
        self._open.update(dict.fromkeys(new, self._clock()))
        self._batch = tuple(numbers)
        self._next = numbers[-1] + 1 if numbers else self._next
        return new

    def settle(self, number: int) -> None:
        """Note that an update may be forgotten."""
        self._open.pop(number, None)
        self._changed.set()

    def offset(self) -> int:
        """Return the update to go on from: the first one of the batch that is not settled, else the next one.

        After a full batch others wait, so that only its end may come again.
        """
        return next(iter(self._unsettled(MOST_SENT_AGAIN if self._is_full else MOST_IN_BATCH)), self._next)

    def last_offset(self) -> int:
        """Return the update to go on from after a restart: all of the batch that is not settled comes again."""
        return next(iter(self._unsettled(MOST_IN_BATCH)), self._next)

    async def wait(self) -> None:
        """Wait until all updates of the batch are settled, at most until Telegram may be asked again in any case."""
        try:
            async with asyncio.timeout(NEXT_BATCH_S if self._is_full else LOOK_AGAIN_S):
                while self._unsettled(MOST_IN_BATCH):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    @property
    def _is_full(self) -> bool:
        return len(self._batch) >= MOST_IN_BATCH

    def _unsettled(self, most: int) -> list[int]:
        """Return which of the last `most` updates of the batch are not settled."""
        latest = self._clock() - LONGEST_UNSETTLED_S
        self._open = {number: since for number, since in self._open.items() if since > latest}
        return [number for number in self._batch[-most:] if number in self._open]


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
        if request_data.parameters.get("timeout"):
            await self._receipts.wait()
            offset = self._receipts.offset()
        else:  # the library asks only once more, at the end
            offset = self._receipts.last_offset()
        told = {**request_data.parameters, "offset": offset}
        request_data = RequestData([RequestParameter.from_input(name, value) for name, value in told.items()])
        status, payload = await super().do_request(url, method, request_data, *timeouts, **more)
        return status, self._new_in(payload)

    def _new_in(self, payload: bytes) -> bytes:
        """Return an answer without the updates that have come before."""
        try:
            answer = json.loads(payload)
            updates = answer["result"]
            unseen = self._receipts.note([each["update_id"] for each in updates if _has_number(each)])
            new = [each for each in updates if not _has_number(each) or each["update_id"] in unseen]
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
