"""Puts together what the doors are opened around, and keeps what runs beside them going."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bots.admin_desk import AdminDesk
from bots.admins import Admins
from bots.artwork import Artwork
from bots.inference import InferencePool
from bots.map_watch import MapWatch
from bots.model_shelf import ModelShelf
from bots.model_watch import ModelWatch
from bots.retrainer import Retrainer
from bots.retraining_schedule import RetrainingSchedule
from bots.retraining_talk import RetrainingTalk
from bots.review import ReviewDesk
from bots.review_room import ReviewRoom
from bots.service import EmojiService
from bots.settings import Settings
from bots.shadowing import Shadowing
from bots.studio import Studio
from db import Store
from recognizer import EmojiMap, Recognizer


@dataclass(frozen=True)
class Parts:
    """What the doors are opened around."""

    service: EmojiService
    store: Store
    map_watch: MapWatch
    model_watch: ModelWatch
    retrainer: Retrainer


@asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[Parts]:
    """The parts, at work. Raises `DetectorError`, `ModelError`, `EmojiMapError`, `SettingsError`, `StoreError` or
    `ArtworkError`."""
    recognizer = Recognizer.load(emoji_map=settings.emoji_map)
    check = _map_check(settings)
    check(recognizer.emoji_map)
    store = await settings.open_store()
    pool = InferencePool(settings.workers, settings.waiting)
    model_watch = ModelWatch(recognizer, store)
    shadowing = Shadowing(store, pool, lambda: model_watch.shadow)
    beside: list[asyncio.Task[None]] = []
    try:
        await model_watch.start()
        map_watch, retrainer = MapWatch(recognizer, check), Retrainer(store, settings.for_another_process())
        service = EmojiService(
            recognizer,
            store,
            pool,
            Studio(recognizer, Artwork.load()),
            map_watch=map_watch,
            shadowing=shadowing,
            desk=_desk(settings, store, recognizer, retrainer, model_watch),
            candidates=settings.candidates,
        )
        beside.append(asyncio.create_task(model_watch.run()))
        if settings.retrain_at is not None:
            schedule = RetrainingSchedule(store, retrainer, settings.retrain_at, settings.retrain_after)
            beside.append(asyncio.create_task(schedule.run()))
        yield Parts(service, store, map_watch, model_watch, retrainer)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await shadowing.close()
        pool.close()
        await store.close()


def _desk(
    settings: Settings, store: Store, recognizer: Recognizer, retrainer: Retrainer, model_watch: ModelWatch
) -> AdminDesk:
    review = ReviewRoom(ReviewDesk(store, lambda: recognizer.emoji_map))
    shelf = ModelShelf(store, lambda: model_watch.problem)
    return AdminDesk(Admins.parse(settings.admins), review, RetrainingTalk(retrainer, store), shelf)


def _map_check(settings: Settings) -> Callable[[EmojiMap], None]:
    """What an emoji map must pass besides its own rules, at start and when it was edited."""
    if not settings.telegram_token.get_secret_value():
        return lambda _: None
    from bots.telegram_messages import ALLOWED_REACTIONS  # noqa: PLC0415  # only for the door that is opened

    return lambda emoji_map: emoji_map.require_reactions("telegram", ALLOWED_REACTIONS)
