"""Fetch the pictures of a message when their turn is near, and keep them in memory no longer than they are needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from bots.conversation import texts
from bots.messages import NotFetchedError, Picture, PictureToFetch, Tap
from bots.serving.fair_queue import Whose
from bots.serving.inference_pool import InferencePool

LONGEST_FETCH_S = 90.0
"""Seconds after which a picture that is still coming in counts as lost: longer than a browser may take to send one
again.
"""
_log = structlog.get_logger()


@asynccontextmanager
async def opened(pool: InferencePool, picture: Picture | PictureToFetch, whose: Whose) -> AsyncIterator[Picture]:
    """Hold a picture in memory in this context; one that is there already is counted by who put it there.

    Raise `NotFetchedError` if the platform does not hand it out, `TooManyError` if too much of the person waits.
    """
    if isinstance(picture, Picture):
        yield picture
        return
    async with pool.near(whose, picture.most_bytes) as held:
        fetched = await _fetched(picture)
        held.settle(len(fetched.content))
        yield fetched


@asynccontextmanager
async def opened_again(pool: InferencePool, tap: Tap) -> AsyncIterator[Picture]:
    """Hold the picture in memory that a tapped button belongs to. Raise as `opened` does."""

    async def fetch() -> Picture:
        picture = await tap.fetch() if tap.fetch is not None else None
        if picture is None:
            raise NotFetchedError(texts.PHOTO_GONE)
        return picture

    async with opened(pool, PictureToFetch(fetch, tap.most_bytes), Whose(tap.chat, tap.person)) as picture:
        yield picture


async def _fetched(picture: PictureToFetch) -> Picture:
    try:
        async with asyncio.timeout(LONGEST_FETCH_S):
            return await picture.fetch()
    except NotFetchedError:
        raise
    except Exception as error:
        _log.exception("fetch_failed", reason=type(error).__name__)
        raise NotFetchedError(texts.DOWNLOAD_FAILED) from error
