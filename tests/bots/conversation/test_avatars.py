"""A person's avatar: chosen in the settings, and then a button under their photos."""

from dataclasses import replace
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.buttons import Action, SettingsPage, Token
from bots.conversation.emotions import Emotions
from bots.conversation.service import EmojiService
from bots.messages import Button, Command, CommandName, Form, PhotoMessage, Picture, Reply, Tap, TapReply, Tone
from bots.pictures.looks import Hair, HairColour, Look
from bots.pictures.maker import PictureMaker
from db import Chat, Person, Platform, Preferences, Store
from recognizer import EMOTIONS, Recognizer

ADA, CHAT = Person(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "7")
BUN_IN_BLUE = Preferences(hair="bun", hair_colour="blue", skin_tone="dark")
LOOK = Look(Hair.BUN, HairColour.BLUE, "dark")


async def answered(service: EmojiService, selfie: bytes, chat: Chat = CHAT) -> Reply:
    photo = PhotoMessage(Person(chat.platform, "7"), chat, (Picture(selfie),), comes_again=True)
    return [reply async for reply in service.on_photo(photo)][-1]


async def tap(service: EmojiService, token: Token | str, chat: Chat = CHAT) -> TapReply:
    return await service.on_tap(Tap(Person(chat.platform, "7"), chat, str(token)))


def button(reply: Reply | TapReply, label: str) -> Button:
    return next(each for row in reply.rows or () for each in row if each.label == label)


def labels(reply: Reply) -> list[str]:
    return [each.label for row in reply.rows for each in row]


async def test_who_chose_nothing_is_not_offered_one(service: EmojiService, selfie: bytes) -> None:
    assert texts.AVATAR not in labels(await answered(service, selfie))


@pytest.mark.parametrize(
    ("facts", "is_offered"), [({"comes_again": False}, True), ({"sender": Person(Platform.TELEGRAM, "8")}, False)]
)
async def test_it_needs_no_photo_but_a_face_of_ones_own(
    service: EmojiService, store: Store, selfie: bytes, facts: dict[str, Any], is_offered: bool
) -> None:
    await store.set_preferences(ADA, BUN_IN_BLUE)
    photo = replace(PhotoMessage(ADA, CHAT, (Picture(selfie),), comes_again=True), **facts)
    reply = [reply async for reply in service.on_photo(photo)][-1]
    assert (texts.AVATAR in labels(reply)) == is_offered
    assert (texts.STICKER in labels(reply)) != is_offered


async def test_it_is_chosen_in_the_settings_and_can_be_looked_at(service: EmojiService, store: Store) -> None:
    overview = await service.on_command(Command(ADA, CHAT, CommandName.SETTINGS))
    page = await tap(service, button(overview, texts.AVATAR).token)
    assert page.text == texts.WHICH_HAIR
    assert texts.AVATAR_SHOW not in [each.label for row in page.rows or () for each in row]
    page = await tap(service, button(page, texts.HAIR["bun"]).token)
    assert (page.notice, button(page, texts.HAIR["bun"]).tone) == (texts.SETTING_KEPT, Tone.CHOSEN)
    colours = await tap(service, button(page, texts.HAIR_COLOUR).token)
    page = await tap(service, button(colours, texts.HAIR_COLOURS["blue"]).token)
    assert page.text == texts.WHICH_HAIR
    assert await store.preferences(ADA) == Preferences(hair="bun", hair_colour="blue")
    shown = await tap(service, button(page, texts.AVATAR_SHOW).token)
    assert shown.picture is not None
    assert (shown.picture.form, shown.notice) == (Form.STICKER, texts.AVATAR_MADE)
    page = await tap(service, button(page, texts.NO_AVATAR).token)
    assert (await store.preferences(ADA)).hair is None
    assert (await tap(service, Token(Action.AVATAR))).notice == texts.NO_AVATAR_YET


async def test_it_shows_what_the_face_shows(
    service: EmojiService, store: Store, selfie: bytes, picture_maker: PictureMaker
) -> None:
    await store.set_preferences(ADA, BUN_IN_BLUE)
    reply = await answered(service, selfie)
    token = button(reply, texts.AVATAR).token
    made = await tap(service, token)
    assert made.picture is not None
    assert made.picture.content == picture_maker.avatar(LOOK, "happy", Platform.TELEGRAM).content
    reading = Token.parse(token).reading
    await tap(service, Token(Action.CORRECT, reading, EMOTIONS.index("fear")))
    made = await tap(service, token)
    assert made.picture is not None
    assert made.picture.content == picture_maker.avatar(LOOK, "fear", Platform.TELEGRAM).content


async def test_it_follows_the_emoji_that_was_chosen(
    service: EmojiService, store: Store, selfie: bytes, picture_maker: PictureMaker, recognizer: Recognizer
) -> None:
    await store.set_preferences(ADA, BUN_IN_BLUE)
    reply = await answered(service, selfie)
    reading = Token.parse(button(reply, texts.AVATAR).token).reading
    stored = await store.photo_of(reading, ADA)
    assert stored is not None
    emotions = [Emotions(lambda: recognizer.emoji_map).emotion_of(each) for each in stored.readings[0].suggestions]
    place, emotion = next((place, each) for place, each in enumerate(emotions) if each not in (None, "happy"))
    assert emotion is not None
    await tap(service, Token(Action.CHOOSE, reading, place))
    made = await tap(service, Token(Action.AVATAR, reading))
    assert made.picture is not None
    assert made.picture.content == picture_maker.avatar(LOOK, emotion, Platform.TELEGRAM).content


async def test_on_telegram_it_can_be_put_into_the_persons_own_pack(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.set_preferences(ADA, BUN_IN_BLUE)
    made = await tap(service, button(await answered(service, selfie), texts.AVATAR).token)
    [[into_pack]] = made.picture_rows
    assert into_pack.label == texts.PACK_ADD
    assert (await tap(service, into_pack.token)).is_for_pack


async def test_what_is_shown_in_the_settings_is_for_no_pack(service: EmojiService, store: Store) -> None:
    await store.set_preferences(ADA, BUN_IN_BLUE)
    shown = await tap(service, Token(Action.AVATAR))
    assert shown.picture is not None
    assert shown.picture_rows == ()


@pytest.mark.parametrize("platform", [Platform.DISCORD, Platform.WEB])
async def test_elsewhere_there_are_no_packs(
    service: EmojiService, store: Store, selfie: bytes, platform: Platform
) -> None:
    chat = Chat(platform, "7")
    await store.set_preferences(Person(platform, "7"), BUN_IN_BLUE)
    made = await tap(service, button(await answered(service, selfie, chat), texts.AVATAR).token, chat)
    assert made.picture is not None
    assert made.picture_rows == ()


async def test_the_page_of_colours_leads_back_to_the_avatar(service: EmojiService) -> None:
    page = await tap(service, Token(Action.OPEN_SETTINGS, choice=SettingsPage.HAIR_COLOUR))
    assert (await tap(service, button(page, texts.BACK).token)).text == texts.WHICH_HAIR
