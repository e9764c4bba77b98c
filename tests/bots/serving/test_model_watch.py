import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bots.admin.versions_chat import VersionsChat
from bots.serving import model_watch
from bots.serving.inference_pool import InferencePool
from bots.serving.model_watch import ModelWatch
from bots.serving.shadowing import Shadowing
from db import Actor, Chat, Depth, FaceReading, Origin, Person, Platform, Role, State, Store
from recognizer import Recognizer
from recognizer.classification import MODEL_FOLDER, WEIGHTS_FILE, Classifier
from recognizer.packing import pack, pack_folder, unpack
from recognizer.runtime import FACE_MODELS
from tests.faults import Faults
from tests.model_files import renamed
from tests.rows import execute
from tests.waiting import PATIENCE_S

SHIPPED = Classifier.load().card.version
FACE = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)


SURE_OF_SADNESS = (9, 9, 9, 9, 9, 0, 9)


async def add(store: Store, name: str, artefact: bytes | None = None) -> None:
    content = renamed(name, SURE_OF_SADNESS) if artefact is None else artefact
    await store.versions.add(name, content, origin=Origin.ADAPT, parent=SHIPPED, metrics={}, fingerprint="")


@pytest.fixture
def own() -> Recognizer:
    """Return a recognizer for one test, which replaces its model."""
    return Recognizer.load()


@pytest.fixture
async def watch(own: Recognizer, store: Store) -> ModelWatch:
    watch = ModelWatch(own, store)
    await watch.start()
    return watch


@pytest.fixture
async def pool() -> AsyncIterator[InferencePool]:
    pool = InferencePool(workers=2, waiting=8)
    yield pool
    pool.close()


async def test_the_shipped_model_is_known_and_active_after_the_first_start(watch: ModelWatch, store: Store) -> None:
    active = await store.versions.holding(Role.ACTIVE)
    assert active is not None
    assert active.name == SHIPPED
    assert watch.problem == ""


async def test_a_promotion_reaches_a_running_replica_within_seconds_and_no_photo_is_dropped(
    watch: ModelWatch, own: Recognizer, store: Store, selfie: bytes
) -> None:
    await add(store, "sad")
    seen = [(await asyncio.to_thread(own.read, selfie)).model]
    running = asyncio.create_task(watch.run())
    await store.versions.promote("sad", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    async with asyncio.timeout(PATIENCE_S):
        while seen[-1] != "sad":
            reading = await asyncio.to_thread(own.read, selfie)
            seen.append(reading.model)
            assert len(reading.faces) == 1
            assert (reading.faces[0].emotion == "sad") == (reading.model == "sad")
    running.cancel()
    assert set(seen) == {SHIPPED, "sad"}


async def test_a_rollback_is_taken_up_the_same_way(watch: ModelWatch, own: Recognizer, store: Store) -> None:
    await add(store, "sad")
    await store.versions.promote("sad", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    await watch.refresh()
    assert own.version == "sad"
    await store.versions.roll_back(instead_of="sad", by=Actor("Anna"))
    await watch.refresh()
    assert own.version == SHIPPED


@pytest.mark.parametrize("damage", ["UPDATE models SET artefact = x'00' WHERE version = 'sad'", None])
async def test_a_damaged_version_is_not_served_and_admins_are_told(
    watch: ModelWatch, own: Recognizer, store: Store, damage: str | None
) -> None:
    await add(store, "sad", None if damage else pack({"model.json": b"{}"}))
    await store.versions.promote("sad", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    if damage:  # on the disk, after it was promoted
        await execute(store, damage)
    for _ in range(2):  # and it stays told
        await watch.refresh()
        assert own.version == SHIPPED
        assert "sad cannot be served" in watch.problem
        assert SHIPPED in watch.problem
    await store.versions.roll_back(instead_of="sad", by=Actor("Anna"))
    await watch.refresh()
    assert watch.problem == ""


async def test_what_is_told_neither_grows_nor_goes_stale(watch: ModelWatch, store: Store, faults: Faults) -> None:
    for name in ("sad", "mad"):
        await add(store, name, pack({"model.json": b"{}"}))
    await store.versions.promote("sad", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    await store.versions.set_shadow("mad")
    await watch.refresh()
    told = watch.problem
    assert told.count("cannot be served") == 2
    with faults.no_database():
        await watch.refresh()
    for _ in range(3):
        await watch.refresh()
        assert watch.problem == told


async def test_a_damaged_shipped_version_does_not_keep_the_bot_from_starting(own: Recognizer, store: Store) -> None:
    await store.versions.begin_with(SHIPPED, pack_folder(MODEL_FOLDER))
    await execute(store, "UPDATE models SET artefact = x'00', role = NULL")
    watch = ModelWatch(own, store)
    await watch.start()
    assert own.version == SHIPPED


async def test_a_replica_started_on_a_retrained_version_serves_it_from_the_first_photo_on(
    watch: ModelWatch, store: Store
) -> None:
    await add(store, "sad")
    await store.versions.promote("sad", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    fresh = Recognizer.load()
    await ModelWatch(fresh, store).start()
    assert fresh.version == "sad"


async def test_while_the_database_is_away_the_model_goes_on(watch: ModelWatch, own: Recognizer, faults: Faults) -> None:
    with faults.no_database():
        await watch.refresh()
    assert own.version == SHIPPED
    assert "database" in watch.problem
    await watch.refresh()
    assert watch.problem == ""


async def test_a_version_in_shadow_reads_what_was_answered_and_answers_nobody(
    watch: ModelWatch, own: Recognizer, store: Store, pool: InferencePool
) -> None:
    await add(store, "sad")
    await store.versions.set_shadow("sad")
    await watch.refresh()
    assert own.version == SHIPPED
    shadowing = Shadowing(store, pool, lambda: watch.shadow)
    happy = FaceReading((0, 0, 0, 1.0, 0, 0, 0), ("😄",), FACE.tobytes())
    sad = FaceReading((0, 0, 0, 0, 0, 1.0, 0), ("😢",), FACE.tobytes())
    kept = (await store.add_photo(Person(Platform.WEB, "1"), Chat(Platform.WEB, "1"), SHIPPED, [happy, sad])).readings
    shadowing.later([each.id for each in kept], [np.stack([FACE, FACE])] * 2)
    await shadowing.close()
    told = await store.versions.shadow_comparison("sad")
    assert (told.faces, told.same) == (2, 1)
    await store.versions.set_shadow(None)
    await watch.refresh()
    assert watch.shadow is None


async def test_looking_is_often_enough() -> None:
    assert model_watch.LOOK_EVERY_S < 5 / 2


async def test_a_network_that_reads_no_faces_is_not_served_and_admins_are_told(
    watch: ModelWatch, own: Recognizer, store: Store
) -> None:
    network = (FACE_MODELS / "face_detection_short_range.tflite").read_bytes()
    await add(store, "blind", pack({**unpack(renamed("blind")), WEIGHTS_FILE: network}))
    await store.versions.promote("blind", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    await watch.refresh()
    assert own.version == SHIPPED
    assert "blind cannot be served" in watch.problem


async def test_what_only_a_newer_version_of_the_bot_knows_stops_nothing(
    watch: ModelWatch, own: Recognizer, store: Store
) -> None:
    await add(store, "sad")
    await store.versions.promote("sad", instead_of=SHIPPED, by=Actor("Anna"), reason="it is a test")
    await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    await execute(
        store,
        "UPDATE models SET origin = 'dreamt' WHERE version = 'sad'",
        "UPDATE models SET role = 'spare' WHERE role IS NULL",
        "UPDATE retrainings SET state = 'resting', depth = 'deep', slot = NULL",
    )
    await watch.refresh()
    assert (own.version, watch.problem) == ("sad", "")
    assert {version.origin for version in await store.versions.all()} == {Origin.UNKNOWN, Origin.SHIPPED}
    latest = await store.retrainings.latest()
    assert latest is not None
    assert (latest.state, latest.depth) == (State.FAILED, "deep")
    assert "of unknown origin" in (await VersionsChat(store).page()).text
