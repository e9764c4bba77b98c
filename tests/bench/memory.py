"""What a process weighs."""

import psutil


def resident_mb() -> float:
    """Megabytes of this process that are in memory now."""
    return float(psutil.Process().memory_info().rss) / 2**20
