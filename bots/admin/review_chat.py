"""The review queue in a chat: one message that shows a face, accepts a label, and shows the next face.

An admin does not see what other admins said about a face before labelling it: otherwise their agreement would mean
nothing.
"""

from collections import deque
from functools import partial

from bots.admin import texts as admin_texts
from bots.admin.tokens import AdminAction, AdminToken
from bots.learning.review_queue import ReviewItem, ReviewQueue
from bots.messages import Button, ButtonRows, Form, MadePicture, Reply, Tone, in_rows
from bots.pictures.compositing import enlarged
from db import AdminAgreement, Person, Verdict
from recognizer import EMOTIONS

_TIMES = 6
"""Factor by which a stored face is enlarged to be shown."""
_MOST_SKIPPED = 500
"""Maximum number of skipped faces that are remembered for each admin."""
_LIKELIEST = 3


class ReviewChat:
    """Shows admins the faces of the queue. SQLAlchemy's errors are passed on."""

    def __init__(self, queue: ReviewQueue) -> None:
        self._queue = queue
        self._skipped: dict[Person, deque[int]] = {}

    async def next(self, admin: Person, headline: str = "") -> Reply:
        """Return the next face. headline: says what has just been done."""
        skipped = self._skipped.get(admin, deque())
        item = await self._queue.next(admin, skipped)
        if item is None:
            return _words(headline, admin_texts.QUEUE_EMPTY)
        if item.reading in skipped:
            self._skipped.pop(admin, None)  # another tap of the same admin may have been handled first
            return _words(headline, admin_texts.ONLY_SKIPPED_LEFT)
        return await self._page(item, headline)

    async def label(self, admin: Person, reading: int, verdict: Verdict) -> Reply:
        """Store a label and return the next face."""
        is_kept = await self._queue.label(admin, reading, verdict)
        kept = admin_texts.LABELLED.format(verdict=admin_texts.VERDICTS[verdict])
        return await self.next(admin, kept if is_kept else admin_texts.FACE_GONE)

    async def skip(self, admin: Person, reading: int) -> Reply:
        """Skip a face for now and return the next one."""
        self._skipped.setdefault(admin, deque(maxlen=_MOST_SKIPPED)).append(reading)
        return await self.next(admin, admin_texts.SKIPPED)

    async def undo(self, admin: Person) -> Reply:
        """Delete the last label and return its face again."""
        reading = await self._queue.undo(admin)
        if reading is None:
            return await self.next(admin, admin_texts.NOTHING_TO_UNDO)
        found = await self._queue.find(admin, [reading])
        if not found:
            return await self.next(admin, admin_texts.UNDONE_ELSEWHERE)
        return await self._page(found[0], admin_texts.UNDONE)

    async def _page(self, item: ReviewItem, headline: str) -> Reply:
        agreement = await self._queue.agreement()
        text = "\n\n".join(part for part in (headline, _facts(item), _agreement(agreement)) if part)
        picture = MadePicture(enlarged(item.crop, _TIMES), Form.PHOTO)
        return Reply(text, rows=_rows(item.reading), picture=picture)


def _words(headline: str, text: str) -> Reply:
    """Return a page without a face, with the button that undoes the last label."""
    return Reply("\n\n".join(part for part in (headline, text) if part), rows=((_undo(),),))


def _facts(item: ReviewItem) -> str:
    likeliest = sorted(range(len(EMOTIONS)), key=lambda place: -item.probabilities[place])[:_LIKELIEST]
    model = ", ".join(f"{EMOTIONS[place]} {item.probabilities[place]:.0%}" for place in likeliest)
    said = admin_texts.PEOPLE_SAID.format(words=", ".join(item.said)) if item.said else admin_texts.PEOPLE_SAID_NOTHING
    if item.asked:
        asked = admin_texts.ASKED_FOR.format(words=", ".join(item.asked))
        said = f"{said}\n{asked}" if item.said else asked
    return admin_texts.FACE_TO_REVIEW.format(model=model, people=said, why=item.why)


def _agreement(agreement: AdminAgreement) -> str:
    if not agreement.pairs:
        return admin_texts.NO_AGREEMENT
    share = f"{agreement.same / agreement.pairs:.0%}"
    return admin_texts.AGREEMENT.format(same=agreement.same, pairs=agreement.pairs, share=share)


def _rows(reading: int) -> ButtonRows:
    token = partial(AdminToken, AdminAction.LABEL, reading)
    verdicts = [
        Button(admin_texts.VERDICTS[verdict], admin_texts.VERDICTS[verdict], str(token(place)))
        for place, verdict in enumerate(Verdict)
    ]
    skip = Button(admin_texts.SKIP, admin_texts.SKIP, str(AdminToken(AdminAction.SKIP, reading)), Tone.QUIET)
    emotions, others = verdicts[: len(EMOTIONS)], verdicts[len(EMOTIONS) :]
    return (*in_rows(emotions, 4), (*others, skip, _undo()))


def _undo() -> Button:
    return Button(admin_texts.UNDO, admin_texts.UNDO, str(AdminToken(AdminAction.UNDO)), Tone.QUIET)
