"""Fixtures shared by all tests: the shipped recognizer, a fresh database, photos with known content."""

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from bots.conversation.service import EmojiService
from bots.pictures.artwork import Artwork
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Store
from recognizer import Recognizer
from tests.faults import Faults
from training.data import Faces, default_folder, load


def jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode RGB pixels as a JPEG."""
    written, content = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert written
    return content.tobytes()


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture(scope="session")
def selfie() -> bytes:
    """Return one smiling face: the astronaut Eileen Collins (NASA, public domain, shipped with scikit-image)."""
    return jpeg(skimage.data.astronaut())


@pytest.fixture(scope="session")
def group_photo() -> bytes:
    """Return two faces of different sizes side by side."""
    face = skimage.data.astronaut()[:300, 60:360]
    canvas = np.full((400, 700, 3), 200, np.uint8)
    canvas[50:350, 20:320] = face
    canvas[100:300, 420:620] = cv2.resize(face, (200, 200), interpolation=cv2.INTER_AREA)
    return jpeg(canvas)


@pytest.fixture(scope="session")
def wall_photo() -> bytes:
    """Return a photo of a brick wall without people."""
    return jpeg(np.repeat(skimage.data.brick()[..., None], 3, axis=2))


@pytest.fixture(scope="session")
def faces() -> Faces:
    """Return the valid split of FER2013 if the shared data is available."""
    if not default_folder().exists():
        pytest.skip(f"needs FER2013: {default_folder()} is not there and FER2013_DIR is not set")
    return load(default_folder())["valid"]


@pytest.fixture
def faults() -> Faults:
    """What breaks the statements of `store`, once a test asks for it."""
    return Faults()


@pytest.fixture
async def store(tmp_path: Path, faults: Faults) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", secret="a secret for tests", before_statement=faults)
    yield store
    await store.close()


@pytest.fixture(scope="session")
def picture_maker(recognizer: Recognizer) -> PictureMaker:
    return PictureMaker(recognizer, Artwork.load())


@pytest.fixture
async def service(recognizer: Recognizer, store: Store, picture_maker: PictureMaker) -> AsyncIterator[EmojiService]:
    pool = InferencePool(workers=2, waiting=8)
    yield EmojiService(recognizer, store, pool, picture_maker)
    pool.close()
