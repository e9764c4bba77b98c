"""The reasons why bytes cannot be read as a photo, each with a sentence for the sender."""

from enum import StrEnum


class PhotoProblem(StrEnum):
    """The reasons why bytes may not be readable as a photo."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    NOT_A_PICTURE = "not_a_picture"
    NEEDS_HEIC = "needs_heic"
    NEEDS_AVIF = "needs_avif"
    NEEDS_JXL = "needs_jxl"
    DAMAGED = "damaged"
    TOOK_TOO_LONG = "took_too_long"
    UNREADABLE = "unreadable"
    """The process that worked on it has died."""


class PhotoError(Exception):
    """The bytes cannot be read as a photo. `code` is the reason; the message is a sentence for the sender."""

    def __init__(self, code: PhotoProblem) -> None:
        super().__init__(_SENTENCES[code])
        self.code = code


_SENTENCES = {
    PhotoProblem.EMPTY: "The file is empty. Please send the picture again.",
    PhotoProblem.TOO_MANY_BYTES: "The file is larger than 20 MB. Please send a smaller version of the picture.",
    PhotoProblem.TOO_MANY_PIXELS: "The picture has too many pixels. Please send a smaller version, or a JPEG.",
    PhotoProblem.TOO_SMALL: "The picture is tiny (under 24 pixels a side). Please send a larger one.",
    PhotoProblem.NOT_A_PICTURE: (
        "This is not a picture I can open. Please send a JPEG, PNG, WebP, HEIC, AVIF, JPEG XL, GIF, BMP or TIFF."
    ),
    PhotoProblem.NEEDS_HEIC: "This is a HEIC picture, which is not set up here. Please send it as JPEG.",
    PhotoProblem.NEEDS_AVIF: "This is an AVIF picture, which is not set up here. Please send it as JPEG.",
    PhotoProblem.NEEDS_JXL: "This is a JPEG XL picture, which is not set up here. Please send it as JPEG.",
    PhotoProblem.DAMAGED: "The picture is damaged or was cut off on the way. Please send it again.",
    PhotoProblem.TOOK_TOO_LONG: "Reading this picture takes too long. Please send a smaller or simpler version of it.",
    PhotoProblem.UNREADABLE: "Something in this picture keeps me from opening it. Please send it as a plain JPEG.",
}
