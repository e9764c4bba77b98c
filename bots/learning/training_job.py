"""One process of `python -m training` at a time, known by a file: it is found again after the bot was restarted."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import psutil

from bots.learning.detached_process import DetachedProcess

ROOT = Path(__file__).parents[2]
"""The folder that contains the package `training`: the checkout, or that of an installed wheel."""
_POLITENESS = 10
_LOG_BYTES = 16 * 1024
_LOG_LINES, _LINE = 12, 300
"""How much of a log is shown: so many of its last lines, so many characters of each."""
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LOOKS, _LOOK_EVERY_S = 200, 0.001
"""How long a process may take to get its command, which it has a moment after it was started."""


class TrainingRefusedError(Exception):
    """This cannot be done now; the message says why and what to do."""


@contextmanager
def in_words(sentence: str) -> Iterator[None]:
    """Raise `TrainingRefusedError` with a sentence and the reason for an `OSError`."""
    try:
        yield
    except OSError as error:
        raise TrainingRefusedError(f"{sentence} ({error.strerror or error}).") from error


@dataclass(frozen=True)
class Job:
    """A process that was started. what: the command of `python -m training`. data, recipe: the names of what it works
    on, empty where there is none. by: who asked. stopped_by: who asked it to stop, empty for nobody.
    """

    what: str
    data: str
    recipe: str
    by: str
    at: datetime
    number: int = 0
    command: tuple[str, ...] = ()
    stopped_by: str = ""


class JobSlot:
    """A place for one process, with a file that says which one and a log."""

    def __init__(self, folder: Path, name: str) -> None:
        """folder: exists. name: of the files."""
        self._file, self._log = folder / f"{name}.json", folder / f"{name}.log"

    def last(self) -> Job | None:
        """Return the process that was started last, whether it runs or not; None if none is known."""
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return Job(**{**told, "at": datetime.fromisoformat(told["at"]), "command": tuple(told["command"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def running(self) -> Job | None:
        """Return the process that is running; None if there is none."""
        job = self.last()
        return job if job is not None and _process_of(job) is not None else None

    def require_free(self) -> None:
        """Raise `TrainingRefusedError` if a process is running."""
        if (other := self.running()) is not None:
            raise TrainingRefusedError(f"{_NAMES[other.what]} is running already, started by {other.by}.")

    def start(self, job: Job, command: Sequence[str], environment: Mapping[str, str]) -> DetachedProcess:
        """Start a command. Raise `TrainingRefusedError` if one is running, `OSError` if it cannot be started."""
        self.require_free()
        process = DetachedProcess.start(command, ROOT, environment, self._log)
        if os.name == "posix":
            with suppress(psutil.Error):  # it has ended already
                psutil.Process(process.number).nice(_POLITENESS)
        started = replace(job, number=process.number, command=tuple(command))
        try:
            self._keep(started)
        except OSError:
            process.kill()  # nobody would know of it
            raise
        for _ in range(_LOOKS):
            if _process_of(started) is not None or not process.is_running:
                break
            time.sleep(_LOOK_EVERY_S)
        return process

    def stop(self, by: str, *, at_once: bool) -> bool:
        """Ask the running process to stop, or kill it and all that it started; return whether one is running."""
        job = self.running()
        process = _process_of(job) if job is not None else None
        if job is None or process is None:
            return False
        with suppress(OSError):  # a full disk, which is no reason to go on
            self._keep(replace(job, stopped_by=by))
        with suppress(psutil.NoSuchProcess):
            for each in (*process.children(recursive=True), process) if at_once else ():
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            if not at_once:
                process.send_signal(signal.SIGTERM)
        return True

    def last_lines(self) -> tuple[str, ...]:
        """Return the last lines of the log, cut and without control characters."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
                said = file.read().decode(errors="replace")
        except OSError:
            return ()
        plain = ("".join(filter(str.isprintable, _COLOUR.sub("", line))) for line in said.splitlines())
        lines = (line.rstrip()[:_LINE] for line in plain)
        return tuple(line for line in lines if line)[-_LOG_LINES:]

    def _keep(self, job: Job) -> None:
        told = json.dumps({**asdict(job), "at": job.at.isoformat()})
        fresh = self._file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(told)
        fresh.replace(self._file)


_NAMES = {
    "fit": "A training",
    "examine": "A look at a data set",
    "take-in": "The check of an upload",
    "look": "A look at a run",
    "export": "An export",
    "compare-models": "A comparison",
}


def _process_of(job: Job) -> psutil.Process | None:
    """Return the process of a job, None if it has ended.

    Its number may belong to another process by now, so the command has to be the same. Times of start are not compared:
    they move with the clock. The name of the program is not either: some installations replace it.
    """
    try:
        process = psutil.Process(job.number)
        is_it = process.status() != psutil.STATUS_ZOMBIE and tuple(process.cmdline()[1:]) == job.command[1:]
    except (psutil.Error, ValueError):
        return None
    return process if is_it else None
