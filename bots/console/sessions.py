"""Permission to enter the console: one token for all admins, a name for each, and pauses after wrong attempts."""

import hashlib
import hmac
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

MOST_NAME = 40
"""Maximum number of characters of an admin's name."""
PASS_LASTS_S = 7 * 24 * 3600
"""After this time a browser is asked for the token again."""
_FREE_TRIES = 3
_LONGEST_PAUSE_S = 300.0
_FORGET_AFTER_S = 3600.0
_MOST_WRONG_A_MINUTE = 30
"""Maximum for all addresses together, so that many addresses do not allow more guesses."""


class LoginRefusedError(Exception):
    """The login was refused; the message says why and what to do."""


@dataclass
class _Tries:
    wrong: int
    last: float


class Sessions:
    """Issues passes for the right token, and checks them.

    A pass is a signed string that a browser stores in its cookie. Its signing key is derived from the token, so that a
    new token ends every pass; a pass that was logged out is refused for as long as this process runs.
    """

    def __init__(self, token: str, clock: Callable[[], float]) -> None:
        """clock: returns the seconds since 1970."""
        if not token:
            raise ValueError("a console without a token would let everybody in")
        self._token = token.encode()
        self._clock = clock
        self._signer = _signer(token, clock)
        self._tries: dict[str, _Tries] = {}
        self._wrong_at: list[float] = []
        self._given_back: dict[str, float] = {}

    def admit(self, client: str, token: str, name: str) -> str:
        """Return a pass for an admin of this name. client: their address. Raise `LoginRefusedError`."""
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
        return str(self._signer.dumps({"id": secrets.token_urlsafe(12), "name": name}))

    def holder(self, kept: object) -> str | None:
        """Return the name on a pass; None if it is not a pass, or has expired or was logged out."""
        facts = self._facts(kept)
        return None if facts is None or facts["id"] in self._given_back else facts["name"]

    def take_back(self, kept: object) -> None:
        """End a pass, also in other windows of the browser."""
        if (facts := self._facts(kept)) is not None:
            now = self._clock()
            self._given_back = {number: until for number, until in self._given_back.items() if until > now}
            self._given_back[facts["id"]] = now + PASS_LASTS_S

    def _facts(self, kept: object) -> dict[str, str] | None:
        if not isinstance(kept, str):
            return None
        try:
            facts: dict[str, str] = self._signer.loads(kept, max_age=PASS_LASTS_S)
        except BadSignature:
            return None
        return facts

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


def _signer(token: str, clock: Callable[[], float]) -> URLSafeTimedSerializer:
    """Return the signer of passes, which measures their age with `clock`."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(clock())

    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(token, salt="mugmoji: console passes", signer=Signer, signer_kwargs=options)
