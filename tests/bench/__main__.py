"""`python -m tests.bench [--faces N] [--contest-faces N] [--contest-photos N]`: print all tables.

First the processor: times are of this machine, on one core unless stated otherwise.
"""

import argparse
import asyncio
import sys

import cv2
from rich.console import Console
from rich.table import Table

from tests.bench.contest import ContestError, contest_tables
from tests.bench.detection import covering_table, detection_tables, faceless_table
from tests.bench.event_loop import ROWS, event_loop_tables
from tests.bench.mirror import mirror_table
from tests.bench.processor import OF_THIS_MACHINE, Processor
from tests.bench.speed import cost_table, process_table, speed_table
from tests.bench.taste import taste_table
from training.data import default_folder, load


def main() -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.bench")
    parser.add_argument("--faces", type=int, default=500, help="FER2013 test faces to paste and find (default 500)")
    parser.add_argument("--contest-faces", type=int, help="test faces for us and `fer` (default all)")
    parser.add_argument("--contest-photos", type=int, default=200, help="photos for us and `fer` (default 200)")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    console = Console(width=110)
    console.print(f"Processor: {Processor.this()}", highlight=False)
    console.print(cost_table())
    console.print(of_this_machine(speed_table()))
    console.print(of_this_machine(process_table()))
    for table in asyncio.run(event_loop_tables(ROWS)):
        console.print(of_this_machine(table))
    console.print(of_this_machine(asyncio.run(mirror_table())))
    if not default_folder().exists():
        console.print("No FER2013 data here (FER2013_DIR), so nothing is pasted and searched, nor read beside `fer`.")
        return 0
    faces = load(default_folder())["test"]
    for table in detection_tables(faces, options.faces):
        console.print(of_this_machine(table))
    console.print(covering_table(faces, min(options.faces, 200)))
    console.print(of_this_machine(faceless_table(faces, 200)))
    console.print(taste_table(faces))
    try:
        for table in contest_tables(faces, options.contest_faces or len(faces), options.contest_photos):
            console.print(of_this_machine(table))
    except ContestError as error:
        console.print(str(error))
    return 0


def of_this_machine(table: Table) -> Table:
    """Say in a table's caption that its figures are this machine's, and return it."""
    table.caption = " ".join(filter(None, (str(table.caption or ""), OF_THIS_MACHINE)))
    return table


if __name__ == "__main__":
    sys.exit(main())
