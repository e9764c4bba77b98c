"""A child process that outlives the bot: neither Ctrl-C, nor the end of the event loop, nor that of the bot ends it.

asyncio's own child processes are killed by their transport when the loop closes, so that this uses `subprocess` and
looks from time to time whether the child has ended. Standard library only.
"""

import asyncio
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_LOOK_EVERY_S = 0.25
_WITHOUT_CONSOLE = getattr(subprocess, "DETACHED_PROCESS", 0)
"""What `start_new_session` is elsewhere: on Windows, Ctrl-C reaches every process of a console."""


class DetachedProcess:
    """One process, with its standard error kept in a temporary file. Close it by `wait`, or leave it behind."""

    def __init__(self, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        """process: runs already. errors: the file its standard error goes to."""
        self._process = process
        self._errors = errors

    @classmethod
    def start(cls, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "DetachedProcess":
        """Start a command in a folder, in a session of its own. Raises `OSError` where it cannot be started."""
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # the process goes on writing to it when the bot is gone
        try:
            process = subprocess.Popen(  # noqa: S603  # the command is the bot's own
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                creationflags=_WITHOUT_CONSOLE,
            )
        except BaseException:
            errors.close()
            raise
        return cls(process, errors)

    async def wait(self) -> int:
        """Wait until the process has ended and return its exit status; cancelling this leaves the process alone."""
        while (status := self._process.poll()) is None:  # noqa: ASYNC110  # no event tells of a child's end everywhere
            await asyncio.sleep(_LOOK_EVERY_S)
        return status

    def last_error_line(self) -> str:
        """Return the last line that the process wrote to standard error, empty where it wrote none; closes the file."""
        with self._errors as errors:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").splitlines()
        return next((line for line in reversed(lines) if line), "")
