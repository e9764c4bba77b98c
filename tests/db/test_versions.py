import pytest

from db import ConflictError, Lesson, Origin, Part, Role, Store, VersionError

SHIPPED, FILES = "shipped-1", b"the files of a model"


async def grow(store: Store, *names: str) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    for name in names:
        await store.versions.add(
            name, name.encode(), origin=Origin.ADAPT, parent=SHIPPED, metrics={"n": 3}, fingerprint="f" * 64
        )


async def active(store: Store) -> str:
    """The active version; fails where there is not exactly one."""
    (one,) = [version for version in await store.versions.all() if version.role is Role.ACTIVE]
    return one.name


async def test_the_shipped_model_serves_from_the_first_start_on(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    await store.versions.begin_with(SHIPPED, FILES)
    assert await active(store) == SHIPPED
    assert await store.versions.artefact(SHIPPED) == FILES


async def test_a_newer_shipped_model_takes_over_from_a_shipped_one_only(store: Store) -> None:
    await grow(store, "a")
    await store.versions.begin_with("shipped-2", b"newer")
    assert await active(store) == "shipped-2"
    await store.versions.promote("a", instead_of="shipped-2", by="Anna")
    await store.versions.begin_with("shipped-3", b"newest")
    assert await active(store) == "a"


async def test_promotion_and_the_way_back(store: Store) -> None:
    await grow(store, "a", "b")
    await store.versions.promote("a", instead_of=SHIPPED, by="Anna")
    await store.versions.promote("b", instead_of="a", by="Bert", override="I have seen it")
    assert await store.versions.roll_back(instead_of="b", by="Anna") == "a"
    assert await store.versions.roll_back(instead_of="a", by="Anna") == SHIPPED
    with pytest.raises(VersionError, match="first version"):
        await store.versions.roll_back(instead_of=SHIPPED, by="Anna")
    history = await store.versions.history(10)
    assert [(each.version, each.kind) for each in history] == [
        (SHIPPED, "rollback"),
        ("a", "rollback"),
        ("b", "override"),
        ("a", "promote"),
        (SHIPPED, "start"),
    ]
    assert history[2].reason == "I have seen it"


async def test_of_two_promotions_decided_on_the_same_sight_the_second_is_told(store: Store) -> None:
    await grow(store, "a", "b")
    await store.versions.promote("a", instead_of=SHIPPED, by="Anna")
    with pytest.raises(ConflictError, match="a was promoted by someone else"):
        await store.versions.promote("b", instead_of=SHIPPED, by="Bert")
    assert await active(store) == "a"


async def test_a_version_with_damaged_files_is_not_promoted(store: Store) -> None:
    await grow(store, "a")
    async with store._engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE models SET sha256 = 'other' WHERE version = 'a'")
    with pytest.raises(VersionError, match="damaged"):
        await store.versions.promote("a", instead_of=SHIPPED, by="Anna")
    assert await active(store) == SHIPPED


async def test_lessons_of_forgotten_faces_are_left_out(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    lesson = Lesson(77, Part.LEARN, 1.0, (1.0, 0, 0, 0, 0, 0, 0))
    await store.versions.add(
        "a", b"a", origin=Origin.FULL, parent=SHIPPED, metrics={}, fingerprint="", lessons=[lesson]
    )
    assert await store.versions.lessons("a") == ()


async def test_old_files_are_cleared_away_but_never_those_that_are_needed(store: Store) -> None:
    await grow(store, "a", "b", "c", "d")
    await store.versions.promote("a", instead_of=SHIPPED, by="Anna")
    await store.versions.promote("b", instead_of="a", by="Anna")
    assert await store.versions.clear_away(keep=1) == ("c",)
    with pytest.raises(VersionError, match="cleared away"):
        await store.versions.promote("c", instead_of="b", by="Anna")
    assert await store.versions.roll_back(instead_of="b", by="Anna") == "a"
