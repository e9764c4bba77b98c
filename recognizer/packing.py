"""A model's files as one piece of bytes, for keeping versions in a database."""

import io
import zipfile
import zlib
from pathlib import Path

PACKED = ("expression.tflite", "model.json", "guard.npz")
"""What belongs to a version: the network, how its outputs are read, and what a change to it is judged by."""
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes


def pack(files: dict[str, bytes]) -> bytes:
    """One piece of bytes; the same for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name in sorted(files):
            target.writestr(zipfile.ZipInfo(name, _MOMENT), files[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def pack_folder(folder: Path) -> bytes:
    """The files of a model's folder. Raises `OSError` where one cannot be read."""
    return pack({name: (folder / name).read_bytes() for name in PACKED if (folder / name).exists()})


def unpack(content: bytes) -> dict[str, bytes]:
    """The files by their names. Raises `ValueError` where the bytes are not what `pack` gave."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            return {name: source.read(name) for name in source.namelist()}
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        RuntimeError,
        zlib.error,
    ) as error:
        raise ValueError(f"not a packed model ({error})") from error
