"""The tokens of the admins' buttons. Like all tokens they are complete and may be forged: the service checks who taps,
and the database whether what the admin saw still holds.
"""

from dataclasses import dataclass
from enum import StrEnum

from bots.messages import TokenError
from db import Verdict

_MARK = "admin"


class AdminAction(StrEnum):
    """What an admin's button does; the value is its letter in a token."""

    LABEL = "l"
    SKIP = "k"
    UNDO = "u"
    CANCEL = "c"
    PROMOTE = "p"
    SHADOW = "s"
    END_SHADOW = "e"
    ROLL_BACK = "r"


@dataclass(frozen=True)
class AdminToken:
    """The meaning of an admin's tap: an action, and two numbers.

    LABEL: reading and index in `Verdict`. SKIP: reading. CANCEL: retraining. PROMOTE: version, and the one that was
    served when the button was made. SHADOW: version. END_SHADOW: nothing. ROLL_BACK: the version that was served. As
    text `admin:letter:number:other`, at most 64 ASCII bytes.
    """

    action: AdminAction
    number: int = 0
    other: int = 0

    def __str__(self) -> str:
        return f"{_MARK}:{self.action.value}:{self.number}:{self.other}"

    @classmethod
    def parse(cls, text: str) -> "AdminToken":
        """Parse a token. Raise `TokenError` for any text that `str` would not have written."""
        try:
            _, letter, number, other = text.split(":")
            token = cls(AdminAction(letter), int(number), int(other))
        except ValueError as error:
            raise TokenError(text) from error
        in_range = 0 <= token.number < 2**63 and 0 <= token.other < 2**63
        if not in_range or str(token) != text or (token.action is AdminAction.LABEL and token.other >= len(Verdict)):
            raise TokenError(text)
        return token


def is_for_admins(text: str) -> bool:
    """Return whether a token claims to be an admin's."""
    return text.startswith(f"{_MARK}:")
