"""Fixtures of the rooms next door: a real PostgreSQL."""

from tests.db.conftest import postgresql_server, url

__all__ = ["postgresql_server", "url"]
