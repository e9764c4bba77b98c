"""The public interface of the web chat, version 1: photos, taps and commands over HTTP, answers as JSON, and a socket
for live pictures (`bots.web.live`).

The page is its first client. A browser is known by its cookie alone; nothing of what it sends is kept but what the
service stores.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.conversation.service import EmojiService, recipient_in
from bots.messages import MOST_COVERS, Command, CommandName, PhotoMessage, Picture, Tap
from bots.serving.admission import Admission, Kind, RefusedError
from bots.serving.fair_queue import Whose
from bots.web import uploads
from bots.web.answering import Answers
from bots.web.bodies import MemoryBudget, Refused, client_of
from bots.web.live import Mirrors
from bots.web.shapes import (
    MOST_EMOJI,
    CoverShape,
    CoversShape,
    FileShape,
    ProblemShape,
    ReplyShape,
    TapReplyShape,
    WaitingShape,
)
from bots.web.visitor import Visitor

PREFIX = "/api/v1"
WITH_PHOTOS = frozenset(f"{PREFIX}/{path}" for path in ("photos", "taps", "covers", "pictures"))
"""The paths that take a photo."""
_MOST_COVERS_FIELD = 16 * 1024
"""Bytes that `MOST_COVERS` need, of some 60 characters and an emoji each."""
_COVERS = TypeAdapter(Annotated[list[CoverShape], Field(max_length=MOST_COVERS)])
_ID = re.compile(r"[\w-]{8,64}")
_NEVER_STORED = {"Cache-Control": "no-store"}
_KEPT_BY_BROWSERS = {"Cache-Control": "private, max-age=604800"}
_LINE_BY_LINE = {**_NEVER_STORED, "Content-Encoding": "identity"}
"""Lines that were to be compressed would wait for each other."""
_LINES = (
    "Answer a photo, in lines of JSON: perhaps a `WaitingShape`, then a `ReplyShape`, or a `ProblemShape` if nothing "
    "was done. Asked again within ten minutes with the same id, a `ReplyShape` is the same, but for the preview; after "
    "a `ProblemShape` the photo is tried anew."
)


class Lines(StreamingResponse):
    """An answer that comes line by line."""

    media_type = "application/x-ndjson"


class CommandBody(BaseModel):
    """A command without arguments."""

    name: CommandName


class WebInterface:
    """Answers what browsers ask, each for its own person."""

    def __init__(self, service: EmojiService, budget: MemoryBudget, admission: Admission) -> None:
        """budget: counts photos in memory. admission: what is in hand."""
        self._service = service
        self._budget = budget
        self._admission = admission
        self._answers = Answers()
        self.router = APIRouter(prefix=PREFIX)
        add = partial(self.router.add_api_route, methods=["POST"])
        form = _form("id", "preview", is_photo_needed=True)
        lines: dict[int | str, dict[str, Any]] = {200: {"model": WaitingShape | ReplyShape | ProblemShape}}
        add("/photos", self._photo, responses=lines, response_class=Lines, description=_LINES, openapi_extra=form)
        problems: dict[int | str, dict[str, Any]] = {429: {"model": ProblemShape}, 503: {"model": ProblemShape}}
        covering = _form("token", is_photo_needed=True)
        arranging = _form("covers", is_photo_needed=True, most_field=_MOST_COVERS_FIELD)
        drawing: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}, 404: {}, 429: {}, 503: {}}
        add("/taps", self._tap, response_model=TapReplyShape, responses=problems, openapi_extra=_form("token"))
        add("/covers", self._covers, response_model=CoversShape, responses=problems, openapi_extra=covering)
        add("/pictures", self._picture, response_model=ReplyShape, responses=problems, openapi_extra=arranging)
        self.router.add_api_route("/covers/{emoji}.png", self._cover_image, response_class=Response, responses=drawing)
        add("/commands", self._command, response_model=ReplyShape, responses=problems)
        self.router.add_api_websocket_route("/live", Mirrors(service).serve)
        self.router.add_api_route("/openapi.json", self._description, include_in_schema=False)

    async def _photo(self, request: Request) -> Response:
        """Answer a photo."""
        visitor = Visitor.of(request)
        asked = await self._service.begun(
            PhotoMessage(visitor.person, visitor.chat, (), visitor.language, comes_again=True, shows_each_face=True)
        )  # before the photo comes: whoever is forgotten meanwhile is not stored
        form = await uploads.read(request)
        name = form.fields.get("id", "")
        if form.photo is None or not _ID.fullmatch(name):
            raise Refused(400)
        message = replace(asked, pictures=(Picture(form.photo),))
        answering, is_new = self._answers.of(visitor.person, name, self._replies(visitor, message))
        held = self._budget.holding(client_of(request.scope), len(form.photo))

        async def followed() -> AsyncIterator[bytes]:
            try:
                async for shape in answering.follow():
                    if "preview" in form.fields and isinstance(shape, ReplyShape):
                        yield _line(shape.model_copy(update={"preview": await self._preview(visitor, message)}))
                    else:
                        yield _line(shape)
            finally:
                if is_new and not answering.is_done:  # the browser has gone, and its photo is still in memory
                    answering.hold(held)

        return Lines(followed(), headers=_LINE_BY_LINE)

    async def _replies(self, visitor: Visitor, message: PhotoMessage) -> AsyncIterator[BaseModel]:
        """Yield the parts of the answer to a photo that was begun."""
        voice = recipient_in(message).voice
        try:
            with self._admission.admitted(Whose(visitor.chat, visitor.person), Kind.PHOTO):
                async for reply in self._service.on_photo(message):
                    if reply.waiting:
                        yield WaitingShape(waiting=True, text=reply.text)
                    elif reply.is_failure:
                        yield ProblemShape(text=reply.text, again=True)
                    else:
                        yield ReplyShape.of(reply, voice)
        except (RefusedError, asyncio.CancelledError):
            yield self._problem(voice, Kind.PHOTO)

    async def _preview(self, visitor: Visitor, message: PhotoMessage) -> FileShape | None:
        """Return the photo as it came with this request, which may repeat one whose answer is remembered; None if it
        cannot be opened, or too much of the visitor is in hand.
        """
        try:
            with self._admission.admitted(Whose(visitor.chat, visitor.person), Kind.OTHER):
                made = await self._service.preview(message)
        except RefusedError:
            return None
        return FileShape.of_picture(made) if made is not None else None

    async def _tap(self, request: Request) -> Response:
        """Answer a tap on a button."""
        visitor, form = Visitor.of(request), await uploads.read(request)
        if (token := form.fields.get("token")) is None:
            raise Refused(400)

        async def fetch() -> Picture | None:
            return Picture(form.photo) if form.photo is not None else None

        tap = Tap(visitor.person, visitor.chat, token, visitor.language, fetch, shows_each_face=True)

        async def tapped() -> TapReplyShape:
            reply = await self._service.on_tap(tap)
            if reply.has_forgotten:
                self._answers.forget(visitor.person)
            return TapReplyShape.of(reply, await self._service.voice_for(visitor.person, visitor.language))

        return await self._answered(visitor, tapped)

    async def _covers(self, request: Request) -> Response:
        """Tell what covers the faces in the picture that a button made of a photo. token: `covers` of that answer."""
        visitor, form = Visitor.of(request), await uploads.read(request)
        token, photo = form.fields.get("token"), form.photo
        if token is None or photo is None:
            raise Refused(400)

        async def fetch() -> Picture:
            return Picture(photo)

        tap = Tap(visitor.person, visitor.chat, token, visitor.language, fetch, shows_each_face=True)

        async def told() -> CoversShape:
            return CoversShape.of(await self._service.on_covers(tap))

        return await self._answered(visitor, told)

    async def _picture(self, request: Request) -> Response:
        """Make a picture of a photo with what is to cover it. covers: a JSON array of `CoverShape`, at most 100."""
        visitor, form = Visitor.of(request), await uploads.read(request, _MOST_COVERS_FIELD)
        if form.photo is None:
            raise Refused(400)
        try:
            covers = [each.cover for each in _COVERS.validate_json(form.fields.get("covers", ""))]
        except ValidationError:
            raise Refused(400) from None
        if not all(each.emoji is None or self._service.can_draw(each.emoji) for each in covers):
            raise Refused(400)
        message = PhotoMessage(visitor.person, visitor.chat, (Picture(form.photo),), visitor.language)

        async def arranged() -> ReplyShape:
            voice = await self._service.voice_for(visitor.person, visitor.language)
            return ReplyShape.of(await self._service.on_arranged(message, covers), voice)

        return await self._answered(visitor, arranged)

    async def _cover_image(self, request: Request, emoji: str) -> Response:
        """Return what covers a face where an emoji does, 512 pixels a side: the cover is a disc in the middle, with a
        radius of a quarter of the side; hats and hands reach beyond it.
        """
        visitor = Visitor.of(request)
        if len(emoji) > MOST_EMOJI or not self._service.can_draw(emoji):
            raise HTTPException(404)
        try:
            with self._admission.admitted(Whose(visitor.chat, visitor.person), Kind.OTHER):
                image = await self._service.cover_image(emoji, visitor.person, visitor.chat)
        except RefusedError:
            raise Refused(503 if self._admission.is_closed else 429) from None
        if image is None:
            raise Refused(503)
        return Response(image, headers=_KEPT_BY_BROWSERS, media_type="image/png")

    async def _command(self, request: Request, body: CommandBody) -> Response:
        """Answer a command."""
        visitor = Visitor.of(request)
        command = Command(visitor.person, visitor.chat, body.name, visitor.language)

        async def replied() -> ReplyShape:
            voice = await self._service.voice_for(visitor.person, visitor.language)
            return ReplyShape.of(await self._service.on_command(command), voice)

        return await self._answered(visitor, replied)

    async def _description(self) -> Response:
        described = get_openapi(title="Mugmoji", version="1", description=__doc__ or "", routes=self.router.routes)
        lines = described["paths"][f"{PREFIX}/photos"]["post"]["responses"]["200"]["content"][Lines.media_type]
        del lines["schema"]["type"]  # FastAPI takes a stream for text
        return JSONResponse(described)

    async def _answered(self, visitor: Visitor, answer: Callable[[], Awaitable[BaseModel]]) -> Response:
        """Answer with what `answer` returns; with the reason if too much of the visitor is in hand."""
        try:
            with self._admission.admitted(Whose(visitor.chat, visitor.person), Kind.OTHER):
                return _json(await answer())
        except RefusedError:
            voice = await self._service.voice_for(visitor.person, visitor.language)
            return _json(self._problem(voice, Kind.OTHER), 503 if self._admission.is_closed else 429)

    def _problem(self, voice: Voice, kind: Kind) -> ProblemShape:
        """Return why something is not answered: the bot is about to end, or too much of a person is in hand."""
        if self._admission.is_closed:
            return ProblemShape(text=voice.say(texts.STOPPING), again=True)
        return ProblemShape(text=voice.say(texts.SLOW_DOWN if kind is Kind.PHOTO else texts.TOO_FAST), again=True)


async def malformed(_request: Request, _error: Exception) -> Response:
    """Answer a body that does not have the form that belongs there, without repeating any of it."""
    return PlainTextResponse("The body does not have the form that belongs here.\n", 422)


def _line(shape: BaseModel) -> bytes:
    return shape.model_dump_json().encode() + b"\n"


def _json(shape: BaseModel, status: int = 200) -> Response:
    return Response(shape.model_dump_json(), status, _NEVER_STORED, "application/json")


def _form(*fields: str, is_photo_needed: bool = False, most_field: int = uploads.MOST_FIELD) -> dict[str, Any]:
    """Return the description of a form with a photo and text fields, of which the first is required."""
    properties: dict[str, Any] = {field: {"type": "string", "maxLength": most_field} for field in fields}
    properties["photo"] = {"type": "string", "format": "binary"}
    required = [fields[0], *(["photo"] if is_photo_needed else [])]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}, "required": True}}
