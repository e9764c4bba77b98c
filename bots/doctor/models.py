"""Check the files of the models by SHA-256, and that they load."""

from pathlib import Path

from bots.doctor.findings import Finding, fine, problem
from recognizer import DetectorError, ModelError
from recognizer.checksums import SUMS_FILE, read_sound
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.runtime import FACE_MODELS

_SUBJECT = "models"
_ADVICE = "Restore the file: git checkout recognizer, or install the package anew."


def check_models(folders: tuple[Path, ...] = (MODEL_FOLDER, FACE_MODELS)) -> list[Finding]:
    """Return each file that is damaged or missing, or that all are whole. folders: each with its sums."""
    faults = [each for folder in folders for each in _faults(folder)]
    if faults:
        return faults
    try:
        version = Classifier.load(folders[0]).card.version
    except (ModelError, DetectorError) as error:
        return [problem(_SUBJECT, str(error), _ADVICE)]
    return [fine(_SUBJECT, f"All files have the SHA-256 they were released with; the model is {version}.")]


def _faults(folder: Path) -> list[Finding]:
    sums = folder / SUMS_FILE
    if not sums.is_file():
        return [problem(_SUBJECT, f"{sums} is missing, so the files beside it cannot be checked.", _ADVICE)]
    found = []
    for name in (line.partition("  ")[2] for line in sums.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            read_sound(folder / name)
        except OSError as error:
            found.append(problem(_SUBJECT, f"{error.strerror or error}: {folder / name}.", _ADVICE))
    return found
