"""The connection to Discord: takes events in, decides with the other modules here what they ask for, and answers.

It needs no privileged intent: messages sent to the bot directly, messages that mention it and targets of commands are
readable without one (https://discord.com/developers/docs/events/gateway#message-content-intent). Only automatic
reactions to photos that nobody asked about need that of message content.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from typing import Any

import discord
import structlog
from cachetools import LRUCache
from discord import app_commands

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.addressing import Address, address_of
from bots.discord.admin_commands import admin_commands
from bots.discord.answering import Answers
from bots.discord.buttons import TapButton
from bots.discord.commands import CommandTranslator, commands_for_everybody, facts_of_command
from bots.discord.errors import facts_of, losing_no_answer_silently, place_of, tolerated
from bots.discord.files import files_in
from bots.discord.identity import chat_of, person_of
from bots.discord.reactions import OwnReactions
from bots.discord.sending import refuse, say_to
from bots.discord.shards import Shard
from bots.discord.taps import Taps
from bots.discord.transport import BoundedHTTPClient, Pace, paced
from bots.messages import PeopleReaction
from bots.serving.admission import END_OF_CANCELLED_S, Admission, Kind, RefusedError
from bots.serving.fair_queue import Whose
from db import Platform

PREVIEW_WITHIN_S = 2.0
"""How long a message with a link is looked at again for what the link shows: Discord adds that to it a moment later."""
_EDITED_WITHIN = timedelta(minutes=5)
_MOST_ANSWERED = 10_000
_SESSION_EVENTS = frozenset({"READY", "RESUMED"})
"""Events without which a connection is of no use."""

_log = structlog.get_logger()


class EmojiClient(discord.AutoShardedClient):
    """A connection to Discord, without a message cache. It is replaced by a new one if it is lost permanently."""

    def __init__(
        self,
        service: EmojiService,
        shard_count: int | None = None,
        *,
        shard: Shard | None = None,
        pace: Pace | None = None,
        reads_all_messages: bool = False,
    ) -> None:
        """Set up the client.

        shard_count: None for Discord's recommendation. shard: the only one that this client serves, None for all. pace:
        keeps the limit of calls together with other clients, None alone. reads_all_messages: Discord has granted the
        intent for the content of messages; if it has not, it refuses the connection.
        """
        only: dict[str, Any] = {"shard_ids": [shard.number]} if shard is not None else {}
        super().__init__(
            intents=discord.Intents(
                guilds=True,
                guild_messages=True,
                dm_messages=True,
                guild_reactions=True,
                dm_reactions=True,
                message_content=reads_all_messages,
            ),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            shard_count=shard.count if shard is not None else shard_count,
            **only,
        )
        self._shard = shard
        self.http = self._connection.http = BoundedHTTPClient(self.loop, http_trace=paced(pace or Pace()))
        self._connection.parsers = {event: _guarded(event, parse) for event, parse in self._connection.parsers.items()}
        self.service = service
        self.reads_all_messages = reads_all_messages
        self.tree = QuietCommandTree(self)
        self._reactions = OwnReactions(self)
        self._answers = Answers(self, service, self._reactions)
        self._taps = Taps(service, self._reactions)
        self._answered: LRUCache[int, None] = LRUCache(_MOST_ANSWERED)
        self._awaiting_preview: set[int] = set()
        self.admission = Admission()
        self._farewells: set[asyncio.Task[Any]] = set()

    async def setup_hook(self) -> None:
        """Register the buttons of old messages, and publish the commands if they have changed."""
        self.add_dynamic_items(TapButton)
        for command in (*commands_for_everybody(), *admin_commands()):
            self.tree.add_command(command)
        translator = CommandTranslator()
        await self.tree.set_translator(translator)
        with tolerated("publish_commands"):
            commands = self.tree.get_commands()
            wanted = [await command.get_translated_payload(self.tree, translator) for command in commands]
            published = await self._published_commands()
            if set(map(facts_of_command, published)) != set(map(facts_of_command, wanted)):
                await self.tree.sync()
                _log.info("commands_published", platform=Platform.DISCORD)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait for the turn of a new session."""
        if self._shard is not None:
            await self._shard.before_identify()
        else:
            await super().before_identify_hook(shard_id, initial=initial)

    async def finish(self, longest_s: float) -> None:
        """Begin with nothing more, and let what is in hand come to its end, for so many seconds."""
        await self.admission.finish(longest_s)
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=END_OF_CANCELLED_S)

    async def close(self) -> None:
        """Give up what goes on in the background, and close the connection."""
        await self._reactions.close()
        await super().close()

    async def on_ready(self) -> None:
        """Log that the bot is connected; repeated after a lost connection."""
        _log.info("adapter_open", adapter=Platform.DISCORD)

    async def follow_journal(self) -> None:
        """Answer what other processes have left, from the moment of being connected until cancelled."""
        await self.wait_until_ready()
        await self.service.journal.follow(Platform.DISCORD, self._answers.answer_left_open)

    async def on_error(self, event_method: str, /, *_arguments: Any, **_options: Any) -> None:
        """Log a failure of one of the methods here in one line."""
        error = sys.exc_info()[1]
        if error is not None:
            _log.error("discord_event_failed", method=event_method, at=place_of(error), **facts_of(error))

    async def on_message(self, message: discord.Message) -> None:
        """Answer messages that are for the bot, and photos where automatic reactions are on."""
        address = address_of(message, self._me)
        if self.admission.is_closed:
            await self._put_off(message, address)
        elif address is Address.NONE:
            if self.reads_all_messages and message.attachments:
                with suppress(RefusedError), self._admitted_with(message):
                    await self._answers.answer_unasked(message)
        else:
            try:
                with self._admitted_with(message):
                    await self._answer_new(message, address)
            except RefusedError as error:
                if error.tells:
                    await self._answers.refuse(message)

    async def _answer_new(self, message: discord.Message, address: Address) -> None:
        """Answer a message that is for the bot, after its links have become pictures."""
        if "://" in message.content and not files_in(message):
            self._awaiting_preview.add(message.id)
            await asyncio.sleep(PREVIEW_WITHIN_S)
            self._awaiting_preview.discard(message.id)
        await self._answer_once(message, address)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Answer a message that was edited to be for the bot, or whose link shows a picture by now."""
        message = event.message
        edited = message.edited_at
        is_new = edited is not None and discord.utils.utcnow() - edited < _EDITED_WITHIN
        is_awaited = message.id in self._awaiting_preview and bool(files_in(message))
        address = address_of(message, self._me)
        if address not in (Address.DIRECT, Address.MENTION) or not (is_new or is_awaited):
            return
        if self.admission.is_closed:
            await self._put_off(message, address)
        else:
            with suppress(RefusedError), self._admitted_with(message):
                await self._answer_once(message, address)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Tell the service which emoji a person put on a message."""
        if event.user_id != self._me and not (event.member is not None and event.member.bot):
            await self._note_reaction(event, (str(event.emoji),))

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Tell the service that a person took an emoji away."""
        if event.user_id != self._me:
            await self._note_reaction(event, ())

    async def on_tap(self, interaction: discord.Interaction[Any], token: str) -> None:
        """Answer a press on one of the service's buttons; called by `TapButton`."""
        try:
            with self.admission.admitted(_whose(interaction.channel_id, interaction.user), Kind.OTHER):
                await self._taps.answer(interaction, token)
        except RefusedError as error:
            await self.refuse(interaction, error)

    async def refuse(self, interaction: discord.Interaction[Any], error: RefusedError) -> None:
        """Say why nothing is done for an interaction, once a burst, and always where the bot is about to end."""
        if self.admission.is_closed:
            with self._waited_for():
                await refuse(interaction, texts.STOPPING)
        elif error.tells:
            await refuse(interaction, texts.TOO_FAST)

    @contextmanager
    def _waited_for(self) -> Iterator[None]:
        """Let the end wait for this context, although nothing is admitted any more."""
        task = asyncio.current_task()
        assert task is not None
        self._farewells.add(task)
        try:
            yield
        finally:
            self._farewells.discard(task)

    def _admitted_with(self, message: discord.Message) -> AbstractContextManager[None]:
        """Count a message as in hand in this context. Raise `RefusedError`."""
        kind = Kind.PHOTO if files_in(message) else Kind.OTHER
        return self.admission.admitted(_whose(message.channel.id, message.author), kind)

    @property
    def _me(self) -> int:
        assert self.user is not None  # set at login
        return self.user.id

    async def _published_commands(self) -> list[Mapping[str, Any]]:
        """Return the published commands with their translations, which `CommandTree.fetch_commands` omits.

        See https://discord.com/developers/docs/interactions/application-commands#get-global-application-commands.
        """
        route = discord.http.Route("GET", "/applications/{application_id}/commands", application_id=self.application_id)
        published: list[Mapping[str, Any]] = await self.http.request(route, params={"with_localizations": "true"})
        return published

    async def _note_reaction(self, event: discord.RawReactionActionEvent, emoji: tuple[str, ...]) -> None:
        person = person_of(discord.Object(event.user_id))
        reaction = PeopleReaction(person, chat_of(event.channel_id), str(event.message_id), emoji)
        with suppress(RefusedError), self.admission.admitted(Whose(event.channel_id, event.user_id), Kind.OTHER):
            await self.service.on_reaction(reaction)

    async def _put_off(self, message: discord.Message, address: Address) -> None:
        """Leave a message to the next start, because the bot is about to end; Discord does not bring it again."""
        if message.id not in self._answered:
            self._answered[message.id] = None
            with self._waited_for():
                await self._answers.put_off(message, address)

    async def _answer_once(self, message: discord.Message, address: Address) -> None:
        """Answer a message that is for the bot, unless that was done before it was edited."""
        if message.id not in self._answered:
            self._answered[message.id] = None
            await self._answers.answer(message, address)


def _whose(channel_id: int | None, user: discord.abc.Snowflake) -> Whose:
    return Whose(channel_id or user.id, user.id)


class QuietCommandTree(app_commands.CommandTree[EmojiClient]):
    """Admits commands, and logs a failure of one in one line."""

    async def _call(self, interaction: discord.Interaction[EmojiClient]) -> None:
        """Run a command if it is admitted; the library has no other place around all of them."""
        if interaction.type is discord.InteractionType.autocomplete:
            await super()._call(interaction)
            return
        try:
            with self.client.admission.admitted(_whose(interaction.channel_id, interaction.user), Kind.OTHER):
                await super()._call(interaction)
        except RefusedError as error:
            await self.client.refuse(interaction, error)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # the library found something else than a command in it
            _log.warning("malformed_event", platform=Platform.DISCORD, type="INTERACTION_CREATE", **facts_of(error))

    async def on_error(
        self, interaction: discord.Interaction[EmojiClient], error: app_commands.AppCommandError, /
    ) -> None:
        """Log it, without what was written in the command, and say that it did not work."""
        cause = error.__cause__ or error
        name = interaction.command.name if interaction.command is not None else ""
        _log.error("command_failed", platform=Platform.DISCORD, command=name, at=place_of(cause), **facts_of(cause))
        if interaction.response.is_done():
            with losing_no_answer_silently("command"):
                await say_to(interaction, texts.FAILED)
        else:
            await refuse(interaction, texts.FAILED)


def _guarded(event: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a parser of discord.py's that leaves out a malformed event, which would end the connection for good.

    Those that begin a session are not left out: what is raised there leads to a new connection.
    """

    def parse_or_leave_out(data: Any) -> None:
        try:
            parse(data)
        except Exception as error:
            if event in _SESSION_EVENTS:
                raise
            _log.warning("malformed_event", platform=Platform.DISCORD, type=event, **facts_of(error))

    return parse_or_leave_out
