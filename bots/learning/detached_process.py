"""A child process that outlives the bot: neither Ctrl-C nor the end of the event loop or of the bot ends it.

Files that it makes can be read by the bot's own user only.

asyncio kills its own child processes when the loop closes, so this uses `subprocess` and polls whether the child has
ended. Standard library only.
"""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_LOOK_EVERY_S = 0.25
_PRIVATE = 0o077
_WITHOUT_CONSOLE = getattr(subprocess, "DETACHED_PROCESS", 0)
"""The equivalent of `start_new_session` on Windows, where Ctrl-C reaches every process of a console."""


class DetachedProcess:
    """One process, with its standard error in a file. End it with `wait` or `kill`, or leave it running."""

    def __init__(self, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        """process: already running. errors: the file that receives its standard error."""
        self._process = process
        self._errors = errors

    @classmethod
    def start(
        cls, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path | None = None
    ) -> "DetachedProcess":
        """Start a command in a folder, in a separate session. Raise `OSError` if it cannot be started.

        log: receives what it prints, in place of what the file held; None keeps standard error only, in no named file.
        """
        errors = _emptied(log)  # the process still writes to it when the bot has ended
        try:
            process = subprocess.Popen(  # noqa: S603  # the command is the bot's own
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if log is None else errors,
                stderr=errors,
                start_new_session=True,
                umask=_PRIVATE,
                creationflags=_WITHOUT_CONSOLE,
            )
        except BaseException:
            errors.close()
            raise
        return cls(process, errors)

    @property
    def number(self) -> int:
        """Return the process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    async def wait(self) -> int:
        """Wait until the process has ended and return its exit status; cancelling this does not stop the process."""
        while (status := self._process.poll()) is None:  # noqa: ASYNC110  # no event reports a child's end on every platform
            await asyncio.sleep(_LOOK_EVERY_S)
        return status

    def kill(self) -> None:
        """End it at once and close its file."""
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def last_error_line(self) -> str:
        """Return the last line that the process wrote to standard error, empty if it wrote none; close the file."""
        with self._errors as errors:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").splitlines()
        return next((line for line in reversed(lines) if line), "")


def _emptied(log: Path | None) -> IO[bytes]:
    if log is None:
        return tempfile.TemporaryFile()
    return os.fdopen(os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
