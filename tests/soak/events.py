"""Events of Discord with fields changed at random, through a real connection to a small Discord on loopback."""

import asyncio
import copy
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bots.conversation.service import EmojiService
from bots.discord.adapter import DiscordAdapter
from bots.pictures.artwork import Artwork
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Store
from recognizer import Recognizer
from tests.bots.discord.server import ALICE, CHANNEL, GUILD, ME, DiscordServer, guild, photo_of
from tests.soak.finding import Finding
from tests.soak.mutation import change
from tests.soak.visitors import portraits
from tests.waiting import PATIENCE_S, until

Event = tuple[str, dict[str, Any]]
_SEED = 100
_AT_ONCE = 20
_PAUSE_S = 0.02
"""After a handful of events, so that answers come in between."""
_EXPECTED = frozenset({"malformed_event", "discord_event_failed", "command_failed", "answer_lost"})
"""What is logged of an event that means nothing."""


async def run(count: int) -> Finding:
    """Send so many events; afterwards the same connection still answers a photo."""
    chance, unseen, server = random.Random(_SEED), list[str](), DiscordServer()
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: unseen.append(repr(context.get("exception", context["message"])))
    )
    server.files = {"me.jpg": _photo}
    with capture_logs() as logs, pytest.MonkeyPatch.context() as patch:
        async with server.running(patch), _connected(server):
            samples = _samples(server)
            for start in range(0, count, _AT_ONCE):
                for number in range(start, min(count, start + _AT_ONCE)):
                    name, told = copy.deepcopy(samples[number % len(samples)])
                    change(chance, told)
                    await server.send(name, told)
                await asyncio.sleep(_PAUSE_S)
            before = len(server.answers)
            await server.send("GUILD_CREATE", guild())  # a mutated one may have taken the channel away
            await server.write(f"<@{ME}>", attachments=[photo_of(server)])
            await until(lambda: len(server.answers) > before)
    events = Counter(each["event"] for each in logs if each["log_level"] in {"warning", "error", "critical"})
    others = sorted(set(events) - _EXPECTED)
    connections = len(server.identified)
    figure = (
        f"{events['malformed_event']} left out, {events['discord_event_failed']} failed, {connections - 1} lost "
        f"connections, then a photo is answered {[*others, *unseen[:3]] or ''}".strip()
    )
    return Finding(
        f"{count:,} mutated events of Discord",
        figure,
        "the connection stays, nothing else fails",
        connections == 1 and not others and not unseen,
    )


@asynccontextmanager
async def _connected(server: DiscordServer) -> AsyncIterator[None]:
    """Connect the bot, as an operator starts it, while in this context."""
    recognizer, pool = Recognizer.load(), InferencePool(workers=2, waiting=8)
    with TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite:///{Path(folder) / 'soak.db'}", "secret")
        service = EmojiService(recognizer, store, pool, PictureMaker(recognizer, Artwork.load()))
        task = asyncio.create_task(DiscordAdapter(service, "not.a.token").run())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await server.is_ready.wait()
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await service.close()
            pool.close()
            await store.close()
            recognizer.close()


async def _photo(_request: web.Request) -> web.Response:
    return web.Response(body=portraits(1)[0])


def _samples(server: DiscordServer) -> list[Event]:
    """Return events of the kinds that the bot hears of."""
    photo = server.written(f"<@{ME}>", attachments=[photo_of(server)])
    written = server.written(f"<@{ME}> hello")
    reaction = {
        "user_id": str(ALICE),
        "channel_id": str(CHANNEL),
        "message_id": photo["id"],
        "guild_id": str(GUILD),
        "emoji": {"id": None, "name": "😁"},
        "type": 0,
        "burst": False,
    }
    server.messages |= {int(each["id"]): each for each in (photo, written)}
    pressed = server.pressed({**written, "author": photo["author"]}, "e:1:0")
    asked = {key: value for key, value in pressed.items() if key != "message"}
    return [
        ("MESSAGE_CREATE", photo),
        ("MESSAGE_CREATE", written),
        ("MESSAGE_UPDATE", {**photo, "edited_timestamp": photo["timestamp"]}),
        ("MESSAGE_REACTION_ADD", reaction),
        ("MESSAGE_REACTION_REMOVE", reaction),
        ("INTERACTION_CREATE", pressed),
        ("INTERACTION_CREATE", {**asked, "type": 2, "data": {"id": "1", "name": "help", "type": 1}}),
        ("GUILD_CREATE", guild()),
        ("MESSAGE_DELETE", {"id": photo["id"], "channel_id": str(CHANNEL), "guild_id": str(GUILD)}),
    ]
