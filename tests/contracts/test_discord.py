"""The contract itself: it refuses what Discord would, and the emulator does not."""

import pytest

from tests.contracts.discord import DiscordContract, Request, need_contract

BUTTON = {"type": 2, "style": 1, "label": "x", "custom_id": "a"}


@pytest.fixture
def contract() -> DiscordContract:
    return need_contract()


def message(**fields: object) -> Request:
    return Request("POST", "/channels/1/messages", {}, fields)


def row(**fields: object) -> list[object]:
    return [{"type": 1, "components": [BUTTON | fields]}]


@pytest.mark.parametrize(
    "fitting",
    [
        message(content="hello", nonce="x" * 25, enforce_nonce=True, tts=False),
        message(content="hello", components=row()),
        message(content="hello", message_reference={"message_id": 5, "fail_if_not_exists": False}),
        Request("POST", "/channels/1/messages", {}, {"attachments": [{"id": 0, "filename": "a.jpg"}]}, ("files[0]",)),
        Request("PUT", "/channels/1/messages/2/reactions/%F0%9F%98%81/@me", {}, None),
        Request("PUT", "/channels/1/messages/2/reactions/party:123456789012345678/@me", {}, None),
        Request("GET", "/applications/1/commands", {"with_localizations": "true"}, None),
        Request("POST", "/webhooks/1/token", {"wait": 1}, {"content": "hello"}),
    ],
)
def test_what_discord_takes_fits(contract: DiscordContract, fitting: Request) -> None:
    assert not contract.violations_of_request(fitting)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (Request("POST", "/channels/1/shouts", {}, {}), "no such operation"),
        (Request("GET", "/channels/me/messages", {}, None), "channel_id"),
        (Request("GET", "/channels/1/messages", {"limit": 101}, None), "limit"),
        (Request("GET", "/channels/1/messages", {"newest": 1}, None), "newest"),
        (Request("POST", "/channels/1/messages", {}, None), "body is missing"),
        (Request("GET", "/channels/1/messages/2", {}, {"content": "x"}), "takes no body"),
        (message(content="x" * 2001), "2000"),
        (message(content="x" * 4001), "too long"),
        (message(content=5), "content"),
        (message(contents="x"), "contents"),
        (message(content="x", nonce="x" * 26), "nonce"),
        (message(content="x", components=row(label="x" * 81)), "label"),
        (message(content="x", components=row(custom_id="x" * 101)), "custom_id"),
        (message(content="x", components=row(colour=1)), "colour"),
        (message(content="x", components=[{"type": 1, "components": [BUTTON] * 6}]), "components"),
        (message(content="x", message_reference={"channel_id": 5}), "message_id"),
        (Request("POST", "/channels/1/messages", {}, {"content": "x"}, ("files[0]",)), "attachments"),
        (Request("PUT", "/channels/1/messages/2/reactions/smile/@me", {}, None), "no emoji"),
        (Request("PUT", "/channels/1/messages/2/reactions/%3C%3Aa%3A1%3E/@me", {}, None), "no emoji"),
        (Request("PUT", "/applications/1/commands", {}, [{"name": "x" * 33}]), "name"),
        (Request("PUT", "/applications/1/commands", {}, [{"name": "x", "contexts": [3]}]), "contexts"),
        (Request("PUT", "/applications/1/commands", {}, [{"description": "x"}]), "name"),
    ],
)
def test_what_discord_refuses_does_not(contract: DiscordContract, wrong: Request, reason: str) -> None:
    violations = contract.violations_of_request(wrong)
    assert any(reason in each for each in violations), violations


def test_an_invented_field_of_a_message_that_is_told_does_not_fit(contract: DiscordContract) -> None:
    assert any("mood" in each for each in contract.violations("MessageResponse", {"id": "1", "mood": "good"}))
