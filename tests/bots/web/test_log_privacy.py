"""The log of the web door, from the real program at the level debug, names no browser and no admin."""

import sqlite3
from pathlib import Path

from playwright.sync_api import Browser, expect

from bots.conversation import texts
from tests.bots.log_privacy import assert_names_nothing
from tests.bots.web.program import Bot, needs_browser
from tests.bots.web.visits import answer, choose, open_menu, opened


@needs_browser
def test_photos_taps_commands_and_failures_leave_no_trace_of_people(
    tmp_path: Path, browser: Browser, selfie: bytes
) -> None:
    bot = Bot(tmp_path, LOG_LEVEL="debug", LOG_FORMAT="json", CONSOLE_TOKEN="a-long-token-of-the-console-for-tests")
    bot.wait_for("adapter_open")
    try:
        page = opened(browser.new_context(), bot)
        photo, broken = tmp_path / "whitcombe-on-holiday.jpg", tmp_path / "whitcombe-broken.jpg"
        photo.write_bytes(selfie)
        broken.write_bytes(selfie[:3000])
        choose(page, photo)
        page.locator(".keys button.emoji").nth(1).click()
        page.get_by_role("button", name=texts.ALLOW_FACES).click()
        choose(page, broken)
        expect(answer(page)).to_contain_text("damaged")
        for name in ("Help", "Settings", "Privacy", "My data", "Forget me"):
            expect(open_menu(page, name).locator(".text")).not_to_have_text(texts.WEB_WORDS["looking"])
            page.keyboard.press("Escape")
        cookies = [cookie["value"] for cookie in page.context.cookies() if len(cookie.get("value", "")) > 8]
        page.goto(f"{bot.url}console/login")
        for token in ("a wrong token", "a-long-token-of-the-console-for-tests"):
            page.get_by_label("name").fill("Adalgisa")
            page.get_by_label("token").fill(token)
            page.keyboard.press("Enter")
            page.wait_for_load_state()
        page.wait_for_url(f"{bot.url}console")
        page.goto(f"{bot.url}console/review")
        database = sqlite3.connect(tmp_path / "data" / "mugmoji.db")
        database.execute("DROP TABLE taps")
        database.commit()
        hashes = [row[0] for row in database.execute("SELECT hash FROM people")]
        page.goto(bot.url)
        choose(page, photo)
        page.locator(".keys button").first.wait_for(state="attached")
        page.close()
    finally:
        bot.stop()
    secret = (tmp_path / "data" / "mugmoji.secret").read_text(encoding="utf-8")
    tokens = [secret, "a wrong token", "a-long-token-of-the-console", *cookies]
    assert_names_nothing(bot.said(), ["whitcombe", "Adalgisa", *tokens, *hashes], [selfie])
