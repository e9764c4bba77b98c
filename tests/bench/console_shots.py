"""`python -m tests.bench.console_shots`: take the screenshots of the console in docs/, with an invented community."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from db import Store
from recognizer import EmojiMap
from tests.bots import invented

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MOST_BYTES = 250_000
TOKEN, SECRET, PORT = "for the pictures", "a secret for the pictures", 18_473
WIDE, PHONE = (1280, 900), (390, 844)


async def fill(url: str) -> None:
    store = await Store.open(url, SECRET)
    await invented.fill(store, EmojiMap.load(ROOT / "emoji_map.yaml"), faces=1400)
    await invented.add_versions(store)
    await invented.run_in_shadow(store, "adapt-11-09")
    await invented.add_retraining(store, "full-11-20")
    await store.close()


def serve(folder: Path, url: str) -> subprocess.Popen[bytes]:
    settings = {"DATABASE_URL": url, "SECRET": SECRET, "CONSOLE_TOKEN": TOKEN, "WEB_PORT": str(PORT)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
    process = subprocess.Popen([sys.executable, "-m", "bots"], cwd=folder, env=environment)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/console/login")
        except OSError:
            time.sleep(0.1)
        else:
            return process
    raise TimeoutError("the bot does not start")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/shots.db"
        asyncio.run(fill(url))
        take(folder, url)


def take(folder: Path, url: str) -> None:
    with sync_playwright() as playwright:
        bot = serve(folder, url)
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])

        def page(theme: Literal["light", "dark"], size: tuple[int, int]) -> Page:
            width, height = size
            context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
            opened = context.new_page()
            log_in(opened)
            return opened

        try:
            wide, dark, phone = page("light", WIDE), page("dark", WIDE), page("light", PHONE)
            shoot(wide, "/console", ".heat td small", "overview", full=True)
            shoot(dark, "/console/models", ".version .gain", "models")
            dark.set_viewport_size({"width": 1100, "height": PHONE[1]})
            beside = [shoot(dark, "/console/review", ".face img"), shoot(phone, "/console/review", ".face img")]
            keep("review", side_by_side(beside))
        finally:
            bot.terminate()
            bot.wait(20)


def log_in(page: Page) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/console/login")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/console")


def shoot(page: Page, path: str, shown: str, name: str = "", *, full: bool = False) -> np.ndarray:
    """Return a screenshot of the page once it shows the text; also save it under docs/ if it has a name."""
    page.goto(f"http://127.0.0.1:{PORT}{path}")
    page.locator(shown).first.wait_for()
    page.wait_for_timeout(800)
    content = page.screenshot(full_page=full)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    if name:
        keep(name, pixels)
    return pixels


def side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Return the pictures next to each other on a plain background."""
    height = max(picture.shape[0] for picture in pictures)
    gap = np.full((height, 40, 3), 255, np.uint8)
    padded = [
        cv2.copyMakeBorder(each, 0, height - each.shape[0], 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        for each in pictures
    ]
    return np.hstack([padded[0], *(part for each in padded[1:] for part in (gap, each))])


def keep(name: str, pixels: np.ndarray) -> None:
    path = DOCS / f"console-{name}.png"
    written, content = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert written
    assert len(content) < MOST_BYTES, f"{path} would be {len(content)} bytes"
    path.write_bytes(content.tobytes())
    print(f"{path.relative_to(ROOT)}: {len(content) // 1000} kB")


if __name__ == "__main__":
    main()
