"""Permission to enter the console: one token for all admins, a name for each, and pauses after wrong attempts."""

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bots.console.pass_file import Pass, PassFile

MOST_NAME = 40
"""Maximum number of characters of an admin's name."""
PASS_LASTS_S = 7 * 24 * 3600
"""After this time a browser is asked for the token again."""
MOST_PASSES = 200
"""Passes that are valid at once; beyond it the oldest ends."""
PAUSE_S = 0.5
"""Between two attempts from one place, after some wrong ones."""
MOST_IN_A_ROW = 32
"""Attempts from one place that may wait for their turn."""
_FREE_TRIES = 3
_FORGET_AFTER_S = 3600.0
_ALARM_FROM = 30
"""Wrong attempts in a minute, from all places together, that are reported as an attack."""
_MOST_PLACES = 10_000

_log = structlog.get_logger()


class LoginRefusedError(Exception):
    """The login was refused; the message says why and what to do."""


@dataclass
class _Tries:
    wrong: int
    last: float


class Sessions:
    """Issues passes for the right token, and checks them.

    A pass is a random string in a browser's cookie. Its hash under the token is stored here until the pass is given
    back or expires, so that both are for good and a new token ends every pass.

    A place that sent wrong tokens has its attempts compared one after the other with a pause between them. None is
    refused unread because of the attempts of other places, so nobody can lock an admin out; all wrong ones together
    raise an alarm in the log.
    """

    def __init__(
        self,
        token: str,
        clock: Callable[[], float],
        file: PassFile,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """clock: returns the seconds since 1970. file: where passes are stored. sleep: waits for so many seconds."""
        if not token:
            raise ValueError("a console without a token would let everybody in")
        self._token = token.encode()
        self._clock = clock
        self._sleep = sleep
        self._file = file
        self._passes = {key: each for key, each in file.read().items() if self._is_valid(each)}
        self._tries: dict[str, _Tries] = {}
        self._waiting: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}
        self._wrong_at: list[float] = []
        self._alarmed_at = -_FORGET_AFTER_S

    async def admit(self, place: str, token: str, name: str) -> str:
        """Return a pass for an admin of this name. place: their address, or the browser that was let in before.

        Raise `LoginRefusedError`.
        """
        name = " ".join(name.split())
        if not name or len(name) > MOST_NAME:
            raise LoginRefusedError(
                f"Please give a name of 1 to {MOST_NAME} characters, so that others know who you are."
            )
        await self._wait_for_turn(place)
        if not hmac.compare_digest(token.strip().encode(), self._token):
            self._remember_wrong(place)
            raise LoginRefusedError("That is not the token. The log line of the start says where it is kept.")
        self._tries.pop(place, None)
        fresh = secrets.token_urlsafe(24)
        self._passes = dict([*self._valid().items()][1 - MOST_PASSES :])
        self._passes[self._key(fresh)] = Pass(name, self._clock() + PASS_LASTS_S)
        self._file.write(self._passes)
        return fresh

    def holder(self, kept: object) -> str | None:
        """Return the name on a pass; None if it is not a pass, or has expired or was logged out."""
        found = self._passes.get(self._key(kept)) if isinstance(kept, str) else None
        return found.name if found is not None and self._is_valid(found) else None

    def take_back(self, kept: object) -> None:
        """End a pass for good, also in other windows of the browser."""
        if isinstance(kept, str) and self._passes.pop(self._key(kept), None) is not None:
            self._passes = self._valid()
            self._file.write(self._passes)

    def _key(self, kept: str) -> str:
        return hmac.new(self._token, kept.encode(), hashlib.sha256).hexdigest()

    def _valid(self) -> dict[str, Pass]:
        return {key: each for key, each in self._passes.items() if self._is_valid(each)}

    def _is_valid(self, each: Pass) -> bool:
        return each.until > self._clock()

    async def _wait_for_turn(self, place: str) -> None:
        """Wait for the attempts of the same place that came before. Raise `LoginRefusedError` if too many do."""
        tries = self._tries.get(place)
        if tries is None or tries.wrong < _FREE_TRIES:
            return
        if self._waiting[place] >= MOST_IN_A_ROW:
            raise LoginRefusedError("Too many attempts at once from your address. Please try again in a moment.")
        self._waiting[place] += 1
        try:
            async with self._turns.setdefault(place, asyncio.Lock()):
                await self._sleep(PAUSE_S)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place], self._turns[place]

    def _remember_wrong(self, place: str) -> None:
        now = self._clock()
        recent = {who: tries for who, tries in self._tries.items() if now - tries.last < _FORGET_AFTER_S}
        self._tries = dict([*recent.items()][-_MOST_PLACES:])
        before = self._tries.pop(place, None)
        self._tries[place] = _Tries(before.wrong + 1 if before else 1, now)
        self._wrong_at = [*(at for at in self._wrong_at if now - at < 60), now][-_ALARM_FROM:]
        if len(self._wrong_at) >= _ALARM_FROM and now - self._alarmed_at >= 60:
            self._alarmed_at = now
            _log.error("console_under_attack", wrong_tokens_in_a_minute=_ALARM_FROM, last_from=place)
