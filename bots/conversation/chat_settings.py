"""Settings of a chat, for its administrators: whether people other than the sender may say what a face shows."""

from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.conversation.recipient import Recipient
from bots.messages import Administers, Button, ButtonRows, Reply, TapReply
from db import Chat, Store


class ChatSettings:
    """Shows and changes the settings of a chat, for its administrators only. SQLAlchemy's errors are passed on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show(self, chat: Chat, administers: Administers, recipient: Recipient) -> Reply:
        """Return the current setting with the button that changes it."""
        if not await administers():
            return Reply(recipient.voice.say(texts.CHAT_ADMINS_ONLY))
        allowed = await self._store.feedback.everyone_taps(chat)
        return Reply(_text(allowed, recipient), rows=_rows(allowed, recipient))

    async def change(self, chat: Chat, administers: Administers, recipient: Recipient, *, allowed: bool) -> TapReply:
        """Allow or disallow taps of people other than the sender."""
        if not await administers():
            return TapReply(recipient.voice.say(texts.CHAT_ADMINS_ONLY))
        await self._store.feedback.set_everyone_taps(chat, allowed)
        return TapReply(
            recipient.voice.say(texts.SETTING_KEPT), _rows(allowed, recipient), text=_text(allowed, recipient)
        )


def _text(allowed: bool, recipient: Recipient) -> str:
    return recipient.voice.say(texts.EVERYONE_TAPS if allowed else texts.SENDER_TAPS)


def _rows(allowed: bool, recipient: Recipient) -> ButtonRows:
    """Return the only button: the opposite of the current setting."""
    label = recipient.voice.say(texts.LET_SENDER_TAP if allowed else texts.LET_EVERYONE_TAP)
    return ((Button(label, label, str(Token(Action.SET_EVERYONE_TAPS, choice=0 if allowed else 1))),),)
