"""Breaks a store's statements at will: `Store.open(..., before_statement=faults)`."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError


class Faults:
    """Is called before each SQL statement, and raises in its place what a test asks for."""

    def __init__(self) -> None:
        self._fault: Callable[[str], BaseException | None] = lambda _: None

    def __call__(self, statement: str) -> None:
        """Raise the fault that is on, if it is one of this statement."""
        if (error := self._fault(statement)) is not None:
            raise error

    @contextmanager
    def on(self, fault: Callable[[str], BaseException | None]) -> Iterator[None]:
        """Ask `fault` about every statement in this context: an exception to raise, or None to let it run."""
        self._fault = fault
        try:
            yield
        finally:
            self._fault = lambda _: None

    @contextmanager
    def no_database(self) -> Iterator[None]:
        """Let the database be away in this context."""
        with self.on(lambda statement: OperationalError(statement, {}, OSError("the database is gone"))):
            yield

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let nothing be added to the database in this context."""
        full = sqlite3.OperationalError("database or disk is full")
        with self.on(lambda text: OperationalError(text, {}, full) if text.startswith("INSERT") else None):
            yield
