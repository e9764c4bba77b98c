"""Reactions of the bot: what was wanted last is what is there."""

import asyncio

import pytest
from telegram import Bot

from bots.serving.supervision import BackgroundTasks
from bots.telegram.custom_emoji import CustomEmojiFacts
from bots.telegram.delivery import Delivery
from bots.telegram.reactions import Reactions
from tests.bots.telegram.server import BAD_GATEWAY, TOKEN, Fault, TelegramServer, telegram_server

_CUSTOM = "<😄:5368324170671202286>"


async def _nothing(_old: int, _new: int) -> None:
    pass


def _door(server: TelegramServer) -> tuple[Bot, Reactions, BackgroundTasks]:
    background = BackgroundTasks()
    reactions = Reactions(Delivery(_nothing), background, CustomEmojiFacts())
    return Bot(TOKEN, base_url=f"{server.url}/bot"), reactions, background


async def test_an_emoji_that_is_no_reaction_takes_away_what_says_something_else() -> None:
    async with telegram_server() as server:
        bot, reactions, _ = _door(server)
        async with bot:
            await reactions.set(bot, 7, 1, "😄")
            assert not server.called("setMessageReaction")  # there is nothing to take away
            for emoji in ("😁", "😄", None):
                await reactions.set(bot, 7, 1, emoji)
            assert server.present_reactions == {}
            await reactions.set(bot, 7, 1, "😢")
            await reactions.set(bot, 7, 1, None)
    assert server.present_reactions == {(7, 1): "😢"}


async def test_a_custom_emoji_whose_plain_one_is_no_reaction_is_none() -> None:
    async with telegram_server() as server:
        bot, reactions, _ = _door(server)
        async with bot:
            await reactions.set(bot, -5, 1, _CUSTOM)
    assert not server.called("setMessageReaction")


async def test_a_chat_is_asked_once_what_it_allows_and_again_where_telegram_did_not_tell() -> None:
    async with telegram_server() as server:
        bot, reactions, _ = _door(server)
        server.chat_reactions[-5] = [{"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"}]
        async with bot:
            server.fail("getChat", BAD_GATEWAY)
            for message in (1, 2, 3):
                await reactions.set(bot, -5, message, _CUSTOM)
        assert len(server.called("getChat")) == 2
        assert list(server.present_reactions) == [(-5, 2), (-5, 3)]


@pytest.mark.parametrize("fault", [BAD_GATEWAY, Fault(429, "Too Many Requests", {"retry_after": 1})], ids=str)
async def test_an_older_wish_that_failed_does_not_come_back(fault: Fault) -> None:
    async with telegram_server() as server:
        bot, reactions, background = _door(server)
        async with bot:
            server.fail("setMessageReaction", fault)
            await asyncio.gather(*(reactions.set(bot, 7, 1, emoji) for emoji in ("😁", "😢")))
            await background.finish()
        assert server.present_reactions == {(7, 1): "😢"}
        assert len(server.called("setMessageReaction")) == 2
