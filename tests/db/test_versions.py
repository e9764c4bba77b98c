from itertools import pairwise

import pytest

from db import (
    Actor,
    Chat,
    ConflictError,
    FaceReading,
    Judgement,
    Lesson,
    NotOfferedError,
    Origin,
    Part,
    Person,
    Platform,
    Role,
    ShadowComparison,
    Store,
    VersionError,
)
from tests.judgements import judgement
from tests.rows import execute

SHIPPED, FILES = "shipped-1", b"the files of a model"


async def grow(store: Store, *names: str, offered: bool = True) -> None:
    """Add versions, each judged against the one before, and the first against the shipped one."""
    await store.versions.begin_with(SHIPPED, FILES)
    metrics = judgement(offered=offered).to_metrics()
    for parent, name in pairwise((SHIPPED, *names)):
        await store.versions.add(
            name, name.encode(), origin=Origin.ADAPT, parent=parent, metrics=metrics, fingerprint="f" * 64
        )


async def active(store: Store) -> str:
    """Return the active version; fail unless there is exactly one."""
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
    await store.versions.promote("a", instead_of="shipped-2", by=Actor("Anna"), reason="ours is better")
    await store.versions.begin_with("shipped-3", b"newest")
    assert await active(store) == "a"


async def test_promotion_and_the_way_back(store: Store) -> None:
    await grow(store, "a", "b")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    await store.versions.promote("b", instead_of="a", by=Actor("Bert"), reason="I have seen it")
    assert await store.versions.roll_back(instead_of="b", by=Actor("Anna")) == "a"
    assert await store.versions.roll_back(instead_of="a", by=Actor("Anna")) == SHIPPED
    with pytest.raises(VersionError, match="first version"):
        await store.versions.roll_back(instead_of=SHIPPED, by=Actor("Anna"))
    history = await store.versions.history(10)
    assert [(each.version, each.kind) for each in history] == [
        (SHIPPED, "rollback"),
        ("a", "rollback"),
        ("b", "promote"),
        ("a", "promote"),
        (SHIPPED, "start"),
    ]
    assert history[2].reason == "I have seen it"


async def test_of_two_promotions_decided_on_the_same_sight_the_second_is_told(store: Store) -> None:
    await grow(store, "a", "b")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    with pytest.raises(ConflictError, match="a was promoted by someone else"):
        await store.versions.promote("b", instead_of=SHIPPED, by=Actor("Bert"))
    assert await active(store) == "a"


async def test_going_back_from_a_version_that_is_no_longer_served_is_told(store: Store) -> None:
    await grow(store, "a")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    await store.versions.roll_back(instead_of="a", by=Actor("Bert"))
    with pytest.raises(ConflictError, match="in place of a"):
        await store.versions.roll_back(instead_of="a", by=Actor("Anna"))
    assert await active(store) == SHIPPED


async def test_versions_are_told_apart_by_their_numbers(store: Store) -> None:
    await grow(store, "a")
    newest, first = await store.versions.all()
    assert newest.number > first.number


async def test_a_version_with_damaged_files_is_not_promoted(store: Store) -> None:
    await grow(store, "a")
    await execute(store, "UPDATE models SET sha256 = 'other' WHERE version = 'a'")
    with pytest.raises(VersionError, match="damaged"):
        await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    assert await active(store) == SHIPPED


async def test_lessons_of_forgotten_faces_are_left_out(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    lesson = Lesson(77, Part.LEARN, 1.0, (1.0, 0, 0, 0, 0, 0, 0))
    await store.versions.add(
        "a", b"a", origin=Origin.FULL, parent=SHIPPED, metrics={}, fingerprint="", lessons=[lesson]
    )
    assert await store.versions.lessons("a") == ()


async def test_lessons_whose_face_is_no_longer_kept_are_not_counted(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    readings = await _faces_of(store, "7") + await _faces_of(store, "8")
    lessons = [Lesson(reading, Part.LEARN, 1.0, (1.0, 0, 0, 0, 0, 0, 0)) for reading in readings]
    await store.versions.add("a", b"a", origin=Origin.FULL, parent=SHIPPED, metrics={}, fingerprint="", lessons=lessons)
    assert await store.versions.kept_lessons("a", Part.LEARN) == 4
    assert await store.versions.kept_lessons("a", Part.JUDGE) == 0
    await store.set_keeps_faces(Person(Platform.TELEGRAM, "7"), False)
    assert await store.versions.kept_lessons("a", Part.LEARN) == 2


async def test_a_version_in_shadow_is_compared_on_the_newest_faces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(store, "a")
    first, second = await _faces_of(store, "7")
    other, same = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0), (0.2, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0)
    await store.versions.add_shadow("a", [(first, other), (second, same)])
    assert await store.versions.shadow_comparison("a") == ShadowComparison("a", 2, 1)
    monkeypatch.setattr("db.versions._NEWEST_IN_SHADOW", 1)
    assert await store.versions.shadow_comparison("a") == ShadowComparison("a", 1, 1)


async def _faces_of(store: Store, name: str) -> list[int]:
    """Return two readings of someone who consented."""
    person, face = (
        Person(Platform.TELEGRAM, name),
        FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(2304)),
    )
    await store.set_keeps_faces(person, True)
    stored = (await store.add_photo(person, Chat(Platform.TELEGRAM, name), SHIPPED, [face, face])).readings
    return [reading.id for reading in stored]


async def test_old_files_are_cleared_away_but_never_those_that_are_needed(store: Store) -> None:
    await grow(store, "a", "b", "c", "d")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    await store.versions.promote("b", instead_of="a", by=Actor("Anna"))
    assert await store.versions.clear_away(keep=1) == ("c",)
    with pytest.raises(VersionError, match="cleared away"):
        await store.versions.promote("c", instead_of="b", by=Actor("Anna"))
    assert await store.versions.roll_back(instead_of="b", by=Actor("Anna")) == "a"


async def add_by_hand(store: Store, *names: str, files: bytes = b"fitted") -> None:
    """Add networks as the training window does."""
    for name in names:
        await store.versions.add(name, files, origin=Origin.FITTED, parent=SHIPPED, metrics={}, fingerprint="")


async def kept(store: Store) -> set[str]:
    return {version.name for version in await store.versions.all() if version.is_kept}


async def test_retrainings_never_clear_away_what_was_added_by_hand(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    await add_by_hand(store, "mine")
    await grow(store, "a", "b", "c")
    assert await store.versions.clear_away(keep=1) == ("b", "a")
    await store.versions.promote("mine", instead_of=SHIPPED, by=Actor("Anna"), reason="it is ours")
    assert await active(store) == "mine"


async def test_what_was_cleared_away_can_be_added_again_and_is_the_newest_then(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    await add_by_hand(store, "first", "second")
    assert await store.versions.clear_away(keep=1) == ("first",)
    with pytest.raises(VersionError, match="cleared away"):
        await store.versions.artefact("first")
    await add_by_hand(store, "first")
    assert await store.versions.clear_away(keep=1) == ("second",)
    assert await kept(store) == {SHIPPED, "first"}
    assert await store.versions.artefact("first") == b"fitted"
    await store.versions.promote("first", instead_of=SHIPPED, by=Actor("Anna"), reason="it is ours")
    assert await active(store) == "first"


async def test_other_files_are_not_added_under_the_name_of_a_version_that_is_or_was(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    await add_by_hand(store, "mine")
    for files in (b"fitted", b"others"):
        with pytest.raises(VersionError, match="There is a version mine already"):
            await add_by_hand(store, "mine", files=files)
    await store.versions.clear_away(keep=0)
    with pytest.raises(VersionError, match="There was another version mine, whose files were cleared"):
        await add_by_hand(store, "mine", files=b"others")
    assert await kept(store) == {SHIPPED}


async def test_a_name_that_some_databases_cannot_store_is_refused_in_words(store: Store) -> None:
    await add_by_hand(store, "x" * 64)
    with pytest.raises(VersionError, match="too long for a version"):
        await add_by_hand(store, "x" * 65)
    assert await kept(store) == {"x" * 64}


async def test_what_the_gate_does_not_offer_needs_a_typed_reason(store: Store) -> None:
    await grow(store, "a", offered=False)
    for empty in ("", "  "):
        with pytest.raises(NotOfferedError, match="no better"):
            await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"), reason=empty)
    assert await active(store) == SHIPPED
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"), reason="I looked at the faces")
    assert (await store.versions.history(1))[0].kind == "override"


async def test_a_remark_on_an_offered_version_makes_it_no_override(store: Store) -> None:
    await grow(store, "a")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"), reason="it is better")
    (last,) = await store.versions.history(1)
    assert (last.kind, last.reason) == ("promote", "it is better")


async def test_a_shipped_version_is_served_again_by_going_back_or_with_a_reason(store: Store) -> None:
    await grow(store, "a")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    with pytest.raises(NotOfferedError, match="knows nothing of your people"):
        await store.versions.promote(SHIPPED, instead_of="a", by=Actor("Anna"))
    assert await store.versions.roll_back(instead_of="a", by=Actor("Anna")) == SHIPPED


async def test_who_went_back_to_an_older_shipped_version_is_not_overruled_by_a_start(store: Store) -> None:
    await store.versions.begin_with(SHIPPED, FILES)
    await store.versions.begin_with("shipped-2", b"newer")
    await store.versions.roll_back(instead_of="shipped-2", by=Actor("Anna"))
    await store.versions.begin_with("shipped-2", b"newer")
    assert await active(store) == SHIPPED


async def test_files_of_a_version_that_is_being_promoted_are_not_cleared_away(store: Store) -> None:
    await grow(store, "a", "b")
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("Anna"))
    await store.versions.set_shadow("b")
    assert await store.versions.clear_away(keep=0) == ()


async def test_a_version_judged_beside_another_than_the_served_one_is_not_offered(store: Store) -> None:
    await grow(store, "a", "b")
    with pytest.raises(NotOfferedError, match="judged beside a"):
        await store.versions.promote("b", instead_of=SHIPPED, by=Actor("Anna"))


async def test_a_judgement_comes_back_as_it_was_kept(store: Store) -> None:
    await grow(store, "a")
    version = await store.versions.find("a")
    assert version is not None
    assert Judgement.of(version.metrics) == judgement(offered=True)
