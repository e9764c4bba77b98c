"""Nonsense: pictures, updates, events and messages of sockets, changed at random. Only documented errors come of it."""

import asyncio
import copy
import io
import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import skimage.data
import websockets
from PIL import Image

from bots.telegram.webhook import SECRET_HEADER
from recognizer import PhotoError, Recognizer
from tests.attacks.test_stopping import Program
from tests.bots.telegram.server import telegram_server
from tests.soak import events
from tests.soak.finding import Extent, Finding
from tests.soak.mutation import ODD, change, mutated
from tests.soak.visitors import portraits, running

PICTURES, UPDATES, MESSAGES = 100_000, 10_000, 10_000
LONGEST_S = 5.0
_AT_ONCE = 20
_PICTURES_AT_ONCE, _BATCH = 2, 100
_READ, _REFUSED = "read", "refused"
_SEED = 100
_SECRET = "a-secret-of-the-soak"
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


async def run(extent: Extent) -> list[Finding]:
    """Return what comes of each kind of nonsense."""
    return [
        await asyncio.to_thread(_pictures, extent.of(PICTURES)),
        await _updates(extent.of(UPDATES)),
        await events.run(extent.of(UPDATES)),
        await _messages(extent.of(MESSAGES)),
    ]


def _pictures(count: int) -> Finding:
    """Read pictures of which some bytes were changed, cut out or doubled."""
    chance, recognizer = random.Random(_SEED), Recognizer.load(is_isolated=True)
    samples = [_encoded(kind) for kind in _FORMATS]
    slowest, outcomes, wrong = 0.0, Counter[str](), list[str]()

    def outcome(mutant: bytes) -> tuple[str, float]:
        started = time.perf_counter()
        try:
            recognizer.read(mutant)
        except PhotoError:
            said = _REFUSED
        except Exception as error:
            said = type(error).__name__
        else:
            said = _READ
        return said, time.perf_counter() - started

    try:
        with ThreadPoolExecutor(_PICTURES_AT_ONCE) as threads:
            for start in range(0, count, _BATCH):
                numbers = range(start, min(count, start + _BATCH))
                mutants = [mutated(chance, samples[number % len(samples)]) for number in numbers]
                for number, (said, seconds) in zip(numbers, threads.map(outcome, mutants), strict=True):
                    outcomes[said] += 1
                    slowest = max(slowest, seconds)
                    wrong += [f"picture {number}: {said}"] if said not in {_READ, _REFUSED} else []
    finally:
        recognizer.close()
    figure = f"{outcomes[_READ]:,} read, {outcomes[_REFUSED]:,} refused, {len(wrong)} other errors {wrong[:3] or ''}"
    told = f"{figure.strip()}; the slowest {slowest:.1f} s"
    wanted = f"no other error, none over {LONGEST_S:.0f} s"
    return Finding(f"{count:,} mutated pictures", told, wanted, not wrong and slowest <= LONGEST_S)


def _encoded(kind: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()[::4, ::4]).save(content, kind)
    return content.getvalue()


async def _updates(count: int) -> Finding:
    """Post updates of Telegram with fields changed at random to the running program."""
    chance, headers = random.Random(_SEED), {SECRET_HEADER: _SECRET}
    with TemporaryDirectory() as folder:
        async with telegram_server() as telegram:
            settings = {
                "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram",
                "TELEGRAM_WEBHOOK_SECRET": _SECRET,
                "WEB_CHAT": "true",
            }
            program = Program(Path(folder), telegram, **settings)
            await program.is_open()
            picture = telegram.picture(portraits(1)[0])
            samples = _samples(picture)
            statuses: dict[int, int] = {}
            single = httpx.Limits(max_keepalive_connections=0)
            async with httpx.AsyncClient(
                base_url=program.bot.url, timeout=60, headers=headers, limits=single
            ) as client:

                async def post(number: int) -> None:
                    update = copy.deepcopy(samples[number % len(samples)])
                    change(chance, update)
                    update.setdefault("update_id", number)
                    answer = await client.post("/telegram", content=json.dumps(update))
                    statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

                for start in range(0, count, _AT_ONCE):
                    await asyncio.gather(*(post(number) for number in range(start, min(count, start + _AT_ONCE))))
            status = await asyncio.to_thread(program.bot.stop)
            said = program.bot.said()
            telegram.violations.clear()  # what is answered to nonsense need not fit
    failed, died = said.count("telegram_update_failed"), said.count("task_died")
    figure = f"answers {dict(sorted(statuses.items()))}, {failed} failed and were dropped, {died} tasks died"
    is_met = status == 0 and not died and set(statuses) <= {200, 400, 503}
    return Finding(f"{count:,} mutated updates of Telegram", figure, "200, 400 or 503, no task dies", is_met)


def _samples(picture: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return updates of the kinds that the bot asks for."""
    person = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    chat = {"id": 7, "type": "private", "first_name": "Ada"}
    message = {"message_id": 1, "date": 1_800_000_000, "from": person, "chat": chat}
    command = {"type": "bot_command", "offset": 0, "length": 5}
    query = {"id": "1", "from": person, "chat_instance": "1", "data": "e:1:0"}
    return [
        {"message": {**message, "photo": picture}},
        {"message": {**message, "text": "/help", "entities": [command]}},
        {"message": {**message, "photo": picture, "media_group_id": "5", "caption": "@telemelya_bot"}},
        {"edited_message": {**message, "edit_date": 1_800_000_001, "text": "hello"}},
        {"callback_query": {**query, "message": {**message, "text": "which?"}}},
        {"inline_query": {"id": "2", "from": person, "query": "", "offset": ""}},
        {
            "message_reaction": {
                "chat": chat,
                "message_id": 1,
                "user": person,
                "date": 1_800_000_000,
                "old_reaction": [],
                "new_reaction": [{"type": "emoji", "emoji": "😁"}],
            }
        },
    ]


async def _messages(count: int) -> Finding:
    """Send what is no frame, or a damaged one, through the mirror's socket of the running program."""
    chance, [frame] = random.Random(_SEED), portraits(1)
    closed = answered = 0
    async with running() as bot, httpx.AsyncClient(base_url=bot.url) as client:
        cookies = "; ".join(f"{name}={value}" for name, value in (await client.get("/")).cookies.items())
        url = f"ws://127.0.0.1:{bot.port}/api/v1/live"
        while closed + answered < count:
            try:
                async with websockets.connect(url, additional_headers={"Cookie": cookies}) as mirror:
                    await mirror.recv()
                    while closed + answered < count:
                        is_frame = chance.random() < 0.9
                        await mirror.send(mutated(chance, frame) if is_frame else str(chance.choice(ODD)))
                        await mirror.recv()
                        answered += 1
            except websockets.ConnectionClosed:
                closed += 1
        is_up = (await client.get("/healthz")).status_code == 200
    figure = f"{answered:,} answered, {closed:,} sockets closed, the program is {'up' if is_up else 'down'}"
    return Finding(f"{count:,} mutated messages of a mirror", figure, "the program stays up, no traceback", is_up)
