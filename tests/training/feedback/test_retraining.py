import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import training.feedback.adapting
import training.feedback.retraining
from db import (
    Actor,
    BusyError,
    Chat,
    Depth,
    FaceReading,
    Judgement,
    KeptFace,
    Origin,
    Part,
    Person,
    Platform,
    Role,
    State,
    Store,
)
from recognizer import EMOTIONS, EmojiMap
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder, unpack
from tests.faults import Faults
from tests.training.feedback_rows import fill
from training import MissingError
from training.feedback.candidates import Trunk
from training.feedback.retraining import NothingToLearnError, Progress, RetrainingCancelledError, retrain

MAP, SECRET = EmojiMap.load(), "a secret for tests"


@pytest.fixture
async def store(store: Store) -> Store:
    await store.versions.begin_with(Classifier.load().card.version, pack_folder(MODEL_FOLDER))
    return store


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training fast but inaccurate, for tests in which accuracy does not matter."""
    monkeypatch.setattr(training.feedback.adapting, "_STEPS", 2)


async def served(store: Store) -> str:
    (active,) = [version for version in await store.versions.all() if version.role is Role.ACTIVE]
    return active.name


@dataclass(frozen=True)
class Learned:
    """What a retraining that may take its time made: its number, the version, and the one that was served before."""

    store: Store
    number: int
    name: str
    before: str


@pytest.fixture(scope="module")
def learned_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str, str]:
    path = tmp_path_factory.mktemp("learned") / "learned.db"

    async def learn() -> tuple[int, str, str]:
        store = await Store.open(f"sqlite:///{path}", SECRET)
        await store.versions.begin_with(Classifier.load().card.version, pack_folder(MODEL_FOLDER))
        await fill(store, people=60)
        before = await served(store)
        number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
        name = await retrain(store, Depth.ADAPT, number, MAP)
        await store.close()
        return number, name, before

    return path, *asyncio.run(learn())


@pytest.fixture
async def learned(learned_once: tuple[Path, int, str, str]) -> AsyncIterator[Learned]:
    path, number, name, before = learned_once
    store = await Store.open(f"sqlite:///{path}", SECRET)
    yield Learned(store, number, name, before)
    await store.close()


async def test_what_people_say_becomes_a_judged_version_and_nothing_else_changes(learned: Learned) -> None:
    store = learned.store
    version = await store.versions.find(learned.name)
    assert version is not None
    assert (version.role, version.origin, version.parent) == (None, Origin.ADAPT, learned.before)
    assert await served(store) == learned.before
    judgement = Judgement.of(version.metrics)
    assert judgement is not None
    assert judgement.offered, judgement.why  # bars are easy to learn, and unknown to the shipped model
    assert judgement.gain > 20
    assert abs(judgement.guard_candidate - judgement.guard_served) < 0.005
    lessons = await store.versions.lessons(learned.name)
    assert {each.part for each in lessons} == set(Part)
    assert judgement.learned_faces == sum(each.part is Part.LEARN for each in lessons)
    assert len(lessons) == judgement.judged_faces == 300  # those learned from, by corrections that did not
    ended = await store.retrainings.find(learned.number)
    assert ended is not None
    assert (ended.state, ended.version, ended.message) == (State.DONE, learned.name, judgement.why)


async def test_the_version_that_was_kept_serves_as_it_was_judged(learned: Learned) -> None:
    store, name = learned.store, learned.name
    again = Classifier.from_files(unpack(await store.versions.artefact(name)))
    faces = await store.feedback.faces()
    judged = {each.reading for each in await store.versions.lessons(name) if each.part is Part.JUDGE}
    held = [face for face in faces if face.reading in judged]
    crops = np.stack([np.frombuffer(face.crop, np.uint8).reshape(48, 48) for face in held])
    labels = [face.answers[0].verdict for face in held]
    right = [
        np.mean(
            [EMOTIONS[place] == label for place, label in zip(each.classify(crops).argmax(axis=1), labels, strict=True)]
        )
        for each in (Classifier.load(), again)
    ]
    assert right[1] > right[0] + 0.2
    version = await store.versions.find(name)
    assert version is not None
    judgement = Judgement.of(version.metrics)
    assert judgement is not None
    kept = Trunk.of(unpack(await store.versions.artefact(name)))
    assert kept.guard.accuracy(again.card.adaptation) == pytest.approx(judgement.guard_candidate, abs=0.001)
    assert again.card.version == name


async def test_too_little_feedback_is_told_and_the_place_is_free_again(store: Store) -> None:
    await fill(store, people=1)
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    with pytest.raises(NothingToLearnError, match="10 are needed"):
        await retrain(store, Depth.ADAPT, number, MAP)
    ended = await store.retrainings.find(number)
    assert ended is not None
    assert ended.state is State.FAILED
    assert "needed" in ended.message
    await store.retrainings.start(Depth.ADAPT, Actor("Bert"))


async def test_a_retraining_stops_when_it_is_asked_to(
    store: Store, faults: Faults, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.feedback.retraining, "_BEAT_S", 0.05)
    await fill(store, people=60)
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    assert await store.retrainings.ask_to_stop()
    with pytest.raises(RetrainingCancelledError):
        await retrain(store, Depth.ADAPT, number, MAP)
    ended = await store.retrainings.find(number)
    assert ended is not None
    assert ended.state is State.CANCELLED
    assert len(await store.versions.all()) == 1


async def test_one_at_a_time(store: Store) -> None:
    await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    with pytest.raises(BusyError):
        await store.retrainings.start(Depth.FULL, Actor("Bert"))


async def test_progress_is_heard_while_it_works(store: Store, hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.feedback.retraining, "_BEAT_S", 0.05)
    await fill(store, people=60)
    heard: list[tuple[str, float]] = []

    def listen(progress: Progress) -> None:
        heard.append((progress.step, progress.share))

    await retrain(store, Depth.ADAPT, await store.retrainings.start(Depth.ADAPT, Actor("Anna")), MAP, heard=listen)
    assert {step for step, _ in heard} >= {"Learning from the labels"}
    assert [share for _, share in heard] == sorted(share for _, share in heard)


async def test_a_full_disk_is_told_and_what_is_served_goes_on(
    store: Store, faults: Faults, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.feedback.retraining, "_PATIENCE_S", 0.1)
    await fill(store, people=60)
    before = await served(store)
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    with faults.full_disk(), pytest.raises(Exception, match="full"):
        await retrain(store, Depth.ADAPT, number, MAP)
    assert await served(store) == before
    ended = await store.retrainings.find(number)
    assert ended is not None
    assert ended.state is State.FAILED
    assert "What is served was not touched" in ended.message


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    store: Store, faults: Faults, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.feedback.retraining, "_BEAT_S", 0.05)
    await fill(store, people=60)
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    learning, away = asyncio.Event(), float("inf")

    def listen(progress: Progress) -> None:
        if progress.step == "Learning from the labels":
            learning.set()

    def refuse(_: str) -> OSError | None:
        return OSError("away") if asyncio.get_running_loop().time() < away else None

    working = asyncio.create_task(retrain(store, Depth.ADAPT, number, MAP, heard=listen))
    async with asyncio.timeout(60):
        await learning.wait()
    away = asyncio.get_running_loop().time() + 3
    with faults.on(refuse):
        assert await working in {version.name for version in await store.versions.all()}


async def test_the_full_depth_without_base_data_says_what_to_do(store: Store, hasty: None, tmp_path: Path) -> None:
    await fill(store, people=60)
    number = await store.retrainings.start(Depth.FULL, Actor("Anna"))
    with pytest.raises(MissingError, match="base data"):
        await retrain(store, Depth.FULL, number, MAP, data=tmp_path)


@pytest.mark.parametrize("way", ["forget", "refuse", "forget a voter"])
async def test_what_people_delete_while_it_learns_is_not_in_the_new_version(
    store: Store, hasty: None, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    await fill(store, people=30)
    ada, bert, chat = (Person(Platform.TELEGRAM, "7"), Person(Platform.TELEGRAM, "8"), Chat(Platform.TELEGRAM, "1"))
    await store.set_keeps_faces(ada, True)
    photo = await store.add_photo(ada, chat, "m", [FaceReading((1 / 7,) * 7, ("😁",), bytes(2304))])
    await store.taps.add(photo.readings[0].id, emotion="sad", voter=bert)
    gathered: list[int] = []
    work = training.feedback.retraining.candidate
    loop = asyncio.get_running_loop()

    async def delete() -> None:
        if way == "refuse":
            await store.set_keeps_faces(ada, False)
        else:
            await store.forget(ada if way == "forget" else bert)

    def learning(depth: Depth, files: dict[str, bytes], faces: Sequence[KeptFace], *rest: Any, **facts: Any) -> Any:
        gathered.append(sum(len(face.answers) for face in faces))
        if len(gathered) == 1:
            asyncio.run_coroutine_threadsafe(delete(), loop).result()
        return work(depth, files, faces, *rest, **facts)

    monkeypatch.setattr(training.feedback.retraining, "candidate", learning)
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    name = await retrain(store, Depth.ADAPT, number, MAP)
    assert gathered == [151, 150]
    assert photo.readings[0].id not in {lesson.reading for lesson in await store.versions.lessons(name)}


async def test_what_concerns_no_face_that_is_learned_from_begins_nothing_anew(store: Store) -> None:
    number = await store.retrainings.start(Depth.ADAPT, Actor("Anna"))
    stranger, chat = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "1")
    await store.add_photo(stranger, chat, "m", [FaceReading((1 / 7,) * 7, ("😁",), bytes(2304))])
    assert await store.forget(stranger)
    assert await store.retrainings.erasures(number) == 0
