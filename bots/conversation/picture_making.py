"""Run the picture maker in the inference pool, and turn failures into sentences for people."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from bots.conversation import texts
from bots.messages import MadePicture, Picture
from bots.serving.fair_queue import TooManyError, Whose
from bots.serving.inference_pool import InferencePool
from db import Chat, Person
from recognizer import PhotoError

_Made = TypeVar("_Made")
_log = structlog.get_logger()


async def make_picture(
    pool: InferencePool, person: Person, chat: Chat, make: Callable[[], MadePicture | None], of: Picture
) -> tuple[MadePicture | None, str]:
    """Return what `make` returns and an empty string, or None and the sentence (of `texts`) that says why not.

    person and chat: for whom it is made. make: a method of `PictureMaker` with its arguments bound; runs in a worker
    thread. of: the picture that it is made from, which decides whether it is hidden. Raise nothing.
    """
    made, problem = await attempt(pool, person, chat, make)
    return (replace(made, has_spoiler=of.has_spoiler) if made is not None else None), problem


async def attempt(
    pool: InferencePool, person: Person, chat: Chat, make: Callable[[], _Made | None]
) -> tuple[_Made | None, str]:
    """Do what `make_picture` does for anything that is made of a photo; None stands for a photo without a face."""
    try:
        made = await pool.run(make, Whose(chat, person))
    except TooManyError:
        return None, texts.SLOW_DOWN
    except PhotoError as error:
        _log.info("photo_refused", platform=chat.platform, code=error.code.value)
        return None, texts.PHOTO_PROBLEMS[error.code]
    except Exception:
        _log.exception("picture_failed", platform=chat.platform)
        return None, texts.FAILED
    return (made, "") if made is not None else (None, texts.NO_FACE)
