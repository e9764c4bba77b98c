"""`python -m training`: fit a recipe, export and evaluate it; retrain from feedback, promote, roll back.

Exit status: 0 on success, 1 if data or recipe are invalid, 2 on wrong usage, 3 if something needed is missing, 130 if
stopped by Ctrl-C or SIGTERM.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from sqlalchemy.exc import SQLAlchemyError

from db import BusyError, CropKeyError, LostError, StoreError, VersionError
from db.settings import SettingsError
from recognizer import DetectorError, EmojiMapError, ModelError
from training import MissingError, TrainingError
from training.backend import require_backend

_LOOP = ("import-faces", "retrain", "models", "promote", "rollback", "work")
_LOOP_NEEDS = ("rich", "scipy", "typer")
_NEEDED = ("jinja2", "keras", "matplotlib", "pydantic", "rich", "scipy", "sklearn", "tensorflow", "typer")


def main() -> int:
    """Run the command line and return the exit status. Print an expected error as one sentence."""
    asked = sys.argv[1] if len(sys.argv) > 1 else "--help"
    is_loop = asked in _LOOP or (asked == "--help" and bool(_missing(_NEEDED)))
    if missing := _missing(_LOOP_NEEDS):
        return _say(f"Retraining needs {', '.join(missing)}: pip install -e '.[retraining]'.", status=3)
    if not is_loop and (missing := _missing(_NEEDED)):
        return _say(f"Training needs {', '.join(missing)}: pip install -e '.[training]'.", status=3)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        if is_loop:  # import only what is needed: matplotlib and scikit-learn take seconds
            from training.feedback.commands import loop as app
        else:
            require_backend()
            from training.commands import app
        app()
    except (CropKeyError, DetectorError, MissingError, ModelError, SettingsError, StoreError) as error:
        return _say(str(error), status=3)
    except (BusyError, EmojiMapError, LostError, TrainingError, VersionError) as error:
        return _say(str(error), status=1)
    except SQLAlchemyError as error:
        return _say(f"The database could not be used; try again. ({type(error).__name__})", status=3)
    return 0


def _missing(names: Sequence[str]) -> list[str]:
    return [name for name in names if not find_spec(name)]


def _say(sentence: str, *, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was begun is tidied up, and processes end
    sys.exit(main())
