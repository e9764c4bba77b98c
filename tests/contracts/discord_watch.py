"""Watch the Discord door in a test: every request that leaves it, and every event that simcord sends it.

Requests are seen where discord.py, or simcord in its place, is asked to send them, so with the names of all parts.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import simcord.gateway
import simcord.http.client
from discord.http import HTTPClient
from discord.webhook.async_ import AsyncWebhookAdapter

from tests.contracts.discord import DiscordContract, Request

OF_THE_GATEWAY = ("guild_id", "member", "channel_type")
"""What messages have only in events (https://discord.com/developers/docs/events/gateway-events#message-create)."""
EMULATED = {
    r"'locale', 'mfa_enabled', 'verified' were": "users have what only /users/@me has",
    r"'primary_guild' is a required property": "users lack it",
    r"'banner' is a required property": "members lack it",
    r"\.description: None is": "attachments have null for no description",
    r"\.nonce: None is": "messages have null for no nonce",
    r"\.message_reference: 'type' is a required": "references of messages about threads lack it",
    r"'fail_if_not_exists' was unexpected": "references keep what only requests have",
}
"""How simcord's objects differ from Discord's, by the sentence about them: none of it is used here."""

DOCUMENTED = {
    r"\.message_reference\.type: 0 was expected": "the reference knows 1, a forward; the description does not",
}
"""Where the reference documentation has what the description lacks, by the sentence about it."""

_PATH = re.compile(r"/api/v\d+(?P<path>/[^?]*)")
_SENDING = (
    (HTTPClient, "json", "form"),
    (simcord.http.client.FakeHTTPClient, "json", "form"),
    (AsyncWebhookAdapter, "payload", "multipart"),
    (simcord.http.client.FakeWebhookAdapter, "payload", "multipart"),
)
"""What sends requests, and how it calls their JSON and their form."""


def watch(contract: DiscordContract, patch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by each violation, as long as the patch lasts."""
    violations: list[str] = []
    for sender, body, form in _SENDING:
        patch.setattr(sender, "request", _watched_request(sender.request, body, form, contract, violations))
    feed = simcord.gateway.FakeGateway.feed

    def watched_feed(self: Any, event: str, payload: Mapping[str, Any]) -> None:
        travelling = json.loads(json.dumps(payload))
        told = (each for schema, value in _told_by(event, travelling) for each in contract.violations(schema, value))
        known = (*EMULATED, *DOCUMENTED)
        violations.extend(f"{event}: {each}" for each in told if not any(re.search(one, each) for one in known))
        feed(self, event, payload)

    patch.setattr(simcord.gateway.FakeGateway, "feed", watched_feed)
    return violations


def _watched_request(
    request: Callable[..., Any], body: str, form: str, contract: DiscordContract, violations: list[str]
) -> Callable[..., Any]:
    async def watched(self: Any, route: Any, *rest: Any, **parameters: Any) -> Any:
        sent = _request(route, parameters.get("params"), parameters.get(body), parameters.get(form))
        violations.extend(contract.violations_of_request(sent))
        return await request(self, route, *rest, **parameters)

    return watched


def _request(route: Any, query: Mapping[str, Any] | None, body: Any, form: Any) -> Request:
    path = _PATH.search(route.url)
    assert path is not None
    parts = {part["name"]: part["value"] for part in form or ()}
    if "payload_json" in parts:
        body = json.loads(parts.pop("payload_json"))
    return Request(route.method, path["path"], query or {}, json.loads(json.dumps(body)), tuple(parts))


def _told_by(event: str, payload: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Return the parts of an event that Discord's description has schemas for, each with its schema's name."""
    match event:
        case "MESSAGE_CREATE" | "MESSAGE_UPDATE":
            yield "MessageResponse", _as_resource(payload)
        case "INTERACTION_CREATE":
            resolved = payload["data"].get("resolved", {})
            messages = (*resolved.get("messages", {}).values(), *filter(None, (payload.get("message"),)))
            yield from (("MessageResponse", _as_resource(each)) for each in messages)
            yield from (("MessageAttachmentResponse", each) for each in resolved.get("attachments", {}).values())
        case "GUILD_CREATE":
            yield from (("GuildRoleResponse", each) for each in payload["roles"])
            yield from (("GuildMemberResponse", each) for each in payload["members"])


def _as_resource(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without what it has only in an event."""
    plain = {name: value for name, value in message.items() if name not in OF_THE_GATEWAY}
    plain["mentions"] = [{name: each[name] for name in each if name != "member"} for each in message["mentions"]]
    if isinstance(answered := plain.get("referenced_message"), Mapping):
        plain["referenced_message"] = _as_resource(answered)
    return plain
