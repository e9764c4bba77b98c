"""The Discord adapter: keeps a connection to Discord, and says in one sentence why it cannot."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ClassVar

import discord
import structlog

from bots.adapter import AdapterError
from bots.conversation.service import EmojiService
from bots.discord.client import EmojiClient
from bots.discord.errors import facts_of, shorten_library_errors
from bots.discord.shards import Identifying, Shard, Shards
from bots.discord.transport import Pace
from bots.serving.backoff import restarts
from bots.serving.lease import Lease
from bots.serving.supervision import BackgroundTasks
from db import Platform

_REFUSED = "Discord refused DISCORD_TOKEN: copy the bot's token from https://discord.com/developers into .env."
_NO_INTENT = (
    "Discord refused the message content intent: switch it on at https://discord.com/developers (the application > Bot "
    "> Message Content Intent), or set DISCORD_MESSAGE_CONTENT=false in .env."
)
_TOO_OLD = "Discord no longer understands this version of discord.py: update it with `pip install -U discord.py`."
_REFUSALS = {4004: _REFUSED, 4012: _TOO_OLD, 4013: _TOO_OLD, 4014: _NO_INTENT}
"""Close codes after which no attempt can succeed
(https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
"""
_MAY_PASS = frozenset({408, 429})
"""Statuses from 400 to 499 that say nothing about the token."""

_log = structlog.get_logger()


class DiscordAdapter:
    """Serves through Discord's gateway: as the only process with as many shards as Discord recommends, or with some."""

    name: ClassVar[Platform] = Platform.DISCORD
    allowed_reactions: ClassVar[frozenset[str] | None] = None

    def __init__(  # noqa: PLR0913  # the operator's settings
        self,
        service: EmojiService,
        token: str,
        *,
        lease: Callable[[str], Lease] | None = None,
        shards: Shards | None = None,
        reads_all_messages: bool = False,
        stop_after_s: float = 3.0,
    ) -> None:
        """Configure the adapter.

        lease: returns this process's part in what only one does, None where there is no other. shards: splits them
        between processes; None for all in the one whose turn it is. reads_all_messages: ask for the intent for the
        content of messages, which must be switched on at Discord. stop_after_s: for how many seconds what is in hand is
        waited for at the end.
        """
        self._service = service
        self._token = token
        self._lease, self._shards = lease, shards
        self._pace = Pace()
        self._reads_all_messages = reads_all_messages
        self._stop_after_s = stop_after_s

    async def run(self) -> None:
        """Serve until cancelled. Raise `AdapterError` where Discord refuses the bot; connect again after all else."""
        shorten_library_errors()
        if self._lease is None:
            await self._keep(self._client)
        elif self._shards is None:
            await self._lease("discord").while_held(partial(self._keep, self._client))
        else:
            identifying, count = Identifying(self._lease), self._shards.count

            async def serve(number: int) -> None:
                await self._keep(partial(self._client, Shard(number, count, identifying.wait)))

            await self._shards.run(serve)

    async def _keep(self, make: Callable[[], EmojiClient]) -> None:
        """Serve with a client until cancelled, and with a new one after each loss of the connection."""

        def tell(error: BaseException, pause_s: float) -> None:
            _log.warning("discord_unreachable", retry_in_s=pause_s, **facts_of(error))

        async for attempt in restarts(_may_pass, tell):
            with attempt:
                await self._connect(make)

    def _client(self, shard: Shard | None = None) -> EmojiClient:
        reads_all = self._reads_all_messages
        return EmojiClient(self._service, shard=shard, pace=self._pace, reads_all_messages=reads_all)

    async def _connect(self, make: Callable[[], EmojiClient]) -> None:
        """Serve until the connection is lost for good. Raise `AdapterError` if Discord refuses the bot."""
        try:
            async with make() as client:
                await self._serve(client)
        except Exception as error:
            if sentence := _refusal(error):
                raise AdapterError(sentence) from error
            raise
        raise ConnectionResetError("the connection was closed")

    async def _serve(self, client: EmojiClient) -> None:
        """Keep the client connected until it fails; when this is cancelled, let it finish what is in hand first."""
        connected = asyncio.create_task(client.start(self._token))
        background = BackgroundTasks()
        background.start("journal", client.follow_journal())
        try:
            await asyncio.shield(connected)
        except asyncio.CancelledError:
            await client.finish(self._stop_after_s)
            raise
        finally:
            await background.cancel()
            connected.cancel()
            await asyncio.wait({connected})


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, AdapterError)


def _refusal(error: Exception) -> str:
    """Return the sentence for the operator if Discord refuses the bot for good; empty if it may let it in later.

    Whatever Discord itself says against the token at the login is final. A page in HTML is from a proxy before
    it, whose opinion may change.
    """
    if isinstance(error, discord.LoginFailure):
        return _REFUSED
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return _NO_INTENT
    if isinstance(error, discord.ConnectionClosed):
        return _REFUSALS.get(error.code, "")
    if isinstance(error, discord.HTTPException) and 400 <= error.status < 500 and error.status not in _MAY_PASS:
        return "" if "html" in error.response.headers.get("Content-Type", "") else _REFUSED
    return ""
