"""What is asked about a photo, and how it is written down, in ids, so that it can be answered later."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from telegram import Bot, Chat, DirectMessagesTopic, Message, User

from bots.telegram import identity
from bots.telegram.addressing import Wish
from bots.telegram.files import SentFile, file_in
from db import Address, Person, Platform


@dataclass(frozen=True)
class Question:
    """What is to be answered.

    asking: the message that asks. shown: the messages with the files, empty if those are in another chat. files: None
    for one that cannot be read. numbers: of the messages with the files, as far as they are in this chat. sender: who
    first sent the files, None if that is not known. is_new: as in `PhotoMessage`.
    """

    wish: Wish
    asking: Message
    shown: tuple[Message, ...]
    files: tuple[SentFile | None, ...]
    numbers: tuple[int, ...]
    sender: Person | None = None
    is_automatic: bool = False
    is_new: bool = False

    @property
    def answered(self) -> Message:
        """Return the message to reply to."""
        return self.shown[0] if self.shown else self.asking

    @property
    def key(self) -> str:
        """Return what tells this question from all others of its chat."""
        return f"{self.asking.message_id}:{self.wish.value}"


def question_in(wish: Wish, asking: Message, messages: Sequence[Message]) -> Question | None:
    """Return what is asked about: the messages' own files, or what the message that asks replies to."""
    files = tuple(file_in(message) for message in messages)
    if any(files):
        numbers = tuple(message.message_id for message, file in zip(messages, files, strict=True) if file)
        is_new = asking.forward_origin is None
        return Question(wish, asking, tuple(messages), files, numbers, identity.author_of(asking), is_new=is_new)
    original = asking.reply_to_message
    if original is not None and (file := file_in(original)) is not None:
        return Question(wish, asking, (original,), (file,), (original.message_id,), identity.author_of(original))
    elsewhere = asking.external_reply
    if elsewhere is not None and (file := file_in(elsewhere)) is not None:
        is_here = elsewhere.chat is not None and elsewhere.chat.id == asking.chat_id  # another topic of this chat
        numbers = (elsewhere.message_id,) if is_here and elsewhere.message_id is not None else ()
        return Question(wish, asking, (), (file,), numbers, identity.sender_at(elsewhere.origin))
    return None


def address_of(question: Question) -> Address:
    """Return a question as JSON: ids, and what Telegram says of the files."""
    asking = question.asking
    return {
        "wish": question.wish.value,
        "chat": asking.chat_id,
        "type": asking.chat.type,
        "message": asking.message_id,
        "answered": question.shown[0].message_id if question.shown else None,
        "person": asking.from_user.id if asking.from_user is not None else None,
        "speaks_as": asking.sender_chat.id if asking.sender_chat is not None else None,
        "language": identity.language_of(asking.from_user),
        "topic": asking.message_thread_id if asking.is_topic_message else None,
        "direct_topic": asking.direct_messages_topic.topic_id if asking.direct_messages_topic is not None else None,
        "files": [asdict(file) if file is not None else None for file in question.files],
        "numbers": list(question.numbers),
        "sender": question.sender.id if question.sender is not None else None,
        "is_new": question.is_new,
        "replies_to": asking.reply_to_message.message_id if asking.reply_to_message is not None else None,
    }


def question_at(address: Address, bot: Bot) -> Question:
    """Return the question that was written down, as far as ids tell it. Raise `KeyError`, `TypeError` or `ValueError`
    for what another version has written.
    """
    asking = _message(address, address["message"], bot, replies_to=address.get("replies_to"))
    answered = address["answered"]
    files = tuple(SentFile(**each) if each is not None else None for each in address["files"])
    sender = Person(Platform.TELEGRAM, address["sender"]) if address["sender"] is not None else None
    shown = (_message(address, answered, bot),) if answered is not None else ()
    is_new = bool(address.get("is_new"))  # what an earlier version has written does not say so
    return Question(Wish(address["wish"]), asking, shown, files, tuple(address["numbers"]), sender, is_new=is_new)


def _message(address: Address, number: int, bot: Bot, replies_to: int | None = None) -> Message:
    person, speaks_as, topic, direct = (address[name] for name in ("person", "speaks_as", "topic", "direct_topic"))
    facts: dict[str, Any] = {
        "from_user": User(person, "", is_bot=False, language_code=address["language"]) if person is not None else None,
        "sender_chat": Chat(speaks_as, address["type"]) if speaks_as is not None else None,
        "message_thread_id": topic,
        "is_topic_message": topic is not None,
        "direct_messages_topic": DirectMessagesTopic(direct) if direct is not None else None,
    }
    now, chat = datetime.now(UTC), Chat(address["chat"], address["type"])
    if replies_to is not None:
        facts["reply_to_message"] = Message(replies_to, now, chat)
    message = Message(number, now, chat, **facts)
    message.set_bot(bot)
    return message
