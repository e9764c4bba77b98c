"""Shared by tests of admins: a service with admin commands, faces to review, versions, a stand-in for training."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from bots.admin.allowlist import Allowlist
from bots.admin.commands import AdminCommands
from bots.admin.retraining_chat import RetrainingChat
from bots.admin.review_chat import ReviewChat
from bots.admin.versions_chat import VersionsChat
from bots.conversation.service import EmojiService
from bots.learning.retraining_process import RetrainingProcess
from bots.learning.review_queue import ReviewQueue
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Chat, FaceReading, Origin, Person, Platform, Store
from recognizer import Recognizer
from tests.judgements import judgement

SHIPPED = "shipped-1"
_SEVEN = (0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0)
_IDLE = (sys.executable, "-c", "import time; time.sleep(0)")
"""A process that reports nothing; the test plays its part."""


@asynccontextmanager
async def admin_service(  # what it is made of
    recognizer: Recognizer,
    store: Store,
    picture_maker: PictureMaker,
    admins: str,
    program: tuple[str, ...] = _IDLE,
    environment: dict[str, str] | None = None,
) -> AsyncIterator[EmojiService]:
    """Yield a service with these admins, as in `ADMINS`. program: the command that a retraining starts."""
    pool = InferencePool(workers=2, waiting=8)
    review = ReviewChat(ReviewQueue(store, lambda: recognizer.emoji_map))
    retraining = RetrainingChat(RetrainingProcess(store, environment or {}, program), store, look_every_s=0.05)
    admin_commands = AdminCommands(Allowlist.parse(admins), review, retraining, VersionsChat(store))
    yield EmojiService(recognizer, store, pool, picture_maker, admin_commands=admin_commands)
    pool.close()


async def add_faces(store: Store, count: int) -> list[int]:
    """Store different faces of someone who consented to learning; return their readings."""
    sender, chat = Person(Platform.TELEGRAM, "900"), Chat(Platform.TELEGRAM, "900")
    await store.set_keeps_faces(sender, True)
    readings = []
    for number in range(count):
        crop = np.full((48, 48), 20 + 40 * number, np.uint8).tobytes()
        [reading] = (
            await store.add_photo(sender, chat, SHIPPED, [FaceReading(_SEVEN, ("😄", "😐", "😢"), crop)])
        ).readings
        readings.append(reading.id)
    return readings


async def add_version(store: Store, name: str, *, parent: str = SHIPPED, offered: bool = True) -> None:
    """Add a version judged beside the served one; add the first one, too, if it is missing."""
    await store.versions.begin_with(SHIPPED, b"the files of a model")
    metrics = judgement(offered=offered).to_metrics()
    await store.versions.add(
        name, name.encode(), origin=Origin.ADAPT, parent=parent, metrics=metrics, fingerprint="f" * 64
    )


def training_program(folder: Path) -> tuple[str, ...]:
    """A process that plays `python -m training retrain`: it reports to its database until it is asked to stop."""
    script = folder / "retrain.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    return sys.executable, str(script)


_SCRIPT = """
import asyncio, os, sys
sys.path.insert(0, os.getcwd())
from db import State, Store

async def main():
    store = await Store.open(os.environ["DATABASE_URL"], os.environ["SECRET"])
    number = int(sys.argv[sys.argv.index("--job") + 1])
    while not await store.retrainings.beat(number, "learning", 0.5):
        await asyncio.sleep(0.05)
    await store.retrainings.finish(number, State.CANCELLED, "It was asked to stop.")
    await store.close()

asyncio.run(asyncio.wait_for(main(), 600))  # no longer than its test, if that never asks
"""
