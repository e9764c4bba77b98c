"""Check that files are what they were when they were released: a flipped bit in a network changes what it says.

A folder may have a file `SHA256SUMS`, as `sha256sum` writes it; every file read through here that it lists must agree.
"""

import hashlib
from pathlib import Path

SUMS_FILE = "SHA256SUMS"


class ChecksumError(OSError):
    """A file is not what it was when it was released; the message names it."""


def read_sound(path: Path) -> bytes:
    """Return the content of a file. Raise `ChecksumError` if its folder's sums say otherwise, or `OSError`."""
    content = path.read_bytes()
    known = _sums(path.parent).get(path.name)
    if known is not None and hashlib.sha256(content).hexdigest() != known:
        raise ChecksumError(f"{path} is damaged: its SHA-256 is not the one it was released with")
    return content


def write_sums(folder: Path) -> None:
    """Write the sums of all files of a folder as they are now."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != SUMS_FILE)
    lines = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    (folder / SUMS_FILE).write_text("".join(lines), encoding="ascii")


def _sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS_FILE).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ChecksumError(f"{folder / SUMS_FILE} is damaged") from error
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
