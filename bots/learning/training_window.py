"""Start, watch and stop `python -m training` for the console: at most one training, and one other command beside it.

What runs is known by files, so that it is found again after the bot was restarted. Nothing of TensorFlow is imported.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bots.learning.detached_process import DetachedProcess
from bots.learning.training_facts import DataFacts, Offered, RecipeFacts, read
from bots.learning.training_folder import Run, TrainingFolder, upload_name
from bots.learning.training_job import ROOT, Job, JobSlot, TrainingRefusedError, in_words
from bots.serving.supervision import BackgroundTasks
from db import Origin, Role, Store
from recognizer.classification import Classifier
from recognizer.packing import PACKED, pack_folder, unpack

_PROGRAM = (sys.executable, "-m", "training")
SECRETS = (
    "CONSOLE_TOKEN",
    "CROPS_KEY",
    "DATABASE_URL",
    "DISCORD_TOKEN",
    "POSTGRES_PASSWORD",
    "SECRET",
    "TELEGRAM_TOKEN",
    "TELEGRAM_WEBHOOK_SECRET",
)
"""Settings of the bot that processes which open uploaded files do not get."""
_OFFER_LASTS_S = 600.0
"""After this time it is looked again what can be trained here."""
_TIDY_EVERY_S = 3600.0
_ASKING_TAKES_S = 120.0
"""How long the answer may take; a slow machine reads all recipes in a few seconds."""
_log = structlog.get_logger()


class TrainingWindow:
    """What the console's training page does; every method that starts or deletes something raises
    `TrainingRefusedError` if that cannot be done now.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        environment: Mapping[str, str] = os.environ,
        program: Sequence[str] = _PROGRAM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin nothing yet. folder: for everything that is uploaded and made. environment: of the processes, which
        get no secret of it. program: the command to start. clock: seconds.
        """
        self.folder = TrainingFolder(folder.absolute())
        self._store = store
        self._environment = {name: value for name, value in environment.items() if name not in SECRETS}
        self._program, self._clock = tuple(program), clock
        self._attending = BackgroundTasks()
        self.last_offered: Offered | None = None
        """What `offered` returned last, without asking again."""
        self._offered_until = -1.0
        self._asking = asyncio.Lock()
        self._preparing = asyncio.Lock()
        """Held while files for another command are written or deleted."""
        self.obstacle = ""

    @property
    def training(self) -> JobSlot:
        """Return the place of the one training."""
        return JobSlot(self.folder.jobs, "training")

    @property
    def other(self) -> JobSlot:
        """Return the place of the one other command."""
        return JobSlot(self.folder.jobs, "other")

    async def offered(self) -> Offered | None:
        """Return what can be trained here; None if nothing can, and then `obstacle` says what is missing."""
        async with self._asking:
            if self._clock() >= self._offered_until:
                # before it is asked: `look_again` may come meanwhile
                self._offered_until = self._clock() + _OFFER_LASTS_S
                self.last_offered = await self._ask()
                if self.last_offered is None:
                    self._offered_until = min(self._offered_until, self._clock() + 10.0)
            return self.last_offered

    def look_again(self) -> None:
        """Let `offered` look again: a recipe was added or deleted."""
        self._offered_until = -1.0

    async def added(self, upload: str) -> RecipeFacts:
        """Return an uploaded recipe as it is offered now. One that ends the reading of recipes is deleted again."""
        path = self.folder.recipe(upload_name(upload))
        self.look_again()
        offered = await self.offered()
        if offered is None:
            path.unlink(missing_ok=True)
            self.look_again()
            raise TrainingRefusedError(f"{path.name} was not taken: the recipes could not be read. {self.obstacle}")
        added = next((each for each in offered.recipes if each.argument == str(path)), None)
        if added is None:
            raise TrainingRefusedError("The recipe is not there any more; please upload it again.")
        return added

    async def delete_recipe(self, recipe: RecipeFacts, by: str) -> None:
        """Delete an uploaded recipe; runs that learned by it keep a copy."""
        with in_words("It could not be deleted"):
            self.folder.recipe(Path(recipe.argument).name).unlink()
        self.look_again()
        _log.info("training_recipe_deleted", recipe=recipe.name, by=by)

    def start(self, data: str, recipe: RecipeFacts, until: int | None, by: str) -> None:
        """Begin a training, or go on with it. until: stop after so many epochs in total, None for all."""
        if recipe.problem:
            raise TrainingRefusedError(f"{recipe.name} cannot be used: {recipe.problem}")
        if any(each.name == f"{data}/{recipe.name}" and each.is_finished for each in self.folder.runs()):
            raise TrainingRefusedError("This run has finished; delete it below to begin anew.")
        self._fit(data, recipe.name, recipe.argument, until, by)

    def go_on(self, run: Run, until: int | None, by: str) -> None:
        """Go on with a training after its last whole epoch. until: as in `start`."""
        if run.is_finished:
            raise TrainingRefusedError("It has finished; there is nothing to go on with.")
        self._fit(run.data, run.recipe, str(run.recipe_file), until, by)

    def stop(self, by: str, *, at_once: bool) -> bool:
        """Stop the training; whole epochs are kept. at_once: kill it. Return whether one was running."""
        return self._stop(self.training, by, at_once=at_once)

    def stop_other(self, by: str, *, at_once: bool) -> bool:
        """Stop the other command, which then has no result. at_once: kill it. Return whether one was running."""
        return self._stop(self.other, by, at_once=at_once)

    def examine(self, data: str, recipe: RecipeFacts, by: str) -> None:
        """Count the faces of a data set, and draw samples as a recipe augments them."""
        target = self.folder.samples_file(data, recipe.name)
        self._other("examine", data, recipe.name, by, recipe.argument, *self._data(data), "--json", str(target))

    def examined(self, data: str, recipe: RecipeFacts) -> DataFacts | None:
        """Return what `examine` found; None if it was not called, or with a recipe of this name that says otherwise."""
        facts = read(DataFacts, self.folder.samples_file(data, recipe.name))
        return facts if facts is not None and facts.recipe == recipe.digest else None

    def look(self, run: Run, by: str) -> None:
        """Read `valid` with a run, for its scores, confusion matrix and galleries."""
        arguments = (str(run.folder), *self._data(run.data), "--json", str(run.look_file))
        self._other("look", run.data, run.recipe, by, *arguments)

    def export(self, run: Run, by: str) -> None:
        """Export a run's network into the model folder beside it."""
        place = ("--runs", str(run.folder.parent), "--out", str(run.model))
        self._other("export", run.data, run.recipe, by, str(run.recipe_file), *self._data(run.data), *place)

    async def compare(self, run: Run, by: str) -> None:
        """Compare a run's exported model with the served one, on `valid`. Raise also `VersionError`."""
        if not run.is_exported:
            raise TrainingRefusedError("Export it first.")
        async with self._preparing:
            self.other.require_free()
            try:
                served = await self._write_served()
                place = ("--served", str(served)) if served is not None else ()
                arguments = (str(run.model), *self._data(run.data), *place, "--json", str(run.comparison_file))
                self._other("compare-models", run.data, run.recipe, by, *arguments)
            except BaseException:
                self.folder.delete_served()
                raise

    def add_piece(self, file: str, offset: int, size: int, piece: bytes) -> int:
        """Add a piece of an upload, as `TrainingFolder.add_piece` does; refuse the first one of a data set while it
        could not be checked.
        """
        if offset == 0 and not upload_name(file).endswith(".yaml"):
            self.other.require_free()
        return self.folder.add_piece(file, offset, size, piece)

    def take_in(self, upload: str, by: str) -> str:
        """Unpack and check a whole upload, which is deleted in any case; return the name of the data set to come."""
        path = self.folder.upload(upload)

        def ended() -> None:
            path.unlink(missing_ok=True)  # it does so itself unless it was killed

        try:
            target = self.folder.new_data(path.stem)
            self._other("take-in", path.stem, "", by, str(path), str(target), ended=ended)
        except TrainingRefusedError:
            job = self.other.running()
            if job is None or (job.what, job.data) != ("take-in", path.stem):
                path.unlink(missing_ok=True)
            raise
        return path.stem

    def result_of(self, job: Job) -> Path:
        """Return the file that is newest where a command other than a training did what it was to do.

        Raise `TrainingRefusedError` if its run is not there any more.
        """
        if job.what == "examine":
            return self.folder.samples_file(job.data, job.recipe)
        if job.what == "take-in":
            return self.folder.data(job.data) or self.folder.path
        run = self.folder.run(f"{job.data}/{job.recipe}")
        results = {"look": run.look_file, "export": run.model / "SHA256SUMS", "compare-models": run.comparison_file}
        return results[job.what]

    async def add_version(self, run: Run, by: str) -> str:
        """Store a run's exported model beside the served version, to be promoted; return its name.

        Raise also `ModelError` if its files are not whole, `VersionError` if it is stored already.
        """
        with in_words("The exported model cannot be read; export it again"):
            packed = await asyncio.to_thread(pack_folder, run.model)
        classifier = await asyncio.to_thread(lambda: Classifier.from_files(unpack(packed)))
        active, name = await self._store.versions.holding(Role.ACTIVE), classifier.card.version
        parent = active.name if active is not None else ""
        await self._store.versions.add(name, packed, origin=Origin.FITTED, parent=parent, metrics={}, fingerprint="")
        _log.info("training_version_added", version=name, by=by)
        return name

    async def delete_data(self, name: str, by: str) -> None:
        """Delete an uploaded data set that nothing works on."""
        self._require_idle(lambda job: job.data == name)
        with in_words("Not everything could be deleted"):
            await asyncio.to_thread(self.folder.delete_data, name)
        _log.info("training_data_deleted", data=name, by=by)

    async def delete_run(self, run: Run, by: str) -> None:
        """Delete a run that nothing works on."""
        self._require_idle(lambda job: f"{job.data}/{job.recipe}" == run.name)
        with in_words("Not everything could be deleted"):
            await asyncio.to_thread(self.folder.delete_run, run.name)
        _log.info("training_run_deleted", run=run.name, by=by)

    async def keep_tidy(self) -> None:
        """Delete every hour what was uploaded and abandoned, until cancelled. Nothing is made where the window was
        never used.
        """
        while True:
            try:
                if self.folder.path.exists():
                    await self._delete_while_idle(self.folder.delete_abandoned)
            except OSError as error:
                _log.error("training_uploads_not_deleted", error=type(error).__name__)
            await asyncio.sleep(_TIDY_EVERY_S)

    async def finished(self) -> None:
        """Wait until every process that was started here has ended."""
        await self._attending.finish()

    @staticmethod
    def _stop(slot: JobSlot, by: str, *, at_once: bool) -> bool:
        job = slot.running()
        is_stopped = slot.stop(by, at_once=at_once)
        if is_stopped and job is not None:
            _log.info("training_stop_asked", what=job.what, by=by, at_once=at_once)
        return is_stopped

    async def _delete_while_idle(self, delete: Callable[[], None]) -> None:
        async with self._preparing:
            if self.other.running() is None:
                await asyncio.to_thread(delete)

    def _require_idle(self, concerns: Callable[[Job], bool]) -> None:
        for slot in (self.training, self.other):
            if (job := slot.running()) is not None and concerns(job):
                raise TrainingRefusedError("It is in use at the moment; stop that first, or wait.")

    def _data(self, name: str) -> tuple[str, ...]:
        folder = self.folder.data(name)
        return () if folder is None else ("--data", str(folder))

    def _fit(self, data: str, recipe: str, argument: str, until: int | None, by: str) -> None:
        runs = self.folder.runs_of(data)
        limit = () if until is None else ("--until", str(until))
        command = ("fit", argument, *self._data(data), "--runs", str(runs), *limit)
        self._start(self.training, Job("fit", data, recipe, by, datetime.now(UTC)), command)

    def _other(
        self, what: str, data: str, recipe: str, by: str, *arguments: str, ended: Callable[[], None] = lambda: None
    ) -> None:
        self._start(self.other, Job(what, data, recipe, by, datetime.now(UTC)), (what, *arguments), ended)

    def _start(self, slot: JobSlot, job: Job, command: Sequence[str], ended: Callable[[], None] = lambda: None) -> None:
        with in_words("The process could not be started"):
            process = slot.start(job, (*self._program, *command), self._environment)
        _log.info("training_process_started", what=job.what, data=job.data, recipe=job.recipe, by=job.by)
        self._attending.start("training", self._attend(slot, job, process, ended))

    async def _attend(self, slot: JobSlot, job: Job, process: DetachedProcess, ended: Callable[[], None]) -> None:
        status = await process.wait()
        last = process.last_error_line()
        ended()
        stopped = (slot.last() or job).stopped_by
        if status and not stopped:
            _log.warning("training_process_failed", what=job.what, data=job.data, status=status, reason=last[:300])
        else:
            _log.info("training_process_ended", what=job.what, data=job.data, status=status)
        await self._delete_while_idle(self.folder.delete_unfinished)

    async def _ask(self) -> Offered | None:
        """Ask the training package what there is; set `obstacle`."""
        await self._delete_while_idle(self.folder.delete_unfinished)  # a bot of before may have ended before them
        file = self.folder.jobs / "offered.json"
        command = (*self._program, "recipes", "--json", str(file), "--own", str(self.folder.recipes))
        try:
            process = DetachedProcess.start(command, ROOT, self._environment)
        except OSError as error:
            self.obstacle = f"The process could not be started ({error.strerror})."
            return None
        try:
            status = await asyncio.wait_for(process.wait(), _ASKING_TAKES_S)
        except TimeoutError:
            process.kill()
            self.obstacle = "The process did not end in time; is the machine busy?"
            return None
        last = process.last_error_line()
        self.obstacle = (last or f"The process ended with status {status}.") if status else ""
        return None if status else read(Offered, file)

    async def _write_served(self) -> Path | None:
        """Write the files of the served version; return their folder, None if it is the one of the software."""
        active = await self._store.versions.holding(Role.ACTIVE)
        if active is None:
            return None
        packed = await self._store.versions.artefact(active.name)
        with in_words("The served model cannot be written down for the comparison"):
            return await asyncio.to_thread(_unpack_to, self.folder.served, packed)


def _unpack_to(folder: Path, packed: bytes) -> Path:
    for name, content in unpack(packed).items():
        if name in PACKED:
            file = folder / name
            file.write_bytes(content)
            file.chmod(0o600)
    return folder
