"""Processes that end when they do: another one may end, or have ended, while it is asked about."""

import psutil


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process has ended, though perhaps nobody has asked for its end yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def children(called: str = "") -> set[psutil.Process]:
    """Return the processes that this one started and that have not ended. called: a word of their command lines."""
    return {each for each in psutil.Process().children() if not has_ended(each) and _is_called(each, called)}


def _is_called(process: psutil.Process, called: str) -> bool:
    try:
        return not called or called in process.cmdline()
    except psutil.NoSuchProcess:
        return False
