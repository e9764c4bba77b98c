"""Take in what a page sends as a form: at most one photo, and a few short fields around it."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

from bots.messages import MOST_FILE_BYTES
from bots.web.bodies import Refused

MOST_FIELDS = 3
MOST_FIELD = 64
"""Bytes of a field."""
_FORM_BYTES = 20 * 1024
"""What the form around the photo may need."""
MOST_UPLOAD_BYTES = MOST_FILE_BYTES + _FORM_BYTES


@dataclass(frozen=True, repr=False)
class Form:
    """What came. photo: the bytes of a file, None if there is none. fields: the others, by their names."""

    photo: bytes | None
    fields: Mapping[str, str]


def attach() -> None:
    """Let forms be read in memory, never through a temporary file, before the server starts."""
    MultiPartParser.spool_max_size = MOST_UPLOAD_BYTES


async def read(request: Request, most_field: int = MOST_FIELD) -> Form:
    """Return the form of a request. Raise `Refused`, or an `HTTPException` for what is no form.

    most_field: bytes of a field.
    """
    photo: bytes | None = None
    fields = {}
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=most_field) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                photo = await _photo(value)
            else:
                fields[name] = value
    if any(len(each) > most_field for each in fields.values()):
        raise Refused(400)
    return Form(photo, fields)


async def _photo(upload: UploadFile) -> bytes:
    """Return the bytes of a file, and free what the form held of them. Raise `Refused`."""
    if (upload.size or 0) > MOST_FILE_BYTES:
        raise Refused(413)
    content = await upload.read()
    await upload.close()
    return content
