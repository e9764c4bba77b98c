"""The bot's own reactions: one a message, set in the background, so that a rate limit on them holds up no answer."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import discord
import structlog
from cachetools import LRUCache

from bots.discord.delivery import delivered
from bots.discord.errors import TROUBLE, UNKNOWN_EMOJI, facts_of, is_gone, is_passing, is_without_effect
from bots.serving.supervision import BackgroundTasks
from db import Platform

MOST_WAITING = 20
"""Messages of one channel whose reactions are on their way; those of further ones are dropped."""
MOST_WAITING_IN_ALL = 500
_MOST_REMEMBERED = 5000

_log = structlog.get_logger()


class Place(NamedTuple):
    """A message that the bot reacts to."""

    channel_id: int
    message_id: int


class OwnReactions:
    """Brings the bot's reaction to each message to what was asked for last; what was asked for meanwhile is skipped.

    It remembers what it set: what Discord reports may be older.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._wanted: dict[Place, str] = {}
        self._set: LRUCache[Place, frozenset[str]] = LRUCache(_MOST_REMEMBERED)
        self._waiting: Counter[int] = Counter()
        self._tasks = BackgroundTasks()

    def want(self, place: Place, emoji: str, seen: Iterable[str] | None = None) -> None:
        """Let `emoji` be the only reaction of the bot on a message.

        seen: those of the bot that Discord reported; None to ask Discord, where none is remembered.
        """
        if seen is not None:
            self._set[place] = self._set.get(place, frozenset()) | frozenset(seen)
        if place in self._wanted:
            self._wanted[place] = emoji
        elif self._waiting[place.channel_id] < MOST_WAITING and len(self._wanted) < MOST_WAITING_IN_ALL:
            self._wanted[place] = emoji
            self._waiting[place.channel_id] += 1
            self._tasks.start("reaction", self._bring_about(place))
        else:
            _log.info("reaction_dropped", platform=Platform.DISCORD)

    async def close(self) -> None:
        """Give up what is still on its way."""
        await self._tasks.cancel()

    async def _bring_about(self, place: Place) -> None:
        tried = None
        try:
            while (emoji := self._wanted[place]) != tried:
                tried = emoji
                await self._try(place, emoji)
        finally:
            del self._wanted[place]
            self._waiting[place.channel_id] -= 1
            if not self._waiting[place.channel_id]:
                del self._waiting[place.channel_id]

    async def _try(self, place: Place, emoji: str) -> None:
        try:
            await self._replace(place, emoji)
        except TROUBLE as error:
            _log.warning("discord_refused", action="reaction", **facts_of(error))
            if is_gone(error):
                self._set.pop(place, None)
                self._wanted[place] = emoji  # nothing else can be set there either

    async def _replace(self, place: Place, emoji: str) -> None:
        """Remove the bot's other reactions, then add this one."""
        message = self._client.get_partial_messageable(place.channel_id).get_partial_message(place.message_id)
        own = self._set.get(place)
        if own is None:
            own = own_reactions(await message.fetch())
        others = own - {emoji}
        for other in others:
            await delivered(partial(self._remove, message, other))
            own -= {other}
            self._set[place] = own
        if emoji in own:
            return
        try:
            # one that replaces another, which is gone by now, is worth several attempts
            await delivered(partial(message.add_reaction, emoji), is_passing if others else _never)
        except TROUBLE as error:
            if is_without_effect(error):
                raise
            self._set[place] = own | {emoji}  # it may have arrived
            raise
        self._set[place] = own | {emoji}

    async def _remove(self, message: discord.PartialMessage, emoji: str) -> None:
        assert self._client.user is not None  # set at login
        try:
            await message.remove_reaction(emoji, self._client.user)
        except discord.NotFound as error:
            if error.code != UNKNOWN_EMOJI:  # else it is gone already
                raise


def _never(_error: BaseException) -> bool:
    return False


def own_reactions(message: discord.Message) -> frozenset[str]:
    """Return the bot's own reactions on a message, as Discord reports them."""
    return frozenset(str(reaction.emoji) for reaction in message.reactions if reaction.me)
