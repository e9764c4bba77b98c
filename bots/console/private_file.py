"""Write a file that only its owner can read, completely or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_privately(path: Path, text: str) -> None:
    """Put a text in the place of what the file held, as UTF-8 and with mode 0600; it is on the disk on return.

    Raise `OSError`; the file is as it was then.
    """
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
