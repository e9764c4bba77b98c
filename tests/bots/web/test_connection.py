"""Connections that are lost, slow or refused: nothing of a conversation is lost with them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from bots.conversation import texts
from tests.bots.web.program import Bot, needs_browser
from tests.bots.web.visits import READY, answer, choose, open_menu, opened, word
from tests.waiting import PATIENCE_S

pytestmark = needs_browser


_WATCH_CHOICE = """() => {
  window.chosen = [];
  const pressed = () => [...document.querySelectorAll(".many .shot button")].map((each) => each.ariaPressed);
  const changes = { childList: true, subtree: true };
  new MutationObserver(() => window.chosen.push(pressed().indexOf("true"))).observe(document.body, changes);
}"""
"""Remembers which photo of an album was shown as the chosen one."""


@pytest.fixture
def bare_page(bot: Bot, browser: Browser) -> Iterator[Page]:
    """A page without its worker, which keeps what the page is made of for times without a connection."""
    context = browser.new_context(locale="en-US", service_workers="block")
    yield opened(context, bot)
    context.close()


def test_a_photo_chosen_without_a_connection_waits_and_goes_out_later(page: Page, selfie_file: Path) -> None:
    page.evaluate("() => import('/static/photos.js').then(() => true)")
    page.context.set_offline(True)
    choose(page, selfie_file)
    expect(page.locator("#offline")).to_be_visible()
    expect(answer(page)).to_contain_text(word("waits"))
    expect(page.locator(".shot img")).to_have_js_property("naturalWidth", 512)
    page.context.set_offline(False)
    expect(answer(page)).to_contain_text("You look happy")
    expect(page.locator("#offline")).to_be_hidden()


def test_a_photo_that_waits_survives_a_reload(page: Page, selfie_file: Path) -> None:
    page.route("**/api/v1/photos", lambda route: route.abort())
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text(word("waits"))
    page.unroute("**/api/v1/photos")
    page.reload()
    expect(answer(page)).to_contain_text("You look happy")


def test_a_reload_keeps_photos_answers_choices_and_made_pictures(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.locator(".keys button.emoji").nth(1).click()
    expect(answer(page)).to_contain_text("May I learn")
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(page.locator("img.made")).to_have_js_property("naturalWidth", 512)
    said = page.locator("#log").inner_text()
    page.reload()
    page.wait_for_selector(READY, state="attached")
    expect(page.locator("#log")).to_have_text(said, use_inner_text=True)
    expect(page.locator("img.made")).to_have_js_property("naturalWidth", 512)
    page.locator("#log").get_by_role("button", name=texts.STICKER).click()
    expect(answer(page)).to_contain_text(texts.STICKER_MADE)


def test_an_answer_that_was_lost_on_its_way_is_asked_for_again_and_stored_once(
    page: Page, bot: Bot, selfie_file: Path
) -> None:
    before = bot.count("photos")
    lost: list[bool] = []

    def lose(route: Route) -> None:
        if not lost:
            route.fetch()  # the server has answered; the browser never learns it
            lost.append(True)
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/photos", lose)
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    assert lost
    assert bot.count("photos") == before + 1


def test_a_photo_that_is_refused_can_be_sent_again(page: Page, selfie_file: Path) -> None:
    page.route("**/api/v1/photos", lambda route: route.fulfill(status=503))
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text(word("not_taken"))
    page.unroute("**/api/v1/photos")
    answer(page).get_by_role("button", name=word("again")).click()
    expect(answer(page)).to_contain_text("You look happy")


def test_a_photo_that_is_too_large_for_a_proxy_is_told_so(page: Page, selfie_file: Path) -> None:
    page.route("**/api/v1/photos", lambda route: route.fulfill(status=413))
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text(texts.FILE_TOO_LARGE)
    expect(answer(page).get_by_role("button", name=word("again"))).to_have_count(0)


@pytest.mark.parametrize("way", ["clear", "forget"])
def test_a_photo_on_its_way_goes_no_further_when_the_conversation_is_cleared(
    page: Page, bot: Bot, selfie_file: Path, way: str
) -> None:
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2000}
    before = bot.count("photos")
    page.evaluate("() => Promise.all(['photos', 'menu'].map((name) => import(`/static/${name}.js`))).then(() => true)")
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/photos")):
        choose(page, selfie_file)
        expect(page.locator(".ring")).to_be_visible()
        if way == "clear":
            open_menu(page, word("clear")).get_by_role("button", name=word("clear_yes")).click()
        else:
            open_menu(page, "Forget me").get_by_role("button", name=texts.FORGET_YES).click()
    session.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(page.locator(".turn")).to_have_count(0)
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector(READY, state="attached")
    expect(page.locator(".turn")).to_have_count(0)
    assert bot.count("photos") == before


def test_what_another_tab_changed_stays_while_a_photo_is_sent(page: Page, bot: Bot, selfie_file: Path) -> None:
    other = opened(page.context, bot)
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route("**/api/v1/photos", hold)
    page.bring_to_front()
    choose(page, selfie_file, selfie_file)
    expect(other.locator(".many .shot")).to_have_count(2)
    other.locator(".many .shot button").nth(1).click()
    second = page.locator(".many .shot button").nth(1)
    expect(second).to_have_attribute("aria-pressed", "true")
    page.evaluate(_WATCH_CHOICE)
    for route in routes:
        route.fulfill(body=json.dumps({"waiting": True, "text": "one moment"}) + "\n")
    expect(answer(page)).to_contain_text(word("waits"))
    assert set(page.evaluate("window.chosen")) == {1}


@pytest.mark.parametrize("status", [502, 404])
def test_a_sample_photo_that_cannot_be_fetched_is_said_to_be_so_and_can_be_tried_again(
    bare_page: Page, status: int
) -> None:
    page = bare_page
    page.route("**/static/astronaut.jpg", lambda route: route.fulfill(status=status, body="<h1>Bad gateway</h1>"))
    sample = page.get_by_role("button", name=word("sample_astronaut"))
    sample.click()
    expect(page.locator("#samples").get_by_role("status")).to_have_text(
        word("tap_lost" if status == 502 else "not_taken")
    )
    page.unroute("**/static/astronaut.jpg")
    sample.click()
    expect(answer(page)).to_contain_text("You look happy")


@pytest.mark.parametrize("name", ["menu", "camera", "mirror"])
def test_what_cannot_be_loaded_is_said_to_be_so(bare_page: Page, name: str) -> None:
    page = bare_page
    page.route(f"**/static/{name}.js", lambda route: route.abort())
    page.get_by_role("button", name=word(name), exact=True).click()
    expect(answer(page)).to_contain_text(word("tap_lost"))
    expect(page.locator("#said")).to_have_text(word("tap_lost"))


def test_two_taps_open_one_sheet(page: Page, selfie_file: Path) -> None:
    page.evaluate("() => { const menu = document.getElementById('menu'); menu.click(); menu.click(); }")
    expect(page.locator("dialog.sheet[open]")).to_have_count(1)
    page.wait_for_timeout(300)
    expect(page.locator("dialog")).to_have_count(1)


def test_a_tap_without_a_connection_says_so_where_it_was_made_and_works_later(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    expect(page.locator(".keys button.emoji")).to_have_count(3)
    page.context.set_offline(True)
    page.locator(".keys button.emoji").nth(1).click()
    expect(answer(page)).to_contain_text(word("tap_lost"))
    page.context.set_offline(False)
    page.locator(".keys button.emoji").nth(1).click()
    expect(page.locator("#log .bubble:not(.mine)").first).to_contain_text("Thank you!")
    expect(page.locator("#log")).not_to_contain_text(word("tap_lost"))


def test_a_restart_of_the_server_is_not_noticed(tmp_path: Path, context: BrowserContext, selfie_file: Path) -> None:
    bot = Bot(tmp_path)
    bot.wait_for("adapter_open")
    page = opened(context, bot)
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    assert bot.stop() == 0
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text(word("waits"))
    again = Bot(tmp_path, WEB_PORT=str(bot.port))
    again.wait_for("adapter_open")
    expect(answer(page)).to_contain_text("You look happy")
    page.locator("#log .bubble:not(.mine)").first.locator("button.emoji").nth(1).click()
    expect(page.locator("#log .bubble:not(.mine)").first).to_contain_text("Thank you!")
    assert again.stop() == 0


def test_tabs_share_one_conversation(page: Page, bot: Bot, selfie_file: Path) -> None:
    other = opened(page.context, bot)
    choose(page, selfie_file)
    expect(answer(other)).to_contain_text("You look happy")
    other.locator(".keys button.emoji").nth(1).click()
    expect(page.locator("#log .bubble:not(.mine)").first).to_contain_text("Thank you!")
    page.bring_to_front()
    page.evaluate("async () => (await import('/static/app.js')).clear()")
    expect(other.locator(".bubble.mine")).to_have_count(0)


def test_what_one_tab_forgets_for_its_age_goes_from_the_others(page: Page, bot: Bot) -> None:
    other = opened(page.context, bot)
    page.evaluate(
        """async () => {
          const { put, newId } = await import("/static/store.js");
          for (let number = 0; number < 200; number += 1) {
            await put({ id: newId(), said: { text: `old ${number}`, rows: [] } });
          }
        }"""
    )
    expect(other.locator(".turn")).to_have_count(200)
    page.evaluate("async () => (await import('/static/app.js')).show({ text: 'new' })")
    expect(other.locator(".turn").last).to_have_text("new")
    expect(other.locator(".turn")).to_have_count(200)
    expect(other.locator(".turn").first).to_have_text("old 1")


def test_what_is_said_later_comes_later_also_within_a_millisecond_and_where_the_clock_was_set_back(page: Page) -> None:
    page.evaluate("() => { const now = Date.now(); Date.now = () => now; }")
    page.evaluate(
        """async () => {
          const { show } = await import("/static/app.js");
          for (let number = 0; number < 20; number += 1) await show({ text: `new ${number}` });
          const before = Date.now() - 86_400_000;
          Date.now = () => before;
          await show({ text: "new 20" });
        }"""
    )
    assert page.locator(".turn").all_inner_texts() == [f"new {number}" for number in range(21)]
    page.reload()
    page.wait_for_selector(READY, state="attached")
    page.evaluate("() => { const before = Date.now() - 86_400_000; Date.now = () => before; }")
    page.evaluate("async () => (await import('/static/app.js')).show({ text: 'new 21' })")
    assert page.locator(".turn").all_inner_texts() == [f"new {number}" for number in range(22)]


def test_a_browser_that_is_full_says_once_that_nothing_more_is_kept(page: Page, bot: Bot, selfie_file: Path) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": bot.url.rstrip("/"), "quotaSize": 1})
    choose(page, selfie_file)
    expect(page.locator("#log")).to_contain_text(word("not_kept"))
    expect(page.locator("#log")).to_contain_text("You look happy")
    choose(page, selfie_file)
    expect(page.locator(".shot .reaction")).to_have_count(2)
    expect(page.locator(".turn", has_text=word("not_kept"))).to_have_count(1)
    page.get_by_role("button", name=texts.EMOJI_ME).last.click()
    expect(answer(page)).to_contain_text(texts.EMOJI_ME_MADE)


def test_a_browser_without_a_memory_for_the_page_says_so_once(page: Page, selfie_file: Path) -> None:
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined });")
    page.reload()
    page.wait_for_selector(READY, state="attached")
    choose(page, selfie_file)
    expect(page.locator(".shot .reaction")).to_have_count(1)
    expect(page.locator(".turn", has_text=word("not_kept"))).to_have_count(1)


def test_the_page_opens_without_a_connection_and_says_so(page: Page, selfie_file: Path) -> None:
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    page.context.set_offline(True)
    page.reload()
    expect(answer(page)).to_contain_text("You look happy")
    expect(page.locator("#offline")).to_be_visible()


def test_a_browser_that_is_full_still_gets_what_the_server_has(page: Page, bot: Bot) -> None:
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # now through the worker
    page.wait_for_selector(READY, state="attached")
    assert page.evaluate("() => navigator.serviceWorker.controller !== null")
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": bot.url.rstrip("/"), "quotaSize": 1})
    assert page.evaluate("async () => (await fetch('/static/officer.jpg')).ok")


def test_the_page_can_be_installed(bot: Bot) -> None:
    manifest = httpx.get(f"{bot.url}app.webmanifest", timeout=PATIENCE_S).json()
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    for icon in manifest["icons"]:
        content = httpx.get(f"{bot.url.rstrip('/')}{icon['src']}", timeout=PATIENCE_S)
        assert content.headers["content-type"].split(";")[0] == icon["type"]
    assert json.dumps(manifest)


def test_the_first_load_is_small(page: Page) -> None:
    sizes = page.evaluate(
        """() => {
          const ready = performance.getEntriesByName("ready")[0].startTime;
          const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
          return all.filter((each) => each.startTime < ready).map((each) => [each.name, each.encodedBodySize]);
        }"""
    )
    assert len(sizes) <= 8, sizes
    assert 0 < sum(size for _, size in sizes) <= 45_000


def test_sample_photos_are_fetched_where_they_are_tried_and_kept_from_then_on(page: Page) -> None:
    fetched = """async () => {
      await navigator.serviceWorker.ready;
      const kept = await (await caches.open("mugmoji-1")).keys();
      const all = [...kept.map(({ url }) => url), ...performance.getEntriesByType("resource").map(({ name }) => name)];
      return all.map((url) => new URL(url).pathname);
    }"""
    photos = {"/static/astronaut.jpg", "/static/officer.jpg"}
    visited = set(page.evaluate(fetched))
    assert "/static/mirror.js" in visited  # what the worker fetched
    assert not photos & visited
    page.reload()  # now through the worker
    page.wait_for_selector(READY, state="attached")
    page.get_by_role("button", name=word("sample_officer")).click()
    expect(answer(page)).to_contain_text("You look neutral")
    assert photos & set(page.evaluate(fetched)) == {"/static/officer.jpg"}
    page.context.set_offline(True)
    assert page.evaluate("async () => (await fetch('/static/officer.jpg')).ok")
