"""Find the orientation in EXIF metadata, and nothing else, without failing on any bytes."""

import struct

_HEADER = b"Exif\0\0"
_ORIENTATION = 0x0112
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I"}
"""The types in which writers state it, and `struct`'s names of them; the standard asks for the second."""
_UPRIGHT = 1
_MOST_ENTRIES = 1000


def orientation_in(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that a block of EXIF states; 1 if it states none or cannot be read.

    exif: a TIFF header and what follows it, with or without `Exif\\0\\0` in front.
    """
    exif = exif.removeprefix(_HEADER)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return _UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(min(entries, _MOST_ENTRIES)):
            place = start + 2 + 12 * number
            tag, kind, count = struct.unpack_from(f"{order}HHI", exif, place)
            if tag == _ORIENTATION and count == 1 and kind in _WHOLE_NUMBERS:
                (value,) = struct.unpack_from(order + _WHOLE_NUMBERS[kind], exif, place + 8)
                return int(value) if 1 <= value <= 8 else _UPRIGHT
    except struct.error:
        pass
    return _UPRIGHT
