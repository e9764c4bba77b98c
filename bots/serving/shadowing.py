"""Let the version in shadow read the faces that were just answered: later, silently, and only if there is capacity."""

from collections.abc import Callable, Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from bots.serving.inference_pool import InferencePool
from bots.serving.supervision import BackgroundTasks
from db import Store
from recognizer.classification import Classifier

_log = structlog.get_logger()


class Shadowing:
    """Scores faces with the version in shadow and stores the result, for admins to compare."""

    def __init__(self, store: Store, pool: InferencePool, shadow: Callable[[], Classifier | None]) -> None:
        """shadow: returns the current version in shadow, None for none."""
        self._store = store
        self._pool = pool
        self._shadow = shadow
        self._scoring = BackgroundTasks()

    def later(self, readings: Sequence[int], framings: Sequence[NDArray[np.uint8]]) -> None:
        """Score the faces of these readings, each as `Face.framings`, in the background; skip them if no
        worker is free.
        """
        shadow = self._shadow()
        if shadow is None or not readings or not self._pool.has_free_worker:
            return
        self._scoring.start("shadow", self._score(shadow, list(readings), np.stack(framings)))

    async def close(self) -> None:
        """Wait for the running work."""
        await self._scoring.finish()

    async def _score(self, shadow: Classifier, readings: list[int], framings: NDArray[np.uint8]) -> None:
        try:
            said = await self._pool.run(lambda: shadow.classify_framings(framings))
            rows = [(reading, tuple(map(float, seven))) for reading, seven in zip(readings, said, strict=True)]
            await self._store.versions.add_shadow(shadow.card.version, rows)
        except Exception:
            _log.exception("shadow_not_kept", version=shadow.card.version)
