"""Measurements that `speed.process_table` runs in a separate process: each prints one number."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from db import Platform

_started = time.perf_counter()


def start() -> float:
    """Return the seconds from no imports to the first photo read."""
    from recognizer import Recognizer

    Recognizer.load().read(_photo())
    return time.perf_counter() - _started


def reader_memory() -> float:
    """Return the resident megabytes after one photo, with only the recognizer imported."""
    from tests.bench.memory import resident_mb

    start()
    return resident_mb()


async def serving_memory() -> float:
    """Return the megabytes after the service answered 100 photos while the web chat was running, of all processes."""
    from bots.conversation.service import EmojiService
    from bots.messages import PhotoMessage, Picture
    from bots.pictures.artwork import Artwork
    from bots.pictures.maker import PictureMaker
    from bots.serving.inference_pool import InferencePool
    from bots.web.adapter import WebAdapter
    from db import Chat, Person, Store
    from recognizer import Recognizer
    from tests.bench.memory import family_mb

    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite:///{folder}/bench.db", "a secret for the bench")
        recognizer = Recognizer.load(is_isolated=True)
        pool, picture_maker = InferencePool(workers=2, waiting=8), PictureMaker(recognizer, Artwork.load())
        service = EmojiService(recognizer, store, pool, picture_maker)
        serving = asyncio.create_task(WebAdapter(service, host="127.0.0.1", port=18080, secret="bench").run())
        photo = PhotoMessage(Person(Platform.WEB, "bench"), Chat(Platform.WEB, "bench"), (Picture(_photo()),))
        for _ in range(100):
            async for _reply in service.on_photo(photo):
                pass
        megabytes = family_mb()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await store.close()
    return megabytes


def _photo() -> bytes:
    """Read the photo from a file, so that the imports for making it are not measured."""
    return Path(sys.argv[2]).read_bytes()


if __name__ == "__main__":
    figure = {"start": start, "reader-memory": reader_memory, "serving-memory": lambda: asyncio.run(serving_memory())}
    print(figure[sys.argv[1]]())
