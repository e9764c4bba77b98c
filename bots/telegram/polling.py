"""Fetch updates from Telegram, again and again, as the only process that does.

Telegram forgets an update as soon as a later one is asked for. So that no photo is lost if the process ends at any
moment, it is told so only of updates that are settled; but where many more wait, an album that is still being gathered
does not hold them up.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, ClassVar

import structlog
from cachetools import LRUCache
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import Updater
from telegram.request import BaseRequest, HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from bots.serving.lease import Lease
from bots.telegram.claims import Claims
from bots.telegram.delivery import short
from bots.telegram.source import UPDATES, AnyApplication, end_of, lasting_tasks
from bots.telegram.updates import has_number, readable
from db import Platform

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

    def put_off(self, numbers: Collection[int]) -> None:
        """Let updates come again: another process has them in hand, and may lose them."""
        for number in numbers:
            self._seen.pop(number, None)

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

    def __init__(self, receipts: Receipts, claims: Claims | None) -> None:
        """receipts: of the updates that were fetched. claims: as in `Polling`."""
        super().__init__()
        self._receipts = receipts
        self._claims = claims

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
        return status, await self._new_in(payload)

    async def _new_in(self, payload: bytes) -> bytes:
        """Return an answer without the updates that have come before, here or to another process."""
        try:
            answer = json.loads(payload)
            updates = answer["result"]
            unseen = self._receipts.note([each["update_id"] for each in updates if has_number(each)])
            new = [each for each in updates if not has_number(each) or each["update_id"] in unseen]
        except (KeyError, TypeError, ValueError):
            return payload  # the library says what is wrong with it
        if self._claims is not None and unseen:
            mine = await self._mine_of(unseen, new, self._claims)
            new = [each for each in new if not has_number(each) or each["update_id"] in mine]
        return payload if len(new) == len(updates) else json.dumps({**answer, "result": new}).encode()

    async def _mine_of(self, unseen: set[int], updates: Sequence[Any], claims: Claims) -> Collection[int]:
        """Return those of the new updates that this process answers, and settle what others have answered."""
        claimed = await claims.claim([_read(each) for each in updates if has_number(each)])
        self._receipts.put_off(claimed.held)
        for number in unseen - claimed.mine - claimed.held:
            self._receipts.settle(number)
        return claimed.mine

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return an answer of Telegram. Raise `TelegramError` if it is no JSON."""
        answer: dict[str, Any] = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer, dict) and isinstance(updates := answer.get("result"), list):
            return {**answer, "result": [read for each in updates if (read := readable(each)) is not None]}
        return answer


class Polling:
    """The source of updates that needs no address of its own; a photo sent while the bot was down is still answered."""

    brings_one_by_one: ClassVar[bool] = False

    def __init__(self, claims: Claims | None = None, lease: Lease | None = None) -> None:
        """claims: tells which updates are this process's, as one that died may have answered some that come again.
        lease: makes sure that only one process fetches, which Telegram insists on. None for both: there is no other.
        """
        self._receipts = Receipts()
        self._claims = claims
        self._lease = lease

    async def while_due(self, serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Serve whenever no other process does."""
        await (self._lease.while_held(serve) if self._lease is not None else serve())

    def request(self) -> BaseRequest:
        """Return what fetches only new updates."""
        return UpdatesRequest(self._receipts, self._claims)

    def begin(self) -> None:
        """Forget what an earlier run had in hand."""
        self._receipts.begin()

    def settle(self, number: int) -> None:
        """Let Telegram forget an update."""
        self._receipts.settle(number)
        if self._claims is not None:
            self._claims.settle(number)

    @asynccontextmanager
    async def open(self, application: AnyApplication) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Fetch updates until the context is left. Raise `TelegramError`."""
        updater = application.updater
        assert updater is not None
        await updater.start_polling(allowed_updates=UPDATES, bootstrap_retries=-1, error_callback=_on_polling_error)
        try:
            yield partial(end_of, lasting_tasks())
        finally:
            await _stop_polling(updater)

    async def give_up(self) -> None:
        """Let others have what came and was not settled."""
        if self._claims is not None:
            await self._claims.give_back()


def _read(update: dict[str, Any]) -> Update:
    """Return an update; an empty one if the library cannot read it, which is logged elsewhere."""
    try:
        return Update.de_json(update, None)
    except Exception:
        return Update(update["update_id"])


async def _stop_polling(updater: Updater) -> None:
    """Stop polling; where it had ended by an error before, that error has been raised already."""
    with suppress(Exception):
        await updater.stop()


def _on_polling_error(error: TelegramError) -> None:
    _log.warning("updates_not_fetched", platform=Platform.TELEGRAM, reason=short(error))
