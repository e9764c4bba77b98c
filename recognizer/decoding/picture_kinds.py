"""Tell the format of a picture by its first bytes."""

from enum import StrEnum


class Kind(StrEnum):
    """The formats that are read; the values are Pillow's names of them where it has one."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    HEIC = "HEIC"
    AVIF = "AVIF"
    JXL = "JXL"


_MAGIC = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"BM", Kind.BMP),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
    (b"II+\0", Kind.TIFF),
    (b"MM\0+", Kind.TIFF),
    (b"\xff\x0a", Kind.JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind.JXL),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_GENERIC_BRANDS = frozenset({b"mif1", b"mif2", b"msf1", b"miaf"})
_MOST_BRANDS = 64
_MOST_BOXES = 64
_HEVC_ITEM, _AV1_ITEM = b"hvc1", b"av01"
_SEARCHED = 1 << 16


def kind_of(data: bytes) -> Kind | None:
    """Return the format of a picture, or None if it is none that is read."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    if data[4:8] == b"ftyp":
        return _kind_of_items(data)
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _kind_of_items(data: bytes) -> Kind | None:
    """Return the format of an ISO base media file that calls itself a picture: by its items, or else by its brands."""
    end = min(int.from_bytes(data[:4], "big"), 16 + 4 * _MOST_BRANDS)
    brands = {data[8:12], *(data[place : place + 4] for place in range(16, end, 4))}
    if not brands & (_HEIC_BRANDS | _AVIF_BRANDS | _GENERIC_BRANDS) or _is_film(data):
        return None
    head = data[:_SEARCHED]
    if (_HEVC_ITEM in head) != (_AV1_ITEM in head):
        return Kind.HEIC if _HEVC_ITEM in head else Kind.AVIF
    return Kind.AVIF if brands & _AVIF_BRANDS else Kind.HEIC


def _is_film(data: bytes) -> bool:
    """Return whether a file has a film among its first boxes, and no list of items, one of which would be a picture."""
    names, place = set(), 0
    for _ in range(_MOST_BOXES):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        names.add(name)
        if size < 8:
            break
        place += size
    return b"moov" in names and b"meta" not in names
