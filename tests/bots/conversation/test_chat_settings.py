"""What administrators choose for a chat, and what then happens to photos that nobody asked about."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.buttons import QUIET_HOURS, Action, ChatSettingsPage, Token
from bots.conversation.chat_settings_pages import is_quiet
from bots.conversation.service import EmojiService
from bots.messages import Command, CommandName, PhotoMessage, Picture, Reply, Tap, TapReply
from bots.pictures.maker import PictureMaker
from bots.serving.fair_queue import Whose
from bots.serving.inference_pool import InferencePool
from db import Automatic, Chat, ChatChoices, Person, Platform, Store
from recognizer import Recognizer
from tests.bots.replies import button, buttons
from tests.faults import Faults
from tests.rows import count_rows

ADA, BERT = Person(Platform.TELEGRAM, "1"), Person(Platform.TELEGRAM, "2")
GROUP, EVE_CHAT = Chat(Platform.TELEGRAM, "-5"), Chat(Platform.TELEGRAM, "3")
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
async def at_noon(recognizer: Recognizer, store: Store, picture_maker: PictureMaker) -> AsyncIterator[EmojiService]:
    pool = InferencePool(workers=2, waiting=8)
    service = EmojiService(recognizer, store, pool, picture_maker, clock=lambda: NOON)
    yield service
    await service.close()
    pool.close()


async def yes() -> bool:
    return True


async def show(service: EmojiService, *, sees_all_photos: bool = True) -> Reply:
    command = Command(ADA, GROUP, CommandName.CHAT_SETTINGS, "en", yes, sees_all_photos)
    return await service.on_command(command)


async def press(service: EmojiService, shown: Reply | TapReply, label: str) -> TapReply:
    return await service.on_tap(Tap(ADA, GROUP, button(shown, label).token, administers=yes))


async def replies(service: EmojiService, content: bytes, **facts: Any) -> list[Reply]:
    photo = replace(PhotoMessage(ADA, GROUP, (Picture(content),), comes_again=True, is_automatic=True), **facts)
    return [reply async for reply in service.on_photo(photo)]


async def test_everything_is_off_until_an_administrator_switches_it_on(at_noon: EmojiService, selfie: bytes) -> None:
    assert not await at_noon.is_automatic(GROUP)
    assert await replies(at_noon, selfie) == []
    shown = await show(at_noon)
    assert texts.AUTOMATIC["off"] in shown.text
    assert texts.SEES_NO_OTHER_PHOTOS not in shown.text
    page = await press(at_noon, shown, texts.AUTOMATIC_REACTIONS)
    changed = await press(at_noon, page, texts.AUTOMATIC["react"])
    assert changed.text is not None
    assert texts.AUTOMATIC["react"] in changed.text
    assert await at_noon.is_automatic(GROUP)
    assert not await at_noon.is_automatic(Chat(Platform.TELEGRAM, "-6"))


async def test_every_choice_can_be_made_and_is_marked(at_noon: EmojiService, store: Store) -> None:
    shown: Reply | TapReply = await show(at_noon)
    for page, label in (
        (texts.AUTOMATIC_REACTIONS, texts.AUTOMATIC["ask"]),
        (texts.MOST_FACES, "3"),
        (texts.QUIET_HOURS, "22:00-07:00"),
    ):
        opened = await press(at_noon, shown, page)
        changed = await press(at_noon, opened, label)
        again = await press(at_noon, shown, page)
        assert button(again, label).tone.value == "chosen"
        assert changed.notice == texts.SETTING_KEPT
        shown = await show(at_noon)
    assert await store.chats.choices(GROUP) == ChatChoices(Automatic.ASK, False, 22, 7, 0, 3)


async def test_the_clock_can_be_put_right_by_half_hours_within_what_there_is(
    at_noon: EmojiService, store: Store
) -> None:
    shown: Reply | TapReply = await press(at_noon, await show(at_noon), texts.QUIET_HOURS)
    for _ in range(6):
        shown = await press(at_noon, shown, texts.CLOCK_HOUR_ON)
    shown = await press(at_noon, shown, texts.CLOCK_HALF_BACK)
    assert shown.text is not None
    assert "17:30" in shown.text
    assert (await store.chats.choices(GROUP)).utc_offset_minutes == 330
    for _ in range(40):
        if texts.CLOCK_HOUR_BACK not in [each.label for each in buttons(shown)]:
            break
        shown = await press(at_noon, shown, texts.CLOCK_HOUR_BACK)
    assert (await store.chats.choices(GROUP)).utc_offset_minutes == -690


@pytest.mark.parametrize(
    ("hours", "offset", "quiet"),
    [(None, 0, False), ((22, 7), 0, False), ((22, 7), 600, True), ((0, 9), -600, True), ((0, 9), -180, False)],
)
def test_quiet_hours_go_by_the_chats_own_clock(hours: tuple[int, int] | None, offset: int, quiet: bool) -> None:
    start, end = hours or (None, None)
    choices = ChatChoices(quiet_from=start, quiet_until=end, utc_offset_minutes=offset)
    assert is_quiet(choices, NOON) is quiet


async def test_in_quiet_hours_nothing_is_automatic_and_who_asks_is_answered(
    at_noon: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.chats.choose(GROUP, ChatChoices(Automatic.REACT, quiet_from=11, quiet_until=13))
    assert not await at_noon.is_automatic(GROUP)
    assert await replies(at_noon, selfie) == []
    [answer] = await replies(at_noon, selfie, is_automatic=False)
    assert answer.text


async def test_react_only_sets_a_reaction_and_says_nothing(
    at_noon: EmojiService, store: Store, selfie: bytes, group_photo: bytes, wall_photo: bytes
) -> None:
    await store.chats.choose(GROUP, ChatChoices(Automatic.REACT))
    for content in (selfie, group_photo):
        [reply] = await replies(at_noon, content)
        assert (reply.text, reply.rows, reply.picture) == ("", (), None)
        assert reply.reactions[0] is not None
        assert reply.photo > 0
    for nothing in (wall_photo, b"", b"no picture"):
        assert await replies(at_noon, nothing) == []
    assert await replies(at_noon, selfie, pictures=(), missing=texts.FILE_TOO_LARGE) == []


async def test_react_and_offer_buttons_answers_faces_only(
    at_noon: EmojiService, store: Store, selfie: bytes, wall_photo: bytes
) -> None:
    await store.chats.choose(GROUP, ChatChoices(Automatic.OFFER))
    [reply] = await replies(at_noon, selfie)
    assert reply.rows
    assert reply.text
    assert await replies(at_noon, wall_photo) == []


async def test_ask_first_reads_after_the_senders_yes(
    at_noon: EmojiService, store: Store, selfie: bytes, wall_photo: bytes
) -> None:
    await store.chats.choose(GROUP, ChatChoices(Automatic.ASK))
    assert await replies(at_noon, wall_photo) == []
    [asked] = await replies(at_noon, selfie)
    assert asked.text == texts.SHALL_I
    assert not asked.reactions
    assert await count_rows(store, "photos") == 0

    async def fetch() -> Picture:
        return Picture(selfie)

    token = button(asked, texts.YES_PLEASE).token
    other = await at_noon.on_tap(Tap(BERT, GROUP, token, fetch=fetch, sender=ADA))
    assert other == TapReply(texts.NOT_YOURS_TO_ASK)
    unknown = await at_noon.on_tap(Tap(BERT, GROUP, token, fetch=fetch))
    assert unknown == TapReply(texts.NOT_YOURS_TO_ASK)
    gone = await at_noon.on_tap(Tap(ADA, GROUP, token, sender=ADA))
    assert gone == TapReply(texts.PHOTO_GONE)
    answer = await at_noon.on_tap(Tap(ADA, GROUP, token, fetch=fetch, sender=ADA, photo_message="7"))
    assert answer.is_whole
    assert answer.rows
    assert answer.reaction == "😁"
    assert answer.photo > 0
    assert await store.taps.react(GROUP.message("7"), ADA, "😢")


async def test_a_full_queue_is_not_announced_to_people_who_did_not_ask(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, selfie: bytes
) -> None:
    pool, busy = InferencePool(workers=1, waiting=0), threading.Event()
    working = asyncio.create_task(pool.run(busy.wait))
    await store.chats.choose(GROUP, ChatChoices(Automatic.REACT))
    service = EmojiService(recognizer, store, pool, picture_maker, clock=lambda: NOON)
    answering = asyncio.create_task(replies(service, selfie))
    while not pool.wait_of(Whose(EVE_CHAT, BERT)) > 1:
        await asyncio.sleep(0.01)
    busy.set()
    [reply] = await answering
    await working
    assert reply.text == ""
    await service.close()
    pool.close()


async def test_only_so_many_faces_are_answered_the_biggest_first(
    at_noon: EmojiService, store: Store, group_photo: bytes
) -> None:
    await store.chats.choose(GROUP, ChatChoices(most_faces=1))
    [reply] = await replies(at_noon, group_photo, is_automatic=False)
    assert "2." not in reply.text
    assert await count_rows(store, "readings") == 1


async def test_where_the_bot_sees_only_what_is_meant_for_it_the_settings_say_what_to_do(
    at_noon: EmojiService,
) -> None:
    shown = await show(at_noon, sees_all_photos=False)
    assert texts.SEES_NO_OTHER_PHOTOS in shown.text


@pytest.mark.parametrize("action", [Action.SET_AUTOMATIC, Action.SET_QUIET_HOURS, Action.SET_MOST_FACES])
async def test_members_change_nothing_even_with_forged_buttons(
    at_noon: EmojiService, store: Store, action: Action
) -> None:
    assert await at_noon.on_tap(Tap(BERT, GROUP, str(Token(action, choice=1)))) == TapReply(texts.CHAT_ADMINS_ONLY)
    assert await count_rows(store, "chats") == 0


async def test_buttons_with_choices_that_do_not_exist_are_refused(at_noon: EmojiService) -> None:
    for action, count in ((Action.SET_QUIET_HOURS, len(QUIET_HOURS)), (Action.OPEN_CHAT_SETTINGS, 4)):
        reply = await at_noon.on_tap(Tap(ADA, GROUP, f"{action.value}:0:{count}", administers=yes))
        assert reply.notice == texts.GONE
    assert len(ChatSettingsPage) == 4


async def test_a_database_that_is_away_makes_nothing_automatic_and_answers_who_asks(
    at_noon: EmojiService, store: Store, selfie: bytes, faults: Faults
) -> None:
    await store.chats.choose(GROUP, ChatChoices(Automatic.REACT))
    with faults.no_database():
        assert not await at_noon.is_automatic(GROUP)
        [reply] = await replies(at_noon, selfie, is_automatic=False)
    assert "happy" in reply.text
