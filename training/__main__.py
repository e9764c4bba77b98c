"""`python -m training`: fit a recipe, export it, judge it.

Exit status: 0 well, 1 the data or recipe was bad, 2 the call was wrong, 3 something needed is missing, 130 stopped by
Ctrl-C.
"""

import os
import sys
from importlib.util import find_spec

from recognizer import DetectorError, EmojiMapError, ModelError
from training import MissingError, TrainingError

_NEEDED = ("jinja2", "keras", "matplotlib", "pydantic", "rich", "scipy", "sklearn", "tensorflow", "typer")


def main() -> int:
    """Run the command line; every expected failure is one sentence."""
    missing = [name for name in _NEEDED if not find_spec(name)]
    if missing:
        return _say(f"Training needs {', '.join(missing)}: pip install -e '.[training]'.", status=3)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from training.commands import app  # only once its needs are met

    try:
        app()
    except (DetectorError, MissingError, ModelError) as error:
        return _say(str(error), status=3)
    except (EmojiMapError, TrainingError) as error:
        return _say(str(error), status=1)
    return 0


def _say(sentence: str, *, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
