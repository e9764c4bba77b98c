"""Fixtures shared by all tests: the shipped recognizer, a fresh database, photos with known content."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import skimage.data
import structlog
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from bots.conversation.service import EmojiService
from bots.pictures.artwork import Artwork
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Store
from recognizer import Recognizer
from tests.faults import Faults
from training.data import Faces, default_folder, load

MOST_WORKERS = 8
"""Each worker has a Chromium, a PostgreSQL server and a TensorFlow of its own; more of them gain little."""
WORKER_BYTES = 3 << 30
"""Memory that a worker may need: 2.3 GB with TensorFlow, and what it starts (Chromium, PostgreSQL, bots)."""
OTHER_KERNELS = 0.01
"""How far probabilities may differ where only the kernels do: other processors, or other sizes of a batch, have others.
Those for AVX-512 and AVX2 differ by up to 0.0042 over the 3,589 faces of FER2013's valid split, and all labels are the
same; without AVX2 and FMA, 0.0084 over 200 of them.
"""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
pytest_plugins = ("tests.contracts.summary",)


# A test never fails for being slow: that is the machine's. Nor by chance: examples are the same in every run.
settings.register_profile("patient", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure() -> None:
    """Log plain tracebacks: rich's show all locals, which takes a minute for one through SQLAlchemy."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not item.path.is_relative_to(Path(__file__).parent / "training"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` starts: one a core, where the memory suffices."""
    room = int(psutil.virtual_memory().available) // WORKER_BYTES
    return max(1, min(_cores(), room, MOST_WORKERS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[object]) -> None:
    """Let the workers inherit their share of the threads, so that they do not fight for the cores."""
    share = str(max(1, _cores() // len(specs)))
    for name in THREADS:
        os.environ.setdefault(name, share)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
def video_note(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return two seconds of a smiling face."""
    path = tmp_path_factory.mktemp("clip") / "note.mp4"
    frame = cv2.cvtColor(skimage.data.astronaut()[:384, 32:416], cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10, (384, 384))
    for shift in range(20):
        writer.write(np.roll(frame, shift, axis=1))
    writer.release()
    return path.read_bytes()


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
    made = EmojiService(recognizer, store, pool, picture_maker)
    yield made
    await made.close()
    pool.close()
