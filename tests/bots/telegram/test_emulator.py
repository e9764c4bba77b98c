"""What the emulator accepts that Telegram's contract does not; `docs/contracts.md` lists it."""

import json

import httpx
import pytest

from tests.bots.telegram.server import TOKEN, telegram_server
from tests.contracts.telegram import need_contract

_LONG_DATA = {"inline_keyboard": [[{"text": "x", "callback_data": "x" * 65}]]}
_NO_ACTION = {"inline_keyboard": [[{"label": "x"}]]}


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("sendMessage", {"chat_id": "7"}),
        ("sendMessage", {"chat_id": "7", "text": ""}),
        ("sendMessage", {"text": "no chat"}),
        ("sendMessage", {"chat_id": "7", "text": "x" * 4097}),
        ("sendMessage", {"chat_id": "7", "text": "x", "no_such_field": "1"}),
        ("sendMessage", {"chat_id": "7", "text": "x", "reply_markup": json.dumps(_LONG_DATA)}),
        ("sendMessage", {"chat_id": "7", "text": "x", "reply_markup": json.dumps(_NO_ACTION)}),
        ("sendMessage", {"chat_id": "7", "text": "x", "reply_parameters": json.dumps({"quote": "x"})}),
        ("answerCallbackQuery", {"text": "no query"}),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}),
        ("editMessageReplyMarkup", {"reply_markup": "{}"}),
        ("editMessageCaption", {"chat_id": "7", "message_id": "1", "caption": "x" * 1025}),
        ("deleteMessage", {"chat_id": "7"}),
        ("answerInlineQuery", {"inline_query_id": "1"}),
    ],
)
async def test_the_emulator_takes_what_the_contract_refuses(method: str, fields: dict[str, str]) -> None:
    need_contract()
    async with telegram_server() as server:
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{server.url}/bot{TOKEN}/{method}", data=fields)
        assert answer.json()["ok"]
        assert server.violations
        server.violations.clear()
