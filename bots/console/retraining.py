"""The retraining page: two buttons to start it, the progress of the current one wherever it was started, and past
results.
"""

import html
from datetime import UTC, datetime

from nicegui import ui

from bots.console import report
from bots.console.formatting import ago, count, for_how_long
from bots.console.layout import button, panel
from bots.console.page import ConsolePage, tell
from bots.console.promoting import promote_button
from db import Depth, Judgement, Retraining, Role, State, Version

_REFRESH_S = 1.5
_DEPTHS: dict[str, str] = {Depth.ADAPT: "Adapt", Depth.FULL: "Full"}
_EXPLAINED = (
    "The bot learns from what people tapped and admins labelled, in a separate process, and keeps answering "
    "photos while it does. The new model is compared with the served one, and nothing changes until you promote it."
)
_STATES = {
    State.DONE: "Done",
    State.FAILED: "It failed",
    State.CANCELLED: "Cancelled",
    State.LOST: "It was broken off",
    State.RUNNING: "Running",
}


def show(page: ConsolePage) -> None:
    """Build the page."""
    _Page(page).build()


class _Page:
    def __init__(self, page: ConsolePage) -> None:
        self._page = page
        self._shown: tuple[object, ...] = ()
        self._starts: dict[Depth, ui.element] = {}
        self._needs: dict[Depth, ui.label] = {}

    def build(self) -> None:
        with self._page.frame.body:
            with panel("Learn from your people"):
                ui.label(_EXPLAINED).classes("quiet explained")
                self._words = ui.html("", sanitize=False)
                with ui.element("div").classes("choices") as self._choices:
                    self._choice(Depth.ADAPT, "Adapt", "about a minute", "main")
                    self._choice(Depth.FULL, "Full", "needs the base data, many minutes", "")
            with ui.element("section").classes("panel running") as self._running:
                self._title = ui.html("", sanitize=False)
                with ui.element("div").classes("progress").props("role=progressbar aria-valuemin=0 aria-valuemax=100"):
                    self._bar = ui.element("i")
                self._step = ui.label().classes("quiet").props("aria-live=polite")
                with ui.element("div").classes("buttons"):
                    button("Cancel it", "danger").on("click", self._stop)
            self._result = ui.element("div")
        self._running.set_visibility(False)
        self._page.every(_REFRESH_S, self._refresh)
        ui.timer(0.1, self._look_for_obstacles, once=True)

    def _choice(self, depth: Depth, label: str, needs: str, look: str) -> None:
        with button(label, f"choice {look}").on("click", lambda: self._start(depth)) as made:
            self._needs[depth] = ui.label(needs).classes("needs")
        self._starts[depth] = made

    async def _look_for_obstacles(self) -> None:
        """Offer only what can run on this machine, and say what is missing for the rest."""
        for depth, start in self._starts.items():
            obstacle = await self._page.services.retraining_process.obstacle(depth)
            if obstacle:
                start.props("disabled")
                self._needs[depth].set_text(obstacle)

    async def _refresh(self) -> None:
        store = self._page.services.store
        running, latest = await store.retrainings.running(), await store.retrainings.latest()
        versions = await store.versions.all()
        new = await store.feedback.new_answers()
        self._words.set_content(_new_answers(new))
        self._choices.set_visibility(running is None)
        self._running.set_visibility(running is not None)
        if running is not None:
            self._show_progress(running)
        active = next((each.name for each in versions if each.role is Role.ACTIVE), "")
        ended = latest if latest is not None and latest.state is not State.RUNNING else None
        shown = (ended, active, datetime.now(UTC).replace(second=0, microsecond=0))
        if shown != self._shown:
            self._shown = shown
            self._result.clear()
            with self._result:
                made = next((each for each in versions if ended is not None and each.name == ended.version), None)
                self._show_result(ended, made, active)

    def _show_progress(self, running: Retraining) -> None:
        now, percent = datetime.now(UTC), round(100 * running.progress)
        self._title.set_content(
            f"<h2>{_DEPTHS.get(running.depth, running.depth)}: {percent} %</h2>"
            f'<p class="quiet">started by {html.escape(running.asked_by)}, {ago(running.started_at, now)}; '
            f"last heard of {ago(running.beat_at, now)}</p>"
        )
        self._bar.style(f"width: {percent}%")
        self._step.set_text(running.step or "Getting ready")

    def _show_result(self, ended: Retraining | None, made: Version | None, active: str) -> None:
        if ended is None:
            return
        with ui.element("section").classes("panel result"):
            lasted = for_how_long(ended.started_at, ended.beat_at)
            ui.html(
                f"<h2>Last time: {_STATES[ended.state].lower()}</h2>"
                f'<p class="quiet">{_DEPTHS.get(ended.depth, ended.depth)}, started by {html.escape(ended.asked_by)} '
                f"{ago(ended.started_at, datetime.now(UTC))}, took {lasted}</p>",
                sanitize=False,
            )
            if ended.message:
                ui.label(ended.message)
            judgement = Judgement.of(made.metrics) if made is not None else None
            if made is None or judgement is None:
                return
            ui.html(f"<h3>{html.escape(made.name)}</h3>" + report.judgement_in_words(made, judgement), sanitize=False)
            ui.html(report.gain_bar(judgement, report.axis_reach([judgement])), sanitize=False)
            ui.html(report.emotion_bars(made, judgement), sanitize=False)
            if made.role is Role.ACTIVE:
                ui.html('<p class="told good">It is served now.</p>', sanitize=False)
            elif made.is_kept:
                promote_button(self._page, made, active, self._look_again)

    async def _look_again(self) -> None:
        await self._page.attempt(self._refresh)

    async def _start(self, depth: Depth) -> None:
        async def act() -> None:
            await self._page.services.retraining_process.start(depth, self._page.actor)

        await self._page.attempt(act)
        await self._look_again()

    async def _stop(self) -> None:
        async def act() -> None:
            if await self._page.services.retraining_process.stop():
                tell("It stops at its next step; nothing is changed.")
            else:
                tell("It has ended already.", "warning")

        await self._page.attempt(act)
        await self._look_again()


def _new_answers(new: int) -> str:
    if not new:
        return "<p>Nothing new was tapped or labelled since the last time.</p>"
    return f"<p><strong>{count(new, 'new answer')}</strong> from people and admins since the last time.</p>"
