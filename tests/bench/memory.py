"""Memory use of processes."""

from contextlib import suppress

import psutil


def resident_mb() -> float:
    """Return the resident memory of this process in megabytes."""
    return float(psutil.Process().memory_info().rss) / 2**20


def family_mb(pid: int | None = None) -> float:
    """Return the memory of a process and its children in megabytes: resident, of what they share a part for each.

    pid: of the process; None for this one. Of what systems other than Linux share nothing is known: all is counted.
    """
    process, total = psutil.Process(pid), 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            facts = each.memory_full_info()
            total += getattr(facts, "pss", facts.rss)
    return total / 2**20
