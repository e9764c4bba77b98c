"""What the bot may do at a place. It is checked before each call, because Discord bans bots for refused attempts
(https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
"""

from dataclasses import dataclass

import discord
from cachetools import TTLCache

from bots.discord.errors import TROUBLE, is_out_of_reach, log_refused

_MOST_FETCHED = 1000
_FETCHED_FOR_S = 600.0

_Place = discord.Thread | discord.abc.GuildChannel


@dataclass(frozen=True)
class Allowed:
    """What the bot may do at a place. quote: refer to the messages there, and fetch them again."""

    speak: bool
    attach: bool
    quote: bool
    react: bool


_EVERYTHING = Allowed(speak=True, attach=True, quote=True, react=True)
_NOTHING = Allowed(speak=False, attach=False, quote=False, react=False)


class Permissions:
    """Knows what the bot may do, also in channels and threads that discord.py has not heard of."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._fetched: TTLCache[int, _Place | None] = TTLCache(_MOST_FETCHED, _FETCHED_FOR_S)

    async def at(self, message: discord.Message) -> Allowed:
        """Return what the bot may do where a message was sent; nothing if that cannot be found out.

        While Discord is out of reach it is everything: what is tried and fails then is left for later, but what is not
        tried is lost.
        """
        if isinstance(message.channel, discord.DMChannel):
            return _EVERYTHING
        if message.guild is not None and self._client.get_guild(message.guild.id) is None:
            return _EVERYTHING  # of another process's shard, which was allowed to answer what it left
        known = message.channel if isinstance(message.channel, _Place) else None
        try:
            place = known or await self._fetch(message.channel.id)
        except TROUBLE as error:
            log_refused("fetch_channel", error)
            return _EVERYTHING
        return _allowed_at(place) if place is not None else _NOTHING

    async def _fetch(self, channel_id: int) -> _Place | None:
        """Fetch a place that is missing from the cache, such as a thread that slept; at most once in a while.

        Raise an error of `TROUBLE` if Discord is out of reach.
        """
        if channel_id in self._fetched:
            return self._fetched[channel_id]
        try:
            channel = await self._client.fetch_channel(channel_id)
        except TROUBLE as error:
            if is_out_of_reach(error):
                raise
            log_refused("fetch_channel", error)
            channel = None
        place = self._fetched[channel_id] = channel if isinstance(channel, _Place) else None
        return place


def may_react(permissions: discord.Permissions) -> bool:
    """Check whether permissions suffice to put a reaction on messages."""
    return permissions.view_channel and permissions.read_message_history and permissions.add_reactions


def _allowed_at(place: _Place) -> Allowed:
    who = place.guild.me or place.guild.default_role  # what everybody may do, where the own membership is not known
    try:
        permissions = place.permissions_for(who)
    except (discord.ClientException, AttributeError):  # its parent, or the roles of the server, are not known
        return _NOTHING
    in_thread = isinstance(place, discord.Thread)
    return Allowed(
        speak=permissions.send_messages_in_threads if in_thread else permissions.send_messages,
        attach=permissions.attach_files,
        quote=permissions.read_message_history,
        react=may_react(permissions),
    )
