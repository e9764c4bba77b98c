"""The review queue: one face at a time, one key each. The next faces are at hand before they are asked for."""

import asyncio
import base64
import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import cv2
from nicegui import events, ui

from bots.console.layout import question
from bots.console.visit import Visit, tell
from bots.console.words import FACES, OTHER_VERDICTS, count, empty, percent, verdict
from bots.review import Agreement, ReviewItem
from db import NOT_A_FACE, UNSURE
from recognizer import EMOTIONS

KEYS = {str(place): name for place, name in enumerate(EMOTIONS, start=1)} | {"0": NOT_A_FACE, "u": UNSURE}
"""Which key says what; the page's script knows the same keys by other names, too."""
_SKIP, _UNDO = "s", "z"
_BATCH = 60
_FETCH_BELOW = 25
_LOOK_AGAIN_S = 20.0
_SHOWN_SIDE = 384
_ALL_DONE = "Nothing to review. Faces come here from people who allowed it (/privacy), and from import-faces."
_GONE = "That face was forgotten meanwhile, so the label was not needed."
_AGREEMENT = (
    "Of the faces that two admins labelled: how often they said the same. Low? Talk about what you mean by each."
)


@dataclass(frozen=True)
class _Done:
    """What the admin did with a face; verdict None: skipped."""

    item: ReviewItem
    verdict: str | None


def show(visit: Visit) -> None:
    """Build the page."""
    _Review(visit).build()


class _Review:
    """The queue of one open page. Keys change what is shown at once; the database follows in the same order."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._waiting: list[ReviewItem] = []
        self._done: list[_Done] = []
        self._labelled: set[int] = set()
        self._kept: set[int] = set()
        self._skipped: set[int] = set()
        self._agreement = Agreement(0, 0)
        self._writing = asyncio.Lock()
        self._fetching = False
        self._is_empty = False

    def build(self) -> None:
        with self._visit.frame.body, ui.element("div").classes("review"):
            self._face = ui.html("", sanitize=False).classes("panel face")
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
        self._show()
        self._visit.every(_LOOK_AGAIN_S, self._refresh)

    async def _refresh(self) -> None:
        """Look for faces where few are left; labels of other admins arrive with them."""
        if len(self._waiting) < _FETCH_BELOW:
            await self._fetch()
        self._agreement = await self._visit.parts.desk.agreement()
        self._show_status()

    async def _fetch(self) -> None:
        if self._fetching:
            return
        self._fetching = True
        try:
            items = await self._visit.parts.desk.batch(self._visit.admin, _BATCH + len(self._waiting), self._skipped)
        finally:
            self._fetching = False
        here = {item.reading for item in self._waiting} | self._labelled
        fresh = [item for item in items if item.reading not in here][: _BATCH - len(self._waiting)]
        was_empty = not self._waiting
        self._waiting += fresh
        if was_empty:
            self._is_empty = not self._waiting
            self._show()

    async def _on_key(self, event: events.GenericEventArguments) -> None:
        """A key or a press on a button, with the face that was seen: another one by now is not meant."""
        key, reading = str(event.args["key"]), event.args["reading"]
        if key == _UNDO:
            await self._undo()
        elif self._waiting and str(self._waiting[0].reading) == str(reading):
            if key in KEYS:
                await self._label(KEYS[key])
            elif key == _SKIP:
                self._pass_on(None)
        if len(self._waiting) < _FETCH_BELOW and not self._is_empty:
            await self._visit.attempt(self._fetch)

    async def _label(self, name: str) -> None:
        item = self._pass_on(name)

        async def keep() -> None:
            if await self._visit.parts.desk.label(self._visit.admin, item.reading, name):
                self._kept.add(item.reading)
            else:
                tell(_GONE, "warning")

        if not await self._in_order(keep):
            self._take_back(_Done(item, name))

    async def _undo(self) -> None:
        if not self._done:
            return
        last = self._done.pop()
        self._labelled.discard(last.item.reading)
        self._skipped.discard(last.item.reading)
        self._waiting = [last.item, *(item for item in self._waiting if item.reading != last.item.reading)]
        self._show()
        if last.verdict is not None:

            async def take_back() -> None:
                if last.item.reading in self._kept:  # else the database's last word is about another face
                    self._kept.discard(last.item.reading)
                    await self._visit.parts.desk.undo(self._visit.admin)

            await self._in_order(take_back)

    async def _in_order(self, action: Callable[[], Awaitable[None]]) -> bool:
        async with self._writing:
            return await self._visit.attempt(action)

    def _pass_on(self, name: str | None) -> ReviewItem:
        """Show the next face; gives the one that was shown."""
        item = self._waiting.pop(0)
        self._done.append(_Done(item, name))
        if name is None:
            self._skipped.add(item.reading)
            self._waiting.append(item)
        else:
            self._labelled.add(item.reading)
        self._is_empty = not self._waiting
        self._show()
        return item

    def _take_back(self, done: _Done) -> None:
        """Its label could not be kept: the face comes first again."""
        if done in self._done:
            self._done.remove(done)
            self._labelled.discard(done.item.reading)
            self._waiting.insert(0, done.item)
            self._show()

    def _show(self) -> None:
        if self._waiting:
            self._face.set_content(_face(self._waiting[0]))
        else:
            self._face.set_content(empty(_ALL_DONE, "🎉") if self._is_empty else empty("Looking for faces …", "🔎"))
        self._show_status()

    def _show_status(self) -> None:
        self._status.set_content(_status(self._done))
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
        mark = FACES.get(name, "🚫" if name == NOT_A_FACE else "🤷")
        label = OTHER_VERDICTS.get(name, name)
        ui.html(f'<span class="mark" aria-hidden="true">{mark}</span> {label} <kbd>{key}</kbd>', sanitize=False)


def _move(key: str, label: str, icon: str) -> None:
    with ui.element("button").props("type=button").classes("answer move") as button:
        button.props["data-key"] = key
        ui.icon(icon).props("aria-hidden=true")
        ui.html(f"{label} <kbd>{key}</kbd>", sanitize=False)


def _face(item: ReviewItem) -> str:
    """The face with all that is known of it, in one piece, so that a key never meets half of another face."""
    said = " ".join(f"<span class='chip'>{html.escape(verdict(word))}</span>" for word in item.said)
    others = f'<p class="quiet">{count(len(item.others), "other admin")} looked already</p>' if item.others else ""
    bars = "".join(
        f'<div class="bar-row"><span>{FACES[name]} {name}</span><span class="bar">'
        f'<i style="width:{100 * share:.0f}%;background:var(--{name})"></i></span><span>{percent(share)}</span></div>'
        for name, share in sorted(zip(EMOTIONS, item.probabilities, strict=True), key=lambda each: -each[1])[:4]
    )
    return (
        f'<img data-reading="{item.reading}" src="{_picture(item)}" alt="The face to label" decoding="sync">'
        f'<div class="known"><p class="why">{html.escape(item.why)}</p>'
        f'<h3>The model says</h3><div class="bars small">{bars}</div>'
        f"<h3>People say</h3><p>{said or '<span class=quiet>nothing yet</span>'}</p>{others}</div>"
    )


def _picture(item: ReviewItem) -> str:
    """The crop, enlarged smoothly, as a link that holds it."""
    large = cv2.resize(item.crop, (_SHOWN_SIDE, _SHOWN_SIDE), interpolation=cv2.INTER_CUBIC)
    content = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}"


def _status(done: list[_Done]) -> str:
    labelled = sum(each.verdict is not None for each in done)
    if not done:
        return '<span class="quiet">Press a key or a button. Every label can be taken back.</span>'
    last = done[-1]
    if last.verdict is None:
        told = "Skipped; it comes back at the end."
    else:
        told = f"You said <strong>{html.escape(verdict(last.verdict))}</strong>."
        if last.item.others:
            told += f" Another admin said {html.escape(', '.join(verdict(other) for other in last.item.others))}."
    return f"<span>{told}</span><span class='quiet'>{count(labelled, 'face')} labelled</span>"
