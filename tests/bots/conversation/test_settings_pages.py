"""/settings as the service shows it, with a real database."""

import pytest

from bots.conversation import texts
from bots.conversation.buttons import BUTTONS_A_ROW, MAX_ROWS, Action, SettingsPage, Token
from bots.conversation.emoji_variants import Presentation, SkinTone
from bots.conversation.languages import OWN_NAMES, speak
from bots.conversation.service import EmojiService
from bots.messages import Button, Command, CommandName, Reply, Tap, TapReply, Tone
from db import Chat, Person, Platform, Preferences, Store

ADA, BOB = Person(Platform.TELEGRAM, "7"), Person(Platform.TELEGRAM, "8")
CHAT = Chat(Platform.TELEGRAM, "7")


async def settings(service: EmojiService, language: str = "", person: Person = ADA) -> Reply:
    return await service.on_command(Command(person, CHAT, CommandName.SETTINGS, language))


async def tap(service: EmojiService, action: Action, choice: int, language: str = "") -> TapReply:
    return await service.on_tap(Tap(ADA, CHAT, str(Token(action, choice=choice)), language))


def chosen(reply: TapReply) -> list[Button]:
    return [button for row in reply.rows or () for button in row if button.tone is Tone.CHOSEN]


async def test_settings_show_what_is_chosen_and_a_button_for_each(service: EmojiService) -> None:
    reply = await settings(service)
    assert reply.text == texts.SETTINGS.format(language="As my app", skin_tone="🖐️", presentation="Neutral")
    labels = [["Language", "Skin tone"], ["Presentation", "My avatar"]]
    assert [[button.label for button in row] for row in reply.rows] == labels


@pytest.mark.parametrize("page", SettingsPage)
async def test_a_page_fits_five_rows_of_five_and_says_what_is_chosen(service: EmojiService, page: SettingsPage) -> None:
    reply = await tap(service, Action.OPEN_SETTINGS, page)
    assert reply.rows is not None
    assert len(reply.rows) <= MAX_ROWS
    assert all(len(row) <= BUTTONS_A_ROW for row in reply.rows)
    assert all(len(button.token.encode("ascii")) <= 64 for row in reply.rows for button in row)
    assert len(chosen(reply)) == (page is not SettingsPage.OVERVIEW)


async def test_every_language_is_offered_under_its_own_name(service: EmojiService) -> None:
    reply = await tap(service, Action.OPEN_SETTINGS, SettingsPage.LANGUAGE)
    labels = [button.label for row in reply.rows or () for button in row]
    assert labels == ["As my app", *OWN_NAMES.values(), "Back"]


@pytest.mark.parametrize("place", range(len(OWN_NAMES)))
async def test_a_language_is_kept_and_spoken_at_once(service: EmojiService, store: Store, place: int) -> None:
    language = tuple(OWN_NAMES)[place]
    reply = await tap(service, Action.SET_LANGUAGE, 1 + place, language="de")
    assert reply.notice == speak(language).say(texts.SETTING_KEPT)
    assert OWN_NAMES[language] in (reply.text or "")
    assert await store.preferences(ADA) == Preferences(language=language)
    assert chosen(await tap(service, Action.OPEN_SETTINGS, SettingsPage.LANGUAGE))[0].label == OWN_NAMES[language]


async def test_as_my_app_gives_the_choice_back_to_the_platform(service: EmojiService) -> None:
    await tap(service, Action.SET_LANGUAGE, 3)
    assert (await settings(service, "fr")).text.startswith("Deine Einstellungen")
    await tap(service, Action.SET_LANGUAGE, 0)
    assert (await settings(service, "fr")).text.startswith("Tes réglages")


async def test_skin_tones_are_shown_and_named_in_the_language(service: EmojiService) -> None:
    reply = await tap(service, Action.OPEN_SETTINGS, SettingsPage.SKIN_TONE, language="de")
    buttons = [button for row in (reply.rows or ())[:-1] for button in row]
    assert [button.label for button in buttons] == ["🖐️", "🖐🏻", "🖐🏼", "🖐🏽", "🖐🏾", "🖐🏿"]
    assert [button.meaning for button in buttons[:2]] == ["Kein Hautton", "helle hautfarbe"]


async def test_tone_and_presentation_are_kept_apart_and_taken_back_apart(service: EmojiService, store: Store) -> None:
    await tap(service, Action.SET_SKIN_TONE, 5)
    await tap(service, Action.SET_PRESENTATION, 1)
    assert await store.preferences(ADA) == Preferences(skin_tone=SkinTone.DARK, presentation=Presentation.WOMAN)
    await tap(service, Action.SET_SKIN_TONE, 0)
    assert await store.preferences(ADA) == Preferences(presentation=Presentation.WOMAN)


async def test_a_tap_sets_what_the_one_who_tapped_sees(service: EmojiService, store: Store) -> None:
    button = (await settings(service, person=BOB)).rows[0][0]
    await service.on_tap(Tap(ADA, CHAT, button.token))
    await tap(service, Action.SET_LANGUAGE, 2)
    assert await store.preferences(ADA) == Preferences(language="es")
    assert await store.preferences(BOB) == Preferences()


async def test_looking_at_settings_keeps_nothing(service: EmojiService, store: Store) -> None:
    await settings(service)
    await tap(service, Action.OPEN_SETTINGS, SettingsPage.LANGUAGE)
    await tap(service, Action.SET_LANGUAGE, 0)
    assert not await store.forget(ADA)


@pytest.mark.parametrize("token", ["s:0:6", "l:0:11", "t:0:6", "p:0:3", "H:0:14", "C:0:8", "A:0:2", "l:0:-1", "s:0:x"])
async def test_a_setting_that_there_is_not_is_refused_kindly(service: EmojiService, store: Store, token: str) -> None:
    assert (await service.on_tap(Tap(ADA, CHAT, token))).notice == texts.GONE
    assert await store.preferences(ADA) == Preferences()


async def test_preferences_of_another_version_count_as_none(service: EmojiService, store: Store) -> None:
    await store.set_preferences(ADA, Preferences("tlh", "plaid", "klingon", "spikes", "plaid"))
    assert (await settings(service)).text == texts.SETTINGS.format(
        language="As my app", skin_tone="🖐️", presentation="Neutral"
    )
