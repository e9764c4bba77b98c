"""One retraining, from the words in the database to a judged version there. Nothing that is served is touched.

The work runs in a thread; beside it the process says every two seconds that it lives, and hears whether it is to stop.
Until its last step it writes nothing but its progress, and that step (the version is there, the retraining has ended)
is one transaction.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError

from db import Depth, Judgement, KeptFace, Lesson, LostError, Origin, Role, State, Store, VersionError
from recognizer import EmojiMap
from recognizer.adaptation import Adaptation
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder, unpack
from training import MissingError, TrainingError
from training.feedback.candidates import Trunk, adaptation_of, correction, trusted
from training.feedback.judging import MOST_LOSS, GuardShares, judged
from training.feedback.lessons import Book, divided, fingerprint

LEAST_LESSONS = 10
"""Fewer faces than this teach nothing."""
KEPT_VERSIONS = 5
"""How many versions that serve nobody keep their files; the rest stay in the book without them."""
_LEAST_WEIGHT = 1.0
_BEAT_S = 2.0
_PATIENCE_S = 60.0
"""How long the database may be away at the end, in seconds, before the work is given up."""

_Given = TypeVar("_Given")


class NothingToLearnError(TrainingError):
    """There is too little feedback; the message says how much there is."""


class RetrainingCancelledError(TrainingError):
    """Someone asked the retraining to stop."""


@dataclass
class Progress:
    """What the work says of itself while another thread listens, and hears from there."""

    step: str = "Gathering what people said"
    share: float = 0.0
    is_cancelled: bool = False

    def tell(self, step: str, share: float) -> None:
        """Say what is being done, and how far all is: 0 to 1. Raises `CancelledError`."""
        if self.is_cancelled:
            raise RetrainingCancelledError("The retraining was cancelled; nothing was changed.")
        self.step, self.share = step, share


@dataclass(frozen=True, eq=False)
class Candidate:
    """A new version, not yet in the database: a trunk with a correction, the gate's word on it, and what it learned
    from and was judged by."""

    trunk: Trunk
    adaptation: Adaptation
    judgement: Judgement
    lessons: tuple[Lesson, ...]
    fingerprint: str


async def retrain(  # noqa: PLR0913  # what one retraining knows
    store: Store,
    depth: Depth,
    number: int,
    emoji_map: EmojiMap,
    *,
    data: Path | None = None,
    heard: Callable[[Progress], None] = lambda _: None,
) -> str:
    """Do the retraining of this number, which `store.retrainings.start` gave, and give the name of the version it made.

    data: where the base data is, for the full depth. heard: is told how it stands from time to time. However it ends,
    its row says so. Raises `TrainingError` and what belongs to it, `LostError` where it was taken for dead meanwhile,
    and what SQLAlchemy raises.
    """
    progress, ended = Progress(), asyncio.Event()
    beating = asyncio.create_task(_beat(store, number, progress, heard, ended))
    try:
        name = await _retrained(store, depth, number, emoji_map, data, progress)
    except asyncio.CancelledError:
        progress.is_cancelled = True  # the thread ends at its next word
        await _finish(store, number, State.CANCELLED, "It was stopped; nothing was changed.")
        raise
    except RetrainingCancelledError as error:
        await _finish(store, number, State.CANCELLED, str(error))
        raise
    except Exception as error:
        what = str(error) if isinstance(error, TrainingError | VersionError) else f"It failed ({type(error).__name__})."
        await _finish(store, number, State.FAILED, f"{what} What is served was not touched.")
        raise
    finally:
        ended.set()  # no cancelling amid a query
        await asyncio.gather(beating, return_exceptions=True)
    return name


async def _retrained(  # noqa: PLR0913, PLR0917  # as above
    store: Store, depth: Depth, number: int, emoji_map: EmojiMap, data: Path | None, progress: Progress
) -> str:
    served = await store.versions.holding(Role.ACTIVE)
    if served is None:
        await store.versions.begin_with(Classifier.load().card.version, pack_folder(MODEL_FOLDER))
        served = await store.versions.holding(Role.ACTIVE)
        assert served is not None
    files = unpack(await store.versions.artefact(served.name))
    faces = await store.feedback.faces()
    tried = sum(version.parent == served.name for version in await store.versions.all())
    work = partial(candidate, depth, files, faces, emoji_map, data=data, tried=tried, progress=progress)
    made = await asyncio.to_thread(work)
    name = f"{depth}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{made.fingerprint[:6]}"
    artefact = await asyncio.to_thread(made.trunk.packed, name, made.adaptation)

    async def keep() -> None:
        if await store.versions.find(name) is None:  # else the answer to the last try was lost on its way
            await store.versions.add(
                name,
                artefact,
                origin=Origin(depth),
                parent=served.name,
                metrics=made.judgement.to_metrics(),
                fingerprint=made.fingerprint,
                lessons=made.lessons,
                retraining=number,
            )

    progress.tell("Keeping the new version", 1.0)
    await _patiently(keep)
    with suppress(SQLAlchemyError, OSError):  # the next retraining tries again
        await store.versions.clear_away(KEPT_VERSIONS)
    return name


def candidate(  # noqa: PLR0913  # as above
    depth: Depth,
    files: dict[str, bytes],
    faces: Sequence[KeptFace],
    emoji_map: EmojiMap,
    *,
    data: Path | None,
    tried: int,
    progress: Progress,
) -> Candidate:
    """What the words on these faces make of the version with these files. tried: see `judged`. Raises as `retrain`."""
    started = time.monotonic()
    learn, judge = divided(faces, emoji_map)
    if len(learn) < LEAST_LESSONS:
        raise NothingToLearnError(
            f"There are {len(learn)} labelled faces to learn from (and {len(judge)} to judge by); {LEAST_LESSONS} are "
            "needed. Faces count where whoever sent them allowed it in /privacy and somebody said what they show."
        )
    before, shipped = Trunk.of(files), Trunk.of(_shipped())
    trunk, first = before, 0.0
    if before.guard.accuracy(None) < shipped.guard.accuracy(None) - MOST_LOSS:
        trunk = shipped  # the software brought a better one since
    if depth is Depth.FULL:
        trunk, first = _tuned(shipped, learn, data, progress), 0.9
    adaptation, trust = _corrected(trunk, learn, progress, first, 0.9 if depth is Depth.ADAPT else 0.94)
    progress.tell("Judging the new version", 0.95)
    judgement = judged(
        learn,
        judge,
        served=Classifier.from_files(files).classify(judge.crops),
        candidate=trunk.classifier(adaptation).classify(judge.crops),
        guard=GuardShares(
            faces=len(trunk.guard.labels),
            served=before.guard.accuracy(adaptation_of(files)),
            candidate=trunk.guard.accuracy(adaptation),
            shipped=shipped.guard.accuracy(None),
        ),
        tried=tried,
        seconds=time.monotonic() - started,
    )
    lessons = (*trusted(learn, trust).lessons(), *judge.lessons())
    return Candidate(trunk, adaptation, judgement, lessons, fingerprint(learn, judge))


def _corrected(
    trunk: Trunk, learn: Book, progress: Progress, start: float, end: float
) -> tuple[Adaptation, NDArray[np.float64]]:
    """The correction and the trust in each lesson; start and end: how far all is before and after it."""
    told = "Learning from the labels"
    progress.tell(told, start)
    adaptation, trust = correction(trunk, learn, lambda share: progress.tell(told, start + (end - start) * share))
    if float((learn.weights * trust).sum()) < _LEAST_WEIGHT:
        raise NothingToLearnError(
            f"The {len(learn)} labels of {learn.people_count} people contradict the model and each other, so that "
            "nobody can be believed. Label some of these faces as an admin."
        )
    return adaptation, trust


def _shipped() -> dict[str, bytes]:
    """The files of the model that came with the software."""
    return unpack(pack_folder(MODEL_FOLDER))


def _tuned(shipped: Trunk, learn: Book, data: Path | None, progress: Progress) -> Trunk:
    """The trunk after the full depth, which learns with the trust that the shallow one found. Raises `MissingError`."""
    try:
        from training.feedback.fine_tuning import tuned_trunk  # noqa: PLC0415  # only this depth needs Keras
    except ImportError as error:
        raise MissingError(f"The full depth needs {error.name}: pip install -e '.[training]'.") from error
    _, trust = _corrected(shipped, learn, progress, 0.0, 0.05)
    return tuned_trunk(trusted(learn, trust), data, lambda step, share: progress.tell(step, 0.05 + 0.85 * share))


async def _beat(
    store: Store, number: int, progress: Progress, heard: Callable[[Progress], None], ended: asyncio.Event
) -> None:
    """Say that the work lives, until it has ended; a database that is away for a while is waited for."""
    while not ended.is_set():
        heard(progress)
        try:
            progress.is_cancelled |= await store.retrainings.beat(number, progress.step, progress.share)
        except LostError:
            progress.is_cancelled = True
        except (SQLAlchemyError, OSError):
            pass  # tried again at the next beat
        with suppress(TimeoutError):
            async with asyncio.timeout(_BEAT_S):
                await ended.wait()


async def _finish(store: Store, number: int, state: State, message: str) -> None:
    await _patiently(lambda: store.retrainings.finish(number, state, message))


async def _patiently(work: Callable[[], Awaitable[_Given]]) -> _Given:
    """Do it, again and again while the database is away."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await work()
        except (SQLAlchemyError, OSError):
            if time.monotonic() > until:
                raise
        await asyncio.sleep(_BEAT_S)
