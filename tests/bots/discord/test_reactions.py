"""The bot's own reactions: the last one that is wanted is the only one, and not too many wait."""

import asyncio
from typing import Any

import discord
import pytest
from structlog.testing import capture_logs

from bots.discord.reactions import MOST_WAITING, OwnReactions, Place
from tests.waiting import until


class Discord:
    """Stands in for a client: one set of the bot's reactions a message, which can be held up."""

    user = discord.Object(1)

    def __init__(self) -> None:
        self.own: dict[int, set[str]] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.calls: list[tuple[str, int, str]] = []

    def get_partial_messageable(self, _channel_id: int) -> "Discord":
        return self

    def get_partial_message(self, number: int) -> Any:
        own, client = self.own.setdefault(number, set()), self

        class Message:
            async def add_reaction(self, emoji: str) -> None:
                client.calls.append(("add", number, emoji))
                await client.open.wait()
                own.add(emoji)

            async def remove_reaction(self, emoji: str, _user: object) -> None:
                client.calls.append(("remove", number, emoji))
                await client.open.wait()
                own.discard(emoji)

            async def fetch(self) -> Any:
                stale: Any = type("Stale", (), {"reactions": []})
                return stale

        return Message()


@pytest.fixture
async def client() -> Discord:
    return Discord()


async def test_what_was_wanted_meanwhile_is_skipped(client: Discord) -> None:
    reactions: Any = OwnReactions(client)  # type: ignore[arg-type]
    place = Place(1, 2)
    client.open.clear()
    for emoji in "abcdefg":
        reactions.want(place, emoji, ())
        await asyncio.sleep(0)
    client.open.set()
    await until(lambda: not reactions._wanted)
    assert client.own[2] == {"g"}
    assert client.calls == [("add", 2, "a"), ("remove", 2, "a"), ("add", 2, "g")]


async def test_it_goes_by_what_it_set_and_not_by_what_discord_reports_late(client: Discord) -> None:
    reactions: Any = OwnReactions(client)  # type: ignore[arg-type]
    for emoji in "abca":
        reactions.want(Place(1, 2), emoji)
        await until(lambda: not reactions._wanted)
    assert client.own[2] == {"a"}


async def test_of_too_many_in_one_channel_the_last_are_dropped_and_other_channels_go_on(client: Discord) -> None:
    reactions: Any = OwnReactions(client)  # type: ignore[arg-type]
    client.open.clear()
    with capture_logs() as logs:
        for number in range(MOST_WAITING + 3):
            reactions.want(Place(1, number), "a", ())
        reactions.want(Place(2, 999), "a", ())
    assert [each["event"] for each in logs] == ["reaction_dropped"] * 3
    client.open.set()
    await until(lambda: not reactions._wanted)
    assert len([own for own in client.own.values() if own]) == MOST_WAITING + 1
