"""The web chat as a person uses it: the real program, in a real browser."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, nearest, speak
from tests.conftest import jpeg
from tests.films import film
from tests.ports import free_port
from tests.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


class Bot:
    """`python -m bots` in a separate folder, with only the settings given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / "bot.log"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "WEB_PORT": str(self.port), **settings}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bots"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.said() or self.process.poll() is not None, self.said)
        assert words in self.said()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    bot = Bot(tmp_path_factory.mktemp("bot"))
    bot.wait_for("adapter_open")
    yield bot
    bot.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        expect.set_options(timeout=PATIENCE_S * 1000)
        yield browser
        browser.close()


@pytest.fixture
def locale(request: pytest.FixtureRequest) -> str:
    """Return the language of the browser."""
    return str(getattr(request, "param", "en-US"))


@pytest.fixture
def page(bot: Bot, browser: Browser, locale: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 800}, locale=locale)
    page = context.new_page()
    before = len(bot.said())
    page.goto(bot.url)
    _wait_for_chat(page)
    yield page
    context.close()
    assert "Traceback" not in bot.said()[before:]


@pytest.fixture
def selfie_file(tmp_path: Path, selfie: bytes) -> Path:
    path = tmp_path / "selfie.jpg"
    path.write_bytes(selfie)
    return path


def _wait_for_chat(page: Page) -> None:
    expect(page.locator(".bubble").first).to_be_visible()
    page.wait_for_function("() => window.did_handshake === true")


def _left_edge(page: Page, selector: str) -> float:
    """Return the distance in pixels of the first of these elements from the left of the screen."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"]


def _choose(page: Page, *files: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=texts.WEB_PICK).click()
    chooser.value.set_files(list(files))


@needs_browser
def test_a_chosen_photo_gets_a_reaction_and_candidates(page: Page, selfie_file: Path) -> None:
    _choose(page, selfie_file)
    expect(page.locator(".shot .reaction")).to_have_text("😁")
    expect(page.locator(".keys button.emoji")).to_have_count(3)
    expect(page.locator(".shot img")).to_have_js_property("naturalWidth", 512)


@needs_browser
def test_a_tap_changes_answer_and_reaction(page: Page, selfie_file: Path) -> None:
    _choose(page, selfie_file)
    second = page.locator(".keys button.emoji").nth(1)
    emoji = second.inner_text()
    second.click()
    expect(page.locator(".bubble").nth(-2)).to_contain_text(texts.CHOSEN.format(emoji=emoji))
    expect(page.locator(".bubble").last).to_contain_text(texts.CONSENT.format(kept="for at most 90 days"))
    expect(page.locator(".shot .reaction")).to_have_text(emoji)
    expect(page.locator(".keys button[aria-pressed=true]")).to_have_text(emoji)


@needs_browser
def test_emoji_me_shows_the_covered_photo_as_a_link_that_keeps_it(
    page: Page, selfie_file: Path, tmp_path: Path
) -> None:
    _choose(page, selfie_file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    made = page.locator(".bubble").last.get_by_role("img", name=texts.WEB_MADE_ALT)
    expect(made).to_have_js_property("naturalWidth", 512)
    expect(page.locator(".bubble").last).to_contain_text(texts.EMOJI_ME_MADE)
    name, content = _kept(page, tmp_path)
    assert name == "emoji.jpg"
    assert content.startswith(b"\xff\xd8")
    before, after = (cv2.imdecode(np.frombuffer(each, np.uint8), 1) for each in (selfie_file.read_bytes(), content))
    assert before is not None
    assert after is not None
    change = np.abs(before.astype(int) - after).mean(axis=2)
    assert change[80:160, 190:260].mean() > 30  # her face
    assert change[-50:, :].mean() < 5
    assert page.locator(".keys button.emoji").count() == 3


@needs_browser
def test_a_sticker_is_a_transparent_png(page: Page, selfie_file: Path, tmp_path: Path) -> None:
    _choose(page, selfie_file)
    page.get_by_role("button", name=texts.STICKER).click()
    expect(page.locator(".bubble").last).to_contain_text(texts.STICKER_MADE)
    name, content = _kept(page, tmp_path)
    assert name == "sticker.png"
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.shape == (512, 512, 4)
    assert (pixels[0, 0, 3], pixels[196, 256, 3]) == (0, 255)


@needs_browser
def test_a_group_photo_is_answered_by_a_picture_of_its_numbered_faces(
    page: Page, tmp_path: Path, group_photo: bytes
) -> None:
    group = tmp_path / "us.jpg"
    group.write_bytes(group_photo)
    _choose(page, group)
    answer = page.locator(".bubble").last
    expect(answer.locator("img.made")).to_have_js_property("naturalWidth", 700)
    expect(answer).to_contain_text("2. ")
    rows = answer.locator(".keys")
    expect(rows).to_have_count(3)
    expect(rows.last.get_by_role("button")).to_have_text([texts.EMOJI_ME])
    box, key = rows.first.bounding_box(), rows.first.get_by_role("button").first.bounding_box()
    assert box is not None
    assert key is not None
    assert box["height"] < 1.5 * key["height"]  # one face, one row, also on a phone


@needs_browser
def test_a_photo_that_hardly_compresses_is_fetched_again_all_the_same(page: Page, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3)).astype(np.uint8)
    noise[200:1700, 200:1700] = cv2.resize(skimage.data.astronaut(), (1500, 1500)) // 4 * 3 + noise[:1500, :1500] // 4
    photo = tmp_path / 'grain "1" \N{GRINNING FACE}.jpg'
    photo.write_bytes(jpeg(noise, quality=95))
    _choose(page, photo)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(page.locator(".bubble").last).to_contain_text(texts.EMOJI_ME_MADE)


@needs_browser
@pytest.mark.parametrize("name", ["scan.tiff", "scan.jpg"])
def test_a_photo_that_the_browser_cannot_show_is_fetched_again_as_it_was_sent(
    page: Page, tmp_path: Path, name: str
) -> None:
    scan = tmp_path / "scan.tiff"
    cv2.imwrite(str(scan), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    _choose(page, scan.rename(tmp_path / name))
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(page.locator("img.made")).to_be_visible()


@needs_browser
@pytest.mark.parametrize("name", ["wave.gif", "wave.mp4"])
def test_a_clip_is_answered_and_its_emoji_me_is_a_clip(page: Page, tmp_path: Path, name: str) -> None:
    clip = tmp_path / name
    container, codec, pixels = ("gif", "gif", "rgb8") if name.endswith("gif") else ("mp4", "mpeg4", "yuv420p")
    clip.write_bytes(film([skimage.data.astronaut()[:384, 32:416]] * 8, container, codec, pixels))
    _choose(page, clip)
    expect(page.locator(".bubble").last).to_contain_text("You look happy")
    expect(page.locator(".shot img, .shot video")).to_be_visible()
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    made = page.locator(".bubble a")
    expect(made).to_have_attribute("download", "emoji.gif")


@needs_browser
def test_a_game_is_played_with_photos(page: Page, selfie_file: Path) -> None:
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".bubble").last).to_contain_text("Round 1 of 3")
    page.get_by_role("button", name=texts.PLAY_CHANGE).click()
    expect(page.locator(".bubble").last).to_contain_text("Round 1 of 3")
    for shown in ("Round 2 of 3", "Round 3 of 3", texts.PLAY_TEACHES):
        _choose(page, selfie_file)
        expect(page.locator(".bubble").last).to_contain_text(shown)
    expect(page.get_by_role("button", name=texts.PLAY_AGAIN)).to_be_visible()


@needs_browser
def test_everything_about_a_person_comes_as_a_file(page: Page, selfie_file: Path, tmp_path: Path) -> None:
    _choose(page, selfie_file)
    expect(page.locator(".bubble").last).to_contain_text("You look happy")
    page.get_by_role("button", name="My data").click()
    expect(page.locator("a.file")).to_have_attribute("href", re.compile("^blob:"))
    with page.expect_download() as download:
        page.locator("a.file").click()
    content = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert content["platform"] == "web"
    assert len(content["faces"]) == 1


def test_nothing_is_taken_in_that_was_not_asked_for(bot: Bot) -> None:
    request = urllib.request.Request(f"{bot.url}again/some-ticket", data=b"a photo", method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 404


@needs_browser
def test_several_photos_offer_no_pictures(page: Page, selfie_file: Path, tmp_path: Path, group_photo: bytes) -> None:
    group = tmp_path / "us.jpg"
    group.write_bytes(group_photo)
    _choose(page, selfie_file, group)
    expect(page.locator(".bubble").last).to_contain_text("Photo 2")
    assert page.locator("img.made").count() == 0
    assert page.get_by_role("button", name=texts.EMOJI_ME).count() == 0


@needs_browser
def test_it_works_by_keyboard(page: Page, selfie_file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=texts.WEB_PICK).press("Enter")
    chooser.value.set_files(selfie_file)
    page.locator(".keys button.emoji").first.focus()
    page.keyboard.press("Space")
    expect(page.locator(".bubble").nth(-2)).to_contain_text("Thank you!")  # the last is the question about faces


@needs_browser
@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_may_be_dropped_or_pasted(page: Page, selfie: bytes, way: str) -> None:
    page.evaluate(
        """([bytes, way]) => {
          const file = new File([new Uint8Array(bytes)], "me.jpg", {type: "image/jpeg"});
          const carried = new DataTransfer();
          carried.items.add(file);
          const event = way === "drop"
            ? new DragEvent("drop", {dataTransfer: carried, bubbles: true})
            : new ClipboardEvent("paste", {clipboardData: carried, bubbles: true});
          document.body.dispatchEvent(event);
        }""",
        [list(selfie), way],
    )
    expect(page.locator(".shot .reaction")).to_have_text("😁")


@needs_browser
def test_the_camera_takes_a_photo(page: Page) -> None:
    page.get_by_role("button", name=texts.WEB_CAMERA).click()
    expect(page.locator("video.viewfinder")).to_have_js_property("paused", False)
    page.wait_for_function("() => document.querySelector('.viewfinder').videoWidth > 0")
    page.get_by_role("button", name=texts.WEB_SNAP).click()
    expect(page.locator(".bubble").last).to_contain_text(texts.NO_FACE)


@needs_browser
def test_several_photos_are_answered_once(page: Page, tmp_path: Path, selfie_file: Path, wall_photo: bytes) -> None:
    wall = tmp_path / "wall.jpg"
    wall.write_bytes(wall_photo)
    _choose(page, selfie_file, wall)
    expect(page.locator(".bubble").last).to_contain_text("Photo 2")
    expect(page.locator(".shot")).to_have_count(2)


@needs_browser
def test_what_is_no_picture_gets_a_sentence_and_the_next_photo_an_answer(
    page: Page, tmp_path: Path, selfie_file: Path
) -> None:
    document = tmp_path / "holiday.jpg"
    document.write_bytes(b"%PDF-1.7")
    _choose(page, document)
    expect(page.locator(".bubble").last).to_contain_text("not a picture")
    _choose(page, selfie_file)
    expect(page.locator(".bubble").last).to_contain_text("You look happy")


@needs_browser
def test_privacy_and_forgetting_are_one_press_away(page: Page) -> None:
    page.get_by_role("button", name="Privacy").click()
    page.get_by_role("button", name=texts.ALLOW_FACES).click()
    expect(page.get_by_role("button", name=texts.REFUSE_FACES)).to_be_visible()
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator(".bubble").last).to_contain_text(texts.FORGET_ASKS)
    page.get_by_role("button", name=texts.FORGET_YES).click()
    expect(page.locator(".bubble").last).to_contain_text(texts.FORGOTTEN)


@needs_browser
@pytest.mark.parametrize("locale", ["ar-EG"], indirect=True)
def test_in_arabic_the_page_runs_from_right_to_left(page: Page, selfie_file: Path) -> None:
    say = speak("ar").say
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    for label in (texts.WEB_CAMERA, "Settings", "Forget me"):
        expect(page.get_by_role("button", name=say(label))).to_be_visible()
    expect(page.locator(".hint")).to_have_text(say(texts.WEB_HINT))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=say(texts.WEB_PICK)).click()
    chooser.value.set_files(selfie_file)
    expect(page.locator(".bubble").last).to_contain_text("سعادة")
    assert _left_edge(page, ".shot .reaction") < _left_edge(page, ".shot")
    margin = 20
    assert _left_edge(page, ".bubble.mine") < margin < _left_edge(page, ".bubble")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@needs_browser
@pytest.mark.parametrize(
    ("locale", "tag", "direction"),
    [("en-US", "en-US", "ltr"), ("pt-BR", "pt-BR", "ltr"), ("nl-NL", "en-US", "ltr"), ("hi-IN", "hi", "ltr")],
    indirect=["locale"],
)
def test_the_page_says_which_language_it_is_in(page: Page, tag: str, direction: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", tag)
    expect(page.locator("html")).to_have_attribute("dir", direction)


@needs_browser
def test_a_language_chosen_in_settings_changes_the_whole_page_and_stays(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name=texts.LANGUAGE).click()
    page.get_by_role("button", name=OWN_NAMES["fr"]).click()
    expect(page.get_by_role("button", name="Choisir une photo")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.reload()
    _wait_for_chat(page)
    page.get_by_role("button", name="Réglages").click()
    page.get_by_role("button", name="Langue").click()
    page.get_by_role("button", name=speak("fr").say(texts.AS_MY_APP)).click()
    expect(page.get_by_role("button", name=texts.WEB_PICK)).to_be_visible()


@needs_browser
def test_looks_are_chosen_in_settings(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name=texts.SKIN_TONE).click()
    page.get_by_role("button", name="medium-dark skin tone").click()
    expect(page.locator(".bubble").last).to_contain_text("🖐🏾")
    page.get_by_role("button", name=texts.PRESENTATION).click()
    page.get_by_role("button", name="Man", exact=True).click()
    expect(page.locator(".bubble").last).to_contain_text("Presentation: Man")


@needs_browser
@pytest.mark.parametrize("locale", ["en-US", "de-DE", "fr-FR", "ru-RU"], indirect=True)
def test_nothing_reaches_past_a_phone_screen(page: Page, selfie_file: Path, locale: str) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=speak(nearest(locale)).say(texts.WEB_PICK)).click()
    chooser.value.set_files(selfie_file)
    expect(page.locator(".keys button.emoji").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_it_stops_on_ctrl_c_with_status_0(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    bot.wait_for("adapter_open")
    assert bot.stop() == 0


def test_a_taken_port_is_one_sentence_and_status_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        bot = Bot(tmp_path, WEB_PORT=port)
        assert bot.process.wait(PATIENCE_S) == 3
    assert "set WEB_HOST or WEB_PORT" in bot.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"WEB_CHAT": "false", "CONSOLE": "false"}, "Nothing to do: set TELEGRAM_TOKEN"),
        ({"DATABASE_URL": "mysql://u:hidden@h/d"}, "DATABASE_URL is not understood"),
        ({"EMOJI_MAP": "/nowhere/map.yaml"}, "Set EMOJI_MAP"),
        ({"TELEGRAM_TOKEN": "wrong", "WEB_CHAT": "false", "CONSOLE": "false"}, "Telegram refused TELEGRAM_TOKEN"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_status_3(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    bot = Bot(tmp_path, **settings)
    assert bot.process.wait(PATIENCE_S) == 3
    log = re.sub(r"INFO: Created TensorFlow.*\n", "", bot.log.read_text(encoding="utf-8"))
    assert sentence in log
    assert "Traceback" not in log
    assert "hidden" not in log


def test_a_reaction_telegram_does_not_allow_is_named_with_its_line(tmp_path: Path) -> None:
    lines = (ROOT / "emoji_map.yaml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, line in enumerate(lines) if line.strip().startswith("😀:"))
    lines[line] = lines[line].replace("reactions: [", "reactions: [telegram, ")
    (tmp_path / "map.yaml").write_text("\n".join(lines), encoding="utf-8")
    bot = Bot(tmp_path, TELEGRAM_TOKEN="1:x", EMOJI_MAP="map.yaml")
    assert bot.process.wait(PATIENCE_S) == 3
    sentence = f"map.yaml, line {line + 1}: telegram allows no reaction with 😀"
    assert sentence in bot.log.read_text(encoding="utf-8")


def test_a_wrong_token_leaves_the_web_chat_open(tmp_path: Path) -> None:
    bot = Bot(tmp_path, TELEGRAM_TOKEN="wrong")
    bot.wait_for("adapter_open")
    bot.wait_for("Telegram refused TELEGRAM_TOKEN")
    assert bot.process.poll() is None
    assert bot.stop() == 3


def _kept(page: Page, folder: Path) -> tuple[str, bytes]:
    """Click the last picture made by the bot; return the name and the bytes of the downloaded file."""
    with page.expect_download() as download:
        page.locator("img.made").last.click()
    path = folder / "kept"
    download.value.save_as(path)
    return download.value.suggested_filename, path.read_bytes()
