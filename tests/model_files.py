"""The shipped model's files under other names, as versions for tests."""

import json
from collections.abc import Sequence
from typing import Any

from recognizer.classification import CARD_FILE, MODEL_FOLDER
from recognizer.packing import pack, pack_folder, unpack


def renamed(name: str, log_prior: Sequence[float] | None = None) -> bytes:
    """Return the packed files of a version equal to the shipped one, or with another `log_prior` `(7,)`."""
    files = unpack(pack_folder(MODEL_FOLDER))
    card: dict[str, Any] = json.loads(files[CARD_FILE])
    card["serving"]["version"] = name
    if log_prior is not None:
        card["serving"]["shown"]["log_prior"] = list(log_prior)
    return pack({**files, CARD_FILE: json.dumps(card).encode()})
