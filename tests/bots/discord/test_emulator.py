"""What simcord accepts that Discord does not: the table about it in `docs/contracts.md`, line by line."""

from typing import Any

import pytest
from discord.http import Route
from simcord import ChannelHandle, Env, MemberActor

from tests.contracts.discord import Request, need_contract
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)
MESSAGES = "/channels/{channel_id}/messages"


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("POST", MESSAGES, {"json": {"content": "x", "nonce": "x" * 26}}),
        ("POST", MESSAGES, {"json": {"content": "x", "enforce_nonce": "yes"}}),
        ("GET", MESSAGES, {"params": {"newest": 1}}),
        ("GET", MESSAGES, {"params": {"limit": 101}}),
        ("PUT", MESSAGES + "/{message_id}/reactions/smile/@me", {}),
    ],
)
async def test_the_emulator_accepts_what_the_contract_refuses(
    simcord_env: Env,
    channel: ChannelHandle,
    alice: MemberActor,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    parameters: dict[str, Any],
) -> None:
    contract = need_contract()
    message = await alice.send(channel, "hello")
    route = Route(method, path, channel_id=channel.id, message_id=message.id)
    concrete = path.format(channel_id=channel.id, message_id=message.id)
    request = Request(method, concrete, parameters.get("params", {}), parameters.get("json"))
    assert contract.violations_of_request(request)
    monkeypatch.undo()
    await simcord_env.bot.http.request(route, **parameters)


async def test_the_emulator_takes_a_reply_to_a_message_that_is_gone_and_forgets_nonces(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor
) -> None:
    gone = await alice.send(channel, "hello")
    await alice.delete(gone)
    route = Route("POST", MESSAGES, channel_id=channel.id)
    reply = {"content": "x", "message_reference": {"message_id": gone.id}, "nonce": "once", "enforce_nonce": True}
    for _ in range(2):
        await simcord_env.bot.http.request(route, json=reply)
    assert len(channel.history()) == 2
