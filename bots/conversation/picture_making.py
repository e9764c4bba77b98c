"""Run the picture maker in the inference pool, and turn failures into sentences for people."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from bots.conversation import texts
from bots.messages import MadePicture, Picture
from bots.serving.inference_pool import InferencePool
from db import Platform
from recognizer import PhotoError

_log = structlog.get_logger()


async def make_picture(
    pool: InferencePool, platform: Platform, make: Callable[[], MadePicture | None], of: Picture
) -> tuple[MadePicture | None, str]:
    """Return what `make` returns and an empty string, or None and the sentence (of `texts`) that says why not.

    make: a method of `PictureMaker` with its arguments bound; runs in a worker thread. of: the picture that it is made
    from, which decides whether it is hidden. Raise nothing.
    """
    try:
        made = await pool.run(make)
    except PhotoError as error:
        _log.info("photo_refused", platform=platform, code=error.code.value)
        return None, texts.PHOTO_PROBLEMS[error.code]
    except Exception:
        _log.exception("picture_failed", platform=platform)
        return None, texts.FAILED
    if made is None:
        return None, texts.NO_FACE
    return replace(made, has_spoiler=of.has_spoiler), ""
