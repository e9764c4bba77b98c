"""The console as an admin uses it: the real program with a real database, in a real browser."""

import asyncio
import json
import re
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bots.settings import CONSOLE_TOKEN_FILE
from db import Actor, Depth, Origin, Person, Platform, Role, State, Store
from recognizer import EMOTIONS, Recognizer
from tests.bots import invented
from tests.bots.web.conftest import browser, camera_film
from tests.bots.web.program import Bot, needs_browser
from tests.bots.web.visits import violations
from tests.waiting import PATIENCE_S, wait_until

__all__ = ["browser", "camera_film"]

pytestmark = needs_browser

SECRET, TOKEN = "a secret for tests", "a token for tests"
SERVED, OFFERED, NOT_OFFERED = "adapt-11-02", "full-11-20", "adapt-11-09"
PLACES = {
    "Overview": ".heat td small",
    "Review": ".face img",
    "Models": ".version .gain",
    "Retraining": ".choice",
    "Training": ".upload",
    "Admins": ".invite",
}
_Result = TypeVar("_Result")


class Community:
    """A bot with its console, and the database behind it."""

    def __init__(self, bot: Bot, url: str) -> None:
        self.bot = bot
        self._url = url

    def ask(self, question: Callable[[Store], Awaitable[_Result]]) -> _Result:
        """Query the store in a separate thread, because Playwright has a loop in this one."""

        async def answer() -> _Result:
            store = await Store.open(self._url, SECRET)
            try:
                return await question(store)
            finally:
                await store.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, answer()).result()

    def verdicts_of(self, name: str) -> list[str | None]:
        """Return an admin's statements, oldest first."""

        async def look(store: Store) -> list[str | None]:
            me = await store.feedback.person_number(Person(Platform.CONSOLE, name))
            answers = [answer for face in await store.feedback.faces() for answer in face.answers if answer.who == me]
            return [answer.verdict for answer in sorted(answers, key=lambda answer: answer.at)]

        return self.ask(look)

    def served(self) -> str | None:
        async def look(store: Store) -> str | None:
            version = await store.versions.holding(Role.ACTIVE)
            return version.name if version else None

        return self.ask(look)

    def withdraw(self, reading: str) -> set[str]:
        """Withdraw the consent of this face's sender; return all their readings."""

        async def say_no(store: Store) -> set[str]:
            faces = await store.feedback.faces(only_with_answers=False)
            [sender] = [face.sender_hash for face in faces if str(face.reading) == reading]
            people = [Person(Platform.TELEGRAM, f"invented {number}") for number in range(12)]
            [person] = [each for each in people if each.hashed(SECRET) == sender]
            await store.set_keeps_faces(person, False)
            return {str(face.reading) for face in faces if face.sender_hash == sender}

        return self.ask(say_no)


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory, recognizer: Recognizer) -> Iterator[Community]:
    folder = tmp_path_factory.mktemp("console")
    url = f"sqlite:///{folder}/console.db"

    async def fill() -> None:
        store = await Store.open(url, SECRET)
        await invented.fill(store, recognizer.emoji_map, faces=160, people=12)
        await invented.add_versions(store)
        await store.close()

    asyncio.run(fill())
    bot = Bot(folder, DATABASE_URL=url, SECRET=SECRET, CONSOLE_TOKEN=TOKEN)
    bot.wait_for("adapter_open")
    yield Community(bot, url)
    bot.stop()


@pytest.fixture
def models(community: Community) -> Community:
    """Return the community with the same version served before each test."""

    async def reset(store: Store) -> None:
        await store.versions.set_shadow(None)
        active = await store.versions.holding(Role.ACTIVE)
        if active is not None and active.name != SERVED:
            await store.versions.promote(
                SERVED, instead_of=active.name, by=Actor("the tests"), reason="from the beginning"
            )

    community.ask(reset)
    return community


@pytest.fixture
def page(community: Community, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def log_in(page: Page, bot: Bot, name: str = "Ada", place: str = "Overview") -> None:
    page.goto(f"{bot.url}console")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/console")
    go(page, place)


def log_out_elsewhere(page: Page, bot: Bot) -> None:
    """In another window with the same pass."""
    other = page.context.new_page()
    other.goto(f"{bot.url}console")
    other.get_by_role("button", name="Log out").click()
    expect(other).to_have_url(re.compile("/console/login$"))


@contextmanager
def held_open(page: Page) -> Iterator[None]:
    """Meanwhile the page stays, though its own look whether it may, every few seconds, sends it to the login."""
    page.route("**/console/login", lambda route: route.fulfill(status=204))  # "No Content": a browser stays where it is
    yield
    page.unroute("**/console/login")


def go(page: Page, place: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=place, exact=True).click()
    page.wait_for_url(re.compile("/console$" if place == "Overview" else f"/console/{place.lower()}$"))
    expect(page.locator(PLACES[place]).first).to_be_visible()


def shown_face(page: Page) -> str:
    return page.locator("[data-reading]").get_attribute("data-reading") or ""


def press_and_wait(page: Page, key: str, shown: str) -> None:
    """Press a key and wait until another face is shown."""
    page.keyboard.press(key)
    page.wait_for_function("was => document.querySelector('[data-reading]').dataset.reading !== was", arg=shown)


def version(page: Page, name: str) -> Any:
    return page.locator(f"[data-version='{name}']")


@pytest.mark.parametrize("path", ["", "/review", "/models", "/retraining", "/training", "/admins"])
def test_without_a_pass_every_page_asks_for_the_token(page: Page, community: Community, path: str) -> None:
    page.goto(f"{community.bot.url}console{path}")
    expect(page).to_have_url(re.compile("/console/login$"))
    expect(page.get_by_label("Token")).to_have_attribute("type", "password")


def test_a_wrong_token_is_told_and_keeps_the_name(page: Page, community: Community) -> None:
    page.goto(f"{community.bot.url}console/login")
    page.get_by_label("Your name").fill('Eve "><b>')
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the token")
    expect(page.get_by_label("Your name")).to_have_value('Eve "><b>')


def test_logging_out_ends_what_is_open_in_other_windows(page: Page, community: Community) -> None:
    log_in(page, community.bot, place="Retraining")
    with held_open(page):
        log_out_elsewhere(page, community.bot)
        page.evaluate("document.querySelector('.choice').click()")
    expect(page).to_have_url(re.compile("/console/login$"))
    assert community.ask(lambda store: store.retrainings.latest()) is None


def test_a_request_that_came_from_elsewhere_is_refused(community: Community) -> None:
    request = urllib.request.Request(f"{community.bot.url}console", headers={"X-Forwarded-For": "203.0.113.9"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403
    assert "CONSOLE_REMOTE=true" in refused.value.read().decode()
    chat = urllib.request.Request(community.bot.url, headers={"X-Forwarded-For": "203.0.113.9"})
    assert urllib.request.urlopen(chat).status == 200


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_every_page_fits_its_screen_and_shuts_nobody_out(
    community: Community, browser: Browser, theme: Literal["light", "dark"], width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme)
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.append(request.url) if "127.0.0.1" not in request.url else None)
    log_in(page, community.bot)
    for place in PLACES:
        go(page, place)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), place
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(part) for part in re.findall(r"\d+", paper)[:3]) < 384) == (theme == "dark"), place
        assert violations(page) == [], place
    assert [each for each in errors if not each.startswith(("data:", "blob:"))] == []
    context.close()


def test_the_theme_may_be_chosen_and_stays(page: Page, community: Community) -> None:
    log_in(page, community.bot)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    go(page, "Review")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_overview_counts_and_speaks_its_charts(page: Page, community: Community) -> None:
    log_in(page, community.bot)
    expect(page.locator(".tile", has_text="Model served")).to_contain_text(SERVED)
    chart = page.get_by_role("img", name=re.compile("How often the model says what people say"))
    before = chart.get_attribute("aria-label")
    expect(chart.locator("svg path[stroke='var(--accent)']").first).to_be_visible()
    page.get_by_role("button", name="Last 12 weeks").click()
    expect(chart).not_to_have_attribute("aria-label", before or "")


def test_faces_are_labelled_by_keyboard_and_taken_back(page: Page, community: Community) -> None:
    log_in(page, community.bot, "Keya", "Review")
    first = page.locator("[data-reading]").get_attribute("data-reading")
    page.keyboard.press("4")
    expect(page.locator(".status")).to_contain_text("You said 😄 happy")
    expect(page.locator("[data-reading]")).not_to_have_attribute("data-reading", first or "")
    page.keyboard.press("x")
    expect(page.locator(".status")).to_contain_text("2 faces labelled")
    wait_until(lambda: community.verdicts_of("Keya") == ["happy", "not_a_face"])
    page.keyboard.press("z")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-reading]")).to_have_attribute("data-reading", first or "")
    wait_until(lambda: community.verdicts_of("Keya") == [])


def test_undo_takes_back_what_was_said_on_this_page(page: Page, community: Community) -> None:
    log_in(page, community.bot, "Twice", "Review")
    first = shown_face(page)
    press_and_wait(page, "4", first)
    elsewhere = int(shown_face(page))
    community.ask(lambda store: store.feedback.add_label(elsewhere, Person(Platform.CONSOLE, "Twice"), "fear"))
    page.keyboard.press("z")
    expect(page.locator("[data-reading]")).to_have_attribute("data-reading", first)
    wait_until(lambda: community.verdicts_of("Twice") == ["fear"])


def test_a_skipped_face_makes_room_and_comes_back_by_undo(page: Page, community: Community) -> None:
    log_in(page, community.bot, "Skip", "Review")
    first = page.locator("[data-reading]").get_attribute("data-reading")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-reading]")).not_to_have_attribute("data-reading", first or "")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-reading]")).to_have_attribute("data-reading", first or "")
    assert community.verdicts_of("Skip") == []


def test_thirty_faces_in_a_row_are_labelled_by_keyboard_and_none_is_lost(page: Page, community: Community) -> None:
    log_in(page, community.bot, "Swift", "Review")
    seen = set[str]()
    for number in range(30):
        reading = page.locator("[data-reading]").get_attribute("data-reading") or ""
        seen.add(reading)
        press_and_wait(page, str(1 + number % 7), reading)
    assert len(seen) == 30
    said = [EMOTIONS[number % 7] for number in range(30)]
    wait_until(lambda: len(community.verdicts_of("Swift")) == 30)
    assert community.verdicts_of("Swift") == said


def test_others_are_counted_before_and_quoted_after_ones_own_word(page: Page, community: Community) -> None:
    def first_waiting(store: Store) -> Awaitable[bool]:
        return store.feedback.add_label(int(reading), Person(Platform.CONSOLE, "Before"), "fear")

    log_in(page, community.bot, "After", "Review")
    reading = page.locator("[data-reading]").get_attribute("data-reading") or ""
    while "looked already" in page.locator(".face").inner_text():
        press_and_wait(page, "s", reading)
        reading = page.locator("[data-reading]").get_attribute("data-reading") or ""
    community.ask(first_waiting)
    page.reload()
    for _ in range(160):
        if (shown := page.locator("[data-reading]").get_attribute("data-reading") or "") == reading:
            break
        press_and_wait(page, "s", shown)
    expect(page.locator(".face")).to_contain_text("1 other admin looked already")
    page.keyboard.press("6")
    expect(page.locator(".status")).to_contain_text("You said 😢 sad. Another admin said 😨 fear.")


@pytest.mark.parametrize("key", ["s", "z", "4"])
def test_without_a_pass_no_key_shows_another_face(page: Page, community: Community, key: str) -> None:
    log_in(page, community.bot, "Left", "Review")
    press_and_wait(page, "s", shown_face(page))
    with held_open(page):
        log_out_elsewhere(page, community.bot)
        page.evaluate(
            """() => new MutationObserver(() => localStorage.setItem("seen", "a face")).observe(
                document.querySelector(".face"), {childList: true, subtree: true, attributes: true})"""
        )
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/console/login$"))
    assert page.evaluate("localStorage.getItem('seen')") is None
    assert community.verdicts_of("Left") == []


def test_an_open_page_does_not_show_what_was_deleted_meanwhile(page: Page, community: Community) -> None:
    log_in(page, community.bot, "Late", "Review")
    first = shown_face(page)
    press_and_wait(page, "s", first)
    second = shown_face(page)
    gone = community.withdraw(second)
    expect(page.locator(f"[data-reading='{second}']")).to_have_count(0)
    for _ in range(10):
        assert shown_face(page) not in gone
        press_and_wait(page, "s", shown_face(page))


def test_a_label_that_comes_too_late_is_told_kindly(page: Page, community: Community) -> None:
    log_in(page, community.bot, "Slow", "Review")
    community.withdraw(shown_face(page))
    page.keyboard.press("4")
    expect(page.get_by_text("That face was forgotten meanwhile")).to_be_visible()
    assert community.verdicts_of("Slow") == []


def test_promoting_asks_first_and_one_tap_goes_back(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Models")
    version(page, OFFERED).get_by_role("button", name="Promote").click()
    dialog = page.locator(".dialog")
    expect(dialog).to_contain_text(f"{OFFERED} will answer every new photo within seconds, in place of {SERVED}")
    assert models.served() == SERVED
    dialog.get_by_role("button", name="Promote").click()
    expect(page.locator(".served")).to_contain_text(OFFERED)
    assert models.served() == OFFERED
    page.get_by_role("button", name=f"Roll back to {SERVED}").click()
    expect(page.locator(".served strong")).to_have_text(SERVED)
    assert models.served() == SERVED
    expect(page.locator(".history")).to_contain_text(f"{SERVED} rolled back by Ada")


def test_a_version_that_is_not_offered_needs_a_reason(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Models")
    version(page, NOT_OFFERED).get_by_role("button", name="Promote").click()
    serve = page.get_by_role("button", name="Serve it all the same")
    serve.click()
    expect(page.get_by_text("Please write in a few words why")).to_be_visible()
    assert models.served() == SERVED
    page.get_by_label("Why should it be served").fill("I have <b>seen</b> it")
    serve.click()
    expect(page.locator(".served strong")).to_have_text(NOT_OFFERED)
    expect(page.locator(".history q").first).to_have_text("I have <b>seen</b> it")


def test_who_is_too_late_is_told_and_sees_what_is_served_now(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Models")
    version(page, OFFERED).get_by_role("button", name="Promote").click()
    models.ask(
        lambda store: store.versions.promote(NOT_OFFERED, instead_of=SERVED, by=Actor("Grace"), reason="I was here!")
    )
    page.locator(".dialog").get_by_role("button", name="Promote").click()
    expect(page.get_by_text(f"{NOT_OFFERED} was promoted by someone else meanwhile")).to_be_visible()
    expect(page.locator(".served strong")).to_have_text(NOT_OFFERED)
    assert models.served() == NOT_OFFERED


def test_a_version_reads_along_in_shadow(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Models")
    version(page, OFFERED).get_by_role("button", name="Run in shadow").click()
    expect(version(page, OFFERED)).to_contain_text("In shadow; no photo came since")
    models.ask(lambda store: invented.run_in_shadow(store, OFFERED))
    expect(version(page, OFFERED)).to_contain_text(re.compile(r"agrees with the served model on \d+ % of \d+ faces"))
    version(page, OFFERED).get_by_role("button", name="End shadow").click()
    expect(version(page, OFFERED).get_by_role("button", name="Run in shadow")).to_be_visible()


def test_the_report_says_in_words_what_was_found(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Models")
    version(page, OFFERED).get_by_role("button", name="Report").click()
    report = page.get_by_role("dialog", name=f"Report on {OFFERED}")
    expect(report).to_contain_text("It learned from 391 faces of 43 people")
    expect(report).to_contain_text("Of 100 such faces it reads 71 as people said; adapt-11-02 reads 66")
    expect(report.locator(".pair")).to_have_count(7)


def test_a_damaged_version_is_told_and_the_page_stays_usable(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Models")

    async def damage(store: Store) -> None:
        metrics = invented.judgement(gain=5.0, reach=3.0, offered=True, guard=0.0, learned=20).to_metrics()
        await store.versions.add(
            "damaged", b"x", origin=Origin.ADAPT, parent=SERVED, metrics=metrics, fingerprint="f" * 64
        )
        await invented.damage(store, "damaged")

    models.ask(damage)
    version(page, "damaged").get_by_role("button", name="Promote").click()
    page.locator(".dialog").get_by_role("button", name="Promote").click()
    expect(page.get_by_text("The files of damaged are damaged")).to_be_visible()
    expect(page.locator(".served strong")).to_have_text(SERVED)


def test_a_retraining_from_elsewhere_is_followed_stopped_and_judged(page: Page, models: Community) -> None:
    log_in(page, models.bot, place="Retraining")
    number = models.ask(lambda store: store.retrainings.start(Depth.ADAPT, Actor("Grace")))
    models.ask(lambda store: store.retrainings.beat(number, "Learning from 391 faces", 0.42))
    running = page.locator(".running")
    expect(running).to_contain_text("Adapt: 42 %")
    expect(running).to_contain_text("started by Grace")
    expect(running).to_contain_text("Learning from 391 faces")
    expect(page.locator(".choice").first).to_be_hidden()
    page.evaluate("document.querySelector('.choice').click()")  # pressed just before it was hidden
    expect(page.get_by_text("A retraining is running already.")).to_be_visible()
    page.reload()
    running.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("It stops at its next step")).to_be_visible()
    assert models.ask(lambda store: store.retrainings.beat(number, "Judging", 0.9)) is True
    models.ask(lambda store: store.retrainings.finish(number, State.DONE, "A new version is ready.", OFFERED))
    result = page.locator(".result")
    expect(result).to_contain_text("Last time: done")
    expect(result).to_contain_text("It reads your people's faces better")
    result.get_by_role("button", name="Promote").click()
    page.locator(".dialog").get_by_role("button", name="Promote").click()
    expect(result).to_contain_text("It is served now")
    assert models.served() == OFFERED


def invite(page: Page, name: str) -> str:
    """Invite somebody on the page of admins; return the link."""
    page.get_by_label("Their name").fill(name)
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Link").input_value()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".admin", has_text=name)).to_contain_text("works for 48 hours")
    return link


def test_who_is_in_invites_somebody_and_may_end_their_account(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> None:
    bot = Bot(tmp_path_factory.mktemp("accounts"), CONSOLE_TOKEN=TOKEN, LOG_FORMAT="json")
    bot.wait_for("adapter_open")
    operator, ada = browser.new_context().new_page(), browser.new_context().new_page()
    operator.goto(f"{bot.url}console/login")
    operator.get_by_label("Your name").fill("Grace")
    operator.get_by_label("Token").fill(TOKEN)
    operator.get_by_role("button", name="Log in").click()
    operator.get_by_role("link", name="Admins").click()
    link = invite(operator, "Ada <b>")
    assert link.startswith(f"{bot.url}console/join/")
    expect(operator.get_by_label("Their name")).to_have_value("")

    ada.goto(link)
    ada.get_by_role("button", name="Join").click()
    token = ada.get_by_label("Your token").input_value()
    ada.get_by_role("button", name="Open the console").click()
    expect(ada.locator(".who")).to_have_text("Ada <b>")
    ada.get_by_role("button", name="Log out").click()
    ada.get_by_label("Your name").fill("ada <B>")
    ada.get_by_label("Token").fill(token)
    ada.get_by_role("button", name="Log in").click()
    ada.get_by_role("link", name="Admins").click()
    expect(ada.locator(".admin", has_text="(you)")).to_contain_text("joined just now, invited by Grace")

    operator.goto(f"{bot.url}console/admins")
    expect(operator.locator(".who")).to_have_text("Grace (shared token)")
    unused = invite(operator, "Eve")
    operator.get_by_role("button", name="Take back: Eve").click()
    operator.get_by_role("button", name="Take back", exact=True).click()
    expect(operator.get_by_text("Open invitations")).to_be_hidden()
    assert httpx.get(unused, timeout=PATIENCE_S).status_code == 403

    operator.get_by_role("button", name="End: Ada <b>").click()
    operator.get_by_role("button", name="End the account").click()
    expect(operator.locator(".admin")).to_have_count(0)
    expect(operator.get_by_text("Nobody has an account")).to_be_visible()
    expect(ada).to_have_url(re.compile("/console/login$"))
    assert bot.stop() == 0
    said = [json.loads(line) for line in bot.said().splitlines() if '"account"' in line]
    assert [(line["event"], line["account"], line.get("by")) for line in said] == [
        ("console_invited", "Ada <b>", "Grace"),
        ("console_joined", "Ada <b>", None),
        ("console_invited", "Eve", "Grace (shared token)"),
        ("console_invitation_taken_back", "Eve", "Grace (shared token)"),
        ("console_account_ended", "Ada <b>", "Grace (shared token)"),
    ]
    assert not any(secret in bot.said() for secret in (token, link.rpartition("/")[2], unused.rpartition("/")[2]))


def test_an_empty_console_says_what_will_come_and_makes_its_own_token(
    tmp_path_factory: pytest.TempPathFactory, page: Page
) -> None:
    folder = tmp_path_factory.mktemp("empty")
    bot = Bot(folder, WEB_CHAT="false")
    bot.wait_for("console_open")
    token = (folder / "data" / CONSOLE_TOKEN_FILE).read_text(encoding="utf-8")
    assert (folder / "data" / CONSOLE_TOKEN_FILE).stat().st_mode & 0o077 == 0
    page.goto(bot.url)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Nobody has said yet what a face shows").first).to_be_visible()
    for place, sentence in (
        ("review", "Nothing to review"),
        ("models", "came with the software by the software"),
        ("retraining", "Nothing new was tapped"),
        ("training", "Upload a data set or a recipe"),
    ):
        page.goto(f"{bot.url}console/{place}")
        expect(page.get_by_text(sentence)).to_be_visible()
    log = bot.log.read_text(encoding="utf-8")
    assert CONSOLE_TOKEN_FILE in log
    assert token not in log
    assert bot.stop() == 0
