"""Telegram's limits are kept without holding up anybody else."""

import asyncio
import heapq
import itertools
from typing import Any

import pytest
from telegram.error import RetryAfter

from bots.serving.admission import CAPS, Kind
from bots.serving.rate_limits import TELEGRAM_CHAT, TELEGRAM_GROUP, TELEGRAM_OVERALL
from bots.telegram.rate_limiter import LONGEST_PAUSE_S, MOST_REPEATS, MOST_WAITING, MaySend, RateLimiter

GROUP = -5


class Clock:
    """Time that passes when everybody waits for it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, woken))
        await woken.wait()

    async def run(self) -> None:
        """Let time pass until nobody sleeps any more."""
        while True:
            for _ in range(50):
                await asyncio.sleep(0)
            if not self._sleepers:
                return
            self.now, _, woken = heapq.heappop(self._sleepers)
            woken.set()


class Telegram:
    """Notes when each call came through, and refuses some."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.limiter = RateLimiter(clock=self.clock, sleep=self.clock.sleep)
        self.came: list[tuple[str, int | None, float]] = []
        self.refusals: dict[int | None, list[int]] = {}

    async def call(self, endpoint: str, chat: int | None = None, may_send: MaySend | None = None) -> Any:
        async def callback() -> bool:
            if self.refusals.get(chat):
                raise RetryAfter(self.refusals[chat].pop(0))
            self.came.append((endpoint, chat, self.clock.now))
            return True

        data = {} if chat is None else {"chat_id": chat}
        return await self.limiter.process_request(callback, (), {}, endpoint, data, may_send)

    async def all(self, *calls: Any) -> list[Any]:
        running = [asyncio.ensure_future(each) for each in calls]
        await self.clock.run()
        return await asyncio.gather(*running, return_exceptions=True)

    def times(self, endpoint: str, chat: int | None) -> list[float]:
        return [at for name, where, at in self.came if (name, where) == (endpoint, chat)]


async def test_a_group_gets_twenty_messages_in_any_minute_and_one_a_second() -> None:
    telegram = Telegram()
    await telegram.all(*(telegram.call("sendMessage", GROUP) for _ in range(40)))
    times = telegram.times("sendMessage", GROUP)
    assert len(times) == 40
    for first, later in zip(times, times[TELEGRAM_GROUP.calls :], strict=False):
        assert later - first >= TELEGRAM_GROUP.seconds
    assert min(later - first for first, later in itertools.pairwise(times)) >= TELEGRAM_CHAT.seconds


async def test_all_chats_together_get_thirty_messages_in_any_second() -> None:
    telegram = Telegram()
    await telegram.all(*(telegram.call("sendMessage", chat) for chat in range(1, 91)))
    times = sorted(at for _, _, at in telegram.came)
    for first, later in zip(times, times[TELEGRAM_OVERALL.calls :], strict=False):
        assert later - first >= TELEGRAM_OVERALL.seconds
    assert times[-1] < 3


async def test_a_busy_group_holds_nobody_up() -> None:
    telegram = Telegram()
    await telegram.all(
        *(telegram.call("sendPhoto", GROUP) for _ in range(30)),
        telegram.call("sendMessage", 7),
        telegram.call("answerCallbackQuery"),
        telegram.call("editMessageText", GROUP),
        telegram.call("setMessageReaction", GROUP),
        telegram.call("getFile"),
    )
    for endpoint, chat in (("sendMessage", 7), ("answerCallbackQuery", None), ("editMessageText", GROUP)):
        assert telegram.times(endpoint, chat) == [0.0]
    assert telegram.times("setMessageReaction", GROUP) == telegram.times("getFile", None) == [0.0]


async def test_messages_of_a_chat_keep_their_order_and_reactions_are_not_counted() -> None:
    telegram = Telegram()
    calls = [telegram.call("setMessageReaction", GROUP) for _ in range(50)]
    await telegram.all(*calls, *(telegram.call(f"send{number}", 7) for number in range(5)))
    assert [name for name, chat, _ in telegram.came if chat == 7] == [f"send{number}" for number in range(5)]
    assert telegram.times("send1", 7) == [1.0]


async def test_a_refusal_pauses_its_chat_only() -> None:
    telegram = Telegram()
    telegram.refusals[GROUP] = [30]
    await telegram.all(
        telegram.call("sendMessage", GROUP),
        telegram.call("sendMessage", GROUP),
        telegram.call("sendMessage", 7),
        telegram.call("answerCallbackQuery"),
    )
    assert min(telegram.times("sendMessage", GROUP)) >= 30
    assert len(telegram.times("sendMessage", GROUP)) == 2
    assert telegram.times("sendMessage", 7) == [0.0]
    assert telegram.times("answerCallbackQuery", None) == [0.0]


async def test_refusals_in_several_chats_pause_everything() -> None:
    telegram = Telegram()
    telegram.refusals = {1: [5], 2: [5], 3: [5]}
    refused = [asyncio.ensure_future(telegram.call("sendMessage", chat)) for chat in (1, 2, 3)]
    for _ in range(50):
        await asyncio.sleep(0)
    await telegram.all(*refused, telegram.call("sendMessage", 4), telegram.call("answerCallbackQuery"))
    assert telegram.times("sendMessage", 4)[0] >= 5
    assert telegram.times("answerCallbackQuery", None) == [0.0]


@pytest.mark.parametrize("endpoint", ["setMessageReaction", "getChat"])
async def test_a_refused_reaction_is_told_at_once_and_so_is_what_is_asked_for_it(endpoint: str) -> None:
    telegram = Telegram()
    telegram.refusals[GROUP] = [30]
    refused, _ = await telegram.all(telegram.call(endpoint, GROUP), telegram.call("sendMessage", GROUP))
    assert isinstance(refused, RetryAfter)
    assert telegram.times("sendMessage", GROUP) == [0.0]


@pytest.mark.parametrize("endpoint", ["setMessageReaction", "getChat"])
async def test_a_reaction_and_what_is_asked_for_it_wait_for_no_pause(endpoint: str) -> None:
    telegram = Telegram()
    telegram.refusals[GROUP] = [30]
    paused = asyncio.ensure_future(telegram.call("sendMessage", GROUP))
    for _ in range(50):
        await asyncio.sleep(0)
    await telegram.all(paused, telegram.call(endpoint, GROUP))
    assert (telegram.times(endpoint, GROUP), telegram.times("sendMessage", GROUP)) == ([0.0], [30.0])


@pytest.mark.parametrize("refusals", [[1] * (MOST_REPEATS + 1), [int(LONGEST_PAUSE_S) + 1]])
async def test_repeats_have_an_end(refusals: list[int]) -> None:
    telegram = Telegram()
    telegram.refusals[7] = refusals
    [refused] = await telegram.all(telegram.call("sendMessage", 7))
    assert isinstance(refused, RetryAfter)
    assert not telegram.came


async def test_what_waits_for_one_chat_is_bounded() -> None:
    telegram = Telegram()
    ended = await telegram.all(*(telegram.call("sendMessage", GROUP) for _ in range(MOST_WAITING + 10)))
    assert sum(each is True for each in ended) in (MOST_WAITING, MOST_WAITING + 1)  # the first one need not wait


async def test_of_the_answers_to_photos_all_that_are_admitted_in_a_chat_arrive() -> None:
    telegram = Telegram()
    most = CAPS[Kind.PHOTO].of_chat

    async def may_send() -> bool:
        return True

    ended = await telegram.all(*(telegram.call("sendMessage", GROUP, may_send) for _ in range(most)))
    assert ended == [True] * most


async def test_chats_that_are_quiet_are_forgotten() -> None:
    telegram = Telegram()
    for chat in range(1, 2001):
        telegram.clock.now += 2
        await telegram.call("sendMessage", chat)
    assert len(telegram.limiter._chats) < 300


async def test_a_pause_for_one_call_without_a_chat_does_not_hold_up_the_others() -> None:
    telegram = Telegram()
    telegram.refusals[None] = [30]
    await telegram.all(telegram.call("deleteStickerSet"), telegram.call("getFile"))
    assert telegram.came == [("getFile", None, 0.0), ("deleteStickerSet", None, 30.0)]
