"""Answer photos and clips: those meant for the bot, and those nobody asked about where a chat wants it."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from cachetools import LRUCache
from telegram import Bot, Message
from telegram.constants import ChatType
from telegram.error import TelegramError

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.messages import Command, CommandName, PhotoMessage, Picture, Reply
from bots.telegram import identity
from bots.telegram.addressing import Wish, begins_with_command, mentions, wish_in
from bots.telegram.albums import Gatherer
from bots.telegram.delivery import Delivery, short
from bots.telegram.files import FileTooLargeError, SentFile, fetch, file_in
from bots.telegram.noting import note_sent
from bots.telegram.reactions import Reactions
from bots.telegram.sending import Said, Sender
from db import Chat, Person, Platform

MOST_ANSWERED = 10_000
"""Messages whose answers are remembered, so that an edit of one is not answered again."""
_SOME = {
    texts.FILE_TOO_LARGE: texts.SOME_TOO_LARGE,
    texts.DOWNLOAD_FAILED: texts.SOME_NOT_FETCHED,
    texts.NO_PICTURE_FILE: texts.SOME_NO_PICTURES,
}
"""The sentence about a file → the one for where other files of the same album could be read; the first ones first."""
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Question:
    """What is to be answered.

    asking: the message that asks. shown: the messages with the files, empty if those are in another chat. files: None
    for one that cannot be read. numbers: of the messages with the files, as far as they are in this chat. sender: who
    sent the files, if that is somebody else.
    """

    wish: Wish
    asking: Message
    shown: tuple[Message, ...]
    files: tuple[SentFile | None, ...]
    numbers: tuple[int, ...]
    sender: Person | None = None
    is_automatic: bool = False

    @property
    def answered(self) -> Message:
        """Return the message to reply to."""
        return self.shown[0] if self.shown else self.asking


class Photos:
    """Answers photos: in private chats all, elsewhere those that the bot is asked about."""

    def __init__(
        self, service: EmojiService, sender: Sender, reactions: Reactions, delivery: Delivery, album_quiet_s: float
    ) -> None:
        """Set the parts. album_quiet_s: as in `albums.Gatherer`."""
        self._service = service
        self._sender = sender
        self._reactions = reactions
        self._delivery = delivery
        self._albums = Gatherer(album_quiet_s, self._consider)
        self._answered: LRUCache[tuple[int, int, Wish], bool] = LRUCache(MOST_ANSWERED)

    async def on_message(self, message: Message) -> None:
        """Answer a new message, an album once, if it is meant for the bot."""
        if message.media_group_id:
            await self._albums.add((message.chat_id, message.media_group_id), message)
        else:
            await self._consider([message])

    async def on_edit(self, message: Message) -> None:
        """Answer an edited message if it is meant for the bot and was not answered before."""
        wish = wish_in(message, message.get_bot())
        if wish is not None:
            await self._grant(wish, message, [message])

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
        question = _question(wish, asking, messages)
        if question is not None:
            await self._answer(question)
        else:
            await self._say_what_to_do(wish, asking)

    async def _say_what_to_do(self, wish: Wish, asking: Message) -> None:
        """Answer a message that speaks to the bot and has no photo."""
        if _is_other_file(asking):
            await self._explain(asking, texts.NO_PICTURE_FILE)
        elif begins_with_command(asking):
            await self._explain(asking, texts.NO_PHOTO_IN_REPLY, command=f"/{wish.value}")
        elif asking.chat.type == ChatType.PRIVATE:
            await self._help([asking])
        elif mentions(asking, asking.get_bot()):
            await self._explain(asking, texts.MENTIONED_WITHOUT_PHOTO)

    async def _help(self, messages: Sequence[Message]) -> None:
        """Help somebody who writes to the bot; service messages, which nobody writes, get nothing."""
        message = messages[0]
        if any(_is_other_file(each) for each in messages):
            await self._explain(message, texts.NO_PICTURE_FILE)
        elif _is_written(message) and not begins_with_command(message):
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
            await self._answer(
                _Question(Wish.EMOJI, asking, tuple(shown), tuple(shown.values()), numbers, is_automatic=True)
            )

    async def _answer(self, question: _Question) -> None:
        asking = question.asking
        pictures, problem = await _fetched(asking.get_bot(), question.files)
        if not pictures:
            if not question.is_automatic:
                await self._explain(question.answered, problem, asking)
            return
        person = identity.sender_of(asking)
        photo = PhotoMessage(
            person,
            self._chat(asking),
            pictures,
            identity.language_of(asking.from_user),
            comes_again=len(question.files) == 1,
            sender=question.sender if question.sender != person else None,
            is_automatic=question.is_automatic,
            messages=tuple(map(str, question.numbers)),
            missing=_SOME[problem] if problem and not question.is_automatic else "",
            replies_to=str(asking.reply_to_message.message_id) if asking.reply_to_message is not None else "",
            name=identity.name_of(asking),
            is_new=asking in question.shown and asking.forward_origin is None,
        )
        if question.wish is Wish.EMOJI_ME:
            await self._send_covered(question, photo)
        else:
            await self._send_answer(question, photo)
        await self._delivery.settle(asking.chat_id)

    async def _send_covered(self, question: _Question, photo: PhotoMessage) -> None:
        reply = await self._service.on_emoji_me(photo)
        said = await self._sender.try_to_say(question.asking, reply)
        if said.message is None and not said.is_unreachable and reply.picture is not None:
            await self._explain(question.asking, texts.FAILED)

    async def _send_answer(self, question: _Question, photo: PhotoMessage) -> None:
        waiting: Message | None = None
        async for reply in self._service.on_photo(photo):
            said = await self._show(question, waiting, reply)
            waiting = said.message if reply.waiting else None
            await note_sent(self._service, reply, said.message)
            reaction = next((each for each in reply.reactions if each is not None), None)
            if question.numbers and not said.is_unreachable:
                bot = question.asking.get_bot()
                await self._reactions.set(bot, question.asking.chat_id, question.numbers[0], reaction)

    async def _show(self, question: _Question, waiting: Message | None, reply: Reply) -> Said:
        """Show a reply in place of the word that it has to wait, if there was one."""
        if waiting is not None:
            try:
                if await self._sender.put_in_place_of(waiting, reply):
                    return Said(waiting)
            except TelegramError as error:
                _log.info("message_not_replaced", platform=Platform.TELEGRAM, reason=short(error))
        if not reply.text and reply.picture is None and reply.file is None:
            return Said()
        return await self._sender.say(question.answered, reply)

    async def _explain(self, to: Message, sentence: str, asking: Message | None = None, **facts: str) -> None:
        """Reply to a message with one of the adapter's own sentences, in the language of the person who asked."""
        asking = asking or to
        voice = await self._service.voice_for(identity.sender_of(asking), identity.language_of(asking.from_user))
        await self._sender.say(to, Reply(voice.say(sentence, **facts)))

    def _chat(self, message: Message) -> Chat:
        return identity.chat(self._delivery.home_of(message.chat_id))


def _question(wish: Wish, asking: Message, messages: Sequence[Message]) -> _Question | None:
    """Return what is asked about: the messages' own files, or what the message that asks replies to."""
    files = tuple(file_in(message) for message in messages)
    if any(files):
        numbers = tuple(message.message_id for message, file in zip(messages, files, strict=True) if file)
        return _Question(wish, asking, tuple(messages), files, numbers)
    original = asking.reply_to_message
    if original is not None and (file := file_in(original)) is not None:
        return _Question(wish, asking, (original,), (file,), (original.message_id,), identity.sender_of(original))
    elsewhere = asking.external_reply
    if elsewhere is not None and (file := file_in(elsewhere)) is not None:
        is_here = elsewhere.chat is not None and elsewhere.chat.id == asking.chat_id  # another topic of this chat
        numbers = (elsewhere.message_id,) if is_here and elsewhere.message_id is not None else ()
        return _Question(wish, asking, (), (file,), numbers, identity.sender_elsewhere(elsewhere))
    return None


async def _fetched(bot: Bot, files: Sequence[SentFile | None]) -> tuple[tuple[Picture, ...], str]:
    """Return the pictures that could be fetched, and the sentence about the others; empty if there are none."""
    pictures, problems = [], set()
    for file in files:
        try:
            if file is None:
                problems.add(texts.NO_PICTURE_FILE)
            else:
                pictures.append(await fetch(bot, file))
        except FileTooLargeError:
            problems.add(texts.FILE_TOO_LARGE)
        except TelegramError as error:
            _log.warning("download_failed", platform=Platform.TELEGRAM, reason=type(error).__name__)
            problems.add(texts.DOWNLOAD_FAILED)
    return tuple(pictures), next((problem for problem in _SOME if problem in problems), "")


def _is_other_file(message: Message) -> bool:
    """Check whether a message has a file that cannot be a picture."""
    return file_in(message) is None and any((message.document, message.audio, message.voice))


def _is_written(message: Message) -> bool:
    """Check whether somebody wrote or sent a message on purpose; all other kinds are service messages."""
    sent = (
        *(message.text, message.contact, message.dice, message.game, message.poll, message.venue, message.location),
        *(message.story, message.checklist, message.paid_media, message.sticker),
        message.api_kwargs.get("rich_message"),  # newer than the library
    )
    return any(each is not None for each in sent)
