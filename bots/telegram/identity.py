"""Who speaks in a message, and what they may do in a chat.

An anonymous administrator speaks as the group, a channel's post as the channel: `sender_chat` in either case.
"""

import structlog
from telegram import Bot, MaybeInaccessibleMessage, Message, MessageOrigin, User
from telegram import Chat as TelegramChat
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError

from db import Chat, Person, Platform

_log = structlog.get_logger()


def person(number: int) -> Person:
    """Return the identity of a user, or of a chat that speaks for itself."""
    return Person(Platform.TELEGRAM, str(number))


def chat(number: int) -> Chat:
    """Return the chat with this number."""
    return Chat(Platform.TELEGRAM, str(number))


def sender_of(message: Message) -> Person:
    """Return who sent a message; posts of channels and anonymous administrators have the identity of their chat."""
    if message.sender_chat is not None:
        return person(message.sender_chat.id)
    return person(message.from_user.id if message.from_user is not None else message.chat_id)


def sender_at(origin: MessageOrigin) -> Person:
    """Return who first sent what comes from another chat; somebody unknown if they hide."""
    source = (getattr(origin, name, None) for name in ("sender_user", "sender_chat", "chat"))
    return next((person(each.id) for each in source if each is not None), Person.unknown(Platform.TELEGRAM))


def author_of(message: Message) -> Person:
    """Return who first sent what a message shows: of a forwarded one not who forwarded it."""
    return sender_at(message.forward_origin) if message.forward_origin is not None else sender_of(message)


def language_of(user: User | None) -> str:
    """Return the IETF language tag of a person's app, if Telegram reports it."""
    return (user.language_code or "") if user is not None else ""


def name_of(message: Message) -> str:
    """Return what the sender of a message is called in the chat."""
    if message.sender_chat is not None:
        return message.sender_chat.effective_name or ""
    return (message.from_user.full_name or "") if message.from_user is not None else ""


def is_other_bot(message: Message) -> bool:
    """Check whether another bot speaks; bots that stand for a chat's administrators and channels do not count."""
    return message.from_user is not None and message.from_user.is_bot and message.sender_chat is None


async def administers(where: TelegramChat, number: int, bot: Bot) -> bool:
    """Check whether somebody administers a chat; an anonymous administrator has the chat's own number."""
    if where.type == ChatType.PRIVATE or number == where.id:
        return True
    try:
        member = await bot.get_chat_member(where.id, number)
    except TelegramError as error:
        _log.info("member_not_known", platform=Platform.TELEGRAM, reason=type(error).__name__)
        return False
    return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)


async def alias_of(user: User, answer: MaybeInaccessibleMessage, bot: Bot) -> Person | None:
    """Return the channel or group in whose name somebody may have asked for an answer; None if there is none.

    answer: the message with the button. The photo may have been posted by a channel, or either photo or question by an
    anonymous administrator of the group.
    """
    original = answer.reply_to_message if isinstance(answer, Message) else None
    posted_by = original.sender_chat if original is not None else None
    places = [posted_by, answer.chat] if answer.chat.type != ChatType.PRIVATE else []
    for place in places:
        if place is not None and await administers(place, user.id, bot):
            return person(place.id)
    return None
