"""The part of the training page that is about one run: its curves, how it reads, its model and what to do with it."""

import asyncio
import html
from collections.abc import Awaitable, Callable

from nicegui import ui

from bots.console import charts, tables, training_report
from bots.console.confirming import Question, ask
from bots.console.layout import button, question
from bots.console.page import ConsolePage, tell
from bots.learning.training_facts import ComparisonFacts, RunFacts
from bots.learning.training_folder import Run

_CONFUSION = (
    "Each row is a label, each column what the network reads. Green: right. Orange: what it takes the faces for "
    "instead. Percent of the row, with the number of faces below."
)
_SERVING = (
    '<p class="explained">To serve it, add it to the versions and promote it on the page <a href="/console/models">'
    "Models</a>, with a reason: it has not been judged by the faces of your people. You can also run it in shadow "
    "there first, and go back at any time.</p>"
)
_Act = Callable[[], Awaitable[None]]


class RunPanel:
    """Shows one run at a time."""

    def __init__(self, page: ConsolePage, refresh: _Act) -> None:
        """Build its frame, in the element that is open. refresh: shows the page as it is by now."""
        self._page, self._refresh = page, refresh
        self._window = page.services.training_window
        self._shown: dict[str, object] = {}
        self._about = ui.element("div")
        with ui.element("div").classes("curves") as self._curves:
            with ui.element("div"):
                ui.html("Loss", tag="h3", sanitize=False)
                self._loss = charts.TimeChart()
            with ui.element("div"):
                ui.html("Accuracy", tag="h3", sanitize=False)
                self._accuracy = charts.TimeChart()
            with ui.element("div").classes("epochs").props("tabindex=0 role=region aria-label='Figures of each epoch'"):
                self._table = ui.html("", sanitize=False)
        self._reading = ui.element("div")
        self._model = ui.element("div")

    async def show(self, run: Run | None, *, is_running: bool, is_busy: bool) -> None:
        """Show a run as it is by now; None for none.

        is_running: whether it is being trained. is_busy: whether another command runs, so that none can be started.
        """
        self._curves.set_visibility(run is not None and bool(run.epochs))
        if run is None:
            for part in (self._about, self._reading, self._model):
                part.clear()
            self._shown.clear()
            return
        look, comparison = await asyncio.to_thread(lambda: (run.look(), run.comparison()))
        progress = (run.name, run.epochs, run.is_finished, is_running)
        self._show("about", progress, lambda: self._show_about(run, is_running=is_running))
        self._show("curves", (run.name, run.epochs), lambda: self._show_curves(run))
        reading = (run.name, run.has_weights, look, is_busy and look is None)
        self._show("reading", reading, lambda: self._show_reading(run, look, is_busy=is_busy))
        model = (run.name, run.has_weights, run.is_exported, comparison, is_busy)
        self._show("model", model, lambda: self._show_model(run, comparison, is_busy=is_busy))

    def _show(self, part: str, state: object, build: Callable[[], None]) -> None:
        if part not in self._shown or self._shown[part] != state:
            self._shown[part] = state
            build()

    def _show_about(self, run: Run, *, is_running: bool) -> None:
        self._about.clear()
        with self._about:
            ui.html(training_report.run_in_words(run, is_running=is_running), sanitize=False)
            if is_running:
                return
            with ui.element("div").classes("buttons"):
                if not run.is_finished:
                    button("Go on with it", "main").on("click", lambda: self._go_on(run))
                button("Delete this run", "danger").on("click", lambda: self._ask_to_delete(run))

    def _show_curves(self, run: Run) -> None:
        if not run.epochs:
            return
        self._loss.show(charts.over_epochs(run.epochs, "loss"), charts.epochs_in_words(run.epochs, "loss"))
        self._accuracy.show(charts.over_epochs(run.epochs, "accuracy"), charts.epochs_in_words(run.epochs, "accuracy"))
        self._table.set_content(training_report.epochs_table(run.epochs))

    def _show_reading(self, run: Run, look: RunFacts | None, *, is_busy: bool) -> None:
        self._reading.clear()
        if not run.has_weights:
            return
        with self._reading:
            ui.html("How it reads", tag="h3", sanitize=False)
            if look is None:
                start = button("Show confusion and galleries", is_off=is_busy)
                start.on("click", lambda: self._do_for(run, self._window.look))
                return
            ui.html(training_report.scores_in_words(look), sanitize=False)
            with ui.element("div").classes("title"):
                ui.html("Labels against readings", tag="h4", sanitize=False)
                question(_CONFUSION)
            ui.html(tables.confusion(look.confusion, "label", "it reads"), sanitize=False).classes("confusion")
            ui.html("Surest readings of each class", tag="h3", sanitize=False)
            ui.html(training_report.galleries(look.examples), sanitize=False).classes("galleries")

    def _show_model(self, run: Run, comparison: ComparisonFacts | None, *, is_busy: bool) -> None:
        self._model.clear()
        if not run.has_weights:
            return
        with self._model:
            ui.html("A model to serve", tag="h3", sanitize=False)
            if not run.is_exported:
                button("Export it", is_off=is_busy).on("click", lambda: self._do_for(run, self._window.export))
                return
            ui.html(f'<p class="quiet path">Exported: {html.escape(str(run.model))}</p>', sanitize=False)
            if comparison is not None:
                ui.html(training_report.comparison(comparison), sanitize=False)
                ui.html(_SERVING, sanitize=False)
            with ui.element("div").classes("buttons"):
                again = "Compare again" if comparison is not None else "Compare with what is served"
                button(again, is_off=is_busy).on("click", lambda: self._compare(run))
                if comparison is not None:
                    button("Add it to the versions", "main", is_off=is_busy).on("click", lambda: self._add_version(run))

    async def _go_on(self, run: Run) -> None:
        async def act() -> None:
            self._window.go_on(run, None, self._page.name)
            tell("It goes on after its last whole epoch.")

        await self._do(act)

    async def _do_for(self, run: Run, start: Callable[[Run, str], None]) -> None:
        async def act() -> None:
            start(run, self._page.name)

        await self._do(act)

    async def _compare(self, run: Run) -> None:
        async def act() -> None:
            await self._window.compare(run, self._page.name)

        await self._do(act)

    async def _add_version(self, run: Run) -> None:
        async def act() -> None:
            name = await self._window.add_version(run, self._page.name)
            tell(f"{name} is among the versions; promote it on the page Models.")

        await self._do(act)

    def _ask_to_delete(self, run: Run) -> None:
        async def act() -> None:
            await self._window.delete_run(run, self._page.name)

        consequence = "Its weights, figures, galleries and exported model are deleted. A version that was added stays."
        title = f"Delete the run {training_report.run_title(run)}?"
        ask(self._page, Question(title, consequence, "Delete it"), act, self._refresh)

    async def _do(self, act: _Act) -> None:
        await self._page.attempt(act)
        await self._page.attempt(self._refresh)
