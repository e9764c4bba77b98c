"""Run one retraining, from the feedback in the database to a judged version there. What is served is not touched.

The work runs in a thread. Meanwhile the process sends a heartbeat every two seconds and checks whether it should stop.
Until its last step it writes only its progress. That step, which adds the version and ends the retraining, is one
transaction.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from db import (
    CropKeyError,
    Depth,
    ErasedError,
    Judgement,
    KeptFace,
    Lesson,
    LostError,
    Origin,
    Role,
    State,
    Store,
    VersionError,
)
from recognizer import EmojiMap
from recognizer.adaptation import Adaptation
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder, unpack
from training import MissingError, TrainingError
from training import data as base_data
from training.backend import require_backend
from training.feedback.adapting import Adapted
from training.feedback.candidates import Trunk, correction, trusted
from training.feedback.judging import MOST_LOSS, Compared, GuardShares, judged
from training.feedback.lessons import Book, divided, fingerprint
from training.feedback.played import importance, moved_by, offsets

LEAST_LESSONS = 10
"""Minimum number of faces to learn from."""
KEPT_VERSIONS = 5
"""Number of versions not in use that keep their files; older ones stay listed without files."""
_LEAST_WEIGHT = 1.0
_MOST_TRIES = 3
"""How often the work begins anew because people deleted something that it learned from."""
_BEAT_S = 2.0
_PATIENCE_S = 60.0
"""How long, in seconds, the database may be unavailable at the end before the work is given up."""

_Given = TypeVar("_Given")


class NothingToLearnError(TrainingError):
    """There is too little feedback; the message says how much there is."""


class RetrainingCancelledError(TrainingError):
    """Someone cancelled the retraining."""


@dataclass
class Progress:
    """Progress of the work, shared with the thread that listens and that may cancel it."""

    step: str = "Gathering what people said"
    share: float = 0.0
    is_cancelled: bool = False

    def tell(self, step: str, share: float) -> None:
        """Set the current step and the overall progress, 0 to 1. Raise `RetrainingCancelledError` if it was
        cancelled.
        """
        if self.is_cancelled:
            raise RetrainingCancelledError("The retraining was cancelled; nothing was changed.")
        self.step, self.share = step, share


@dataclass(frozen=True, eq=False)
class Candidate:
    """A new version, not yet in the database: a network with a correction, the gate's judgement, and all its
    lessons.
    """

    trunk: Trunk
    adaptation: Adaptation
    judgement: Judgement
    lessons: tuple[Lesson, ...]
    fingerprint: str


def require(depth: Depth, data: Path | None = None) -> None:
    """Raise `MissingError` if a retraining of this depth cannot run on this machine. data: as in `retrain`."""
    if depth is not Depth.FULL:
        return
    if find_spec("keras") is None:
        raise MissingError("The full depth needs keras: pip install -e '.[training]'.")
    require_backend()
    try:
        base_data.require(data or base_data.default_folder())
    except base_data.DataError as error:
        raise MissingError(f"The full depth needs the base data. {error}") from error


async def retrain(  # noqa: PLR0913  # what one retraining knows
    store: Store,
    depth: Depth,
    number: int,
    emoji_map: EmojiMap,
    *,
    data: Path | None = None,
    heard: Callable[[Progress], None] = lambda _: None,
) -> str:
    """Run the retraining with this number, returned by `store.retrainings.start`, and return the name of the new
    version.

    data: the location of the base data, for the full depth. heard: a callback that receives the progress from time to
    time. The outcome is always recorded in the retraining's row. Raise `TrainingError` or a subclass, `LostError` if it
    was taken for dead meanwhile, and SQLAlchemy's errors.
    """
    progress, ended = Progress(), asyncio.Event()
    beating = asyncio.create_task(_beat(store, number, progress, heard, ended))
    try:
        name = await _retrained(store, depth, number, emoji_map, data, progress)
    except asyncio.CancelledError:
        progress.is_cancelled = True  # the thread stops at its next progress report
        await _finish(store, number, State.CANCELLED, "It was stopped; nothing was changed.")
        raise
    except RetrainingCancelledError as error:
        await _finish(store, number, State.CANCELLED, str(error))
        raise
    except Exception as error:
        what = (
            str(error)
            if isinstance(error, TrainingError | VersionError | CropKeyError)
            else f"It failed ({type(error).__name__})."
        )
        await _finish(store, number, State.FAILED, f"{what} What is served was not touched.")
        raise
    finally:
        ended.set()  # do not cancel it during a query
        await asyncio.gather(beating, return_exceptions=True)
    return name


async def _retrained(  # noqa: PLR0913, PLR0917  # as above
    store: Store, depth: Depth, number: int, emoji_map: EmojiMap, data: Path | None, progress: Progress
) -> str:
    """Learn from what is stored now, and anew if people deleted some of it meanwhile. Raise as `retrain` does."""
    for _ in range(_MOST_TRIES):
        erasures = await store.retrainings.erasures(number)  # before anything is gathered
        try:
            return await _learned(store, depth, number, emoji_map, data, progress, erasures)
        except ErasedError:
            progress.tell("Somebody deleted their faces: learning again without them", 0.0)
    raise TrainingError(
        f"People deleted faces that it learned from, {_MOST_TRIES} times while it learned. Try again when it is quiet."
    )


async def _learned(  # noqa: PLR0913, PLR0917  # as above
    store: Store,
    depth: Depth,
    number: int,
    emoji_map: EmojiMap,
    data: Path | None,
    progress: Progress,
    erasures: int,
) -> str:
    """Learn from what is stored now. Raise `ErasedError` if some of it was deleted until the new version is stored."""
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
        if await store.versions.find(name) is None:  # otherwise the last attempt succeeded, but its answer was lost
            await store.versions.add(
                name,
                artefact,
                origin=Origin(depth),
                parent=served.name,
                metrics=made.judgement.to_metrics(),
                fingerprint=made.fingerprint,
                lessons=made.lessons,
                retraining=number,
                erasures=erasures,
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
    """Build and judge a candidate from the feedback on these faces, starting from the version with these files.

    tried: see `judged`. Raise as `retrain` does.
    """
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
        trunk = shipped  # an update of the software came with a better one
    if depth is Depth.FULL:
        trunk, first = _tuned(shipped, learn, data, progress), 0.9
    fitted = _corrected(trunk, learn, progress, first, 0.9 if depth is Depth.ADAPT else 0.94)
    adaptation = fitted.adaptation
    progress.tell("Judging the new version", 0.95)
    served = Classifier.from_files(files)

    def said(classifier: Classifier, book: Book) -> NDArray[np.float64]:
        return moved_by(classifier.classify(book.crops), offsets(book, trunk.prior))

    compared = Compared(judge, said(served, judge), said(trunk.classifier(adaptation), judge))
    if depth is Depth.ADAPT and served.card.adaptation is None:  # else one of the networks knows these faces
        compared = compared.with_more(Compared(learn, said(served, learn), fitted.cross_validated))
    judgement = judged(
        learn,
        compared,
        guard=GuardShares(
            faces=len(trunk.guard.labels),
            served=before.guard.accuracy(served.card.adaptation),
            candidate=trunk.guard.accuracy(adaptation),
            shipped=shipped.guard.accuracy(None),
        ),
        tried=tried,
        seconds=time.monotonic() - started,
    )
    lessons = (*trusted(learn, fitted.trust).lessons(), *judge.lessons())
    return Candidate(trunk, adaptation, judgement, lessons, fingerprint(learn, judge))


def _corrected(trunk: Trunk, learn: Book, progress: Progress, start: float, end: float) -> Adapted:
    """Return the correction. start, end: the overall progress before and after."""
    told = "Learning from the labels"
    progress.tell(told, start)
    fitted = correction(trunk, learn, lambda share: progress.tell(told, start + (end - start) * share))
    if float((learn.weights * fitted.trust).sum()) < _LEAST_WEIGHT:
        raise NothingToLearnError(
            f"The {len(learn)} labels of {learn.people_count} people contradict the model and each other, so that "
            "nobody can be believed. Label some of these faces as an admin."
        )
    return fitted


def _shipped() -> dict[str, bytes]:
    """Return the files of the model shipped with the software."""
    return unpack(pack_folder(MODEL_FOLDER))


def _tuned(shipped: Trunk, learn: Book, data: Path | None, progress: Progress) -> Trunk:
    """Return the fine-tuned network, learned with the trust found by the shallow depth. Raise `MissingError`."""
    try:
        from training.feedback.fine_tuning import tuned_trunk  # noqa: PLC0415  # only this depth needs Keras
    except ImportError as error:
        raise MissingError(f"The full depth needs {error.name}: pip install -e '.[training]'.") from error
    trust = _corrected(shipped, learn, progress, 0.0, 0.05).trust
    believed = replace(learn, weights=importance(learn, shipped.prior))
    return tuned_trunk(trusted(believed, trust), data, lambda step, share: progress.tell(step, 0.05 + 0.85 * share))


async def _beat(
    store: Store, number: int, progress: Progress, heard: Callable[[Progress], None], ended: asyncio.Event
) -> None:
    """Send heartbeats until the work has ended; keep trying while the database is unavailable."""
    while not ended.is_set():
        heard(progress)
        try:
            progress.is_cancelled |= await store.retrainings.beat(number, progress.step, progress.share)
        except LostError:
            progress.is_cancelled = True
        except (SQLAlchemyError, OSError):
            pass  # the next heartbeat tries again
        with suppress(TimeoutError):
            async with asyncio.timeout(_BEAT_S):
                await ended.wait()


async def _finish(store: Store, number: int, state: State, message: str) -> None:
    await _patiently(lambda: store.retrainings.finish(number, state, message))


async def _patiently(work: Callable[[], Awaitable[_Given]]) -> _Given:
    """Do the work; retry while the database is unavailable."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((SQLAlchemyError, OSError)),
        stop=stop_after_delay(_PATIENCE_S),
        wait=wait_fixed(_BEAT_S),
        reraise=True,
    ):
        with attempt:
            return await work()
    raise AssertionError("the last attempt raises")
