"""What a visitor does on the chat page."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from bots.conversation import texts
from tests.bots.web.program import Bot

READY = "html[data-ready]"


def opened(context: BrowserContext, bot: Bot) -> Page:
    """Return the chat page once it can be used; what its scripts raise fails the test that goes on with it."""
    page = context.new_page()
    page.on("pageerror", lambda error: _fail(error.message))
    page.goto(bot.url)
    page.wait_for_selector(READY, state="attached")
    return page


def _fail(message: str) -> None:
    raise AssertionError(message)


def word(name: str) -> str:
    """Return a sentence of the page in English."""
    return texts.WEB_WORDS[name]


def choose(page: Page, *files: Path, label: str = "") -> None:
    """Choose files for a message. label: of the button, in another language than English."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=label or word("pick")).click()
    chooser.value.set_files(list(files))


def answer(page: Page) -> Locator:
    """Return the last thing that the bot said."""
    return page.locator("#log .bubble:not(.mine)").last


def open_menu(page: Page, entry: str) -> Locator:
    """Open a page of the menu; return its sheet, or the menu's own."""
    page.get_by_role("button", name=word("menu"), exact=True).click()
    page.locator("dialog.sheet[open]").get_by_role("button", name=entry, exact=True).click()
    return page.locator("dialog.sheet[open]")


def kept(page: Page, link: Locator, folder: Path) -> tuple[str, bytes]:
    """Click a link that keeps a file; return its name and its bytes."""
    expect(link).to_be_visible()
    with page.expect_download() as download:
        link.click()
    path = folder / "kept"
    download.value.save_as(path)
    return download.value.suggested_filename, path.read_bytes()


def violations(page: Page) -> list[str]:
    """Return what axe-core objects to, with the elements that it means."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']} {[node['html'][:120] for node in each['nodes']]}" for each in found]
