"""Check how much memory is left for the bot, also where a container or a service limits it."""

from pathlib import Path

import psutil

from bots.doctor.findings import Finding, fine, problem, warning

_LITTLE_MB, _TOO_LITTLE_MB = 600, 300
"""The bot takes 242 MB after 100 photos on the web chat (docs/benchmarks.md); large pictures are decoded besides."""
_CGROUP = Path("/sys/fs/cgroup")


def check_memory(cgroup: Path = _CGROUP) -> list[Finding]:
    """Return the memory that is available. cgroup: where Linux tells the limits of this process (its version 2)."""
    available, limited = int(psutil.virtual_memory().available), _left_in(cgroup)
    left_mb = min(available, limited if limited is not None else available) // 1_000_000
    fact = f"{left_mb:,} MB are available{'' if limited is None else ' within the limit of this container or service'}."
    advice = "Give it more, or set WORKERS=1; without memory the system ends the bot in the middle of its work."
    if left_mb < _TOO_LITTLE_MB:
        return [problem("memory", fact, advice)]
    return [warning("memory", fact, advice) if left_mb < _LITTLE_MB else fine("memory", fact)]


def _left_in(cgroup: Path) -> int | None:
    """Return the bytes that a control group leaves; None without a limit."""
    try:
        return int((cgroup / "memory.max").read_text()) - int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):  # ValueError: "max", no limit
        return None
