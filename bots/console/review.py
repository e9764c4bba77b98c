"""The review page: one face at a time, one key for each answer.

The page stores only which faces come next. A face's picture is loaded when it is shown and then dropped, so pictures
that people have deleted are not shown any more.
"""

import asyncio
import base64
import html
from collections import deque
from dataclasses import dataclass

import cv2
from nicegui import events, ui

from bots.console.formatting import FACES, OTHER_VERDICTS, count, empty, percent, verdict
from bots.console.layout import question
from bots.console.page import ConsolePage, tell
from bots.learning.review_queue import ReviewItem
from db import AdminAgreement, Verdict
from recognizer import EMOTIONS

KEYS = {str(place): name for place, name in enumerate(EMOTIONS, start=1)} | {
    "0": Verdict.NOT_A_FACE,
    "u": Verdict.UNSURE,
}
"""The answer of each key; the page's script also knows other names of the same keys."""
_SKIP, _UNDO = "s", "z"
_BATCH = 60
_FETCH_BELOW = 25
_LOOK_AGAIN_S = 20.0
_STILL_KEPT_S = 5.0
"""Interval of checking whether the face on the page still exists, in seconds: its owner may delete it at any time."""
_MOST_REMEMBERED = 500
"""Maximum number of faces that a page remembers as labelled, as skipped, and as done, each."""
_SHOWN_SIDE = 384
_ALL_DONE = "Nothing to review. Faces come here from people who allowed it (/privacy), and from import-faces."
_GONE = "That face was forgotten meanwhile, so the label was not needed."
_TAKEN_BACK_GONE = "Your label is taken back. Its face was forgotten meanwhile and cannot be shown again."
_AGREEMENT = (
    "Of the faces that two admins labelled: how often they said the same. Low? Talk about what you mean by each."
)


@dataclass(frozen=True)
class _Shown:
    """The face on the page, and other admins' labels for it."""

    reading: int
    others: tuple[str, ...]


@dataclass(frozen=True)
class _Done:
    """An admin's answer on a face; verdict None: skipped."""

    face: _Shown
    verdict: str | None


def show(page: ConsolePage) -> None:
    """Build the page."""
    _Review(page).build()


class _Review:
    """The queue of one open page.

    Keys are handled one at a time, in order: first the key's action, if the admin still has permission, then the next
    face is shown.
    """

    def __init__(self, page: ConsolePage) -> None:
        self._page = page
        self._queue = page.services.queue
        self._shown: _Shown | None = None
        self._waiting: list[int] = []
        self._done: deque[_Done] = deque(maxlen=_MOST_REMEMBERED)
        self._labelled: deque[int] = deque(maxlen=_MOST_REMEMBERED)
        self._skipped: deque[int] = deque(maxlen=_MOST_REMEMBERED)
        self._count = 0
        self._agreement = AdminAgreement(0, 0)
        self._one_at_a_time = asyncio.Lock()

    def build(self) -> None:
        with self._page.frame.body, ui.element("div").classes("review"):
            self._face = ui.html(empty("Looking for faces …", "🔎"), sanitize=False).classes("panel face")
            with ui.element("div").classes("panel answers"):
                for key, name in KEYS.items():
                    _answer(key, name)
                with ui.element("div").classes("moves"):
                    _move(_UNDO, "Undo", "undo")
                    _move(_SKIP, "Skip", "redo")
            self._status = ui.html("", sanitize=False).classes("panel status").props("aria-live=polite")
            with ui.element("div").classes("panel foot"):
                self._together = ui.label().classes("quiet")
                question(_AGREEMENT)
        ui.on("review", self._on_key)
        self._show_status()
        self._page.every(_LOOK_AGAIN_S, self._refresh)
        self._page.every(_STILL_KEPT_S, self._look_whether_kept)

    async def _refresh(self) -> None:
        """Load faces if few are left; this also loads other admins' labels."""
        async with self._one_at_a_time:
            await self._fetch()
            if self._shown is None:
                await self._show_next()
        self._agreement = await self._queue.agreement()
        self._show_status()

    async def _look_whether_kept(self) -> None:
        """Remove the face from the page if it was deleted meanwhile."""
        async with self._one_at_a_time:
            if self._shown is not None and not await self._queue.find(self._page.admin, [self._shown.reading]):
                await self._show_next()

    async def _on_key(self, event: events.GenericEventArguments) -> None:
        """Handle a key or a button, with the face it was meant for; ignore it if another face is shown by now."""
        key, reading = str(event.args["key"]), str(event.args["reading"])
        async with self._one_at_a_time:
            await self._page.attempt(lambda: self._do(key, reading))

    async def _do(self, key: str, reading: str) -> None:
        if key == _UNDO:
            await self._undo()
            return
        if self._shown is None or str(self._shown.reading) != reading:
            return
        if key in KEYS:
            await self._label(self._shown, KEYS[key])
        elif key == _SKIP:
            self._done.append(_Done(self._shown, None))
            self._skipped.append(self._shown.reading)
        else:
            return
        await self._show_next()

    async def _label(self, face: _Shown, name: str) -> None:
        if not await self._queue.label(self._page.admin, face.reading, name):
            tell(_GONE, "warning")
            return
        self._count += 1
        self._labelled.append(face.reading)
        self._done.append(_Done(face, name))

    async def _undo(self) -> None:
        if not self._done:
            return
        last = self._done[-1].face.reading
        if self._done[-1].verdict is None:
            self._skipped.remove(last)
        else:
            await self._queue.undo(self._page.admin, last)
            self._labelled.remove(last)
            self._count -= 1
        self._done.pop()
        if self._shown is not None:
            self._waiting.insert(0, self._shown.reading)
        self._waiting.insert(0, last)
        await self._show_next()
        if self._shown is None or self._shown.reading != last:
            tell(_TAKEN_BACK_GONE, "warning")

    async def _show_next(self) -> None:
        """Show the first waiting face that still exists and needs more labels."""
        self._shown = None
        try:
            await self._fetch()
            while self._waiting:
                reading = self._waiting.pop(0)
                if found := await self._queue.find(self._page.admin, [reading]):
                    self._shown = _Shown(reading, found[0].others)
                    self._face.set_content(_face(found[0]))
                    return
        finally:
            if self._shown is None:
                self._face.set_content(empty(_ALL_DONE, "🎉"))
            self._show_status()

    async def _fetch(self) -> None:
        if len(self._waiting) >= _FETCH_BELOW:
            return
        here = {*self._waiting, *self._labelled, *((self._shown.reading,) if self._shown else ())}
        most = _BATCH - len(self._waiting)
        self._waiting += await self._queue.queue(self._page.admin, self._skipped, here, most)

    def _show_status(self) -> None:
        self._status.set_content(_status(self._done[-1] if self._done else None, self._count))
        agreement = self._agreement
        together = (
            f"Admins agree on {agreement.same:,} of {agreement.pairs:,} ({percent(agreement.same / agreement.pairs)})"
            if agreement.pairs
            else "No face was labelled by two admins yet"
        )
        self._together.set_text(together)


def _answer(key: str, name: str) -> None:
    with ui.element("button").props("type=button").classes("answer") as button:
        button.props["data-key"] = key
        mark = FACES.get(name, "🚫" if name == Verdict.NOT_A_FACE else "🤷")
        label = OTHER_VERDICTS.get(name, name)
        ui.html(f'<span class="mark" aria-hidden="true">{mark}</span> {label} <kbd>{key}</kbd>', sanitize=False)


def _move(key: str, label: str, icon: str) -> None:
    with ui.element("button").props("type=button").classes("answer move") as button:
        button.props["data-key"] = key
        ui.icon(icon).props("aria-hidden=true")
        ui.html(f"{label} <kbd>{key}</kbd>", sanitize=False)


def _face(item: ReviewItem) -> str:
    """Return the face with all its information as one element, so that a key never applies to a half-updated page."""
    said = " ".join(f"<span class='chip'>{html.escape(verdict(word))}</span>" for word in item.said)
    said += " ".join(f"<span class='chip'>was asked for {html.escape(verdict(word))}</span>" for word in item.asked)
    others = f'<p class="quiet">{count(len(item.others), "other admin")} looked already</p>' if item.others else ""
    bars = "".join(
        f'<div class="bar-row"><span>{FACES[name]} {name}</span><span class="bar">'
        f'<i style="width:{100 * share:.0f}%;background:var(--{name})"></i></span><span>{percent(share)}</span></div>'
        for name, share in sorted(zip(EMOTIONS, item.probabilities, strict=True), key=lambda each: -each[1])[:4]
    )
    return (
        f'<img data-reading="{item.reading}" src="{_picture(item)}" alt="The face to label" decoding="sync">'
        f'<div class="known"><p class="why">{html.escape(item.why)}</p>'
        f'<h2>The model says</h2><div class="bars small">{bars}</div>'
        f"<h2>People say</h2><p>{said or '<span class=quiet>nothing yet</span>'}</p>{others}</div>"
    )


def _picture(item: ReviewItem) -> str:
    """Return the crop, smoothly enlarged, as a data URI."""
    large = cv2.resize(item.crop, (_SHOWN_SIDE, _SHOWN_SIDE), interpolation=cv2.INTER_CUBIC)
    content = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}"


def _status(last: _Done | None, labelled: int) -> str:
    if last is None:
        return '<span class="quiet">Press a key or a button. Every label can be taken back.</span>'
    if last.verdict is None:
        told = "Skipped; it comes back at the end."
    else:
        told = f"You said <strong>{html.escape(verdict(last.verdict))}</strong>."
        if last.face.others:
            told += f" Another admin said {html.escape(', '.join(verdict(other) for other in last.face.others))}."
    return f"<span>{told}</span><span class='quiet'>{count(labelled, 'face')} labelled</span>"
