"""Take in an uploaded data set, whatever is in it: a zip archive of folders, or a CSV. All work is bounded."""

import secrets
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from PIL import Image

from training.data import DataError, load

MOST_FILES = 100_000
MOST_UNPACKED_BYTES = 1024**3
"""Bytes of all files of an archive together, counted while they are written."""
MOST_PICTURE_BYTES = 8 * 1024**2
MOST_PIXELS = 50_000_000
"""Pixels of one picture; a shared sheet has 9.4 million."""
MOST_PIXELS_TOGETHER = 5_000_000_000
"""Pixels of all pictures of an archive, each of which is decoded: a minute or two."""
MOST_LABELS_BYTES = 8 * 1024**2
"""Bytes of labels.csv, whose lines are kept in memory; the shared one has 1.4 million."""
_MOST_DIRECTORY_BYTES = 12 * 1024**2
"""Bytes of an archive's list of files, which is read as a whole before anything else."""
_MOST_DEPTH = 6
_MOST_NAME = 120
_PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
_CSV = ".csv"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 1024**2
_END, _END_BYTES, _MOST_COMMENT, _ZIP64 = b"PK\5\6", 22, 65_535, b"PK\6\7"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)


class IntakeError(DataError):
    """The upload is no data set that may be used; the message says why and what to do."""


def take_in(upload: Path, folder: Path) -> int:
    """Make a data set in `folder` from an uploaded .zip or .csv, and return the number of its faces.

    Of an archive only pictures and CSV files are kept. One that consists of a single folder is taken as that folder.
    Everything is loaded once. Nothing stays in `folder` if it cannot be. Raise `IntakeError`.
    """
    if folder.exists():
        raise IntakeError(f"There is a data set {folder.name} already; delete it first, or rename the file.")
    fresh = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        fresh.mkdir(mode=0o700, parents=True)
        if upload.suffix.lower() == _CSV:
            shutil.copyfile(upload, fresh / "fer2013.csv")
        else:
            _unpack(upload, fresh)
        root = _root_of(fresh)
        faces = sum(map(len, load(root).values()))
        root.rename(folder)
    except DataError as error:
        told = str(error).replace(f"{_root_of(fresh)}/", "").replace(str(_root_of(fresh)), "the upload")
        raise IntakeError(told) from error
    except OSError as error:
        raise IntakeError(f"The data set cannot be written ({error.strerror}); is the disk full?") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return faces


def _root_of(folder: Path) -> Path:
    """Return the folder that an archive wraps everything in, or the folder itself."""
    for _ in range(_MOST_DEPTH):
        inside = list(folder.iterdir()) if folder.is_dir() else []
        if len(inside) != 1 or not inside[0].is_dir():
            break
        folder = inside[0]
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with archive.open("rb") as file:
            _require_short_directory(file)
            with zipfile.ZipFile(file) as source:
                _unpack_files(source, folder)
    except _DAMAGED as error:
        raise IntakeError(f"{archive.name} is not a zip archive that can be read ({error}).") from error


def _require_short_directory(file: BinaryIO) -> None:
    """Raise `IntakeError` if the list of files is too long to be read, or `ValueError` if there is none.

    `zipfile` reads all of it at once: a file that is nothing but a list would fill the memory. It is found as `zipfile`
    finds it.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _MOST_COMMENT - _END_BYTES))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise ValueError("it has no end")
    if tail[max(0, end - 20) : end].startswith(_ZIP64):
        raise IntakeError("Archives in the form ZIP64 are not taken; pack fewer files, with another program.")
    (length,) = struct.unpack_from("<I", tail, end + 12)
    if length > _MOST_DIRECTORY_BYTES:
        raise _too_many()


def _unpack_files(source: zipfile.ZipFile, folder: Path) -> None:
    entries = source.infolist()
    if len(entries) > MOST_FILES:
        raise _too_many()
    left, left_pixels = MOST_UNPACKED_BYTES, MOST_PIXELS_TOGETHER
    for entry in entries:
        place = _place_of(entry)
        if place is None:
            continue
        if left <= 0:
            raise _too_large()
        target = folder / place
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_picture = target.suffix.lower() != _CSV
        most = MOST_PICTURE_BYTES if is_picture else MOST_LABELS_BYTES if target.name.lower() == "labels.csv" else left
        left -= _write(source, entry, target, min(left, most))
        if is_picture:
            left_pixels -= _pixels(target, entry.filename)
        if left_pixels < 0:
            raise IntakeError(
                f"The pictures have more than {MOST_PIXELS_TOGETHER:,} pixels together; make them smaller."
            )


def _place_of(entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """Return where a file belongs, None if it is not needed. Raise `IntakeError` if its name could lead elsewhere."""
    name, place = entry.filename, PurePosixPath(entry.filename)
    if name.startswith("/") or ".." in place.parts or any(each in '\\:*?"<>|' or ord(each) < 32 for each in name):
        raise IntakeError(f"The archive names a file {_told(name)}, which is not taken; pack only pictures in folders.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise IntakeError(f"{_told(name)} is a link; pack the pictures themselves.")
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in place.parts)
    if entry.is_dir() or is_hidden or place.suffix.lower() not in (*_PICTURES, _CSV):
        return None
    if len(place.parts) > _MOST_DEPTH or any(len(part) > _MOST_NAME for part in place.parts):
        raise IntakeError(f"The name {_told(name)} is too long; use shorter ones.")
    if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
        raise IntakeError(f"{_told(name)} is encrypted or packed by an unusual method; pack it as an ordinary zip.")
    return place


def _write(source: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Write one file of an archive, `most` bytes at most, and return its size."""
    size = 0
    try:
        with source.open(entry) as packed, target.open("xb") as file:
            while piece := packed.read(min(_PIECE, most - size + 1)):
                size += len(piece)
                if size > most:
                    raise _too_large()
                file.write(piece)
    except FileExistsError as error:
        raise IntakeError(f"{_told(entry.filename)} is twice in the archive.") from error
    target.chmod(0o600)
    return size


def _pixels(path: Path, name: str) -> int:
    """Return how many pixels a picture has, by its head: nothing is decoded. Raise `IntakeError` if it is too large, or
    no picture.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise IntakeError(f"{_told(name)} is not a picture (JPEG, PNG, WebP or BMP); leave it out.") from error
    if width * height > MOST_PIXELS:
        raise IntakeError(f"{_told(name)} has {width} x {height} pixels; make it smaller.")
    return width * height


def _too_many() -> IntakeError:
    return IntakeError(f"The archive has too many files; {MOST_FILES:,} at most are taken.")


def _too_large() -> IntakeError:
    return IntakeError(
        f"The archive is too large: {MOST_UNPACKED_BYTES // 1024**2:,} MB unpacked at most, "
        f"{MOST_PICTURE_BYTES // 1024**2} MB a picture, {MOST_LABELS_BYTES // 1024**2} MB labels.csv."
    )


def _told(name: str) -> str:
    """Return a name from an archive for people, cut and without what a terminal would act on."""
    return ascii(name[:80])
