"""Take in what an admin uploads for training, in pieces, so that no more than one piece is in memory."""

import asyncio
import math

import structlog
from fastapi import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bots.learning.training_job import TrainingRefusedError
from bots.learning.training_window import TrainingWindow

PATH = "/console/training/upload"
MOST_PIECE_BYTES = 4 * 1024**2
"""Bytes of one piece; console.js sends no larger ones."""
_MOST_NUMBER = 12
_log = structlog.get_logger()


class Uploads:
    """Receives the pieces of one file after the other."""

    def __init__(self, window: TrainingWindow) -> None:
        self._window = window
        self._writing = asyncio.Lock()

    async def take(self, request: Request, by: str) -> Response:
        """Answer an admin's request that brings a piece: with how many bytes there are, or with why it is not taken."""
        asked = request.query_params
        file, offset, size = asked.get("file", ""), _number(asked.get("offset", "")), _number(asked.get("size", ""))
        if offset is None or size is None:
            return PlainTextResponse("Say where the piece belongs: file, offset and size.\n", 400)
        piece = await request.body()
        try:
            async with self._writing:
                there = await asyncio.to_thread(self._window.add_piece, file, offset, size, piece)
        except TrainingRefusedError as error:
            _log.warning("console_action_refused", reason=str(error))
            return PlainTextResponse(f"{error}\n", 409)
        except OSError as error:
            _log.error("training_upload_not_kept", error=type(error).__name__)
            return PlainTextResponse("The file cannot be written; is the disk full?\n", 507)
        if there == size:
            _log.info("training_upload_received", kilobytes=math.ceil(size / 1000), by=by)
        return JSONResponse({"there": there})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_NUMBER else None
