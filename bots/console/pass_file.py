"""Keep the passes to the console in a file, so that they outlive a restart and end with a logout."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from bots.console.private_file import write_privately

_log = structlog.get_logger()


@dataclass(frozen=True)
class Pass:
    """One admin's permission.

    until: in seconds since 1970. account: the hash of the personal token they entered with; empty if it was the shared
    one.
    """

    name: str
    until: float
    account: str = ""


class PassFile:
    """A JSON file that only its owner can read: the hashes of passes, with names and ends."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Pass]:
        """Return what is stored; nothing if there is no such file, or it is damaged. Everybody logs in anew then."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                str(key): Pass(str(each["name"]), float(each["until"]), str(each.get("account", "")))
                for key, each in content.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _log.warning("console_passes_not_read", reason=type(error).__name__)
            return {}

    def write(self, passes: Mapping[str, Pass]) -> None:
        """Store passes, completely or not at all. Where that fails the file goes: no pass that ended may come back."""
        try:
            write_privately(self._path, json.dumps({key: asdict(each) for key, each in passes.items()}))
        except OSError as error:
            _log.error("console_passes_not_kept", reason=type(error).__name__)
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
