"""Handle updates from Telegram: one that the library cannot read is skipped, and none holds up the end.

So that no photo is lost if the process ends at any moment, Telegram is to forget an update only once it is settled: it
is answered, or its photo is in the journal. How Telegram is told depends on where updates come from: `polling` or
`webhook`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import structlog
from telegram import Update
from telegram.ext import BaseUpdateProcessor

from bots.serving.admission import Admission, RefusedError
from bots.telegram.admitting import is_about_a_file, kind_of, whose
from bots.telegram.identity import language_of
from db import Platform

LONGEST_END_S = 3.0
"""Seconds for which updates that are being answered are waited for at the end, unless the operator says otherwise."""
_LARGEST_NUMBER = 2**63 - 1
"""The database stores no larger one."""
_log = structlog.get_logger()


def has_number(update: Any) -> bool:
    """Check whether something that came from Telegram is an update."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _LARGEST_NUMBER


def readable(update: Any) -> dict[str, Any] | None:
    """Return an update if the library can read it and it can be told what it is about, else an empty one; None if it
    has no number.
    """
    if not has_number(update):
        _log.warning("update_skipped", platform=Platform.TELEGRAM, reason="no number")
        return None
    try:
        read = Update.de_json(update, None)
        hash((whose(read), kind_of(read), is_about_a_file(read)))  # as is done for all of a batch, which must not fail
        language_of(read.effective_user).split()
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
        settle: Callable[[int], None],
        refuse: Callable[[Update], None],
        longest_end_s: float = LONGEST_END_S,
    ) -> None:
        """Set the parts.

        most_at_once: more than are ever admitted, so that none waits for a place. settle: lets Telegram forget the
        update of this number. refuse: tells somebody to slow down. longest_end_s: how many seconds the end may take.
        """
        super().__init__(most_at_once)
        self._admission = admission
        self._settle = settle
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
            self._settle(update.update_id)
            if error.tells:
                self._refuse(update)

    async def _answer(self, update: Update, coroutine: Awaitable[Any]) -> None:
        settlement = Settlement(lambda: self._settle(update.update_id))
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
