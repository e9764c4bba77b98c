"""Permission to enter the console: a token of one's own or the shared one, and pauses after wrong attempts."""

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bots.console.accounts import AccountError, Accounts
from bots.console.names import NameRefusedError, cleaned, unproven
from bots.console.pass_file import Pass, PassFile

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
_NO_LINK = "This link was used or taken back, or is over. Please ask who sent it for another one."
_MOST_PLACES = 10_000

_log = structlog.get_logger()


class LoginRefusedError(Exception):
    """The login was refused; the message says why and what to do."""


@dataclass(frozen=True)
class Joined:
    """Who has used a link: their name, their own token, and the pass for this browser."""

    name: str
    token: str
    kept: str


@dataclass
class _Tries:
    wrong: int
    last: float


class Sessions:
    """Issues passes for the right token, and checks them.

    The shared token is the operator's way in. Since anybody who has it can give any name, the name is marked as
    unproven from the first account on, and cannot be that of an account.

    A pass is a random string in a browser's cookie. Its hash under the token is stored here until the pass is given
    back or expires, so that both are for good and a new shared token ends every pass. The end of an account ends its.

    A place that sent wrong tokens has its attempts compared one after the other with a pause between them. None is
    refused unread because of the attempts of other places, so nobody can lock an admin out; all wrong ones together
    raise an alarm in the log.
    """

    def __init__(
        self,
        token: str,
        clock: Callable[[], float],
        file: PassFile,
        accounts: Accounts,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """clock: returns the seconds since 1970. file: where passes are stored. sleep: waits for so many seconds."""
        if not token:
            raise ValueError("a console without a token would let everybody in")
        self._token = token.encode()
        self._clock = clock
        self._sleep = sleep
        self._file = file
        self._accounts = accounts
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
        try:
            name = cleaned(name)
        except NameRefusedError as error:
            raise LoginRefusedError(str(error)) from error
        await self._wait_for_turn(place)
        account = self._accounts.of(name, token.strip())
        if account is not None:
            return self._let_in(place, Pass(account.name, self._clock() + PASS_LASTS_S, account.token_hash))
        if not hmac.compare_digest(token.strip().encode(), self._token):
            self._remember_wrong(place)
            raise LoginRefusedError(
                "That is not the token. Use the one that your invitation gave you, or the operator's: the log line of "
                "the start says where it is kept."
            )
        if self._accounts.is_taken(name):
            raise LoginRefusedError("This name belongs to an account. Use that account's token, or another name.")
        return self._let_in(place, Pass(name, self._clock() + PASS_LASTS_S))

    async def invited(self, place: str, link: str) -> str:
        """Return whom the link with this secret is for; it stays usable. place: as in `admit`.

        Raise `LoginRefusedError`.
        """
        await self._wait_for_turn(place)
        invitation = self._accounts.invitation(link)
        if invitation is None:
            self._remember_wrong(place)
            raise LoginRefusedError(_NO_LINK)
        return invitation.name

    async def join(self, place: str, link: str) -> Joined:
        """Use up the link with this secret, and let in whom it is for. place: as in `admit`.

        Raise `LoginRefusedError`.
        """
        await self._wait_for_turn(place)
        try:
            made = self._accounts.join(link)
        except AccountError as error:
            raise LoginRefusedError(str(error)) from error
        if made is None:
            self._remember_wrong(place)
            raise LoginRefusedError(_NO_LINK)
        account, token = made
        until = self._clock() + PASS_LASTS_S
        return Joined(account.name, token, self._let_in(place, Pass(account.name, until, account.token_hash)))

    def holder(self, kept: object) -> str | None:
        """Return the name on a pass, marked if it is not proven but could be.

        None if it is not a pass, or has expired or was logged out, or its account has ended.
        """
        found = self._passes.get(self._key(kept)) if isinstance(kept, str) else None
        if found is None or not self._is_valid(found):
            return None
        return unproven(found.name) if self._accounts.are_used and not found.account else found.name

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
        return each.until > self._clock() and (not each.account or self._accounts.is_open(each.account))

    def _let_in(self, place: str, admitted: Pass) -> str:
        self._tries.pop(place, None)
        fresh = secrets.token_urlsafe(24)
        self._passes = dict([*self._valid().items()][1 - MOST_PASSES :])
        self._passes[self._key(fresh)] = admitted
        self._file.write(self._passes)
        return fresh

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
