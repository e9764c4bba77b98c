"""Fixtures of the doctor: settings in an empty folder, nothing from outside."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots.settings import Settings
from tests.db.conftest import postgresql_server

__all__ = ["postgresql_server"]

Made = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Return a function that makes settings; whatever is not given has its default."""

    def make(**given: Any) -> Settings:
        return Settings(**given)

    return make
