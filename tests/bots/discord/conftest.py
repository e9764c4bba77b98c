"""Every request of the bot in these tests, and what the emulator sends it, must fit what Discord says of its API."""

from collections.abc import Iterator

import pytest
from simcord import ChannelHandle, Env, GuildHandle, MemberActor

from bots.conversation.service import EmojiService
from bots.discord.client import EmojiClient
from tests.contracts.discord import contract_if_there
from tests.contracts.discord_watch import watch
from tests.db.conftest import postgresql_server, url

__all__ = ["postgresql_server", "url"]


@pytest.fixture(autouse=True)
def _fitting_contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test where something does not fit; check nothing where the description is not there."""
    contract = contract_if_there()
    violations = watch(contract, monkeypatch) if contract is not None else []
    yield
    if violations:
        pytest.fail("\n".join(sorted(set(violations))), pytrace=False)


@pytest.fixture
def simcord_bot(service: EmojiService) -> EmojiClient:
    """Return the bot for simcord's own fixture, `simcord_env`; an exception in it fails the test."""
    return EmojiClient(service, shard_count=1)


@pytest.fixture
def guild(simcord_env: Env) -> GuildHandle:
    return simcord_env.create_guild()


@pytest.fixture
def channel(guild: GuildHandle) -> ChannelHandle:
    return guild.create_text_channel("selfies")


@pytest.fixture
def alice(simcord_env: Env, guild: GuildHandle) -> MemberActor:
    return guild.add_member(simcord_env.create_user("alice"))


@pytest.fixture
def bob(simcord_env: Env, guild: GuildHandle) -> MemberActor:
    return guild.add_member(simcord_env.create_user("bob"))
