"""What covers the faces is changed by hand: by pointer, by touch and by keyboard; the picture becomes what was seen."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, Route, expect

from bots.conversation import texts
from tests.bots.web.program import needs_browser
from tests.bots.web.visits import READY, answer, choose, violations, word

pytestmark = needs_browser

_MADE = """async () => {
  const image = document.querySelector("img.made");
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL().split(",")[1];
}"""


def _edited(page: Page, file: Path) -> Locator:
    """Open what covers the faces of a photo, and let it come to rest; return the covers."""
    choose(page, file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    page.get_by_role("button", name=word("covers")).click()
    covers = page.locator(".stage .cover")
    expect(covers.first).to_be_focused()
    rising = "(dialog) => Promise.all(dialog.getAnimations().map((each) => each.finished)).then(() => true)"
    page.locator("dialog[open]").last.evaluate(rising)
    return covers


def _box(place: Locator) -> dict[str, float]:
    box = place.bounding_box()
    assert box is not None
    return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "width": box["width"]}


def _made(page: Page) -> NDArray[np.int16]:
    """Return the pixels of the picture that the bot made."""
    return _pixels(base64.b64decode(page.evaluate(_MADE)))


def _pixels(content: bytes) -> NDArray[np.int16]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(pixels, np.int16)


def _finish(page: Page) -> NDArray[np.int16]:
    before = page.locator("img.made").get_attribute("src")
    assert before is not None
    page.get_by_role("button", name=word("covers_done")).click()
    expect(page.locator("dialog.sheet")).to_have_count(0)
    expect(page.locator("img.made")).not_to_have_attribute("src", before)
    return _made(page)


def _tool(page: Page, name: str) -> Locator:
    return page.locator("dialog[open] .keys").get_by_role("button", name=word(name), exact=True)


def test_each_face_gets_another_emoji_a_blur_or_nothing(page: Page, group_file: Path) -> None:
    covers = _edited(page, group_file)
    expect(covers).to_have_count(2)
    expect(covers.first).to_have_accessible_name("cover 1: beaming face with smiling eyes")
    before = _made(page)
    _tool(page, "cover_blur").click()
    expect(covers.first).to_have_accessible_name("cover 1: Blur")
    covers.last.click()
    _tool(page, "cover_other").click()
    sheet = page.locator("dialog.sheet[open]").last
    sheet.get_by_role("searchbox").fill("cowboy")
    sheet.locator(".grid button").first.click()
    expect(covers.last).to_have_accessible_name("cover 2: cowboy hat face")
    expect(_tool(page, "cover_other")).to_have_attribute("aria-pressed", "true")
    made = _finish(page)
    original = _pixels(group_file.read_bytes())
    assert made.shape == before.shape == original.shape
    face = made[130:200, 130:200].reshape(-1, 3)
    assert face.std(axis=0).max() > 3, "no emoji, but colours of the face"
    assert np.abs(made[:, 400:] - before[:, 400:]).max() > 100, "another emoji"
    page.get_by_role("button", name=word("covers")).click()
    expect(covers.first).to_have_accessible_name("cover 1: Blur")
    _tool(page, "cover_none").click()
    expect(covers.first).to_have_accessible_name("cover 1: Nothing")
    bare = _finish(page)
    assert np.abs(bare[:, :350] - original[:, :350]).mean() < 4, "the face is seen again"


def test_a_cover_is_moved_and_resized_by_keyboard_within_the_photo_and_put_back(page: Page, group_file: Path) -> None:
    covers = _edited(page, group_file)
    first, start, stage = covers.first, _box(covers.first), _box(page.locator(".stage"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("+")
    now = _box(first)
    assert (now["x"], now["y"]) > (start["x"] + 3, start["y"] + 1)
    assert now["width"] == pytest.approx(1.1 * start["width"], rel=0.03)
    expect(page.locator("dialog[open] [data-said]")).to_contain_text("% from the left")
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(80):
        page.keyboard.press("-")
    assert _box(first)["x"] == pytest.approx(stage["x"] - stage["width"] / 2, abs=2), "at the edge"
    assert _box(first)["width"] == pytest.approx(0.02 * stage["width"], abs=1), "as small as in the picture"
    page.mouse.click(stage["x"] - stage["width"] / 2 + 9, _box(first)["y"])
    expect(first).to_be_focused()
    _tool(page, "cover_reset").click()
    assert _box(first)["x"] == pytest.approx(start["x"], abs=2)
    assert _box(first)["width"] == pytest.approx(start["width"], abs=2)
    expect(_tool(page, "cover_reset")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    first.focus()
    page.keyboard.press("Delete")
    expect(first).to_have_accessible_name("cover 1: Nothing")


def test_a_cover_is_dragged_and_stretched_with_the_mouse(page: Page, group_file: Path) -> None:
    covers = _edited(page, group_file)
    before, last = _made(page), covers.last
    start = _box(last)
    page.mouse.move(start["x"], start["y"])
    page.mouse.down()
    page.mouse.move(start["x"] - 30, start["y"] + 5, steps=4)
    page.mouse.up()
    moved = _box(last)
    assert moved["x"] == pytest.approx(start["x"] - 30, abs=2)
    assert moved["y"] == pytest.approx(start["y"] + 5, abs=2)
    expect(last).to_have_attribute("aria-pressed", "true")
    handle = _box(last.locator(".handle"))
    page.mouse.move(handle["x"], handle["y"])
    page.mouse.down()
    page.mouse.move(handle["x"] + 20, handle["y"] + 20, steps=4)
    page.mouse.up()
    assert _box(last)["width"] > moved["width"] + 20
    assert _box(last)["x"] == pytest.approx(moved["x"], abs=2), "it grows around its middle"
    assert np.abs(_finish(page) - before).max() > 100


def test_a_cover_is_dragged_with_a_finger(page: Page, group_file: Path) -> None:
    covers = _edited(page, group_file)
    start = _box(covers.first)
    touch = page.context.new_cdp_session(page)
    for kind, shift in (("touchStart", 0), ("touchMove", 20), ("touchMove", 40), ("touchEnd", 40)):
        points = [] if kind == "touchEnd" else [{"x": start["x"] + shift, "y": start["y"] + shift / 4}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    moved = _box(covers.first)
    assert moved["x"] == pytest.approx(start["x"] + 40, abs=6)
    assert moved["y"] == pytest.approx(start["y"] + 10, abs=6)


def test_what_the_bot_has_not_seen_can_be_covered_too(page: Page, selfie_file: Path) -> None:
    covers = _edited(page, selfie_file)
    before = _made(page)
    _tool(page, "cover_add").click()
    expect(covers).to_have_count(2)
    expect(covers.last).to_be_focused()
    _tool(page, "cover_blur").click()
    made = _finish(page)
    middle = made.shape[0] // 2
    assert np.abs(made - before)[middle - 40 : middle + 40].max() > 60
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert np.array_equal(_made(page), made), "it is kept"
    page.get_by_role("button", name=word("covers")).click()
    expect(covers).to_have_count(2)
    expect(covers.last).to_have_accessible_name("cover 2: Blur")


def test_where_other_faces_are_found_the_covers_begin_anew(page: Page, group_file: Path) -> None:
    covers = _edited(page, group_file)
    _tool(page, "cover_none").click()
    _finish(page)

    def only_the_last(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        route.fulfill(response=answer, json={**told, "covers": told["covers"][1:]})

    page.route("**/api/v1/covers", only_the_last)
    page.get_by_role("button", name=word("covers")).click()
    expect(covers).to_have_count(1)
    expect(covers).to_have_accessible_name("cover 1: beaming face with smiling eyes")


def test_the_smallest_cover_is_on_top_as_in_the_picture(page: Page, selfie_file: Path) -> None:
    covers = _edited(page, selfie_file)
    _tool(page, "cover_add").click()
    for _ in range(20):
        _tool(page, "cover_larger").click()
    layers = covers.evaluate_all("all => all.map((each) => Number(each.style.zIndex))")
    assert layers[0] > layers[1]


def test_pictures_that_were_replaced_are_let_go(page: Page, group_file: Path) -> None:
    page.add_init_script(
        """
        window.held = new Set();
        const { createObjectURL, revokeObjectURL } = URL;
        URL.createObjectURL = (blob) => {
          const url = createObjectURL.call(URL, blob);
          window.held.add(url);
          return url;
        };
        URL.revokeObjectURL = (url) => {
          window.held.delete(url);
          revokeObjectURL.call(URL, url);
        };
        """
    )
    page.reload()
    page.wait_for_selector(READY, state="attached")
    _edited(page, group_file)
    counts = []
    for _ in range(3):
        _tool(page, "cover_larger").click()
        _finish(page)
        counts.append(page.evaluate("window.held.size"))
        page.get_by_role("button", name=word("covers")).click()
        expect(page.locator(".stage .cover").first).to_be_focused()
    assert counts[0] == counts[1] == counts[2] <= 3
    page.keyboard.press("Escape")
    page.evaluate("async () => (await import('/static/app.js')).clear()")
    assert page.evaluate("window.held.size") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_changing_covers_shuts_nobody_out(page: Page, group_file: Path, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    _edited(page, group_file)
    assert violations(page) == []
    _tool(page, "cover_other").click()
    expect(page.locator("dialog.sheet[open] .grid button").first).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(("width", "height"), [(320, 256), (390, 800), (1280, 900)])
def test_the_covers_fit_on_every_screen(page: Page, group_file: Path, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    _edited(page, group_file)
    sheet = page.locator("dialog.sheet[open]")
    assert sheet.evaluate("each => each.scrollWidth <= each.clientWidth")
    done = page.get_by_role("button", name=word("covers_done"))
    done.scroll_into_view_if_needed()
    expect(done).to_be_in_viewport()


def test_without_a_connection_it_says_so_and_nothing_is_lost(page: Page, group_file: Path) -> None:
    covers = _edited(page, group_file)
    expect(covers.first).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name=word("covers_done")).click()
    expect(page.locator("dialog.sheet[open]")).to_contain_text(word("tap_lost"))
    page.context.set_offline(False)
    page.get_by_role("button", name=word("covers_done")).click()
    expect(page.locator("dialog.sheet")).to_have_count(0)
    expect(answer(page)).to_contain_text(texts.EMOJI_ME_MADE)


def test_a_clip_and_a_sticker_have_no_covers_to_change(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.STICKER).click()
    expect(page.locator("img.made")).to_be_visible()
    expect(page.get_by_role("button", name=word("covers"))).to_have_count(0)
