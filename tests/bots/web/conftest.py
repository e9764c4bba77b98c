"""The program with its chat page, a browser, and a page in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.bots.web.program import CHROMIUM, Bot
from tests.bots.web.visits import opened
from tests.conftest import jpeg
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    bot = Bot(tmp_path_factory.mktemp("bot"))
    bot.wait_for("adapter_open")
    yield bot
    bot.stop()


@pytest.fixture(scope="session")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows, over and over: a face that moves from side to side for five seconds, then a wall."""
    path = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    face = skimage.data.astronaut()[:480]
    wall = np.repeat(skimage.data.brick()[:480, :, None], 3, axis=2)
    with path.open("wb") as film:
        for number in range(150):
            frame = np.full((480, 640, 3), 90, np.uint8)
            left = 64 + int(40 * np.sin(number / 16))
            frame[:, left : left + 512] = face if number < 100 else wall
            film.write(jpeg(frame))
    return path


@pytest.fixture(scope="module")  # no longer: its loop would keep asynchronous tests from theirs
def browser(camera_film: Path) -> Iterator[Browser]:
    """A browser whose camera shows a film of a face."""
    assert CHROMIUM is not None
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags += [f"--use-file-for-fake-video-capture={camera_film}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        expect.set_options(timeout=PATIENCE_S * 1000)
        new_context = browser.new_context

        def new_patient_context(**settings: Any) -> BrowserContext:
            context = new_context(**settings)
            context.set_default_timeout(PATIENCE_S * 1000)
            return context

        browser.new_context = new_patient_context  # type: ignore[method-assign]
        yield browser
        browser.close()


@pytest.fixture
def locale(request: pytest.FixtureRequest) -> str:
    """Return the language of the browser."""
    return str(getattr(request, "param", "en-US"))


@pytest.fixture
def context(bot: Bot, browser: Browser, locale: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 800}, locale=locale)
    before = len(bot.said())
    yield context
    context.close()
    assert "Traceback" not in bot.said()[before:]


@pytest.fixture
def page(bot: Bot, context: BrowserContext) -> Page:
    """A page with an empty conversation; whatever its scripts complain about fails the test."""
    return opened(context, bot)


@pytest.fixture
def selfie_file(tmp_path: Path, selfie: bytes) -> Path:
    path = tmp_path / "selfie.jpg"
    path.write_bytes(selfie)
    return path


@pytest.fixture
def group_file(tmp_path: Path, group_photo: bytes) -> Path:
    path = tmp_path / "us.jpg"
    path.write_bytes(group_photo)
    return path
