"""Times as the program takes them and as a database returns them."""

from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """Return the present time with its zone: the clock of the program, where a test sets none."""
    return datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """Return a time with its zone: SQLite returns times without one, and they were stored in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


MOST_APART = timedelta(minutes=5)
"""How far the clocks of processes may be apart. What is held for so much longer than anybody may hold it was written by
a clock that has been put back since, and is free.
"""
