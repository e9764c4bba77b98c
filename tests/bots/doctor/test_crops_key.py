"""The key of the faces: one that opens them, none, and one that does not."""

import os
from typing import Any

import pytest

from bots.doctor.crops_key import check_crops_key
from bots.doctor.findings import Severity
from bots.settings import Settings
from db import Chat, FaceReading, Person, Platform
from db.crop_sealing import new_key
from tests.bots.doctor.conftest import Made

ANNA = Person(Platform.TELEGRAM, "1")


async def store_a_face(settings: Settings) -> None:
    store = await settings.open_store()
    await store.set_keeps_faces(ANNA, True)
    face = FaceReading((1.0, *(0.0,) * 6), ("😡",), os.urandom(48 * 48))
    await store.add_photo(ANNA, Chat(Platform.TELEGRAM, "1"), "shipped-1", [face])
    await store.close()


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
async def _with_a_face(made: Made, key: str) -> None:
    await store_a_face(made(crops_key=key))


@pytest.mark.usefixtures("_with_a_face")
def test_a_key_that_opens_the_faces_is_well_also_after_a_new_one(made: Made, key: str) -> None:
    for keys in (key, f"{new_key()},{key}"):
        [found] = check_crops_key(made(crops_key=keys))
        assert (found.severity, found.fact) == (Severity.OK, "It opens the faces in the database.")


@pytest.mark.usefixtures("_with_a_face")
def test_another_key_or_none_is_a_problem_and_no_key_is_printed(made: Made, key: str) -> None:
    for given in ({}, {"crops_key": new_key()}):
        [found] = check_crops_key(made(**given))
        assert found.severity is Severity.PROBLEM
        assert "CROPS_KEY" in found.advice
        assert key not in str(found)
        assert str(given.get("crops_key", "none")) not in str(found)


@pytest.mark.parametrize("given", [{}, {"database_url": "nonsense"}, {"database_url": "mysql://host/name"}])
def test_where_there_is_no_database_nothing_is_said_and_nothing_made(made: Made, given: dict[str, Any]) -> None:
    assert check_crops_key(made(**given)) == []
    assert not list(made().data_dir.parent.glob("*.db"))
