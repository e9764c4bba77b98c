"""The training page: choose a data set and a recipe, look at both, train, and see what came of it."""

import asyncio
import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from nicegui import events, ui

from bots.console import training_report, uploading
from bots.console.confirming import Question, ask
from bots.console.formatting import ago
from bots.console.layout import button, panel, question
from bots.console.page import ConsolePage, tell
from bots.console.training_run import RunPanel
from bots.learning.training_facts import DataFacts, Offered, RecipeFacts
from bots.learning.training_folder import BASE_DATA, MOST_UPLOAD_BYTES, Run
from bots.learning.training_job import Job, TrainingRefusedError, in_words

_REFRESH_S = 1.5
_MOST_EPOCHS = 9_999
_EXPLAINED = (
    "A recipe says everything about a training: the network, what it learns from, for how long. The training is a "
    "process of its own and goes on while the bot answers, restarts or stops. Nothing is served until you promote it."
)
_ELSEWHERE = (
    "Install it where the bot runs, or train with the same commands on another machine: python -m training --help. "
    "The image for serving leaves it out on purpose; the trainer's image has it (docs/training.md)."
)
_UPLOADED = (
    "A .zip with train/<class>/ and test/<class>/ (angry, disgust, fear, happy, neutral, sad, surprise), or with "
    f"Kaggle's fer2013.csv; that .csv; or a .yaml with a recipe of yours. {MOST_UPLOAD_BYTES // 1024**2} MB at most."
)
_UNTIL = "Stop after so many epochs in total; empty for as many as the recipe says. Go on later from there."
_UNREADABLE = "The files of trainings cannot be read or written"
_WAITING = '<p class="quiet">Looking what can be trained on this machine …</p>'


class _Stop(Protocol):
    """Stop a process in somebody's name; return whether one was running."""

    def __call__(self, by: str, *, at_once: bool) -> bool: ...


@dataclass(frozen=True)
class _Snapshot:
    """What the page shows at one moment."""

    data_sets: tuple[str, ...]
    runs: tuple[Run, ...]
    training: Job | None
    is_training: bool
    training_log: tuple[str, ...]
    other: Job | None
    is_other_running: bool
    other_log: tuple[str, ...]


def show(page: ConsolePage) -> None:
    """Build the page."""
    _Training(page).build()


class _Training:
    def __init__(self, page: ConsolePage) -> None:
        self._page = page
        self._window = page.services.training_window
        self._offered: Offered | None = None
        self._data, self._recipe, self._until = BASE_DATA, "", ""
        self._run = self._uploaded = ""
        self._shown: dict[str, object] = {}

    def build(self) -> None:
        with self._page.frame.body:
            self._obstacle = ui.html(_WAITING, sanitize=False)
            with panel("Train a network"):
                ui.label(_EXPLAINED).classes("quiet explained")
                self._choice = ui.element("div").classes("training-choice")
                self._examined = ui.element("div")
                with ui.element("div").classes("upload"):
                    self._build_upload()
            with ui.element("section").classes("panel running") as self._training:
                self._build_training()
            self._other = ui.element("div").props("role=status")
            with panel("Runs") as self._runs:
                self._chooser = ui.element("div")
                self._run_panel = RunPanel(self._page, self._refresh)
        self._training.set_visibility(False)
        self._runs.set_visibility(False)
        ui.on("uploaded", self._take_in)
        self._page.every(_REFRESH_S, self._refresh)
        ui.timer(0.1, self._look_what_is_offered, once=True)

    def _build_upload(self) -> None:
        with ui.element("label").classes("labelled"):
            with ui.element("span"):
                ui.html("Upload a data set or a recipe", tag="span", sanitize=False)
            field = ui.element("input").props("type=file accept='.zip,.csv,.yaml'").classes("field")
            field.props["data-upload"], field.props["data-piece"] = uploading.PATH, uploading.MOST_PIECE_BYTES
        question(_UPLOADED)
        ui.html('<progress max="1" value="0" hidden aria-label="Upload"></progress>', sanitize=False)
        ui.html('<p class="upload-told" role="status"></p>', sanitize=False)

    def _build_training(self) -> None:
        """Build the parts of the running training, which change apart from each other."""
        self._progress = ui.html("", sanitize=False)
        self._stops = ui.element("div")
        with ui.element("details") as self._log:
            ui.html("Last lines of its log", tag="summary", sanitize=False)
            self._log_lines = ui.html("", tag="pre", sanitize=False).classes("log").props("tabindex=0")

    async def _look_what_is_offered(self) -> None:
        async def ask_for_it() -> None:
            with in_words(_UNREADABLE):
                self._offered = await self._window.offered()

        if not await self._page.attempt(ask_for_it):
            return
        if (last := self._window.training.last()) is not None:
            recipes = self._offered.recipes if self._offered else ()
            self._data = last.data
            self._recipe = next((each.argument for each in recipes if each.name == last.recipe), "")
        if self._offered is None:
            told = f"<p>{html.escape(self._window.obstacle)}</p><p>{html.escape(_ELSEWHERE)}</p>"
            self._obstacle.set_content(f'<div class="told bad obstacle">{told}</div>')
        else:
            self._obstacle.set_content("")
        await self._page.attempt(self._refresh)

    def _snapshot(self) -> _Snapshot:
        folder, training, other = self._window.folder, self._window.training, self._window.other
        return _Snapshot(
            folder.data_sets(),
            folder.runs(),
            training.last(),
            training.running() is not None,
            training.last_lines(),
            other.last(),
            other.running() is not None,
            other.last_lines(),
        )

    async def _refresh(self) -> None:
        with in_words(_UNREADABLE):
            await self._show_all()

    async def _show_all(self) -> None:
        now = await asyncio.to_thread(self._snapshot)
        if self._offered is not None:  # another admin may have uploaded or deleted a recipe
            self._offered = self._window.last_offered or self._offered
        if self._uploaded in now.data_sets:
            self._data, self._uploaded = self._uploaded, ""
        if self._data not in (BASE_DATA, *now.data_sets):
            self._data = BASE_DATA
        recipe = self._chosen_recipe()
        facts = await asyncio.to_thread(self._window.examined, self._data, recipe) if recipe else None
        self._show("choice", (self._offered, now.data_sets), lambda: self._show_choice(now))
        examined = (self._data, recipe, facts, self._offered, now.is_other_running)
        self._show("examined", examined, lambda: self._show_examined(recipe, facts, is_busy=now.is_other_running))
        run = self._run_of(now, now.training)
        self._show_training(now, run)
        self._show("stops", (now.training, now.is_training), lambda: self._show_stops(now))
        other = (now.other, now.is_other_running, () if now.is_other_running else now.other_log)
        self._show("other", other, lambda: self._show_other(now))
        self._show("runs", (tuple(each.name for each in now.runs), self._run), lambda: self._show_chooser(now))
        chosen = next((each for each in now.runs if each.name == self._run), None)
        is_running = now.is_training and run is not None and chosen is not None and run.name == chosen.name
        await self._run_panel.show(chosen, is_running=is_running, is_busy=now.is_other_running)

    def _show(self, part: str, state: object, build: Callable[[], None]) -> None:
        """Build a part of the page anew if what it shows has changed, so that focus and open parts stay."""
        if part not in self._shown or self._shown[part] != state:
            self._shown[part] = state
            build()

    def _usable_recipes(self) -> list[RecipeFacts]:
        return [each for each in self._offered.recipes if not each.problem] if self._offered else []

    def _chosen_recipe(self) -> RecipeFacts | None:
        usable = self._usable_recipes()
        return next((each for each in usable if each.argument == self._recipe), usable[0] if usable else None)

    def _show_choice(self, now: _Snapshot) -> None:
        self._choice.clear()
        if self._offered is None:
            return
        data_sets = {BASE_DATA: "FER2013 (of this machine)", **{name: name for name in now.data_sets}}
        recipes = {each.argument: training_report.recipe_title(each) for each in self._usable_recipes()}
        chosen = self._chosen_recipe()
        with self._choice:
            with ui.element("div").classes("fields"):
                _select("Data set", data_sets, self._data, self._choose_data)
                _select("Recipe", recipes, chosen.argument if chosen else "", self._choose_recipe)
                with ui.element("label").classes("labelled short"):
                    ui.html("Until epoch", tag="span", sanitize=False)
                    field = ui.element("input").classes("field").props(f"type=number min=1 max={_MOST_EPOCHS}")
                    field.props["value"], field.props["placeholder"] = self._until, "all"
                    field.on("input", self._type, js_handler="(event) => emit(event.target.value)")
                question(_UNTIL)
            for each in (each for each in self._offered.recipes if each.problem):
                told = f"{html.escape(each.name)} cannot be used: {html.escape(each.problem)}"
                ui.html(f'<p class="told bad">{told}</p>', sanitize=False)
                if each.is_own:
                    self._offer_to_delete(each)

    def _show_examined(self, recipe: RecipeFacts | None, facts: DataFacts | None, *, is_busy: bool) -> None:
        self._examined.clear()
        if self._offered is None or recipe is None:
            return
        problem = self._offered.base_data_problem if self._data == BASE_DATA else ""
        with self._examined:
            ui.html(training_report.recipe_in_words(recipe), sanitize=False)
            if problem:
                ui.html(f'<p class="told bad">{html.escape(problem)}</p>', sanitize=False)
            with ui.element("div").classes("buttons"):
                if not problem:
                    button("Start the training", "main").on("click", self._start)
                    button("Show classes and samples", is_off=is_busy).on("click", self._examine)
                if self._data != BASE_DATA:
                    button(f"Delete {self._data}", "danger").on("click", self._ask_to_delete)
                if recipe.is_own:
                    self._offer_to_delete(recipe)
            if facts is not None:
                ui.html(training_report.class_counts(facts), sanitize=False).classes("scrolled")
                ui.html(training_report.samples(facts), sanitize=False)

    def _run_of(self, now: _Snapshot, job: Job | None) -> Run | None:
        """Return the run of a training; choose it for the page if nothing was chosen yet."""
        name = f"{job.data}/{job.recipe}" if job else ""
        run = next((each for each in now.runs if each.name == name), None)
        is_beginning = now.is_training and self._run == name
        if not is_beginning and not any(each.name == self._run for each in now.runs):
            first = run or (now.runs[0] if now.runs else None)
            self._run = first.name if first else ""
        return run

    def _show_training(self, now: _Snapshot, run: Run | None) -> None:
        """Write how far the training is and what it says, in place."""
        job = now.training
        self._training.set_visibility(job is not None and (now.is_training or _has_failed(now, run)))
        if job is None:
            return
        started = f"started by {html.escape(job.by)} {ago(job.at, datetime.now(UTC))}"
        if now.is_training:
            done, of = (len(run.epochs), run.epochs_wanted) if run else (0, 0)
            self._progress.set_content(training_report.progress(job, done, of, started))
        else:
            self._progress.set_content(training_report.broken_off(job, started))
        self._log.set_visibility(bool(now.training_log))
        self._log_lines.set_content(html.escape("\n".join(now.training_log)))

    def _show_stops(self, now: _Snapshot) -> None:
        self._stops.clear()
        if now.training is not None and now.is_training:
            with self._stops, ui.element("div").classes("buttons"):
                self._build_stop(now.training, "whole epochs are kept", self._window.stop)

    def _show_other(self, now: _Snapshot) -> None:
        self._other.clear()
        job = now.other
        if job is None or (not now.is_other_running and (job.stopped_by or self._has_come_of(job))):
            return
        told = training_report.other_in_words(job, is_running=now.is_other_running, log=now.other_log)
        with self._other:
            ui.html(told, sanitize=False)
            if now.is_other_running:
                with ui.element("div").classes("buttons"):
                    self._build_stop(job, "there is no result", self._window.stop_other)

    def _build_stop(self, job: Job, kept: str, stop: _Stop) -> None:
        """Build what stops a job or, where that was asked for already, what kills it. kept: what is left of it."""
        if job.stopped_by:
            ui.label(f"{job.stopped_by} has stopped it; it ends after the step in hand.").classes("quiet")
            button("Stop it at once", "danger").on("click", lambda: self._stop(kept, stop, at_once=True))
        else:
            button("Stop", "danger").on("click", lambda: self._stop(kept, stop, at_once=False))

    def _has_come_of(self, job: Job) -> bool:
        """Return whether what a command was to make is there and newer than its start."""
        try:
            return self._window.result_of(job).stat().st_mtime >= job.at.timestamp() - 1
        except (OSError, TrainingRefusedError):
            return False

    def _show_chooser(self, now: _Snapshot) -> None:
        self._chooser.clear()
        self._runs.set_visibility(bool(now.runs))
        with self._chooser, ui.element("div").classes("fields"):
            names = {each.name: training_report.run_title(each) for each in now.runs}
            _select("Run", names, self._run, self._choose_run)

    async def _choose_data(self, name: str) -> None:
        self._data = name
        await self._page.attempt(self._refresh)

    async def _choose_recipe(self, argument: str) -> None:
        self._recipe = argument
        await self._page.attempt(self._refresh)

    async def _choose_run(self, name: str) -> None:
        self._run = name
        await self._page.attempt(self._refresh)

    def _type(self, event: events.GenericEventArguments) -> None:
        self._until = str(event.args)

    async def _start(self) -> None:
        async def act() -> None:
            if (recipe := self._chosen_recipe()) is None:
                raise TrainingRefusedError("Choose a recipe first.")
            self._window.start(self._data, recipe, self._epochs(), self._page.name)
            self._run = f"{self._data}/{recipe.name}"
            tell("It has started; the first epoch takes longest.")

        await self._do(act)

    def _epochs(self) -> int | None:
        text = self._until.strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_EPOCHS):
            raise TrainingRefusedError(f"Give a number of epochs from 1 to {_MOST_EPOCHS}, or none.")
        return int(text)

    async def _examine(self) -> None:
        async def act() -> None:
            if (recipe := self._chosen_recipe()) is not None:
                self._window.examine(self._data, recipe, self._page.name)

        await self._do(act)

    async def _stop(self, kept: str, stop: _Stop, *, at_once: bool) -> None:
        async def act() -> None:
            if stop(self._page.name, at_once=at_once):
                tell(f"It stops; {kept}.")
            else:
                tell("It has ended already.", "warning")

        await self._do(act)

    def _ask_to_delete(self) -> None:
        name = self._data

        async def act() -> None:
            await self._window.delete_data(name, self._page.name)

        consequence = (
            "Its pictures are deleted from this machine, with the galleries of runs that learned from it. The runs "
            "stay, with what their weights have learned; they cannot go on, be looked at or exported any more."
        )
        ask(self._page, Question(f"Delete the data set {name}?", consequence, "Delete it"), act, self._refresh)

    def _offer_to_delete(self, recipe: RecipeFacts) -> None:
        title = f"Delete the recipe {Path(recipe.argument).stem}"

        async def act() -> None:
            await self._window.delete_recipe(recipe, self._page.name)
            self._offered = await self._window.offered()

        consequence = "The file is deleted from this machine. Runs that learned by it keep a copy."
        asked = Question(f"{title}?", consequence, "Delete it")
        button(title, "danger").on("click", lambda: ask(self._page, asked, act, self._refresh))

    async def _take_in(self, event: events.GenericEventArguments) -> None:
        """Take in an upload that is whole; called by console.js with the name of the file."""
        file = str(event.args.get("file", "")) if isinstance(event.args, dict) else ""

        async def act() -> None:
            if file.lower().endswith(".yaml"):
                recipe = await self._window.added(file)
                self._offered = await self._window.offered()
                if recipe.problem:
                    tell(f"The recipe {recipe.name} cannot be used; the page says why.", "warning")
                else:
                    tell("The recipe is among the others now.")
            else:
                self._uploaded = self._window.take_in(file, self._page.name)

        await self._do(act)

    async def _do(self, act: Callable[[], Awaitable[None]]) -> None:
        async def act_on_files() -> None:
            with in_words(_UNREADABLE):
                await act()

        await self._page.attempt(act_on_files)
        await self._page.attempt(self._refresh)


def _has_failed(now: _Snapshot, run: Run | None) -> bool:
    """Return whether the last training ended before it should have."""
    job = now.training
    if job is None or now.is_training or job.stopped_by:
        return False
    return run is None or not run.has_ended_since(job.at)


def _select(label: str, options: dict[str, str], chosen: str, changed: Callable[[str], Awaitable[None]]) -> None:
    """Build a native select. options: titles by value. changed: called with the value that was chosen."""

    async def choose(event: events.GenericEventArguments) -> None:
        if (value := str(event.args)) in options:
            await changed(value)

    with ui.element("label").classes("labelled"):
        ui.html(html.escape(label), tag="span", sanitize=False)
        listed = "".join(
            f'<option value="{html.escape(value, quote=True)}"{" selected" if value == chosen else ""}>'
            f"{html.escape(title)}</option>"
            for value, title in options.items()
        )
        field = ui.html(listed, tag="select", sanitize=False).classes("field")
        field.props["aria-label"] = label
    field.on("change", choose, js_handler="(event) => emit(event.target.value)")
