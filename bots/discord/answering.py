"""Answer messages: the pictures in them, or in the message that they reply to, or a sentence about what is missing."""

import discord

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.addressing import Address, is_from_a_person
from bots.discord.files import SentFile, download, files_in, photos_in
from bots.discord.identity import chat_of, language_of, person_of, sender_of
from bots.discord.permissions import Permissions
from bots.discord.reactions import OwnReactions, Place, own_reactions
from bots.discord.sending import MessageAnswer, note_sent
from bots.messages import Command, CommandName, PhotoMessage, Reply


class Answers:
    """Passes messages to the service and shows its replies.

    Where the bot may not speak, nothing is said anywhere else either: a direct message would surprise.
    """

    def __init__(self, client: discord.Client, service: EmojiService, reactions: OwnReactions) -> None:
        self._client = client
        self._service = service
        self._reactions = reactions
        self._permissions = Permissions(client)

    async def answer(self, message: discord.Message, address: Address) -> None:
        """Answer a message that is for the bot."""
        if not (await self._permissions.at(message)).speak:
            return
        if files := files_in(message):
            await self._answer_files(message, files, message.author)
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
        chat, answered = chat_of(message.channel.id), _replies_to(message)
        if answered and await self._service.plays_on(chat, answered):
            await self._answer_files(message, files, message.author)
        elif await self._service.is_automatic(chat):
            await self._answer_files(message, files, message.author, is_automatic=True)

    async def _help(self, message: discord.Message) -> None:
        person, chat = person_of(message.author), chat_of(message.channel.id)
        reply = await self._service.on_command(Command(person, chat, CommandName.HELP, language_of(message)))
        await MessageAnswer(message, await self._permissions.at(message)).show(reply)

    async def _answer_mention(self, message: discord.Message) -> None:
        """Answer the picture in the message that a mention without one replies to, as far as the bot can see it."""
        original = message.reference.resolved if message.reference is not None else None
        me = self._client.user
        if not isinstance(original, discord.Message) or original.author == me:
            await self._explain(message, texts.MENTIONED_WITHOUT_PHOTO, message.author)
        elif files := files_in(original):
            await self._answer_files(original, files, message.author, is_new=False)
        else:
            await self._explain(message, texts.NO_PHOTO_SEEN_IN_REPLY, message.author)

    async def _answer_files(
        self,
        message: discord.Message,
        files: list[SentFile],
        asked_by: discord.abc.User,
        *,
        is_automatic: bool = False,
        is_new: bool = True,
    ) -> None:
        """Answer the files of a message, in reply to it. is_new: it is the one that asks."""
        fetched = await download(self._client.http, files)
        if not fetched.pictures:
            if not is_automatic:
                await self._explain(message, fetched.missing, asked_by)
            return
        allowed = await self._permissions.at(message)
        photo = PhotoMessage(
            person_of(asked_by),
            chat_of(message.channel.id),
            fetched.pictures,
            language_of(message),
            comes_again=allowed.quote,
            sender=sender_of(message, asked_by),
            is_automatic=is_automatic,
            messages=(str(message.id),),
            missing="" if is_automatic else fetched.missing,
            replies_to=_replies_to(message),
            name=asked_by.display_name,
            is_new=is_new and not message.message_snapshots,
        )
        voice = await self._service.voice_for(photo.person, photo.language)
        answer = MessageAnswer(message, allowed, excuse="" if is_automatic else voice.say(texts.PHOTO_GONE))
        async for reply in self._service.on_photo(photo):
            await answer.show(reply)
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


def _replies_to(message: discord.Message) -> str:
    """Return the id of the message that a message replies to; empty for none."""
    reference = message.reference if message.type is discord.MessageType.reply else None
    return str(reference.message_id) if reference is not None and reference.message_id is not None else ""
