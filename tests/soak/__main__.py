"""`python -m tests.soak [PART ...] [--share S]`: run the parts, print a table, and exit with 1 if a line is not met.

All of it on loopback, in a limited number of photos and kills. A whole soak takes some hours on two cores;
`--share 0.05` does a twentieth of it.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine

from rich.console import Console
from rich.table import Table

from tests.bench.processor import Processor
from tests.soak import flood, kills, load, long_day, nonsense
from tests.soak.finding import Extent, Finding

PARTS: dict[str, Callable[[Extent], Coroutine[None, None, list[Finding]]]] = {
    "load": load.run,
    "flood": flood.run,
    "kills": kills.run,
    "nonsense": nonsense.run,
    "long-day": long_day.run,
}


def main() -> int:
    """Run the parts and return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.soak")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is named")
    parser.add_argument("--share", type=float, default=1.0, help="how much of a whole soak is done (default 1)")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}")
    if not 0 < options.share <= 1:
        parser.error("the share is above 0 and at most 1")
    console = Console(width=120)
    console.print(f"Processor: {Processor.this()}", highlight=False)
    table = Table("what", "figure", "wanted", "", title="Soak")
    is_met = True
    for part in options.parts or PARTS:
        for finding in asyncio.run(PARTS[part](Extent(options.share))):
            is_met = is_met and finding.is_met
            table.add_row(finding.what, finding.figure, finding.wanted, "" if finding.is_met else "MISSED")
            console.print(f"{finding.what}: {finding.figure}{'' if finding.is_met else ' (MISSED)'}", highlight=False)
    console.print(table)
    return 0 if is_met else 1


sys.exit(main())
