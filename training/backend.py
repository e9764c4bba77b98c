"""Which of Keras's backends computes, and what that needs."""

import os
from importlib.util import find_spec

from training import MissingError


def require_backend() -> None:
    """Raise `MissingError` if the package of the backend that `KERAS_BACKEND` names is not installed."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if find_spec(backend) is None:
        raise MissingError(f"KERAS_BACKEND={backend} needs the package {backend}: install it, or set another backend.")
