"""Retraining in a chat: one message that shows the progress, and at the end the result."""

from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError

from bots.admin import texts as admin_texts
from bots.admin.tokens import AdminAction, AdminToken
from bots.admin.versions_chat import candidate_row
from bots.learning.retraining_process import RetrainingProcess
from bots.messages import Button, Reply
from db import Actor, BusyError, Depth, Judgement, Person, Retraining, Role, State, Store

_BLOCKS = 10


class RetrainingChat:
    """Starts retrainings and reports their progress. SQLAlchemy's errors are passed on."""

    def __init__(self, retraining_process: RetrainingProcess, store: Store, look_every_s: float = 2.0) -> None:
        """look_every_s: time in seconds between changes of the message; platforms refuse edits more often than about
        every second.
        """
        self._retraining_process = retraining_process
        self._store = store
        self._look_every_s = look_every_s

    async def follow(self, admin: Person, depth: Depth) -> AsyncIterator[Reply]:
        """Start a retraining, or follow the one that is running, and yield its progress; the last reply says
        how it ended.
        """
        number = await self._number(depth, Actor.of(admin))
        said = ""
        try:
            is_own = await self._store.retrainings.was_asked_by(number, admin)
            async for seen in self._retraining_process.watch(number, self._look_every_s):
                if seen.state is not State.RUNNING:
                    yield await self._report(seen)
                    return
                text = _progress(seen, is_own=is_own)
                if text != said:
                    said = text
                    yield Reply(text, rows=((_cancel(number),),), waiting=True)
        except (SQLAlchemyError, OSError):
            yield Reply(admin_texts.LOST_FROM_SIGHT)

    async def cancel(self, number: int) -> str:
        """Ask a retraining to stop; return the sentence to say."""
        running = await self._retraining_process.running()
        if running is None or running.id != number or not await self._retraining_process.stop():
            return admin_texts.NOT_RUNNING
        return admin_texts.CANCELLING

    async def _number(self, depth: Depth, asked_by: Actor) -> int:
        try:
            return await self._retraining_process.start(depth, asked_by)
        except BusyError:
            running = await self._retraining_process.running()
            if running is not None:
                return running.id
        return await self._retraining_process.start(depth, asked_by)  # it ended in between

    async def _report(self, ended: Retraining) -> Reply:
        said = admin_texts.ENDED[ended.state].format(message=ended.message).strip()
        version = None if ended.version is None else await self._store.versions.find(ended.version)
        active = await self._store.versions.holding(Role.ACTIVE)
        judgement = None if version is None else Judgement.of(version.metrics)
        if version is None or active is None or judgement is None:
            return Reply(said)
        return Reply(f"{said}\n\n{_words(version.name, judgement)}", rows=(candidate_row(version, active),))


def _progress(seen: Retraining, *, is_own: bool) -> str:
    done = round(_BLOCKS * seen.progress)
    return admin_texts.RETRAINING.format(
        depth=seen.depth,
        asked_by=admin_texts.ASKED_BY_YOU if is_own else seen.asked_by,
        bar="▰" * done + "▱" * (_BLOCKS - done),
        share=f"{seen.progress:.0%}",
        step=seen.step or admin_texts.STARTING,
    )


def _words(version: str, judgement: Judgement) -> str:
    """Return the gate's judgement in plain words."""
    verdict = admin_texts.OFFERED if judgement.offered else admin_texts.NOT_OFFERED
    return admin_texts.REPORT.format(
        version=version,
        faces=judgement.learned_faces,
        people=judgement.learned_people,
        judged=_judged(judgement),
        guard=admin_texts.GUARD.format(
            faces=judgement.guard_faces,
            candidate=f"{judgement.guard_candidate:.1%}",
            served=f"{judgement.guard_served:.1%}",
        ),
        verdict=verdict.format(why=judgement.why, version=version),
    )


def _judged(judgement: Judgement) -> str:
    if not judgement.judged_faces:
        return admin_texts.NOT_JUDGED
    return admin_texts.JUDGED.format(
        faces=judgement.judged_faces,
        people=judgement.judged_people,
        candidate=f"{judgement.candidate:.0%}",
        served=f"{judgement.served:.0%}",
        gain=f"{judgement.gain:+.1f}",
        low=f"{judgement.low:+.1f}",
        high=f"{judgement.high:+.1f}",
    )


def _cancel(number: int) -> Button:
    return Button(admin_texts.CANCEL, admin_texts.CANCEL, str(AdminToken(AdminAction.CANCEL, number)))
