"""On whose behalf an update is answered, and how somebody is told who sends too many."""

from telegram import Message, Update
from telegram.constants import ChatType

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.messages import Reply
from bots.serving.admission import Kind
from bots.serving.fair_queue import Whose
from bots.serving.supervision import BackgroundTasks
from bots.telegram import identity
from bots.telegram.addressing import command_in, wish_in
from bots.telegram.files import file_in
from bots.telegram.sending import Sender
from bots.telegram.taps import notify


def whose(update: Update) -> Whose:
    """Return who sent an update, and where; what belongs to no chat is the person's own."""
    person = update.effective_sender.id if update.effective_sender is not None else None
    return Whose(update.effective_chat.id if update.effective_chat is not None else ("alone", person), person)


def kind_of(update: Update) -> Kind:
    """Return what an update asks for."""
    message = update.effective_message if update.callback_query is None else None
    return Kind.PHOTO if message is not None and file_in(message) is not None else Kind.OTHER


def is_about_a_file(update: Update) -> bool:
    """Check whether an update may ask about a file: one of its own, or one that it replies to."""
    message = update.effective_message if update.callback_query is None else None
    if message is None:
        return False
    return any(
        each is not None and file_in(each) is not None
        for each in (message, message.reply_to_message, message.external_reply)
    )


class Refusals:
    """Tells people to slow down, where they speak to the bot."""

    def __init__(self, service: EmojiService, sender: Sender, background: BackgroundTasks) -> None:
        """Set the parts. background: waits for the limits of the chat."""
        self._service = service
        self._sender = sender
        self._background = background

    def tell(self, update: Update) -> None:
        """Tell who sent an update; nobody who only talks in a group."""
        self._background.start("slow_down", self._tell(update))

    async def _tell(self, update: Update) -> None:
        query, message = update.callback_query, update.message
        if query is not None:
            user = query.from_user
            voice = await self._service.voice_for(identity.person(user.id), identity.language_of(user))
            await notify(query, voice.say(texts.TOO_FAST))
        elif message is not None and not identity.is_other_bot(message) and _speaks_to_the_bot(message):
            sentence = texts.SLOW_DOWN if kind_of(update) is Kind.PHOTO else texts.TOO_FAST
            language = identity.language_of(message.from_user)
            voice = await self._service.voice_for(identity.sender_of(message), language)
            await self._sender.say(message, Reply(voice.say(sentence)))


def _speaks_to_the_bot(message: Message) -> bool:
    if message.chat.type == ChatType.PRIVATE:
        return True
    return wish_in(message, message.get_bot()) is not None or command_in(message) is not None
