"""What a chat's administrators choose for it: whether others than the sender may say what a face shows."""

from bots import texts
from bots.buttons import Action, Token
from bots.events import Administers, Button, Reply, TapReply
from bots.guest import Guest
from db import Chat, Store


class ChatSettings:
    """Shows and changes the settings of a chat, for those who administer it. Raises what SQLAlchemy raises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show(self, chat: Chat, administers: Administers, guest: Guest) -> Reply:
        """What is set, and the button that changes it."""
        if not await administers():
            return Reply(guest.voice.say(texts.CHAT_ADMINS_ONLY))
        allowed = await self._store.feedback.everyone_taps(chat)
        return Reply(_text(allowed, guest), rows=_rows(allowed, guest))

    async def change(self, chat: Chat, administers: Administers, guest: Guest, *, allowed: bool) -> TapReply:
        """Let others tap from now on, or no longer."""
        if not await administers():
            return TapReply(guest.voice.say(texts.CHAT_ADMINS_ONLY))
        await self._store.feedback.set_everyone_taps(chat, allowed)
        return TapReply(guest.voice.say(texts.SETTING_KEPT), _rows(allowed, guest), text=_text(allowed, guest))


def _text(allowed: bool, guest: Guest) -> str:
    return guest.voice.say(texts.EVERYONE_TAPS if allowed else texts.SENDER_TAPS)


def _rows(allowed: bool, guest: Guest) -> tuple[tuple[Button, ...], ...]:
    """The one button: the opposite of what is set now."""
    label = guest.voice.say(texts.LET_SENDER_TAP if allowed else texts.LET_EVERYONE_TAP)
    return ((Button(label, label, str(Token(Action.SET_EVERYONE_TAPS, choice=0 if allowed else 1))),),)
