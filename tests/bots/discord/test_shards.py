"""Shards that processes share: all are served, each by one process, whoever comes, ends or dies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import discord
import pytest
from structlog.testing import capture_logs

from bots.adapter import AdapterError
from bots.conversation.service import EmojiService
from bots.discord.adapter import DiscordAdapter
from bots.discord.client import EmojiClient
from bots.discord.shards import Identifying, Shard, Shards
from bots.serving.lease import HELD_FOR, Lease, leases_of_a_process
from db import Store
from tests.bots.discord.server import DiscordServer
from tests.faults import Faults
from tests.waiting import until

QUICKLY = 0.02


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Connections:
    """Who serves which shard at the moment."""

    def __init__(self) -> None:
        self.of: dict[str, set[int]] = {}
        self.most: Counter[int] = Counter()

    async def serve(self, who: str, shard: int) -> None:
        mine = self.of.setdefault(who, set())
        assert not any(shard in others for others in self.of.values()), f"shard {shard} is served twice"
        mine.add(shard)
        try:
            await asyncio.Event().wait()
        finally:
            mine.discard(shard)

    def shares(self) -> dict[str, int]:
        return {who: len(shards) for who, shards in self.of.items() if shards}


@pytest.fixture
async def store(url: str, faults: Faults) -> AsyncIterator[Store]:
    store = await Store.open(url, "a secret for tests", before_statement=faults)
    yield store
    await store.close()


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture
def process(store: Store, connections: Connections) -> Callable[[str], "asyncio.Task[None]"]:
    clock = Clock()

    def start(who: str, count: int = 5) -> "asyncio.Task[None]":
        lease = partial(Lease, store.leases, who, clock=clock, renewed_every_s=QUICKLY, looked_every_s=QUICKLY)
        shards = Shards(count, store.leases, lease, clock=clock, looked_every_s=QUICKLY)
        return asyncio.create_task(shards.run(partial(connections.serve, who)))

    start.clock = clock  # type: ignore[attr-defined]
    return start


@asynccontextmanager
async def running(*tasks: "asyncio.Task[None]") -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for task in tasks:
            stack.callback(task.cancel)
        yield
    await asyncio.wait(tasks)


async def test_a_process_alone_serves_all(
    process: Callable[[str], "asyncio.Task[None]"], connections: Connections
) -> None:
    async with running(process("a")):
        await until(lambda: connections.shares() == {"a": 5})


async def test_who_comes_gets_a_share_and_who_ends_leaves_it_to_the_others(
    process: Callable[[str], "asyncio.Task[None]"], connections: Connections
) -> None:
    first = process("a")
    async with running(first):
        await until(lambda: connections.shares() == {"a": 5})
        async with running(process("b")):
            await until(lambda: connections.shares() == {"a": 3, "b": 2})
            async with running(process("c")):
                await until(lambda: sorted(connections.shares().values()) == [1, 2, 2])
                first.cancel()
                await until(
                    lambda: (
                        sorted(connections.shares().items()) == [("b", 3), ("c", 2)]
                        or sorted(connections.shares().items()) == [("b", 2), ("c", 3)]
                    )
                )
            await until(lambda: connections.shares() == {"b": 5})


async def test_the_shards_of_a_process_that_dies_are_taken_when_its_time_is_over(
    process: Callable[[str], "asyncio.Task[None]"], connections: Connections, store: Store
) -> None:
    clock: Clock = process.clock  # type: ignore[attr-defined]
    names = ["discord process dead", *(f"discord shard {number} of 5" for number in (0, 1, 2))]
    for name in names:
        assert await store.leases.take(name, "dead", clock.now, clock.now + HELD_FOR)
    async with running(process("b")):
        await until(lambda: connections.of.get("b") == {3, 4})
        await asyncio.sleep(0.2)
        assert connections.of["b"] == {3, 4}
        clock.now += HELD_FOR + timedelta(seconds=1)
        await until(lambda: connections.shares() == {"b": 5})


async def test_without_the_database_each_goes_on_with_what_it_has(
    process: Callable[[str], "asyncio.Task[None]"], connections: Connections, faults: Faults
) -> None:
    async with running(process("a"), process("b")):
        await until(lambda: sorted(connections.shares().values()) == [2, 3])
        before = {who: set(shards) for who, shards in connections.of.items()}
        with faults.no_database(), capture_logs() as logs:
            await until(lambda: len([each for each in logs if each["event"] == "shards_not_balanced"]) > 10)
            assert connections.of == before


async def test_what_a_shard_raises_ends_all(store: Store) -> None:
    async def refused(shard: int) -> None:
        raise AdapterError("Discord refused DISCORD_TOKEN.")

    shards = Shards(3, store.leases, leases_of_a_process(store.leases), looked_every_s=QUICKLY)
    with pytest.raises(AdapterError):
        await asyncio.wait_for(shards.run(refused), 60)
    assert await store.leases.held("", datetime.now(UTC)) == frozenset()


async def test_of_several_connections_one_is_opened_at_a_time(store: Store) -> None:
    pause_s = 0.2
    processes = [Identifying(leases_of_a_process(store.leases), pause_s) for _ in range(2)]
    moments: list[float] = []

    async def identify(process: Identifying) -> None:
        await process.wait()
        moments.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(identify(each) for each in processes * 3))
    assert min(after - before for before, after in pairwise(moments)) >= pause_s * 0.9


async def test_a_client_of_one_shard_is_made_for_it(service: EmojiService) -> None:
    asked: list[bool] = []

    async def before_identify() -> None:
        asked.append(True)

    client = EmojiClient(service, shard=Shard(2, 5, before_identify))
    assert isinstance(client, discord.AutoShardedClient)
    assert (client.shard_ids, client.shard_count) == ([2], 5)
    await client.before_identify_hook(2, initial=True)
    assert asked == [True]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_each_shard_has_a_connection_to_discord(
    service: EmojiService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, lease = DiscordServer(), leases_of_a_process(store.leases)
    async with server.running(monkeypatch):
        shards = Shards(2, store.leases, lease)
        adapter = DiscordAdapter(service, "not.a.token", lease=lease, shards=shards)
        async with running(asyncio.create_task(adapter.run())):
            await until(lambda: len(server.identified) == 2)
            assert sorted(each["shard"] for each in server.identified) == [[0, 2], [1, 2]]
            assert shards.served == {0, 1}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_without_shards_to_share_one_process_is_connected_and_another_follows_it(
    service: EmojiService, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started() -> "asyncio.Task[None]":
        adapter = DiscordAdapter(service, "not.a.token", lease=leases_of_a_process(store.leases))
        return asyncio.create_task(adapter.run())

    server = DiscordServer()
    async with server.running(monkeypatch), running(one := started()):
        await until(server.is_ready.is_set)
        async with running(started()):
            await asyncio.sleep(1)
            assert len(server.identified) == 1
            one.cancel()
            await until(lambda: len(server.identified) == 2)
