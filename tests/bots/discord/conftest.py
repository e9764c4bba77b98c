"""Every request of the bot in these tests, and every message that the emulator sends it, is checked against Discord's
own description of its API.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import simcord.gateway
import simcord.http.router

from tests.contracts.discord import Contract, Request, default_description, load


@pytest.fixture(autouse=True)
def problems_with_contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail the test if something does not fit; nothing is checked where the description is not there."""
    problems: list[str] = []
    if default_description().exists():
        _watch(load(default_description()), problems, monkeypatch)
    yield problems
    if problems:
        pytest.fail("\n".join(sorted(set(problems))), pytrace=False)


def _watch(contract: Contract, problems: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch = simcord.http.router.dispatch

    def watched(backend: Any, method: str, path: str, **parts: Any) -> Any:
        files = [f"files[{number}]" for number, _ in enumerate(parts.get("files") or ())]
        problems.extend(contract.problems(Request(method, path, parts.get("params") or {}, parts.get("json"), files)))
        return dispatch(backend, method, path, **parts)

    monkeypatch.setattr(simcord.http.router, "dispatch", watched)

    feed = simcord.gateway.FakeGateway.feed

    def fed(self: Any, event: str, payload: Any) -> None:
        if event in ("MESSAGE_CREATE","MESSAGE_UPDATE"):
            problems.extend(contract.problems_of("MessageResponse", payload))
        if event == "INTERACTION_CREATE":
            m = payload.get("message")
            if m: problems.extend(contract.problems_of("MessageResponse", m))
            for m in payload["data"].get("resolved",{}).get("messages",{}).values():
                problems.extend(contract.problems_of("MessageResponse", m))
            for m in payload["data"].get("resolved",{}).get("attachments",{}).values():
                problems.extend(contract.problems_of("MessageAttachmentResponse", m))
        if event=="GUILD_CREATE":
            for r in payload["roles"]: problems.extend(contract.problems_of("GuildRoleResponse", r))
            for r in payload["channels"]: problems.extend(contract.problems_of("GuildChannelResponse", r))
            for r in payload["members"]: problems.extend(contract.problems_of("GuildMemberResponse", r))
        feed(self, event, payload)

    monkeypatch.setattr(simcord.gateway.FakeGateway, "feed", fed)
