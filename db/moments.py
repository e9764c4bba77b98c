"""Times as a database returns them."""

from datetime import UTC, datetime


def aware(moment: datetime) -> datetime:
    """Return a time with its zone: SQLite returns times without one, and they were stored in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
