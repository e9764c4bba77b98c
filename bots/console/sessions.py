"""Who may enter the console: one token for all admins, a name each, and a pause after wrong tries."""

import hashlib
import hmac
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass

MOST_NAME = 40
"""Characters of an admin's name."""
PASS_LASTS_S = 7 * 24 * 3600
"""After this a browser is asked for the token again."""
_FREE_TRIES = 3
_LONGEST_PAUSE_S = 300.0
_FORGET_AFTER_S = 3600.0
_MOST_WRONG_A_MINUTE = 30
"""By all together; a guesser with many addresses gets no further than this."""

Kept = dict[str, str]


class LoginRefusedError(Exception):
    """Not let in; the message says why and what to do."""


@dataclass
class _Tries:
    wrong: int
    last: float


class Sessions:
    """Hands out passes for the right token, and knows them again.

    A pass is what a browser keeps in its signed cookie. It is signed with the token, so that a new token ends every
    pass; a pass that was given back is refused for as long as this process runs.
    """

    def __init__(self, token: str, clock: Callable[[], float]) -> None:
        """clock: seconds since any moment that is the same after a restart."""
        if not token:
            raise ValueError("a console without a token would let everybody in")
        self._token = token.encode()
        self._clock = clock
        self._tries: dict[str, _Tries] = {}
        self._wrong_at: list[float] = []
        self._given_back: dict[str, float] = {}

    def admit(self, client: str, token: str, name: str) -> Kept:
        """A pass for an admin of this name. client: the address they come from. Raises `LoginRefusedError`."""
        name = " ".join(name.split())
        if not name or len(name) > MOST_NAME:
            raise LoginRefusedError(
                f"Please give a name of 1 to {MOST_NAME} characters, so that others know who you are."
            )
        self._require_patience(client)
        if not hmac.compare_digest(token.strip().encode(), self._token):
            self._remember_wrong(client)
            raise LoginRefusedError("That is not the token. The log line of the start says where it is kept.")
        self._tries.pop(client, None)
        kept = {"id": secrets.token_urlsafe(12), "name": name, "until": str(int(self._clock() + PASS_LASTS_S))}
        return {**kept, "proof": self._proof(kept)}

    def holder(self, kept: Kept | None) -> str | None:
        """The name on a pass; None where it is no pass, or one that has ended or was given back."""
        if not kept or not hmac.compare_digest(kept.get("proof", "").encode(), self._proof(kept).encode()):
            return None
        if float(kept["until"]) < self._clock() or kept["id"] in self._given_back:
            return None
        return kept["name"]

    def take_back(self, kept: Kept | None) -> None:
        """End a pass, also in other windows of the browser."""
        if self.holder(kept) is not None and kept is not None:
            now = self._clock()
            self._given_back = {number: until for number, until in self._given_back.items() if until > now}
            self._given_back[kept["id"]] = float(kept["until"])

    def _proof(self, kept: Kept) -> str:
        words = "\n".join(kept.get(part, "") for part in ("id", "until", "name"))
        return hmac.new(self._token, words.encode(), hashlib.sha256).hexdigest()

    def _require_patience(self, client: str) -> None:
        now = self._clock()
        self._wrong_at = [at for at in self._wrong_at if now - at < 60]
        if len(self._wrong_at) >= _MOST_WRONG_A_MINUTE:
            raise LoginRefusedError("Too many wrong tokens in the last minute, from many places. Please wait a minute.")
        tries = self._tries.get(client)
        if tries is None or tries.wrong < _FREE_TRIES:
            return
        pause = min(2.0 ** (tries.wrong - _FREE_TRIES + 1), _LONGEST_PAUSE_S)
        if (left := tries.last + pause - now) > 0:
            raise LoginRefusedError(f"That was wrong {tries.wrong} times. Please wait {math.ceil(left)} seconds.")

    def _remember_wrong(self, client: str) -> None:
        now = self._clock()
        self._wrong_at.append(now)
        self._tries = {who: tries for who, tries in self._tries.items() if now - tries.last < _FORGET_AFTER_S}
        before = self._tries.get(client)
        self._tries[client] = _Tries(before.wrong + 1 if before else 1, now)
