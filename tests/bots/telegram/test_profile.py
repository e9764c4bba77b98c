"""What Telegram's apps show of the bot says what it is, in every language."""

import pytest
from structlog.testing import capture_logs
from telegram import Bot
from telegram.constants import BotDescriptionLimit

from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, speak
from bots.telegram.profile import publish
from tests.bots.telegram.server import TOKEN, Fault, TelegramServer, telegram_server

SETTING = ("setMyDescription", "setMyShortDescription")


def bot_at(server: TelegramServer) -> Bot:
    return Bot(TOKEN, base_url=f"{server.url}/bot")


def set_there(server: TelegramServer) -> int:
    return sum(len(server.called(method)) for method in SETTING)


async def test_it_is_published_once_in_every_language() -> None:
    async with telegram_server() as server, bot_at(server) as bot:
        await publish(bot, ())
        assert len(server.descriptions) == set_there(server) == 2 * len(OWN_NAMES)
        assert server.descriptions["description", ""] == texts.TELEGRAM_DESCRIPTION
        assert server.descriptions["short_description", "de"] == speak("de").say(texts.TELEGRAM_SHORT_DESCRIPTION)
        await publish(bot, ())
        assert set_there(server) == 2 * len(OWN_NAMES)
        server.descriptions["description", "ja"] = "something else"
        await publish(bot, ())
        assert set_there(server) == 2 * len(OWN_NAMES) + 1
        assert not server.violations


@pytest.mark.parametrize("method", ["setMyCommands", "getMyDescription", "setMyDescription", "setMyShortDescription"])
async def test_what_telegram_refuses_is_logged_and_keeps_nothing_else_from_being_published(method: str) -> None:
    async with telegram_server() as server, bot_at(server) as bot:
        server.fail(method, Fault(400, "Bad Request: no"))
        with capture_logs() as logs:
            await publish(bot, ())
        [line] = logs
        assert (line["event"], line["log_level"]) == ("profile_not_published", "warning")
        assert len({language for _, language in server.descriptions}) >= len(OWN_NAMES) - 1


@pytest.mark.parametrize("language", OWN_NAMES)
def test_it_is_as_short_as_telegram_wants_it(language: str) -> None:
    say = speak(language).say
    assert len(say(texts.TELEGRAM_DESCRIPTION)) <= BotDescriptionLimit.MAX_DESCRIPTION_LENGTH
    assert len(say(texts.TELEGRAM_SHORT_DESCRIPTION)) <= BotDescriptionLimit.MAX_SHORT_DESCRIPTION_LENGTH
