"""What a chat's administrators choose for it: whether others than the sender may say what a face shows."""

from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.conversation.recipient import Recipient
from bots.messages import Administers, Button, ButtonRows, Reply, TapReply
from db import Chat, Store


class ChatSettings:
    """Shows and changes the settings of a chat, for those who administer it. Raises what SQLAlchemy raises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show(self, chat: Chat, administers: Administers, recipient: Recipient) -> Reply:
        """What is set, and the button that changes it."""
        if not await administers():
            return Reply(recipient.voice.say(texts.CHAT_ADMINS_ONLY))
        allowed = await self._store.feedback.everyone_taps(chat)
        return Reply(_text(allowed, recipient), rows=_rows(allowed, recipient))

    async def change(self, chat: Chat, administers: Administers, recipient: Recipient, *, allowed: bool) -> TapReply:
        """Let others tap from now on, or no longer."""
        if not await administers():
            return TapReply(recipient.voice.say(texts.CHAT_ADMINS_ONLY))
        await self._store.feedback.set_everyone_taps(chat, allowed)
        return TapReply(
            recipient.voice.say(texts.SETTING_KEPT), _rows(allowed, recipient), text=_text(allowed, recipient)
        )


def _text(allowed: bool, recipient: Recipient) -> str:
    return recipient.voice.say(texts.EVERYONE_TAPS if allowed else texts.SENDER_TAPS)


def _rows(allowed: bool, recipient: Recipient) -> ButtonRows:
    """The one button: the opposite of what is set now."""
    label = recipient.voice.say(texts.LET_SENDER_TAP if allowed else texts.LET_EVERYONE_TAP)
    return ((Button(label, label, str(Token(Action.SET_EVERYONE_TAPS, choice=0 if allowed else 1))),),)
