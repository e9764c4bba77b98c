"""The live mirror: frames of a camera come over a socket, and the faces in each go back before the next one comes."""

import asyncio
from collections import Counter
from typing import Any

from pydantic import BaseModel
from starlette.websockets import WebSocket, WebSocketDisconnect

from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.conversation.recipient import Recipient
from bots.conversation.service import EmojiService
from bots.serving.addresses import is_loopback
from bots.serving.fair_queue import TooManyError, Whose
from bots.web.bodies import client_of
from bots.web.shapes import rounded
from bots.web.visitor import Visitor
from db import Person
from recognizer import EMOTIONS, PhotoError, Reading

MOST_VIEWERS = 8
"""Mirrors that are open at once."""
MOST_OF_ONE = 2
"""Those of one browser."""
MOST_OF_ADDRESS = 4
"""Those of one other machine."""
MOST_FRAME_BYTES = 128 * 1024
LEAST_S_A_FRAME = 1 / 30
NEXT_FRAME_WITHIN_S = 6.0
FULL, IDLE, NO_FRAME = 4429, 4408, 4400
"""Why the server closes a socket: too many mirrors, no frame for a while, or something else than a frame."""


class LiveFaceShape(BaseModel):
    """One face of a frame. box: left, top, width and height as shares of the frame's sides. tilt: clockwise, in
    degrees. emotions: a probability for each, in the order of the greeting.
    """

    box: tuple[float, float, float, float]
    tilt: float
    emoji: str
    emotions: list[float]


class FrameShape(BaseModel):
    """What is in a frame, the biggest face first. ms: how long it took to read, without the wait for its turn."""

    faces: list[LiveFaceShape]
    ms: float


class GreetingShape(BaseModel):
    """What a mirror is told first. emotions: the order of those of a face. feelings: the word for each. emoji: what
    shows each.
    """

    emotions: list[str]
    feelings: list[str]
    emoji: list[str]


class Mirrors:
    """Serves the sockets of all mirrors. No frame is kept beyond its answer."""

    def __init__(self, service: EmojiService) -> None:
        self._service = service
        self._open: Counter[Person] = Counter()
        self._addresses: Counter[str] = Counter()

    async def serve(self, socket: WebSocket) -> None:
        """Answer the frames of one socket until it is closed."""
        if "id" not in socket.session:  # no browser that has loaded the page
            await socket.close(NO_FRAME)
            return
        visitor = Visitor.of(socket)
        await socket.accept()
        address = client_of(socket.scope)
        if not self._has_room(visitor.person, address):
            await socket.close(FULL)
            return
        self._open[visitor.person] += 1
        self._addresses[address] += 1
        try:
            recipient = await self._service.recipient_of(visitor.person, visitor.language)
            await self._greet(socket, recipient.voice)
            await self._answer(socket, visitor, recipient)
        except WebSocketDisconnect:
            pass
        finally:
            _leave(self._open, visitor.person)
            _leave(self._addresses, address)

    def _has_room(self, person: Person, address: str) -> bool:
        """Return whether another mirror may be opened; a proxy that runs on this machine speaks for everybody."""
        is_shared = is_loopback(address)
        return (
            self._open.total() < MOST_VIEWERS
            and self._open[person] < MOST_OF_ONE
            and (is_shared or self._addresses[address] < MOST_OF_ADDRESS)
        )

    async def _greet(self, socket: WebSocket, voice: Voice) -> None:
        greeting = GreetingShape(
            emotions=list(EMOTIONS),
            feelings=[voice.say(texts.FEELINGS[each]) for each in EMOTIONS],
            emoji=[self._service.emoji_of(each) for each in EMOTIONS],
        )
        await socket.send_text(greeting.model_dump_json())

    async def _answer(self, socket: WebSocket, visitor: Visitor, recipient: Recipient) -> None:
        clock = asyncio.get_running_loop().time
        whose, before = Whose(visitor.chat, visitor.person), None
        while True:
            try:
                async with asyncio.timeout(NEXT_FRAME_WITHIN_S):
                    message = await socket.receive()
            except TimeoutError:
                await socket.close(IDLE)
                return
            if message["type"] == "websocket.disconnect":
                return
            frame = message.get("bytes")
            if not frame or len(frame) > MOST_FRAME_BYTES:
                await socket.close(NO_FRAME)
                return
            started = clock()
            try:
                before = await self._service.follow(frame, before, whose)
            except (PhotoError, TooManyError):
                before = None
            await socket.send_text(_shape(before, recipient).model_dump_json())
            await asyncio.sleep(max(0.0, LEAST_S_A_FRAME - (clock() - started)))


def _leave(places: Counter[Any], who: object) -> None:
    places[who] -= 1
    if not places[who]:
        del places[who]


def _shape(reading: Reading | None, recipient: Recipient) -> FrameShape:
    if reading is None:
        return FrameShape(faces=[], ms=0.0)
    faces = [
        LiveFaceShape(
            box=rounded(face.box.shares_of(reading.width, reading.height)),
            tilt=round(face.tilt_degrees, 1),
            emoji=recipient.variant_of(face.emoji[0]),
            emotions=[round(each, 3) for each in face.probabilities],
        )
        for face in reading.faces
    ]
    ms = reading.ms
    return FrameShape(faces=faces, ms=round(ms.decode + ms.detect + ms.classify + ms.rank, 1))
