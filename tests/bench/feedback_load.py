"""Measure the cost of retraining while the bot answers: 1,000 labels in a real database, its process beside the
service.
"""

import asyncio
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import skimage.data
from pydantic import SecretStr
from rich.table import Table

from bots.conversation.service import EmojiService
from bots.learning.retraining_process import RetrainingProcess
from bots.messages import PhotoMessage, Picture
from bots.pictures.artwork import Artwork
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Actor, Chat, Depth, Imported, Person, Platform, Retraining, State, Store
from db.settings import DatabaseSettings
from recognizer import EMOTIONS, Recognizer
from tests.conftest import jpeg
from training.data import Faces

LABELS = 1000
_IDLE_PHOTOS = 200
_FACES_EACH = 5


def load_table(faces: Faces) -> Table:
    """Tabulate time and memory of adapt with 1,000 labels, and the response time of photos meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        settings = DatabaseSettings(database_url=SecretStr(f"sqlite:///{folder}/bench.db"), data_dir=Path(folder))
        return asyncio.run(_measured(settings, faces))


async def _measured(settings: DatabaseSettings, faces: Faces) -> Table:
    store, recognizer = await settings.open_store(), Recognizer.load()
    await store.feedback.add_imported(_labelled(faces, recognizer), recognizer.version, "bench")
    pool = InferencePool(workers=2, waiting=8)
    service = EmojiService(recognizer, store, pool, PictureMaker(recognizer, Artwork.load()))
    selfie = jpeg(skimage.data.astronaut())
    photo = PhotoMessage(Person(Platform.WEB, "bench"), Chat(Platform.WEB, "bench"), (Picture(selfie),))
    await _answered(service, photo)
    idle = [await _answered(service, photo) for _ in range(_IDLE_PHOTOS)]
    retraining_process = RetrainingProcess(store, settings.for_another_process())
    started = time.monotonic()
    number = await retraining_process.start(Depth.ADAPT, Actor("bench"))
    ended = asyncio.create_task(_ended(store, number))
    busy, peak = [], 0
    while not ended.done():
        busy.append(await _answered(service, photo))
        peak = max(peak, _resident())
    seconds, retraining = time.monotonic() - started, await ended
    pool.close()
    await store.close()
    table = Table("", "idle", "while retraining", title=f"adapt with {LABELS:,} labels, the bot answering meanwhile")
    for name, share in (("photo answered, median", 0.5), ("photo answered, p95", 0.95)):
        table.add_row(name, *(f"{1000 * float(np.quantile(times, share)):.1f} ms" for times in (idle, busy)))
    table.add_row("retraining, from the tap to its judgement", "", f"{seconds:.0f} s ({retraining.state})")
    table.add_row("its memory at most", "", f"{peak / 1e6:.0f} MB")
    return table


def _labelled(faces: Faces, recognizer: Recognizer) -> list[Imported]:
    rows = np.random.default_rng(0).permutation(len(faces))[:LABELS]
    said = recognizer.classify(faces.pixels[rows])
    return [
        Imported(
            faces.pixels[row].tobytes(),
            tuple(map(float, said[place])),
            EMOTIONS[int(faces.labels[row])],
            Person(Platform.IMPORT, str(place // _FACES_EACH)),
        )
        for place, row in enumerate(rows)
    ]


async def _answered(service: EmojiService, photo: PhotoMessage) -> float:
    """Return the seconds until the photo is answered."""
    started = time.perf_counter()
    async for _ in service.on_photo(photo):
        pass
    return time.perf_counter() - started


async def _ended(store: Store, number: int) -> Retraining:
    while (seen := await store.retrainings.find(number)) is None or seen.state is State.RUNNING:
        await asyncio.sleep(0.2)
    return seen


def _resident() -> int:
    """Return the resident bytes of the child processes."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += child.memory_info().rss
    return total
