"""The camera and the live mirror, with a film in place of a camera."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bots.conversation import texts
from tests.bots.web.program import Bot, needs_browser
from tests.bots.web.visits import READY, answer, kept, word

pytestmark = needs_browser

_WATCH = """
const media = navigator.mediaDevices;
if (media) {
  const open = media.getUserMedia.bind(media);
  window.tracks = [];
  media.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
}
"""
_COUNT = """() => {
  window.counted = [];
  const began = performance.now();
  new MutationObserver(() => {
    const shown = document.querySelector("[role=timer]")?.textContent;
    if (!shown || shown === window.counted.at(-1)) return;
    window.counted.push(shown);
    window.took = performance.now() - began;
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
"""Remembers what the timer shows, however late somebody looks, and the milliseconds until it showed the last."""
_LIVE = "() => window.tracks.filter((track) => track.readyState === 'live').length"


@pytest.fixture
def page(page: Page) -> Page:
    """The page of the other tests, which counts the cameras that are on."""
    page.add_init_script(_WATCH)
    page.reload()
    page.wait_for_selector(READY, state="attached")
    return page


def _open(page: Page, name: str) -> None:
    page.get_by_role("button", name=word(name), exact=True).click()
    expect(page.locator("dialog.lens .tools button").first).to_be_visible()
    page.wait_for_function("() => document.querySelector('.viewfinder').videoWidth > 0")


def test_the_camera_takes_a_photo(page: Page) -> None:
    _open(page, "camera")
    page.get_by_role("button", name=word("snap")).click()
    expect(page.locator(".bubble.mine img")).to_have_js_property("naturalWidth", 640)
    expect(answer(page)).not_to_contain_text(word("sending"))
    assert page.evaluate(_LIVE) == 0


def test_the_timer_takes_it_after_three_seconds(page: Page) -> None:
    _open(page, "camera")
    page.evaluate(_COUNT)
    page.get_by_role("button", name=word("timer")).click()
    expect(page.locator(".bubble.mine img")).to_have_js_property("naturalWidth", 640)
    assert page.evaluate("window.counted") == ["3", "2", "1", "0"]
    assert page.evaluate("window.took") >= 2900


@pytest.mark.parametrize("window", ["camera", "mirror"])
@pytest.mark.parametrize("way", ["button", "escape", "hidden", "back"])
def test_the_camera_stops_however_its_window_is_closed(page: Page, window: str, way: str) -> None:
    _open(page, window)
    assert page.evaluate(_LIVE) == 1
    if way == "button":
        page.locator("dialog.lens").get_by_role("button", name=word("close")).click()
    elif way == "escape":
        page.keyboard.press("Escape")
    elif way == "hidden":
        page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { value: true, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
    else:
        page.evaluate("() => document.querySelector('dialog.lens').close()")
    page.wait_for_function(_LIVE.replace(".length", ".length === 0"))
    expect(page.locator("dialog")).to_have_count(0)


def test_a_camera_that_comes_on_after_its_window_was_closed_goes_off_again(page: Page) -> None:
    _open(page, "camera")
    page.evaluate(
        """() => {
          const open = navigator.mediaDevices.getUserMedia;
          navigator.mediaDevices.getUserMedia = async (wanted) => {
            await new Promise((resolve) => setTimeout(resolve, 500));
            return open(wanted);
          };
        }"""
    )
    page.get_by_role("button", name=word("flip")).click()
    page.keyboard.press("Escape")
    page.wait_for_function("() => window.tracks.length === 2")
    page.wait_for_function(_LIVE.replace(".length", ".length === 0"))


def test_the_other_camera_replaces_the_first(page: Page) -> None:
    _open(page, "camera")
    page.get_by_role("button", name=word("flip")).click()
    page.wait_for_function("() => window.tracks.length === 2")
    page.wait_for_function(_LIVE.replace(".length", ".length === 1"))


def test_without_a_camera_it_says_what_to_do(page: Page) -> None:
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name=word("camera"), exact=True).click()
    expect(answer(page)).to_contain_text(word("no_camera"))
    expect(page.locator("#said")).to_have_text(word("no_camera"))
    page.evaluate("() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.get_by_role("button", name=word("camera"), exact=True).click()
    expect(answer(page)).to_contain_text(word("camera_needs_https"))


def test_the_mirror_puts_the_emoji_on_the_face_and_takes_it_off(page: Page) -> None:
    _open(page, "mirror")
    shown = "() => document.querySelector('dialog canvas')"
    painted = f"""() => {{
      const canvas = ({shown})();
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      let count = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at]) count += 1;
      return count;
    }}"""
    page.wait_for_function(f"() => ({painted})() > 3000")
    page.wait_for_function(f"() => ({painted})() === 0")  # the wall
    expect(page.locator("dialog .status")).to_have_text(word("mirror_none"))
    page.wait_for_function(f"() => ({painted})() > 3000")


def test_the_mirror_shows_what_it_reads_and_plays(page: Page) -> None:
    _open(page, "mirror")
    page.get_by_role("button", name=word("mirror_meter")).click()
    happy = page.locator(".meter dt", has_text="happy").locator("+ dd i")
    expect(page.locator(".meter dt")).to_have_count(7)
    page.wait_for_function("(bar) => parseFloat(bar.style.width) > 50", arg=happy.element_handle())
    page.get_by_role("button", name=word("game")).click()
    expect(page.locator("dialog .status")).to_contain_text("Make this face")


_LISTEN = """() => {
  window.heard = [];
  const said = document.querySelector("dialog.lens [data-said]");
  const clock = document.querySelector("dialog.lens .status [aria-hidden]");
  const hear = () => window.heard.push(said.textContent);
  const changes = { childList: true, characterData: true, subtree: true };
  new MutationObserver(hear).observe(said, changes);
  window.ticks = 0;
  new MutationObserver(() => (window.ticks += 1)).observe(clock, changes);
}"""


def test_the_time_of_the_game_is_read_out_at_its_start_and_half_and_not_every_second(page: Page) -> None:
    _open(page, "mirror")
    page.wait_for_function("() => Number(document.querySelector('dialog').dataset.frames) > 2")
    page.evaluate(_LISTEN)
    page.get_by_role("button", name=word("game")).click()
    expect(page.locator("dialog.lens [data-said]")).to_have_text(word("game_left").format(number=30))
    expect(page.locator("dialog .status span").first).not_to_contain_text(re.compile(r"\d s"))
    page.wait_for_function("() => window.ticks > 3")
    expect(page.locator("dialog .status")).to_contain_text("Time is up!", timeout=120_000)
    left = word("game_left")
    assert page.evaluate("window.heard") == [left.format(number=30), left.format(number=15)]


def test_a_photo_from_the_mirror_is_shown_with_its_emoji_and_answered(page: Page) -> None:
    _open(page, "mirror")
    page.wait_for_function("() => Number(document.querySelector('dialog').dataset.frames) > 2")
    page.get_by_role("button", name=word("snap")).click()
    expect(page.locator("img.made")).to_have_js_property("naturalWidth", 640)
    expect(page.locator(".bubble.mine img")).to_have_js_property("naturalWidth", 640)


def test_a_clip_of_three_seconds_can_be_kept(page: Page, tmp_path: Path) -> None:
    _open(page, "mirror")
    page.get_by_role("button", name=word("clip")).click()
    name, content = kept(page, page.get_by_role("link", name=word("download")), tmp_path)
    assert name in ("mirror.webm", "mirror.mp4")
    assert len(content) > 10_000
    assert page.evaluate(_LIVE) == 0


def test_frames_are_answered_steadily_also_to_several(page: Page, bot: Bot, browser: Browser) -> None:
    """How many frames a second that are depends on the machine: `make bench` prints it."""
    contexts = [browser.new_context(permissions=["camera"]) for _ in range(3)]
    pages = [page, *(context.new_page() for context in contexts)]
    for each in pages[1:]:
        each.goto(bot.url)
        each.wait_for_selector(READY, state="attached")
    for each in pages:
        each.bring_to_front()
        _open(each, "mirror")
    for each in pages:
        each.wait_for_function("() => Number(document.querySelector('dialog').dataset.frames) > 3")
    for context in contexts:
        context.close()


_AWAY = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(window.isAway ? `${url}-is-away` : url);
    window.sockets.push(this);
  }
  send(frame) {
    super.send(frame);
    if (window.isAway) this.close();
  }
};
"""


def test_the_mirror_has_one_socket_again_after_the_server_was_away_for_a_while(page: Page) -> None:
    page.add_init_script(_AWAY)
    page.reload()
    page.wait_for_selector(READY, state="attached")
    _open(page, "mirror")
    frames = "Number(document.querySelector('dialog').dataset.frames)"
    page.wait_for_function(f"() => {frames} > 2")
    page.evaluate("() => { window.isAway = true; }")
    expect(page.locator("dialog .status")).to_have_text(word("mirror_lost"))
    page.wait_for_timeout(7000)  # longer than the silence after which a mirror takes its line for dead
    before = page.evaluate(f"() => {{ window.isAway = false; return {frames}; }}")
    page.wait_for_function(f"() => {frames} > {before} + 20")
    opened = page.evaluate("() => window.sockets.length")
    page.wait_for_timeout(9000)  # longer than a socket without frames stays open, and until another one is tried
    assert page.evaluate("() => window.sockets.length") == opened
    assert page.evaluate("() => window.sockets.filter((each) => each.readyState === WebSocket.OPEN).length") == 1


def test_a_mirror_says_nothing_of_the_face_when_it_is_gone(page: Page) -> None:
    _open(page, "mirror")
    page.keyboard.press("Escape")
    expect(page.locator("#log .bubble")).to_have_count(0)
    assert texts.NO_FACE not in page.content()
