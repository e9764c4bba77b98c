"""Moments as they come out of a database."""

from datetime import UTC, datetime


def aware(moment: datetime) -> datetime:
    """SQLite gives times back without their zone; they were stored in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
