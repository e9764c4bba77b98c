"""Serve the version that is active in the database; it is replaced while photos are read, and no photo is lost.

If a version cannot be served, or the database is unavailable, nothing changes: the served version stays, and `problem`
tells admins why.
"""

import asyncio

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import Role, Store, Version, VersionError
from recognizer import EMOTIONS, FACE_SIZE, ModelError, Recognizer
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder, unpack

LOOK_EVERY_S = 2.0
"""Time between queries of a replica, short enough that a promotion reaches it within five seconds."""

_log = structlog.get_logger()


class ModelWatch:
    """Updates `recognizer.classifier` and the version in shadow from the database.

    problem: why the version that the database names is not served, as a sentence; empty if it is served. shadow: the
    classifier of the version in shadow; None if there is none.
    """

    def __init__(self, recognizer: Recognizer, store: Store, damage: str = "") -> None:
        """damage: what is wrong with the model that came with the software, as a sentence; empty if it is whole."""
        self._damage = damage
        self._recognizer = recognizer
        self._store = store
        self._refused: dict[Role, tuple[str, str]] = {}
        self.problem = damage
        self.shadow: Classifier | None = None

    async def start(self) -> None:
        """Store the model that came with the software, and load the active version. Raise nothing."""
        try:
            artefact = await asyncio.to_thread(pack_folder, MODEL_FOLDER)
            await self._store.versions.begin_with(self._recognizer.version, artefact)
        except (SQLAlchemyError, OSError, VersionError):
            _log.exception("shipped_model_not_kept")
        try:
            await self.refresh()
        except Exception:
            _log.exception("model_not_refreshed")  # the shipped model is served, and `run` tries again

    async def run(self) -> None:
        """Refresh every `LOOK_EVERY_S` seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.refresh()

    async def refresh(self) -> None:
        """Query the database once for each role, and load what changed.

        A version that cannot be served becomes a `problem`; unexpected errors are raised, so that the supervisor logs
        them and restarts the task.
        """
        try:
            problems = [await self._take_up(role) for role in Role]
            problem = " ".join(filter(None, (self._damage, *problems)))
        except (SQLAlchemyError, OSError) as error:
            problem = "The database cannot be reached; the model that was served goes on."
            reason = type(error).__name__
        else:
            reason = problem
        if problem and problem != self.problem:
            _log.error("model_kept", served=self._recognizer.version, reason=reason)
        self.problem = problem

    async def _take_up(self, role: Role) -> str:
        """Load the version of one role if it changed; return the problem with it, if any."""
        version = await self._store.versions.holding(role)
        held = self._recognizer.classifier if role is Role.ACTIVE else self.shadow
        refused = self._refused.pop(role, None)
        if version is None:
            if role is Role.SHADOW:
                self.shadow = None
            return ""
        if held is not None and held.card.version == version.name:
            return ""
        if refused is None or refused[0] != version.name:
            try:
                classifier = await self._sound(version)
            except (VersionError, ModelError, ValueError, RuntimeError) as error:
                refused = version.name, f"{version.name} cannot be served: {error} {self._recognizer.version} goes on."
            else:
                return self._hold(role, classifier)
        self._refused[role] = refused
        return refused[1]

    def _hold(self, role: Role, classifier: Classifier) -> str:
        """Use a classifier in a role from now on."""
        if role is Role.ACTIVE:
            self._recognizer.classifier = classifier
        else:
            self.shadow = classifier
        _log.info("model_taken_up", role=role.value, version=classifier.card.version)
        return ""

    async def _sound(self, version: Version) -> Classifier:
        """Return a version's classifier after it has classified a test image.

        Raise `VersionError`, `ModelError` or `ValueError`, or `RuntimeError`, with which LiteRT rejects a network.
        """
        artefact = await self._store.versions.artefact(version.name)
        return await asyncio.to_thread(_tried, artefact)


async def whole_version(store: Store) -> Classifier | None:
    """Return a version that is stored whole, for where the one that came with the software is damaged: the active one,
    else the newest; None if there is none.
    """
    versions = [version for version in await store.versions.all() if version.is_kept]
    for version in sorted(versions, key=lambda each: each.role is not Role.ACTIVE):
        try:
            return await asyncio.to_thread(_tried, await store.versions.artefact(version.name))
        except (VersionError, ModelError, ValueError, RuntimeError) as error:
            _log.warning("version_not_whole", version=version.name, reason=str(error))
    return None


def _tried(artefact: bytes) -> Classifier:
    classifier = Classifier.from_files(unpack(artefact))
    ramp = np.tile(np.arange(FACE_SIZE, dtype=np.uint8) * 5, (1, FACE_SIZE, 1))
    said = classifier.classify(ramp)
    if said.shape != (1, len(EMOTIONS)) or not np.isfinite(said).all() or abs(float(said.sum()) - 1) > 1e-3:
        raise ModelError(f"{classifier.card.version} does not return seven probabilities.")
    return classifier
