"""Pack a model's files into one byte string and back, so that versions can be kept in a database."""

import io
import zipfile
import zlib
from pathlib import Path

from recognizer.checksums import read_sound

PACKED = ("expression.tflite", "model.json", "guard.npz")
"""The files of a version: the network, its model card, and the data that changes to it are judged by."""
_MOMENT = (1980, 1, 1, 0, 0, 0)  # fixed, so that equal files pack to equal bytes


def pack(files: dict[str, bytes]) -> bytes:
    """Pack file contents, keyed by name, into one byte string. Equal files pack to equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name in sorted(files):
            target.writestr(zipfile.ZipInfo(name, _MOMENT), files[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def pack_folder(folder: Path) -> bytes:
    """Pack the files of a model's folder. Raise `OSError` if one cannot be read or is damaged."""
    return pack({name: read_sound(folder / name) for name in PACKED if (folder / name).exists()})


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the file contents keyed by name. Raise `ValueError` if the bytes were not made by `pack`."""
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
