"""Answer messages: the pictures in them, or in the message that they reply to, or a sentence about what is missing."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import discord
import structlog

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.conversation.waiting_notice import is_waiting_notice
from bots.discord.addressing import Address, is_from_a_person
from bots.discord.asked_commands import AskedCommand, apologise
from bots.discord.errors import TROUBLE, facts_of, is_out_of_reach, is_without_effect, place_of
from bots.discord.files import SentFile, files_in, photos_in, to_fetch
from bots.discord.identity import chat_of, language_of, person_of, sender_of
from bots.discord.permissions import Permissions
from bots.discord.reactions import OwnReactions, Place, own_reactions
from bots.discord.sending import MessageAnswer, note_sent, send_to
from bots.messages import Command, CommandName, PhotoMessage, Reply
from bots.serving.journal import Entry, FirstTimes, LeftOpen
from db import Platform

_MOST_LOOKED_THROUGH = 100
"""Messages after a photo among which its answer is looked for."""
_log = structlog.get_logger()


@dataclass(frozen=True)
class Placed:
    """Where a photo is that is being answered, in ids: what the journal keeps of it. guild: None in direct messages."""

    channel: int
    guild: int | None
    message: int
    asking: int
    person: int
    language: str

    @classmethod
    def of(cls, message: discord.Message, asking: discord.Message) -> "Placed":
        """Return where a photo is. asking: the message that asks about it."""
        guild = message.guild.id if message.guild is not None else None
        return cls(message.channel.id, guild, message.id, asking.id, asking.author.id, language_of(message))


@dataclass(frozen=True)
class _Files:
    """What is to be answered: files of a message, and who asks about them. is_new: as in `PhotoMessage`."""

    message: discord.Message
    files: list[SentFile]
    asked_by: discord.abc.User
    is_automatic: bool = False
    is_new: bool = False


class Answers:
    """Passes messages to the service and shows its replies.

    Where the bot may not speak, nothing is said anywhere else either: a direct message would surprise.
    """

    def __init__(self, client: discord.Client, service: EmojiService, reactions: OwnReactions) -> None:
        self._client = client
        self._service = service
        self._reactions = reactions
        self._permissions = Permissions(client)
        self._apologies = FirstTimes()

    async def answer(self, message: discord.Message, address: Address) -> None:
        """Answer a message that is for the bot."""
        if not (await self._permissions.at(message)).speak:
            return
        if files := files_in(message):
            await self._answer_files(message, files, message)
        elif address is Address.DIRECT:
            await self._help(message)
        elif address is Address.MENTION:  # a reply to the bot, which mentions it too, is no request
            await self._answer_mention(message)

    async def answer_unasked(self, message: discord.Message) -> None:
        """Answer a photo that nobody asked about, if it is in a channel with automatic reactions, or part of a game."""
        files = photos_in(message)
        if message.guild is None or not files or not is_from_a_person(message):
            return
        allowed = await self._permissions.at(message)
        if not (allowed.react or allowed.speak):
            return
        if await self._is_attempt(message):
            await self._answer_files(message, files, message)
        elif await self._service.is_automatic(chat_of(message.channel.id)):
            await self._answer_files(message, files, message, is_automatic=True)

    async def _help(self, message: discord.Message) -> None:
        person, chat = person_of(message.author), chat_of(message.channel.id)
        reply = await self._service.on_command(Command(person, chat, CommandName.HELP, language_of(message)))
        await MessageAnswer(message, await self._permissions.at(message)).show(reply)

    async def _answer_mention(self, message: discord.Message) -> None:
        """Answer the picture in the message that a mention without one replies to, as far as the bot can see it."""
        original = self._original_of(message)
        if original is None:
            await self._explain(message, texts.MENTIONED_WITHOUT_PHOTO, message.author)
        elif files := files_in(original):
            await self._answer_files(original, files, message)
        else:
            await self._explain(message, texts.NO_PHOTO_SEEN_IN_REPLY, message.author)

    def _original_of(self, message: discord.Message) -> discord.Message | None:
        """Return the message that a message replies to, if somebody else than the bot wrote it."""
        original = message.reference.resolved if message.reference is not None else None
        return original if isinstance(original, discord.Message) and original.author != self._client.user else None

    async def put_off(self, message: discord.Message, address: Address) -> None:
        """Leave a message to the next start if it asks about a photo; else say that the bot is about to end."""
        if address is Address.NONE and not await self._is_attempt(message):
            return
        if not (await self._permissions.at(message)).speak:
            return
        original = self._original_of(message) if address is Address.MENTION else None
        shown = message if files_in(message) or original is None else original
        if files_in(shown):
            entry = await self._enter(shown, message)
            if entry is None:
                return
            await entry.leave()
            if entry.is_stored:
                return
        if files_in(shown) or address in (Address.DIRECT, Address.MENTION):
            await self._explain(message, texts.STOPPING, message.author)

    async def _is_attempt(self, message: discord.Message) -> bool:
        """Check whether a message shows a photo in reply to one of the bot's that asks for a round of a game."""
        answered = _replies_to(message)
        if message.guild is None or not answered or not photos_in(message) or not is_from_a_person(message):
            return False
        return await self._service.plays_on(chat_of(message.channel.id), answered)

    async def refuse(self, message: discord.Message) -> None:
        """Tell who wrote a message to slow down."""
        if (await self._permissions.at(message)).speak:
            await self._explain(message, texts.SLOW_DOWN if files_in(message) else texts.TOO_FAST, message.author)

    async def answer_left_open(self, left: Sequence[LeftOpen]) -> None:
        """Answer what another process has left, as far as that makes sense by now, or apologise."""
        ends = await asyncio.gather(*map(self._answer_left_open, left), return_exceptions=True)
        for error in ends:
            if isinstance(error, Exception):
                _log.error("photo_left_open", platform=Platform.DISCORD, at=place_of(error), **facts_of(error))

    async def _answer_left_open(self, left: LeftOpen) -> None:
        async with left.entry:
            place = Placed(**left.address) if "channel" in left.address else AskedCommand(**left.address)
            try:
                if isinstance(place, AskedCommand):
                    await apologise(self._client, self._service, place, left)
                elif not left.is_too_old:
                    await self._answer_at(place, left)
                elif self._apologies.is_first(place.channel):
                    await self._say_at(place, left.entry, texts.INTERRUPTED_LONG)
            except TROUBLE as error:
                if not is_out_of_reach(error):
                    raise
                if isinstance(place, Placed):
                    self._apologies.forget(place.channel)
                may_have_arrived = left.may_be_answered or not is_without_effect(error)
                await left.entry.leave(may_have_arrived=may_have_arrived)

    async def _answer_at(self, place: Placed, left: LeftOpen) -> None:
        """Answer a photo, unless that was done. Raise an error of `TROUBLE` if Discord is out of reach."""
        channel = await self._channel_at(place)
        try:
            message = await channel.fetch_message(place.message)
            asking = message if place.asking == place.message else await channel.fetch_message(place.asking)
        except TROUBLE as error:
            if is_out_of_reach(error):
                raise
            _log.info("photo_not_there", platform=Platform.DISCORD, **facts_of(error))
            await self._say_at(place, left.entry, texts.PHOTO_GONE)
            return
        shown, is_answered = await self._shown_already(message, place)
        if left.may_be_answered and is_answered:
            return
        if files := files_in(message):
            question = _Files(message, files, asking.author, is_new=place.asking == place.message)
            await self._answer_entered(question, left.entry, shown)
        else:
            await self._say_at(place, left.entry, texts.PHOTO_GONE)

    async def _say_at(self, place: Placed, entry: Entry, sentence: str) -> None:
        """Say a sentence in place of the answer. Raise an error of `TROUBLE` if Discord does not take it."""
        voice = await self._service.voice_for(person_of(discord.Object(place.person)), place.language)
        channel = await self._channel_at(place)
        if await entry.may_send():
            await send_to(channel, Reply(voice.say(sentence)))

    async def _channel_at(self, place: Placed) -> discord.abc.Messageable:
        """Return the channel of a photo. Raise an error of `TROUBLE` if the bot is no longer there."""
        known = self._client.get_channel(place.channel)
        channel = known if known is not None else await self._client.fetch_channel(place.channel)
        assert isinstance(channel, discord.abc.Messageable)
        return channel

    async def _shown_already(self, message: discord.Message, place: Placed) -> tuple[discord.Message | None, bool]:
        """Return the notice that somebody has to wait, if that is all the bot has replied to a message since it was
        asked about; and whether it has answered, which is taken to be so where it may not look.

        Raise an error of `TROUBLE` if Discord is out of reach.
        """
        voice = await self._service.voice_for(person_of(discord.Object(place.person)), place.language)
        notice: discord.Message | None = None
        try:
            async for later in message.channel.history(
                after=discord.Object(place.asking), limit=_MOST_LOOKED_THROUGH, oldest_first=True
            ):
                reference = later.reference
                if later.author != self._client.user or reference is None or reference.message_id != message.id:
                    continue
                if not is_waiting_notice(later.content, voice):
                    return None, True
                notice = later
        except TROUBLE as error:
            if is_out_of_reach(error):
                raise
            return None, True
        return notice, False

    async def _answer_files(
        self,
        message: discord.Message,
        files: list[SentFile],
        asking: discord.Message,
        *,
        is_automatic: bool = False,
    ) -> None:
        """Answer the files of a message, in reply to it, once. asking: the message that asks."""
        question = _Files(message, files, asking.author, is_automatic, asking.id == message.id)
        entry = self._service.journal.untracked() if is_automatic else await self._enter(message, asking)
        if entry is not None:
            async with entry:
                await self._answer_entered(question, entry)

    async def _enter(self, message: discord.Message, asking: discord.Message) -> Entry | None:
        """Enter a photo in the journal; None if it is there already. asking: the message that asks about it."""
        person, chat = person_of(asking.author), chat_of(message.channel.id)
        return await self._service.journal.enter(person, chat, str(asking.id), asdict(Placed.of(message, asking)))

    async def _answer_entered(self, question: "_Files", entry: Entry, shown: discord.Message | None = None) -> None:
        """Answer files. shown: what is there in place of the answer, and is replaced by it."""
        message, asked_by, is_automatic = question.message, question.asked_by, question.is_automatic
        allowed = await self._permissions.at(message)
        photo = PhotoMessage(
            person_of(asked_by),
            chat_of(message.channel.id),
            tuple(to_fetch(self._client.http, file) for file in question.files),
            language_of(message),
            comes_again=allowed.quote,
            sender=sender_of(message, asked_by),
            is_automatic=is_automatic,
            messages=(str(message.id),),
            replies_to=_replies_to(message),
            name=asked_by.display_name,
            is_new=question.is_new and not message.message_snapshots,
            forgettings=entry.forgettings,
        )
        voice = await self._service.voice_for(photo.person, photo.language)
        answer = MessageAnswer(message, allowed, "" if is_automatic else voice.say(texts.PHOTO_GONE), entry, shown)
        async for reply in self._service.on_photo(photo):
            await answer.show(reply)
            if not reply.waiting:
                await _close_or_leave(entry, answer.failure)
            if allowed.react and (answer.is_shown or not allowed.speak):
                self._react(message, reply)
            if answer.sent is not None:
                await note_sent(self._service, photo.chat, reply, answer.sent.id)

    def _react(self, message: discord.Message, reply: Reply) -> None:
        """React to a message with the first reaction that is not None; Discord's messages get only one."""
        emoji = next((reaction for reaction in reply.reactions if reaction is not None), None)
        if emoji is not None:
            self._reactions.want(Place(message.channel.id, message.id), emoji, own_reactions(message))

    async def _explain(self, message: discord.Message, sentence: str, asked_by: discord.abc.User) -> None:
        """Reply to a message with one of the adapter's own sentences, in the language of the person who asked."""
        voice = await self._service.voice_for(person_of(asked_by), language_of(message))
        await MessageAnswer(message, await self._permissions.at(message)).show(Reply(voice.say(sentence)))


async def _close_or_leave(entry: Entry, failure: BaseException | None) -> None:
    """Close an entry; leave it for another time where its answer failed because Discord was out of reach."""
    if failure is not None and is_out_of_reach(failure):
        await entry.leave(may_have_arrived=not is_without_effect(failure))
    else:
        await entry.close()


def _replies_to(message: discord.Message) -> str:
    """Return the id of the message that a message replies to; empty for none."""
    reference = message.reference if message.type is discord.MessageType.reply else None
    return str(reference.message_id) if reference is not None and reference.message_id is not None else ""
