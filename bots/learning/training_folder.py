"""The folder of the training window in the operator's data directory: uploads, data sets, recipes and runs."""

import re
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bots.learning.training_facts import (
    ComparisonFacts,
    Epoch,
    Metrics,
    RunFacts,
    RunRecipe,
    history,
    read,
)
from bots.learning.training_job import TrainingRefusedError

BASE_DATA = "base-data"
"""The name of FER2013 as the machine has it, which is no upload."""
MOST_UPLOAD_BYTES = 512 * 1024**2
MOST_RECIPE_BYTES = 64 * 1024
_LEAST_FREE_BYTES = 2 * 1024**3
"""What has to stay free on the disk beside an upload: what it unpacks to, and a run."""
_MOST_DATA_SETS = 20
_MOST_RECIPES = 100
_KINDS = (".zip", ".csv", ".yaml")
_HALF = ".part"
"""How the file of an upload ends that is not whole."""
_GALLERIES = ("look.json", ".look.json-*")
"""Files of a run with pictures of faces; the second is one whose writing was killed."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HALF_KEPT_S = 24 * 3600.0
"""For how long half an upload or half a data set is waited for."""
_WHOLE_KEPT_S = 600.0
"""For how long a whole upload is waited for that nobody takes in: the page that brought it does so at once."""
_CLOCKS_DIFFER_S = 1.0
"""By how much the time of a file may lie before the program's."""


@dataclass(frozen=True)
class Run:
    """A run in its folder. name: "data/recipe". model: the folder of what was exported, None before."""

    data: str
    recipe: str
    folder: Path
    epochs_wanted: int
    epochs: tuple[Epoch, ...]
    metrics: Metrics | None
    changed_at: datetime

    @property
    def name(self) -> str:
        """Return what tells it from others."""
        return f"{self.data}/{self.recipe}"

    @property
    def is_finished(self) -> bool:
        """Return whether there is nothing to go on with."""
        return self.metrics is not None and self.metrics.finished

    def has_ended_since(self, moment: datetime) -> bool:
        """Return whether it ended by itself after a moment: finished, or after the epochs that were asked for."""
        try:
            return (self.folder / "metrics.json").stat().st_mtime >= moment.timestamp() - _CLOCKS_DIFFER_S
        except OSError:
            return False

    @property
    def has_weights(self) -> bool:
        """Return whether a network can be looked at and exported: after the first whole epoch."""
        return (self.folder / "fitted.weights.h5").is_file()

    @property
    def recipe_file(self) -> Path:
        """Return its recipe as it was fitted, whatever became of the file that it came from."""
        return self.folder / "recipe.json"

    @property
    def model(self) -> Path:
        """Return the folder for its exported model."""
        return self.folder / "model"

    @property
    def look_file(self) -> Path:
        """Return the file with how it reads `valid`."""
        return self.folder / "look.json"

    @property
    def comparison_file(self) -> Path:
        """Return the file with how its model compares with the served one."""
        return self.folder / "comparison.json"

    def look(self) -> RunFacts | None:
        """Return how it reads `valid`; None if it was not looked at since it last learned."""
        weights = self.folder / "fitted.weights.h5"
        return read(RunFacts, self.look_file) if _is_newer(self.look_file, weights) else None

    def comparison(self) -> ComparisonFacts | None:
        """Return how its model compares with the one that was served then; None if it was not compared."""
        is_current = self.is_exported and _is_newer(self.comparison_file, self.model / "model.json")
        return read(ComparisonFacts, self.comparison_file) if is_current else None

    @property
    def is_exported(self) -> bool:
        """Return whether there is a model of what it learned last."""
        return _is_newer(self.model / "SHA256SUMS", self.folder / "fitted.weights.h5")


class TrainingFolder:
    """Its files are the operator's only; every name that comes from outside is checked here."""

    def __init__(self, folder: Path) -> None:
        """folder: made at the first use, with the one that it is in."""
        self.path = folder

    @property
    def recipes(self) -> Path:
        """Return the folder of the operator's own recipes."""
        return self._place("recipes")

    @property
    def jobs(self) -> Path:
        """Return the folder of what runs."""
        return self._place("jobs")

    @property
    def served(self) -> Path:
        """Return the folder for the files of the served model."""
        return self._place("served")

    def data_sets(self) -> tuple[str, ...]:
        """Return the names of what was uploaded and taken in."""
        return tuple(sorted(each.name for each in self._place("data").iterdir() if _NAME.fullmatch(each.name)))

    def data(self, name: str) -> Path | None:
        """Return the folder of a data set, None for the base data. Raise `TrainingRefusedError` if it is not there."""
        if name == BASE_DATA:
            return None
        if name not in self.data_sets():
            raise TrainingRefusedError(f"There is no data set {name[:40]} any more; choose another one.")
        return self._place("data") / name

    def new_data(self, name: str) -> Path:
        """Return the folder for a data set that is not there yet. Raise `TrainingRefusedError`."""
        if not _NAME.fullmatch(name) or name == BASE_DATA:
            raise TrainingRefusedError(
                f"Name the file with letters, digits, - and _ (40 at most), and not {BASE_DATA}."
            )
        if name in self.data_sets():
            raise TrainingRefusedError(f"There is a data set {name} already; delete it first, or rename the file.")
        if any(each.data == name for each in self.runs()):
            raise TrainingRefusedError(
                f"There are runs on an earlier data set {name}; delete them first, or rename the file."
            )
        if len(self.data_sets()) >= _MOST_DATA_SETS:
            raise TrainingRefusedError(f"There are {_MOST_DATA_SETS} data sets already; delete one first.")
        return self._place("data") / name

    def samples_file(self, data: str, recipe: str) -> Path:
        """Return the file with the counts of a data set and its samples as a recipe augments them. Its folder may not
        be there yet.
        """
        return self._place("samples") / data / f"{recipe}.json"

    def runs_of(self, data: str) -> Path:
        """Return the folder of the runs on a data set."""
        return self._place("runs") / data

    def runs(self) -> tuple[Run, ...]:
        """Return every run, the one that changed last first."""
        found = (_run(file.parent) for file in self._place("runs").glob("*/*/recipe.json"))
        return tuple(sorted((each for each in found if each), key=lambda each: each.changed_at, reverse=True))

    def run(self, name: str) -> Run:
        """Return a run by its name. Raise `TrainingRefusedError` if it is not there."""
        run = next((each for each in self.runs() if each.name == name), None)
        if run is None:
            raise TrainingRefusedError("There is no such run any more; choose another one.")
        return run

    def add_piece(self, file: str, offset: int, size: int, piece: bytes) -> int:
        """Add a piece of an upload, and return how many bytes there are.

        file: what the upload is called. offset: where the piece belongs; 0 begins anew. size: of the whole file. Raise
        `TrainingRefusedError` if the upload is not taken, `OSError` if it cannot be written.
        """
        name = upload_name(file)
        most = MOST_RECIPE_BYTES if name.endswith(".yaml") else MOST_UPLOAD_BYTES
        if not 0 < size <= most:
            raise TrainingRefusedError(f"{name} is empty or too large: {_told(most)} at most are taken.")
        if offset == 0:
            self._make_room(name, size)
        part = self._place("uploads") / f"{name}{_HALF}"
        there = part.stat().st_size if offset and part.exists() else 0
        if offset != there or not piece or offset + len(piece) > size:
            raise TrainingRefusedError("The upload was interrupted; please choose the file again.")
        with part.open("ab" if offset else "wb") as target:
            target.write(piece)
        part.chmod(0o600)
        if (there := offset + len(piece)) == size:
            part.replace(self._place("recipes" if name.endswith(".yaml") else "uploads") / name)
        return there

    def upload(self, name: str) -> Path:
        """Return a whole upload. Raise `TrainingRefusedError` if it is not there."""
        path = self._place("uploads") / upload_name(name)
        if not path.is_file():
            raise TrainingRefusedError("The upload is not there any more; please choose the file again.")
        return path

    def delete_unfinished(self) -> None:
        """Delete what commands leave: half a data set of one that was killed, the served model of a comparison; and
        what `delete_abandoned` does. Only while none is running.
        """
        for each in self._place("data").glob(".*"):
            shutil.rmtree(each, ignore_errors=True)
        for each in self._place("samples").glob("*.json"):  # where earlier versions of the software stored them
            each.unlink(missing_ok=True)
        self.delete_served()
        self.delete_abandoned()

    def delete_abandoned(self) -> None:
        """Delete uploads that nobody went on with or took in, and half a data set that is as old. Only while no command
        is running. Nothing is made where there is no folder yet.
        """
        self._delete_half_uploads()
        for each in (self.path / "uploads").glob("*"):
            if _age_s(each) > _WHOLE_KEPT_S and each.suffix != _HALF:
                each.unlink(missing_ok=True)
        for each in (self.path / "data").glob(".*"):
            if _age_s(each) > _HALF_KEPT_S:
                shutil.rmtree(each, ignore_errors=True)

    def delete_served(self) -> None:
        """Delete the files of the served model."""
        shutil.rmtree(self.path / "served", ignore_errors=True)

    def recipe(self, file: str) -> Path:
        """Return an uploaded recipe by the name of its file. Raise `TrainingRefusedError` if it is not there."""
        path = next((each for each in self.recipes.glob("*.yaml") if each.name == file), None)
        if path is None:
            raise TrainingRefusedError("This recipe is not there any more; choose another one.")
        return path

    def delete_data(self, name: str) -> None:
        """Delete an uploaded data set with every picture that was made of it: samples, what its runs keep of its faces
        to go on with, and their galleries. Raise `TrainingRefusedError`, or `OSError` if that failed half-way: it can
        then be called again, as what the data set is known by goes last.
        """
        folder = self.data(name)
        if folder is None:
            raise TrainingRefusedError("This data set was not uploaded here; it stays.")
        if (samples := self._place("samples") / name).exists():
            shutil.rmtree(samples)
        self._delete_kept_faces(name)
        for pattern in _GALLERIES:
            for each in self.runs_of(name).glob(f"*/{pattern}"):
                each.unlink(missing_ok=True)
        shutil.rmtree(folder)

    def delete_run(self, name: str) -> None:
        """Delete a run with all that was made of it; with the last one of a data set, also what they shared. Raise
        `TrainingRefusedError` if it is not there, or `OSError` as `delete_data` does.
        """
        run = self.run(name)
        if not any(each.data == run.data and each.name != run.name for each in self.runs()):
            self._delete_kept_faces(run.data)
        for each in run.folder.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            elif each != run.recipe_file:
                each.unlink(missing_ok=True)
        shutil.rmtree(run.folder)

    def _delete_half_uploads(self) -> None:
        for each in (self.path / "uploads").glob(f"*{_HALF}"):
            if _age_s(each) > _HALF_KEPT_S:
                each.unlink(missing_ok=True)

    def _delete_kept_faces(self, data: str) -> None:
        """Delete the faces that the runs on a data set share, as `fit` registers or augments them beforehand."""
        for each in self.runs_of(data).glob("*.npz"):
            each.unlink(missing_ok=True)

    def _make_room(self, name: str, size: int) -> None:
        """Raise `TrainingRefusedError` if an upload cannot be begun; delete halves that were abandoned."""
        uploads = self._place("uploads")
        self._delete_half_uploads()
        if shutil.disk_usage(uploads).free < size + _LEAST_FREE_BYTES:
            raise TrainingRefusedError(f"The disk is too full; {_told(size + _LEAST_FREE_BYTES)} have to be free.")
        if not name.endswith(".yaml"):
            self.new_data(Path(name).stem)
        elif len(list(self.recipes.glob("*.yaml"))) >= _MOST_RECIPES and not (self.recipes / name).exists():
            raise TrainingRefusedError(f"There are {_MOST_RECIPES} recipes already; delete one first.")

    def _place(self, name: str) -> Path:
        for place in (self.path.parent, self.path, self.path / name):  # `parents=True` would ignore the mode
            place.mkdir(mode=0o700, exist_ok=True)
        return self.path / name


def upload_name(file: str) -> str:
    """Return the name under which an upload is kept: lower case, with - for blanks. Raise `TrainingRefusedError`."""
    stem, dot, kind = file[-100:].lower().rpartition(".")
    name = re.sub(r"[\s.]+", "-", stem)
    if f"{dot}{kind}" not in _KINDS:
        raise TrainingRefusedError("Choose a .zip or a .csv with faces, or a .yaml with a recipe.")
    if not _NAME.fullmatch(name):
        raise TrainingRefusedError("Name the file with letters, digits, - and _, 40 at most.")
    return f"{name}.{kind}"


def _run(folder: Path) -> Run | None:
    recipe = read(RunRecipe, folder / "recipe.json")
    if recipe is None or recipe.name != folder.name:
        return None
    return Run(
        folder.parent.name,
        folder.name,
        folder,
        recipe.epochs,
        history(folder / "history.csv"),
        read(Metrics, folder / "metrics.json"),
        datetime.fromtimestamp(_changed_at(folder)).astimezone(),
    )


def _changed_at(folder: Path) -> float:
    times = [(folder / name).stat().st_mtime for name in ("recipe.json", "history.csv") if (folder / name).exists()]
    return max(times, default=0.0)


def _age_s(path: Path) -> float:
    """Return for how many seconds a file has not changed; 0 for one that is not there any more."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _is_newer(file: Path, than: Path) -> bool:
    try:
        return file.stat().st_mtime >= than.stat().st_mtime
    except OSError:
        return False


def _told(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB" if size >= 1024**2 else f"{size / 1024:,.0f} KB"
