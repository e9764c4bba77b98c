"""Visitors of the web chat, who send photos through its interface to the real program."""

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import skimage.data

from bots.web.interface import PREFIX
from tests.bots.web.program import Bot
from tests.conftest import jpeg
from tests.waiting import until


def portraits(count: int) -> list[bytes]:
    """Return as many photos of one face, each a little different from the others."""
    photo = skimage.data.astronaut()
    return [jpeg(photo[:, number % 40 :], quality=85 + number % 10) for number in range(count)]


@asynccontextmanager
async def running(**settings: str) -> AsyncIterator[Bot]:
    """Run the program in a folder of its own until the context is left. Raise `AssertionError` if it does not end well
    or its log has a traceback.
    """
    with tempfile.TemporaryDirectory() as folder:
        bot = Bot(Path(folder), CONSOLE="false", **settings)
        await until(lambda: "adapter_open" in bot.said() or bot.process.poll() is not None)
        assert bot.process.poll() is None, bot.said()
        try:
            yield bot
        finally:
            status = await asyncio.to_thread(bot.stop)
            said = bot.said()
        assert status == 0, said
        assert "Traceback" not in said, said


class Visitor:
    """One browser. seconds: how long each answer took."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """client: shared with other visitors, so each sends its own cookies."""
        self._client = client
        self._cookies: dict[str, str] = {}
        self.seconds: list[float] = []

    async def send(self, photo: bytes) -> bool:
        """Send a photo and wait for its answer; return whether its face was read."""
        started = time.perf_counter()
        answer = await self._client.post(
            f"{PREFIX}/photos",
            data={"id": secrets.token_hex(8)},
            files={"photo": ("photo", photo)},
            headers={"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())},
        )
        self._cookies.update(answer.cookies)
        self._client.cookies.clear()
        if answer.status_code != 200:
            return False
        last = json.loads(answer.text.splitlines()[-1])
        self.seconds.append(time.perf_counter() - started)
        return bool(last.get("faces"))
