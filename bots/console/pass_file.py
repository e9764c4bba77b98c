"""Keep the passes to the console in a file, so that they outlive a restart and end with a logout."""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

_log = structlog.get_logger()


@dataclass(frozen=True)
class Pass:
    """One admin's permission. until: in seconds since 1970."""

    name: str
    until: float


class PassFile:
    """A JSON file that only its owner can read: the hashes of passes, with names and ends."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Pass]:
        """Return what is stored; nothing if there is no such file, or it is damaged. Everybody logs in anew then."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(key): Pass(str(each["name"]), float(each["until"])) for key, each in content.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _log.warning("console_passes_not_read", reason=type(error).__name__)
            return {}

    def write(self, passes: Mapping[str, Pass]) -> None:
        """Store passes, completely or not at all. Where that fails the file goes: no pass that ended may come back."""
        fresh = self._path.with_name(f".{self._path.name}-{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump({key: asdict(each) for key, each in passes.items()}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            _log.error("console_passes_not_kept", reason=type(error).__name__)
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
