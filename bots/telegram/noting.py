"""Tell the service which message shows what, so that people's reactions and replies to it are understood."""

from telegram import Message

from bots.conversation.service import EmojiService
from bots.messages import Reply
from bots.telegram import identity


async def note_sent(service: EmojiService, reply: Reply, message: Message | None) -> None:
    """Note the message in which a reply was sent, if it is the answer to a photo or asks for a round of a game."""
    if message is None or reply.waiting:
        return
    chat, number = identity.chat(message.chat_id), str(message.message_id)
    if reply.photo:
        await service.note_answer(chat, reply.photo, number)
    if reply.game:
        await service.note_round(chat, reply.game, number)
