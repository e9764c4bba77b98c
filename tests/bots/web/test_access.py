"""Pages for everybody: axe-core finds no violation on any page of the chat, and all of it works at 400 %."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bots.conversation import texts
from tests.bots.web.program import needs_browser
from tests.bots.web.visits import answer, choose, open_menu, violations, word

pytestmark = needs_browser


def _welcome(page: Page, _: Path) -> None:
    expect(page.locator("#welcome")).to_be_visible()


def _answered(page: Page, file: Path) -> None:
    choose(page, file)
    page.locator("#log .keys button.emoji").nth(1).click()
    expect(answer(page)).to_contain_text("May I learn")


def _corrected(page: Page, file: Path) -> None:
    choose(page, file)
    page.get_by_role("button", name=texts.NONE_FITS).click()
    expect(answer(page)).to_contain_text(texts.WHICH_EMOTION)


def _made(page: Page, file: Path) -> None:
    choose(page, file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(page.locator("img.made")).to_be_visible()


def _more(page: Page, file: Path) -> None:
    choose(page, file)
    page.get_by_role("button", name=texts.MORE_MEANING).click()
    expect(page.locator("dialog.sheet[open] .grid button").first).to_be_visible()


def _menu(page: Page, _: Path) -> None:
    page.get_by_role("button", name=word("menu"), exact=True).click()
    expect(page.locator("dialog.sheet[open] .list button").first).to_be_visible()


def _settings(page: Page, _: Path) -> None:
    open_menu(page, "Settings").get_by_role("button", name=texts.LANGUAGE).click()
    expect(page.locator("dialog.sheet[open]")).to_contain_text(texts.WHICH_LANGUAGE)


def _privacy(page: Page, _: Path) -> None:
    expect(open_menu(page, "Privacy")).to_contain_text(texts.ALLOW_FACES)


def _camera(page: Page, _: Path) -> None:
    page.get_by_role("button", name=word("camera"), exact=True).click()
    expect(page.get_by_role("button", name=word("snap"))).to_be_visible()


def _mirror(page: Page, _: Path) -> None:
    page.get_by_role("button", name=word("mirror"), exact=True).click()
    page.get_by_role("button", name=word("mirror_meter")).click()
    expect(page.get_by_role("button", name=word("clip"))).to_be_visible()


STATES = [_welcome, _answered, _corrected, _made, _more, _menu, _settings, _privacy, _camera, _mirror]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.strip("_"))
def test_no_page_shuts_anybody_out(
    page: Page, selfie_file: Path, state: Callable[[Page, Path], None], scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    state(page, selfie_file)
    assert violations(page) == []


def test_a_group_photo_and_an_album_shut_nobody_out(page: Page, group_file: Path, selfie_file: Path) -> None:
    choose(page, group_file)
    expect(page.locator(".shot .place")).to_have_count(2)
    choose(page, selfie_file, group_file)
    expect(page.locator(".many .reaction")).to_have_count(2)
    assert violations(page) == []


@pytest.mark.parametrize("locale", ["ar-EG", "de-DE"], indirect=True)
def test_it_can_be_used_at_four_times_its_size(page: Page, group_file: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 256})  # 1280 x 1024 at 400 % (WCAG 2.2, 1.4.10)
    with page.expect_file_chooser() as chooser:
        page.locator("#pick").click()
    chooser.value.set_files(group_file)
    key = page.locator("#log .keys button.emoji").first
    key.scroll_into_view_if_needed()
    key.click()
    expect(page.locator("#log .keys button.emoji[aria-pressed=true]").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_conversation_is_not_read_out_anew_when_a_button_changes(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    expect(page.locator("#said")).to_contain_text("You look happy")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")
    page.locator("#log .keys button.emoji").nth(1).click()
    expect(page.locator("#said")).to_contain_text("Thank you!")


def test_every_picture_and_reaction_has_a_name(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    expect(page.get_by_role("img", name="my reaction: 😁")).to_be_visible()
    expect(page.get_by_role("img", name=word("your_photo"))).to_be_visible()
    expect(page.locator("main")).to_have_count(1)
