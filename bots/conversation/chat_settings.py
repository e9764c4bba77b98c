"""Settings of a chat, for its administrators: what is automatic, when, for how many faces, and who may tap."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bots.conversation import chat_settings_pages, texts
from bots.conversation.buttons import Action, ChatSettingsPage, Token
from bots.conversation.recipient import Recipient
from bots.messages import Command, Reply, Tap, TapReply
from db import Automatic, Chat, ChatChoices, Store

ACTIONS = frozenset(
    {
        Action.OPEN_CHAT_SETTINGS,
        Action.SET_EVERYONE_TAPS,
        Action.SET_AUTOMATIC,
        Action.SET_QUIET_HOURS,
        Action.SET_CLOCK,
        Action.SET_MOST_FACES,
        Action.SET_PLAY,
    }
)
"""What the buttons under a chat's settings do."""

_log = structlog.get_logger()


class ChatSettings:
    """Shows and changes the settings of a chat, for its administrators only. SQLAlchemy's errors are passed on."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """clock: the time with its zone."""
        self._store = store
        self._clock = clock

    async def of(self, chat: Chat) -> ChatChoices:
        """Return what holds in a chat; what holds everywhere if the database cannot be asked."""
        try:
            return await self._store.chats.choices(chat)
        except (SQLAlchemyError, OSError):
            _log.exception("chat_settings_not_read", platform=chat.platform)
            return ChatChoices()

    async def automatic(self, chat: Chat) -> Automatic:
        """Return what happens now to a photo in a chat that nobody asked about."""
        return self.automatic_by(await self.of(chat))

    def automatic_by(self, choices: ChatChoices) -> Automatic:
        """Return what happens now to a photo that nobody asked about where these choices hold."""
        return Automatic.OFF if chat_settings_pages.is_quiet(choices, self._clock()) else choices.automatic

    async def show(self, command: Command, recipient: Recipient) -> Reply:
        """Return what holds in the chat, with the buttons that change it."""
        if not await command.administers():
            return Reply(recipient.voice.say(texts.CHAT_ADMINS_ONLY))
        choices = await self._store.chats.choices(command.chat)
        page = ChatSettingsPage.OVERVIEW
        text = self._text(page, choices, recipient, sees_all_photos=command.sees_all_photos)
        return Reply(text, rows=chat_settings_pages.rows(page, choices, recipient.voice))

    async def tapped(self, tap: Tap, token: Token, recipient: Recipient) -> TapReply:
        """Open a page of the settings, or change one. token: with one of `ACTIONS`."""
        if not await tap.administers():
            return TapReply(recipient.voice.say(texts.CHAT_ADMINS_ONLY))
        if token.action is Action.OPEN_CHAT_SETTINGS:
            before = choices = await self._store.chats.choices(tap.chat)
        else:
            before, choices = await self._store.chats.change(tap.chat, partial(chat_settings_pages.after, token))
        if before.allows_play and not choices.allows_play:
            await self._store.games.clear_scoreboard(tap.chat)
        page = chat_settings_pages.page_of(token)
        text = self._text(page, choices, recipient, sees_all_photos=tap.sees_all_photos)
        notice = text if token.action is Action.OPEN_CHAT_SETTINGS else recipient.voice.say(texts.SETTING_KEPT)
        return TapReply(notice, chat_settings_pages.rows(page, choices, recipient.voice), text=text)

    def _text(
        self, page: ChatSettingsPage, choices: ChatChoices, recipient: Recipient, *, sees_all_photos: bool
    ) -> str:
        text = chat_settings_pages.text(page, choices, self._clock(), recipient.voice)
        return text if sees_all_photos else f"{text}\n\n{recipient.voice.say(texts.SEES_NO_OTHER_PHOTOS)}"
