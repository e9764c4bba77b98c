"""Keep the accounts of the console's admins in a file, with the invitations that are open."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from bots.console.private_file import write_privately


@dataclass(frozen=True)
class Account:
    """One admin's account.

    token_hash: the SHA-256 of their personal token, in hexadecimal; empty once the account has ended, when only its
    name is still taken. invited_by: the name of who invited them. since: in seconds since 1970.
    """

    name: str
    token_hash: str
    invited_by: str
    since: float


@dataclass(frozen=True)
class Invitation:
    """One link that was not used yet.

    link_hash: the SHA-256 of its secret, in hexadecimal. invited_by: as in `Account`. until: in seconds since 1970.
    """

    name: str
    link_hash: str
    invited_by: str
    until: float


@dataclass(frozen=True)
class Stored:
    """What the file holds."""

    accounts: tuple[Account, ...] = ()
    invitations: tuple[Invitation, ...] = ()


class AccountFileError(Exception):
    """The file is there and cannot be read, so that nobody can say who has an account."""


class AccountFile:
    """A JSON file that only its owner can read. It holds hashes of random secrets of 256 bits, which need no salt."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Stored:
        """Return what is stored; nothing if there is no such file. Raise `AccountFileError` if it is damaged."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return Stored(
                tuple(
                    Account(str(each["name"]), str(each["token_hash"]), str(each["invited_by"]), float(each["since"]))
                    for each in content["accounts"]
                ),
                tuple(
                    Invitation(str(each["name"]), str(each["link_hash"]), str(each["invited_by"]), float(each["until"]))
                    for each in content["invitations"]
                ),
            )
        except FileNotFoundError:
            return Stored()
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise AccountFileError(type(error).__name__) from error

    def write(self, stored: Stored) -> None:
        """Put this in the place of what is stored. Raise `OSError`; the file is as it was then."""
        write_privately(self._path, json.dumps(asdict(stored), ensure_ascii=False, indent=1))
