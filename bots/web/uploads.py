"""Take in photos that a page uploads.

NiceGUI's own element would accept any number of any size, and adds a route for each page, which stays in memory.
"""

from collections.abc import Awaitable, Callable

from nicegui import app as nicegui_app
from nicegui import events, ui
from nicegui.client import Client
from nicegui.elements.upload_files import SmallFileUpload
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bots.messages import MOST_FILE_BYTES
from bots.web.bodies import Refused

PATH = "/_nicegui/client/{client_id}/upload/{element_id:int}"
MOST_FILES = 10
MOST_UPLOAD_BYTES = 64 * 1024 * 1024
"""All files of one upload together."""
_FORM_BYTES = 64 * 1024
"""What the form around the files may need."""
_MOST_NAME = 255
_PARTS = PATH.strip("/").split("/")


def attach() -> None:
    """Add the route to the NiceGUI app, before it starts."""
    MultiPartParser.spool_max_size = MOST_UPLOAD_BYTES + _FORM_BYTES  # in memory, never in a temporary file
    nicegui_app.add_api_route(PATH, _receive, methods=["POST"], include_in_schema=False)


def most_bytes(path: str) -> int | None:
    """Return the limit for the body of an upload; None for another path."""
    parts = path.strip("/").split("/")
    is_upload = len(parts) == len(_PARTS) and parts[:2] == _PARTS[:2] and parts[3] == _PARTS[3]
    return MOST_UPLOAD_BYTES + _FORM_BYTES if is_upload else None


class Uploader(ui.element):
    """Quasar's uploader, which sends all files that were chosen together as one form."""

    def __init__(
        self,
        on_files: Callable[[events.MultiUploadEventArguments], Awaitable[None]],
        on_rejected: Callable[[], object],
        on_failed: Callable[[], object],
    ) -> None:
        """on_files: called with what arrived. on_rejected: called if the browser refuses to send what was chosen.
        on_failed: called if the server did not take it in.
        """
        super().__init__("q-uploader")
        self.props["url"] = f"/_nicegui/client/{self.client.id}/upload/{self.id}"
        self.props["max-files"] = MOST_FILES
        self.props["max-file-size"] = MOST_FILE_BYTES
        self.props["max-total-size"] = MOST_UPLOAD_BYTES
        self.props("multiple batch auto-upload")
        self.on("rejected", on_rejected, args=[])
        self.on("failed", on_failed, args=[])
        # each forgets what is done, so that others may be chosen; a reset would break off what is on its way
        self.on("uploaded", lambda: self.run_method("removeUploadedFiles"), args=[])
        self.on("failed", lambda: self.run_method("removeQueuedFiles"), args=[])
        self._on_files = on_files

    def take(self, files: list[SmallFileUpload]) -> None:
        """Hand over files that arrived."""
        arrived = events.MultiUploadEventArguments(sender=self, client=self.client, files=list(files))
        events.handle_event(self._on_files, arrived)


async def _receive(client_id: str, element_id: int, request: Request) -> Response:
    """Hand the files of a request to the uploader of a page. Raise `HTTPException`."""
    client = Client.instances.get(client_id)
    uploader = client.elements.get(element_id) if client is not None else None
    if client is None or not client.has_socket_connection or not isinstance(uploader, Uploader):
        raise HTTPException(404)
    async with request.form(max_files=MOST_FILES, max_fields=0) as form:
        files = [await _file(each) for each in _uploads(form)]
    uploader.take(files)
    return JSONResponse({"upload": "success"})


def _uploads(form: FormData) -> list[UploadFile]:
    """Return the files of a form. Raise `Refused`."""
    uploads = [each for _, each in form.multi_items() if isinstance(each, UploadFile)]
    if not uploads:
        raise Refused(400)
    if any((each.size or 0) > MOST_FILE_BYTES for each in uploads):
        raise Refused(413)
    return uploads


async def _file(upload: UploadFile) -> SmallFileUpload:
    """Read a file, and free what the form held of it."""
    content = await upload.read()
    await upload.close()
    name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return SmallFileUpload(name[:_MOST_NAME], upload.content_type or "", content)
