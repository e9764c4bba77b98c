"""A flood in one chat holds up nobody else, and who floods is told so once."""

import time

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.serving.admission import CAPS, Kind
from bots.serving.rate_limits import RateLimit
from bots.telegram.rate_limiter import Limits
from tests.bots.telegram.server import TelegramServer, served, telegram_server

GROUP = -5
STRICT = Limits(RateLimit(30, 1), RateLimit(5, 1), RateLimit(20, 60))
NOBODY_PASSES = Limits(RateLimit(1000, 1), RateLimit(1, 1000), RateLimit(1, 1000))


async def test_three_hundred_commands_in_a_group_do_not_hold_up_a_stranger(service: EmojiService) -> None:
    async with telegram_server() as telegram, served(service, telegram, STRICT):
        for number in range(300):
            await telegram.send(person=100 + number % 30, chat=GROUP, text="/help")
        await telegram.sent("sendMessage", 5)
        began = time.monotonic()
        await telegram.send(person=8, text="/help")
        await telegram.until(lambda: any(call.fields["chat_id"] == "8" for call in telegram.called("sendMessage")))
        assert time.monotonic() - began < 30  # and not the minutes that the group has to wait


async def test_who_sends_too_much_is_told_so_once(service: EmojiService) -> None:
    cap = CAPS[Kind.OTHER].of_person
    async with telegram_server() as telegram, served(service, telegram, NOBODY_PASSES) as adapter:
        for _ in range(cap + 20):
            await telegram.send(text="/help")
        admission = adapter._updates._admission
        await telegram.until(lambda: not telegram.fetched and telegram.updates.empty())
        assert admission.in_hand == cap
        told = [task for task in adapter._following._running if task.get_name() == "slow_down"]
        assert len(told) == 1


async def test_photos_and_taps_beyond_the_cap_are_refused_and_others_answered(
    service: EmojiService, selfie: bytes
) -> None:
    async with telegram_server() as telegram, served(service, telegram, NOBODY_PASSES):
        photo = await telegram.send(photo=telegram.picture(selfie))
        [answer] = await telegram.sent("sendMessage")
        for _ in range(CAPS[Kind.OTHER].of_person + 5):
            await telegram.tap(answer, texts.EMOJI_ME, original=photo)
        await telegram.until(
            lambda: any(call.fields.get("text") == texts.TOO_FAST for call in telegram.called("answerCallbackQuery"))
        )
        await telegram.send(person=9, text="/help")
        await telegram.until(lambda: any(call.fields["chat_id"] == "9" for call in telegram.called("sendMessage")))


async def test_who_only_talks_in_a_group_is_never_told_to_slow_down(telegram: TelegramServer) -> None:
    for _ in range(200):
        await telegram.send(chat=GROUP, text="and then she said")
    await telegram.send(text="/start")
    assert [each["text"] for each in await telegram.sent("sendMessage")] == [texts.START]
