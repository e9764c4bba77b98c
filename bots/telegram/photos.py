"""Answer photos and clips: those meant for the bot, and those nobody asked about where a chat wants it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
from cachetools import LRUCache
from telegram import Bot, Message
from telegram.constants import ChatType
from telegram.error import TelegramError

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.messages import (
    Command,
    CommandName,
    PhotoMessage,
    Reply,
)
from bots.serving.journal import Entry, FirstTimes, LeftOpen
from bots.telegram import identity
from bots.telegram.addressing import Wish, command_in, mentions, wish_in
from bots.telegram.albums import Gatherer
from bots.telegram.delivery import Delivery, is_uncertain, short
from bots.telegram.files import file_in, is_other_file, to_fetch
from bots.telegram.noting import note_sent
from bots.telegram.questions import Question, address_of, question_at, question_in
from bots.telegram.rate_limiter import MaySend
from bots.telegram.reactions import Reactions
from bots.telegram.sending import Said, Sender
from bots.telegram.shared_albums import Album, SharedAlbums, album_at
from bots.telegram.updates import Settlement, settlement
from db import PARTS, Chat, Platform

MOST_ANSWERED = 10_000
"""Messages whose answers are remembered, so that an edit of one is not answered again."""
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Part:
    """A message of an album, and what lets Telegram forget it."""

    message: Message
    settlement: Settlement


class Photos:
    """Answers photos: in private chats all, elsewhere those that the bot is asked about."""

    def __init__(  # noqa: PLR0913, PLR0917  # its parts
        self,
        service: EmojiService,
        sender: Sender,
        reactions: Reactions,
        delivery: Delivery,
        album_quiet_s: float,
        brings_one_by_one: bool = False,
    ) -> None:
        """Set the parts. album_quiet_s: as in `albums.Gatherer`. brings_one_by_one: as in `Source`."""
        self._service = service
        self._sender = sender
        self._reactions = reactions
        self._delivery = delivery
        self._albums = Gatherer(album_quiet_s, self._consider_album)
        shared = SharedAlbums(service.journal, album_quiet_s, self._is_attempt)
        self._shared_albums = shared if brings_one_by_one else None
        self._apologies = FirstTimes()
        self._answered: LRUCache[tuple[int, int, Wish], bool] = LRUCache(MOST_ANSWERED)

    async def on_message(self, message: Message) -> None:
        """Answer a new message, an album once, if it is meant for the bot."""
        if message.media_group_id and self._shared_albums is not None:
            if not await self._shared_albums.take(message, self._chat(message), self._answer_album):
                await self._consider([message])
        elif message.media_group_id:
            part = _Part(message, settlement())
            part.settlement.is_handed_over = await self._albums.add((message.chat_id, message.media_group_id), part)
        else:
            await self._consider([message])

    async def on_edit(self, message: Message) -> None:
        """Answer an edited message if it is meant for the bot and was not answered before."""
        wish = wish_in(message, message.get_bot())
        if wish is not None and not (wish is Wish.EMOJI and await self._is_in_answered_album(message)):
            await self._grant(wish, message, [message])

    async def _is_in_answered_album(self, message: Message) -> bool:
        if message.media_group_id is None or self._shared_albums is None:
            return False
        return await self._shared_albums.has_answered(message, self._chat(message))

    async def _consider_album(self, parts: Sequence["_Part"]) -> None:
        for part in parts[1:]:
            settlement().join(part.settlement)
        await self._consider([part.message for part in parts])

    async def _consider(self, messages: Sequence[Message]) -> None:
        """Decide about a message or an album, whose caption may stand on any of its pictures."""
        messages = sorted(messages, key=lambda message: message.message_id)
        bot = messages[0].get_bot()
        asking = next((message for message in messages if wish_in(message, bot) is not None), messages[0])
        wish = wish_in(asking, bot)
        is_private = asking.chat.type == ChatType.PRIVATE
        if wish is not None:
            await self._grant(wish, asking, messages)
        elif any(file_in(message) is not None for message in messages) and (
            is_private or await self._is_attempt(asking)
        ):
            await self._grant(Wish.EMOJI, asking, messages)
        elif is_private:
            await self._help(messages)
        else:
            await self._react_unasked(messages)

    async def _answer_album(self, album: Album, entry: Entry) -> None:
        """Answer an album that is complete, as far as it is meant for the bot."""
        if album.asks:
            chat, wish = album.question.asking.chat_id, album.question.wish
            self._answered.update({(chat, message, wish): True for message in album.messages})
        if album.asks and any(album.question.files):
            await self._answer_entered(album.question, entry)
        elif album.asks:
            await self._explain(album.question.asking, texts.NO_PICTURE_FILE)
        else:
            await entry.drop()
            unasked, asking = album.unasked(), album.question.asking
            is_channel = asking.chat.type == ChatType.CHANNEL
            if unasked is not None and not is_channel and await self._service.is_automatic(self._chat(asking)):
                await self._answer(unasked)

    async def _is_attempt(self, message: Message) -> bool:
        """Check whether a message replies to one of the bot's that asks for a round of a game."""
        original = message.reply_to_message
        if original is None or original.from_user is None or original.from_user.id != message.get_bot().id:
            return False
        return await self._service.plays_on(self._chat(message), str(original.message_id))

    async def _grant(self, wish: Wish, asking: Message, messages: Sequence[Message]) -> None:
        keys = [(message.chat_id, message.message_id, wish) for message in messages]
        if any(key in self._answered for key in keys):
            return
        self._answered.update(dict.fromkeys(keys, True))
        question = question_in(wish, asking, messages)
        if question is not None:
            await self._answer(question)
        else:
            await self._say_what_to_do(wish, asking)

    async def _say_what_to_do(self, wish: Wish, asking: Message) -> None:
        """Answer a message that speaks to the bot and has no photo."""
        if is_other_file(asking):
            await self._explain(asking, texts.NO_PICTURE_FILE)
        elif command_in(asking) is not None:
            await self._explain(asking, texts.NO_PHOTO_IN_REPLY, command=f"/{wish.value}")
        elif asking.chat.type == ChatType.PRIVATE:
            await self._help([asking])
        elif mentions(asking, asking.get_bot()):
            await self._explain(asking, texts.MENTIONED_WITHOUT_PHOTO)

    async def _help(self, messages: Sequence[Message]) -> None:
        """Help somebody who writes to the bot alone, also with a command that it does not know; service messages, which
        nobody writes, get nothing.
        """
        message = messages[0]
        if any(is_other_file(each) for each in messages):
            await self._explain(message, texts.NO_PICTURE_FILE)
        elif _is_written(message):
            language = identity.language_of(message.from_user)
            command = Command(identity.sender_of(message), self._chat(message), CommandName.HELP, language)
            await self._sender.say(message, await self._service.on_command(command))

    async def _react_unasked(self, messages: Sequence[Message]) -> None:
        """Answer photos that nobody asked about, if the chat has automatic reactions now."""
        shown = {message: file for message in messages if (file := file_in(message)) is not None and file.is_photo}
        if not shown or messages[0].chat.type == ChatType.CHANNEL:
            return
        if await self._service.is_automatic(self._chat(messages[0])):
            numbers = tuple(message.message_id for message in shown)
            asking = next(iter(shown))
            facts = Wish.EMOJI, asking, tuple(shown), tuple(shown.values()), numbers, identity.author_of(asking)
            await self._answer(Question(*facts, is_automatic=True))

    async def answer_left_open(self, bot: Bot, left: Sequence[LeftOpen]) -> None:
        """Answer what another process has left, as far as that makes sense by now, or apologise."""
        ends = await asyncio.gather(*(self._answer_left_open(bot, each) for each in left), return_exceptions=True)
        for error in ends:
            if isinstance(error, Exception):
                _log.error("photo_left_open", platform=Platform.TELEGRAM, reason=repr(error))

    async def _answer_left_open(self, bot: Bot, left: LeftOpen) -> None:
        async with left.entry:
            if PARTS in left.address:
                await self._answer_left_album(bot, left)
                return
            question = question_at(left.address, bot)
            if left.is_too_old or left.may_be_answered:  # Telegram does not tell a bot what it has sent
                await self._apologise(question, left)
            else:
                await self._answer_entered(question, left.entry)

    async def _answer_left_album(self, bot: Bot, left: LeftOpen) -> None:
        album = album_at(await left.entry.end_gathering(), bot)
        if album.asks and (left.is_too_old or left.may_be_answered):
            await self._apologise(album.question, left)
        else:
            await self._answer_album(album, left.entry)

    async def _apologise(self, question: Question, left: LeftOpen) -> None:
        """Say why there is no answer; for photos that are too old once in a chat."""
        chat = question.asking.chat_id
        if left.is_too_old and not self._apologies.is_first(chat):
            return
        sentence = texts.INTERRUPTED_LONG if left.is_too_old else texts.MAYBE_ANSWERED
        said = await self._explain(question.answered, sentence, question.asking, left.entry.may_send)
        if said.may_be_said_later:
            self._apologies.forget(chat)
            await left.entry.leave(may_have_arrived=left.may_be_answered)

    async def _answer(self, question: Question) -> None:
        """Answer a question, once; one that nobody asked is not worth remembering."""
        journal, asking = self._service.journal, question.asking
        entry: Entry | None = journal.untracked()
        if not question.is_automatic:
            person = identity.sender_of(asking)
            entry = await journal.enter(person, self._chat(asking), question.key, address_of(question))
        if entry is None or entry.is_stored or question.is_automatic:
            settlement().settle()
        if entry is not None:
            async with entry:
                await self._answer_entered(question, entry)

    async def _answer_entered(self, question: Question, entry: Entry) -> None:
        asking = question.asking
        person = identity.sender_of(asking)
        photo = PhotoMessage(
            person,
            self._chat(asking),
            tuple(to_fetch(asking.get_bot(), file) for file in question.files),
            identity.language_of(asking.from_user),
            comes_again=len(question.files) == 1,
            sender=question.sender if question.sender != person else None,
            is_automatic=question.is_automatic,
            messages=tuple(map(str, question.numbers)),
            replies_to=str(asking.reply_to_message.message_id) if asking.reply_to_message is not None else "",
            name=identity.name_of(asking),
            is_new=question.is_new,
            forgettings=entry.forgettings,
        )
        if question.wish is Wish.EMOJI_ME:
            await self._send_covered(question, photo, entry)
        else:
            await self._send_answer(question, photo, entry)
        await self._delivery.settle(asking.chat_id)

    async def _send_covered(self, question: Question, photo: PhotoMessage, entry: Entry) -> None:
        reply = await self._service.on_emoji_me(photo)
        said = await self._sender.try_to_say(question.asking, reply, entry.may_send)
        await _close_or_leave(entry, said)
        is_refused = said.message is None and not said.is_unreachable and not said.may_be_said_later
        if is_refused and reply.picture is not None:
            await self._explain(question.asking, texts.FAILED)

    async def _send_answer(self, question: Question, photo: PhotoMessage, entry: Entry) -> None:
        waiting: Message | None = None
        async for reply in self._service.on_photo(photo):
            said = await self._show(question, waiting, reply, entry)
            if not reply.waiting:
                await _close_or_leave(entry, said)
            waiting = said.message if reply.waiting else None
            await note_sent(self._service, reply, said.message)
            reaction = next((each for each in reply.reactions if each is not None), None)
            if question.numbers and not said.is_unreachable:
                bot = question.asking.get_bot()
                await self._reactions.set(bot, question.asking.chat_id, question.numbers[0], reaction)

    async def _show(self, question: Question, waiting: Message | None, reply: Reply, entry: Entry) -> Said:
        """Show a reply in place of the word that it has to wait, if there was one."""
        is_replaced_perhaps = False
        if waiting is not None:
            try:
                if await entry.may_send() and await self._sender.put_in_place_of(waiting, reply):
                    return Said(waiting)
            except TelegramError as error:
                is_replaced_perhaps = is_uncertain(error)
                _log.info("message_not_replaced", platform=Platform.TELEGRAM, reason=short(error))
        if not reply.text and reply.picture is None and reply.file is None:
            return Said()
        said = await self._sender.say(question.answered, reply, None if reply.waiting else entry.may_send)
        return replace(said, may_be_said_later=said.may_be_said_later and not is_replaced_perhaps)

    async def _explain(
        self,
        to: Message,
        sentence: str,
        asking: Message | None = None,
        may_send: MaySend | None = None,
        **facts: str,
    ) -> Said:
        """Reply to a message with one of the adapter's own sentences, in the language of the person who asked.

        may_send: as in `Sender.say`.
        """
        asking = asking or to
        voice = await self._service.voice_for(identity.sender_of(asking), identity.language_of(asking.from_user))
        return await self._sender.say(to, Reply(voice.say(sentence, **facts)), may_send)

    def _chat(self, message: Message) -> Chat:
        return identity.chat(self._delivery.home_of(message.chat_id))


async def _close_or_leave(entry: Entry, said: Said) -> None:
    """Close an entry; leave it for another time where its answer certainly did not arrive and still may."""
    if said.may_be_said_later:
        await entry.leave()
    else:
        await entry.close()


def _is_written(message: Message) -> bool:
    """Check whether somebody wrote or sent a message on purpose; all other kinds are service messages."""
    sent = (
        *(message.text, message.contact, message.dice, message.game, message.poll, message.venue, message.location),
        *(message.story, message.checklist, message.paid_media, message.sticker),
        message.api_kwargs.get("rich_message"),  # newer than the library
    )
    return any(each is not None for each in sent)
