"""Memory use of this process."""

import psutil


def resident_mb() -> float:
    """Return the resident memory of this process in megabytes."""
    return float(psutil.Process().memory_info().rss) / 2**20
