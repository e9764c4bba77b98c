"""The web chat as a person uses it: the real program, in a real browser, on a phone's screen."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import ExifTags, Image, ImageCms
from playwright.sync_api import Page, expect

from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, nearest, speak
from tests.bots.web.program import needs_browser
from tests.bots.web.visits import READY, answer, choose, kept, open_menu, word
from tests.films import film

pytestmark = needs_browser

EMOJI = ".keys button.emoji"
_SRGB = ImageCms.createProfile("sRGB")
_SENT = """async () => {
  const { all } = await import("/static/store.js");
  const photo = (await all()).find((turn) => turn.photos).photos[0];
  return Array.from(new Uint8Array(await photo.blob.arrayBuffer()));
}"""
"""The bytes of the photo that was sent, from the browser's own memory of it."""
_KEPT_BYTES = """async () => {
  const { all } = await import("/static/store.js");
  return (await all()).flatMap((turn) => turn.photos ?? []).reduce((sum, { blob }) => sum + blob.size, 0);
}"""


def _left_edge(page: Page, selector: str) -> float:
    """Return the distance in pixels of the first of these elements from the left of the screen."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"]


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def _pixels(content: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def test_a_chosen_photo_gets_a_reaction_and_candidates(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    expect(page.locator(".shot .reaction")).to_have_text("😁")
    expect(page.locator(EMOJI)).to_have_count(3)
    expect(page.locator(".shot img")).to_have_js_property("naturalWidth", 512)


@pytest.mark.parametrize(("sample", "emotion"), [("sample_astronaut", "happy"), ("sample_officer", "neutral")])
def test_the_sample_photos_show_what_the_bot_does(page: Page, sample: str, emotion: str) -> None:
    page.get_by_role("button", name=word(sample)).click()
    expect(answer(page)).to_contain_text(f"You look {emotion}")
    expect(page.locator("#welcome")).to_be_hidden()


def test_a_tap_changes_text_reaction_and_button_in_place(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    second = page.locator(EMOJI).nth(1)
    emoji = second.inner_text()
    second.click()
    said = page.locator("#log .bubble:not(.mine)")
    expect(said.first).to_contain_text(texts.CHOSEN.format(emoji=emoji))
    expect(page.locator(".shot .reaction")).to_have_text(emoji)
    expect(page.locator(".keys button[aria-pressed=true]")).to_have_text(emoji)
    expect(said.last).to_contain_text("May I learn from your faces?")
    expect(said).to_have_count(2)


def test_a_correction_is_asked_for_and_thanked_for_in_place(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.NONE_FITS).click()
    expect(answer(page)).to_contain_text(texts.WHICH_EMOTION)
    answer(page).get_by_role("button", name="surprised").click()
    expect(answer(page)).to_contain_text(texts.EMOTION_KEPT.format(feeling="surprised"))
    expect(page.locator(".shot .reaction")).to_have_text("😮")
    expect(page.locator(EMOJI)).to_have_count(3)


def test_a_face_is_called_what_its_correction_or_its_emoji_says(page: Page, group_file: Path) -> None:
    choose(page, group_file)
    place = page.locator(".shot .place").first
    place.click()
    said = page.locator("#log .bubble:not(.mine)").first
    said.get_by_role("button", name=texts.NONE_FITS).click()
    said.get_by_role("button", name="surprised").click()
    expect(place).to_have_accessible_name("face 1, surprised: 😮")
    expect(said.locator(".faces button").first).to_have_accessible_name("face 1, surprised: 😮")
    happy = said.locator(f"{EMOJI}[data-key]").first
    emoji = happy.inner_text()
    happy.click()
    expect(place).to_have_accessible_name(f"face 1, happy: {emoji}")


def test_only_choices_are_told_as_pressed_or_not(page: Page, selfie_file: Path) -> None:
    pressed = "[aria-pressed]"
    choose(page, selfie_file)
    expect(page.locator(f"{EMOJI}{pressed}")).to_have_count(3)
    page.locator(EMOJI).nth(1).click()
    expect(answer(page)).to_contain_text("May I learn")
    expect(answer(page).locator(f"button{pressed}")).to_have_count(0)
    sheet = open_menu(page, "Settings")
    expect(sheet.get_by_role("button", name=texts.LANGUAGE)).to_be_visible()
    expect(sheet.locator(pressed)).to_have_count(0)
    sheet.get_by_role("button", name=texts.LANGUAGE).click()
    expect(sheet.locator(pressed)).to_have_count(1 + len(OWN_NAMES))
    expect(sheet.get_by_role("button", pressed=True)).to_have_text(texts.AS_MY_APP)
    page.keyboard.press("Escape")
    sheet = open_menu(page, "Forget me")
    expect(sheet.get_by_role("button", name=texts.FORGET_YES)).to_be_visible()
    expect(sheet.locator(pressed)).to_have_count(0)


def test_a_selection_that_ends_beside_a_sheet_does_not_close_it(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.MORE_MEANING).click()
    search = page.locator("dialog.sheet[open]").get_by_role("searchbox")
    search.fill("cowboy")
    box = search.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, 20, steps=4)
    page.mouse.up()
    expect(search).to_be_visible()
    page.mouse.click(20, 20)
    expect(page.locator("dialog")).to_have_count(0)


def test_more_emoji_are_in_a_sheet_with_a_search_and_what_was_chosen_lately(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.MORE_MEANING).click()
    sheet = page.locator("dialog.sheet[open]")
    expect(sheet.locator(".grid button").nth(40)).to_be_visible()
    sheet.get_by_role("searchbox").fill("cowboy")
    expect(sheet.locator(".grid button")).to_have_text(["🤠"])
    sheet.get_by_role("searchbox").fill("no such thing")
    expect(sheet.get_by_role("status")).to_have_text(word("none_found"))
    sheet.get_by_role("searchbox").fill("COWBOY")
    sheet.locator(".grid button").click()
    expect(sheet).to_have_count(0)
    expect(page.locator(".shot .reaction")).to_have_text("🤠")
    expect(page.locator(".keys button[aria-pressed=true]")).to_have_text("🤠")
    page.get_by_role("button", name=texts.MORE_MEANING).click()
    expect(page.locator("dialog.sheet[open] h3").first).to_have_text(word("recent"))
    expect(page.locator("dialog.sheet[open] .grid").first).to_have_text("🤠")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_emoji_me_shows_the_covered_photo_and_what_can_be_done_with_it(
    page: Page, selfie_file: Path, tmp_path: Path
) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    made = answer(page)
    expect(made.get_by_role("img", name=word("made"))).to_have_js_property("naturalWidth", 512)
    expect(made).to_contain_text(texts.EMOJI_ME_MADE)
    name, content = kept(page, made.get_by_role("link", name=word("download")), tmp_path)
    assert name == "emoji.jpg"
    assert content.startswith(b"\xff\xd8")
    before, after = _pixels(selfie_file.read_bytes()), _pixels(content)
    change = np.abs(before.astype(int) - after).mean(axis=2)
    assert change[80:160, 190:260].mean() > 30  # her face
    assert change[-50:, :].mean() < 5
    assert page.locator(EMOJI).count() == 3


def test_the_emoji_of_a_sticker_changes_its_place_on_the_spot(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.STICKER).click()
    sticker = page.locator("img.made")
    expect(sticker).to_be_visible()
    for place in ("NONE", "ON_FACE", "BESIDE", "NONE"):
        before = sticker.get_attribute("src")
        assert before is not None
        page.get_by_role("button", name=texts.STICKER_EMOJI[place], exact=True).click()
        expect(sticker).not_to_have_attribute("src", before)
        expect(sticker).to_have_count(1)
        expect(page.get_by_role("button", name=texts.STICKER_EMOJI[place], exact=True)).to_have_count(0)


def test_a_sticker_is_a_transparent_png(page: Page, selfie_file: Path, tmp_path: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.STICKER).click()
    expect(answer(page)).to_contain_text(texts.STICKER_MADE)
    name, content = kept(page, answer(page).get_by_role("link", name=word("download")), tmp_path)
    assert name == "sticker.png"
    pixels = _pixels(content)
    assert pixels.shape == (512, 512, 4)
    assert (pixels[0, 0, 3], pixels[196, 256, 3]) == (0, 255)


def test_a_made_picture_is_copied_as_png(page: Page, selfie_file: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    answer(page).get_by_role("button", name=word("copy")).click()
    expect(answer(page).get_by_role("button", name=word("copied"))).to_be_visible()
    kinds = page.evaluate("async () => (await navigator.clipboard.read())[0].types")
    assert kinds == ["image/png"]


def test_a_picture_that_cannot_be_copied_is_said_to_be_so(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(new DOMException('no')); }")
    answer(page).get_by_role("button", name=word("copy")).click()
    expect(answer(page)).to_contain_text(word("not_copied"))
    expect(page.locator("#said")).to_have_text(word("not_copied"))


def test_the_clipboard_is_asked_at_once_while_the_picture_is_still_made(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(answer(page).get_by_role("button", name=word("copy"))).to_be_visible()
    asked = page.evaluate(
        """(name) => {
          let isAsked = false;
          navigator.clipboard.write = async () => (isAsked = true);
          [...document.querySelectorAll("#log button")].find((each) => each.textContent === name).click();
          return isAsked;
        }""",
        word("copy"),
    )
    assert asked


def test_each_face_of_a_group_is_chosen_in_the_photo_from_left_to_right(page: Page, group_file: Path) -> None:
    choose(page, group_file)
    places = page.locator(".shot .place")
    expect(places).to_have_count(2)
    edges = [box["x"] for place in places.all() if (box := place.bounding_box()) is not None]
    assert edges == sorted(edges)
    expect(answer(page)).to_contain_text("I see 2 faces")
    said = page.locator("#log .bubble:not(.mine)").first
    places.last.click()
    expect(places.last).to_have_attribute("aria-pressed", "true")
    keys = said.locator(f"{EMOJI}[data-key]")
    second = keys.nth(1).inner_text()
    keys.nth(1).click()
    expect(said.get_by_role("button", name="face 2")).to_contain_text(second)
    expect(places.last).to_contain_text(second)
    expect(places.last).to_have_accessible_name(f"face 2, happy: {second}")
    places.first.click()
    expect(said.locator(".keys button[aria-pressed=true]")).to_have_count(1)  # the face, and no emoji of it
    said.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(answer(page)).to_contain_text(texts.EMOJI_ME_MADE)


def test_several_photos_stand_in_a_grid_and_each_is_answered(
    page: Page, selfie_file: Path, group_file: Path, tmp_path: Path, wall_photo: bytes
) -> None:
    wall = tmp_path / "wall.jpg"
    wall.write_bytes(wall_photo)
    choose(page, wall, selfie_file, group_file)
    expect(page.locator(".many .shot")).to_have_count(3)
    expect(page.locator(".many .reaction")).to_have_count(2)
    page.locator(".many .shot button").first.click()
    expect(answer(page)).to_contain_text(texts.NO_FACE)
    page.locator(".many .shot button").nth(1).click()
    expect(answer(page)).to_contain_text("You look happy")
    page.locator(".many .shot button").nth(2).click()
    expect(answer(page).locator(".place")).to_have_count(2)
    answer(page).get_by_role("button", name=texts.EMOJI_ME).click()
    expect(answer(page)).to_contain_text(texts.EMOJI_ME_MADE)
    assert _fits(page)


def test_of_eleven_photos_ten_are_taken_and_the_eleventh_is_named(page: Page, tmp_path: Path, selfie: bytes) -> None:
    files = [tmp_path / f"photo {number}.jpg" for number in range(11)]
    for file in files:
        file.write_bytes(selfie)
    choose(page, *files)
    expect(page.locator(".many .shot")).to_have_count(10)
    expect(answer(page)).to_contain_text("photo 10.jpg")
    expect(page.locator(".many .reaction")).to_have_count(10)


def test_a_file_that_is_too_large_is_named_and_not_sent(page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(21 << 20))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    choose(page, large)
    expect(answer(page)).to_contain_text("large.jpg: That file is larger than 20 MB")
    assert not [url for url in sent if "/photos" in url]
    assert page.evaluate(_KEPT_BYTES) == 0


@pytest.mark.parametrize("name", ["large.mp4", "large.gif", "large.pdf"])
def test_what_is_too_large_and_cannot_be_made_smaller_is_not_even_kept(
    page: Page, tmp_path: Path, selfie_file: Path, name: str
) -> None:
    large = tmp_path / name
    large.write_bytes(bytes(21 << 20))
    choose(page, large, selfie_file)
    expect(page.locator("#log")).to_contain_text(f"{name}: That file is larger than 20 MB")
    expect(page.locator(".shot")).to_have_count(1)
    expect(page.locator(".shot .reaction")).to_have_text("😁")
    assert page.evaluate(_KEPT_BYTES) < 1 << 20


@pytest.mark.parametrize(("side", "orientation", "sent_side"), [(3000, 1, 1600), (512, 1, 512), (512, 6, 512)])
def test_a_photo_is_made_smaller_upright_and_freed_of_its_metadata_before_it_is_sent(
    page: Page, tmp_path: Path, side: int, orientation: int, sent_side: int
) -> None:
    pixels = cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC)
    image, photo = Image.fromarray(pixels), tmp_path / "me.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = "at home"
    turned = image.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else image
    turned.save(photo, exif=exif, comment=b"51.5 N", quality=95)
    choose(page, photo)
    expect(answer(page)).to_contain_text("You look happy")
    expect(page.locator(".shot img")).to_have_js_property("naturalWidth", sent_side)
    sent = bytes(page.evaluate(_SENT))
    assert b"at home" not in sent
    assert b"51.5 N" not in sent
    assert _pixels(sent).shape[0] == sent_side


def test_what_lies_behind_a_jpeg_or_beside_its_colours_is_not_sent(page: Page, tmp_path: Path) -> None:
    photo, other = tmp_path / "me.jpg", b"MPF\0 another picture"
    image = Image.fromarray(skimage.data.astronaut())
    image.save(photo, quality=95, progressive=True, icc_profile=ImageCms.ImageCmsProfile(_SRGB).tobytes())
    start, rest = (content := photo.read_bytes())[:2], content[2:]
    beside = b"\xff\xe2" + (2 + len(other)).to_bytes(2, "big") + other
    photo.write_bytes(start + beside + rest + b"\0\0\0 ftypmp42 a film" + content)
    choose(page, photo)
    expect(answer(page)).to_contain_text("You look happy")
    sent = bytes(page.evaluate(_SENT))
    assert b"MPF" not in sent
    assert b"ftyp" not in sent
    assert b"ICC_PROFILE" in sent
    assert np.array_equal(_pixels(sent), _pixels(content))


def test_of_a_jpeg_without_an_end_no_metadata_is_sent_either(page: Page, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    Image.fromarray(skimage.data.astronaut()).save(photo, quality=95, comment=b"51.5 N")
    photo.write_bytes(photo.read_bytes()[:-2])
    choose(page, photo)
    expect(answer(page)).to_contain_text("You look happy")
    sent = bytes(page.evaluate(_SENT))
    assert b"51.5 N" not in sent
    assert sent.startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", ["scan.tiff", "scan.jpg"])
def test_a_photo_that_the_browser_cannot_show_is_shown_by_the_answer(page: Page, tmp_path: Path, name: str) -> None:
    scan = tmp_path / "scan.tiff"
    cv2.imwrite(str(scan), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    choose(page, scan.rename(tmp_path / name))
    expect(page.locator(".shot img")).to_have_js_property("naturalWidth", 512)
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(page.locator("img.made")).to_be_visible()


@pytest.mark.parametrize("name", ["wave.gif", "wave.webm"])
def test_a_clip_is_shown_and_answered_and_its_emoji_me_is_a_clip(page: Page, tmp_path: Path, name: str) -> None:
    clip = tmp_path / name
    container, codec, pixels = ("gif", "gif", "rgb8") if name.endswith("gif") else ("webm", "vp8", "yuv420p")
    clip.write_bytes(film([skimage.data.astronaut()[:384, 32:416]] * 8, container, codec, pixels))
    choose(page, clip)
    expect(answer(page)).to_contain_text("You look happy")
    expect(page.locator(".shot img, .shot video")).to_be_visible()
    page.get_by_role("button", name=texts.EMOJI_ME).click()
    expect(answer(page).get_by_role("link", name=word("download"))).to_have_attribute("download", "emoji.gif")


def test_a_game_is_played_with_photos(page: Page, selfie_file: Path) -> None:
    page.get_by_role("button", name=word("menu"), exact=True).click()
    page.locator("dialog.sheet[open]").get_by_role("button", name="Play", exact=True).click()
    expect(answer(page)).to_contain_text("Round 1 of 3")
    page.get_by_role("button", name=texts.PLAY_CHANGE).click()
    expect(answer(page)).to_contain_text("Round 1 of 3")
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("Round 2 of 3")
    asked = answer(page).inner_text().splitlines()
    answer(page).get_by_role("button", name=texts.PLAY_CHANGE).click()
    expect(answer(page)).not_to_contain_text(asked[2])
    for shown in ("Round 3 of 3", "This teaches me what I know least"):
        choose(page, selfie_file)
        expect(answer(page)).to_contain_text(shown)
    expect(page.get_by_role("button", name=texts.PLAY_AGAIN)).to_be_visible()


def test_everything_about_a_person_comes_as_a_file(page: Page, selfie_file: Path, tmp_path: Path) -> None:
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    sheet = open_menu(page, "My data")
    _, content = kept(page, sheet.locator("a.file"), tmp_path)
    data = json.loads(content)
    assert data["platform"] == "web"
    assert len(data["faces"]) == 1


def test_it_works_by_keyboard_and_the_focus_stays(page: Page, selfie_file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=word("pick")).press("Enter")
    chooser.value.set_files(selfie_file)
    page.locator(EMOJI).first.focus()
    page.keyboard.press("Space")
    said = page.locator("#log .bubble:not(.mine)").first
    expect(said).to_contain_text("Thank you!")
    assert page.evaluate("document.activeElement.dataset.key") == page.locator(EMOJI).first.get_attribute("data-key")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("instead. Thank you!")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


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


def test_what_is_no_picture_gets_a_sentence_and_the_next_photo_an_answer(
    page: Page, tmp_path: Path, selfie_file: Path
) -> None:
    document = tmp_path / "holiday.jpg"
    document.write_bytes(b"%PDF-1.7")
    choose(page, document)
    expect(answer(page)).to_contain_text("not a picture")
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")


def test_privacy_opens_as_a_sheet_without_commands_and_forgetting_clears_the_page(
    page: Page, selfie_file: Path
) -> None:
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    sheet = open_menu(page, "Privacy")
    sheet.get_by_role("button", name=texts.ALLOW_FACES).click()
    expect(sheet.get_by_role("button", name=texts.REFUSE_FACES)).to_be_visible()
    expect(sheet).not_to_contain_text(texts.KEEPS_NO_FACES)
    expect(sheet).to_contain_text("“Forget me”")
    assert "/forget_me" not in sheet.inner_text()
    page.keyboard.press("Escape")
    sheet = open_menu(page, "Forget me")
    expect(sheet).to_contain_text(texts.FORGET_ASKS)
    sheet.get_by_role("button", name=texts.FORGET_YES).click()
    expect(sheet).to_contain_text(texts.FORGOTTEN)
    expect(page.locator(".bubble.mine")).to_have_count(0)
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#welcome")).to_be_visible()


def test_forgetting_clears_the_page_also_where_it_changes_the_language(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    sheet = open_menu(page, "Settings")
    sheet.get_by_role("button", name=texts.LANGUAGE).click()
    sheet.get_by_role("button", name=OWN_NAMES["de"]).click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.wait_for_selector(READY, state="attached")
    say = speak("de").say
    page.get_by_role("button", name=say(word("menu")), exact=True).click()
    page.locator("dialog.sheet[open]").get_by_role("button", name=say("Forget me"), exact=True).click()
    page.get_by_role("button", name=say(texts.FORGET_YES)).click()
    expect(page.locator("dialog.sheet[open]")).to_contain_text(say(texts.FORGOTTEN))
    page.keyboard.press("Escape")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.wait_for_selector(READY, state="attached")
    expect(page.locator("#welcome")).to_be_visible()
    assert page.evaluate("localStorage.getItem('mugmoji.chosen')") is None


def test_clearing_asks_first_and_empties_the_page_for_good(page: Page, selfie_file: Path) -> None:
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    open_menu(page, word("clear")).get_by_role("button", name=texts.FORGET_NO).click()
    expect(page.locator(".bubble.mine")).to_have_count(1)
    open_menu(page, word("clear")).get_by_role("button", name=word("clear_yes")).click()
    expect(page.locator(".bubble.mine")).to_have_count(0)
    page.reload()
    expect(page.locator("#welcome")).to_be_visible()


@pytest.mark.parametrize("locale", ["ar-EG"], indirect=True)
def test_in_arabic_the_page_runs_from_right_to_left(page: Page, selfie_file: Path) -> None:
    say = speak("ar").say
    page.emulate_media(reduced_motion="reduce")  # what moves has no place yet
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    for name in ("camera", "mirror", "menu"):
        expect(page.get_by_role("button", name=say(word(name)), exact=True)).to_be_visible()
    choose(page, selfie_file, label=say(word("pick")))
    expect(answer(page)).to_contain_text("سعادة")
    assert _left_edge(page, ".shot .reaction") < _left_edge(page, ".shot")
    margin = 20
    assert _left_edge(page, ".bubble.mine") < margin
    assert _fits(page)


@pytest.mark.parametrize(
    ("locale", "tag", "direction"),
    [("en-US", "en", "ltr"), ("pt-BR", "pt", "ltr"), ("nl-NL", "en", "ltr"), ("hi-IN", "hi", "ltr")],
    indirect=["locale"],
)
def test_the_page_says_which_language_it_is_in(page: Page, tag: str, direction: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", tag)
    expect(page.locator("html")).to_have_attribute("dir", direction)


def test_a_language_chosen_in_settings_changes_the_page_and_keeps_the_conversation(
    page: Page, selfie_file: Path
) -> None:
    choose(page, selfie_file)
    expect(answer(page)).to_contain_text("You look happy")
    sheet = open_menu(page, "Settings")
    sheet.get_by_role("button", name=texts.LANGUAGE).click()
    sheet.get_by_role("button", name=OWN_NAMES["fr"]).click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("button", name="Choisir une photo")).to_be_visible()
    expect(page.locator(".bubble.mine img")).to_have_js_property("naturalWidth", 512)
    say = speak("fr").say
    page.wait_for_selector(READY, state="attached")
    page.get_by_role("button", name=say(word("menu")), exact=True).click()
    page.get_by_role("button", name="Réglages").click()
    page.get_by_role("button", name="Langue").click()
    page.get_by_role("button", name=say(texts.AS_MY_APP)).click()
    expect(page.get_by_role("button", name=word("pick"))).to_be_visible()


def test_looks_are_chosen_in_settings(page: Page) -> None:
    sheet = open_menu(page, "Settings")
    sheet.get_by_role("button", name=texts.SKIN_TONE).click()
    sheet.get_by_role("button", name="medium-dark skin tone").click()
    expect(sheet).to_contain_text("🖐🏾")
    sheet.get_by_role("button", name=texts.PRESENTATION).click()
    sheet.get_by_role("button", name="Man", exact=True).click()
    expect(sheet).to_contain_text("Presentation: Man")


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "fr-FR", "ru-RU"], indirect=True)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_reaches_past_the_screen(page: Page, group_file: Path, locale: str, width: int) -> None:
    say = speak(nearest(locale)).say
    page.set_viewport_size({"width": width, "height": 700})
    choose(page, group_file, label=say(word("pick")))
    expect(page.locator(EMOJI).first).to_be_visible()
    assert _fits(page)
    page.get_by_role("button", name=say(texts.MORE_MEANING)).click()
    expect(page.locator("dialog.sheet[open] .grid button").first).to_be_visible()
    assert page.evaluate(
        "(() => { const s = document.querySelector('.sheet'); return s.scrollWidth <= s.clientWidth; })()"
    )


def test_the_look_is_the_devices_or_ones_own_choice(page: Page) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert dark != light
    open_menu(page, word("look")).get_by_role("button", name=word("look_light")).click()
    assert page.evaluate(paper) == light
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert page.evaluate(paper) == light


def test_whoever_wants_no_motion_gets_none(page: Page, selfie_file: Path) -> None:
    page.emulate_media(reduced_motion="reduce")
    choose(page, selfie_file)
    expect(page.locator(".shot .reaction")).to_have_text("😁")
    assert page.evaluate("document.getAnimations().length") == 0
