"""A chat's own emoji: its administrators map them with one command; they are offered and learned from like others."""

from collections.abc import Callable

import emoji as unicode_emoji
import structlog
from cachetools import LRUCache
from sqlalchemy.exc import SQLAlchemyError

from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.conversation.recipient import Recipient
from bots.custom_emoji import CustomEmoji, in_text
from bots.messages import ChatEmojiCommand, Reply
from db import Chat, OwnEmoji, Platform, Store
from recognizer import EMOTIONS, EmojiMap
from recognizer.emoji_map import without_selector

_MOST_MAPS = 100
_MOST_MEANING = 32
_OFF = frozenset({"off", "none", "-"})
_log = structlog.get_logger()


class ChatEmojiMaps:
    """The emoji map of each chat: the bot's own, with the emoji of the chat."""

    def __init__(self, store: Store, emoji_map: Callable[[], EmojiMap]) -> None:
        """emoji_map: returns the bot's current map."""
        self._store = store
        self._emoji_map = emoji_map
        self._made: LRUCache[tuple[Platform, tuple[OwnEmoji, ...]], EmojiMap] = LRUCache(_MOST_MAPS)

    async def of(self, chat: Chat) -> EmojiMap:
        """Return the map of a chat, the same object while nothing in it changes; the bot's own without the database."""
        return self.with_own(chat.platform, await self.own(chat))

    def with_own(self, platform: Platform, own: tuple[OwnEmoji, ...]) -> EmojiMap:
        """Return the bot's map with a chat's own emoji, the same object for the same ones."""
        base = self._emoji_map()
        if not own:
            return base
        made = self._made.get((platform, own))
        if made is None or made.base is not base:
            like = [(each.symbol, each.stands_for, each.meaning in EMOTIONS) for each in own]
            made = self._made[platform, own] = base.with_own(like, platform)
        return made

    async def own(self, chat: Chat) -> tuple[OwnEmoji, ...]:
        """Return the emoji of a chat; none if the database is away."""
        try:
            return await self._store.chat_emoji.of(chat)
        except (SQLAlchemyError, OSError):
            _log.exception("chat_emoji_not_read", platform=chat.platform)
            return ()

    async def command(self, command: ChatEmojiCommand, recipient: Recipient) -> Reply:
        """Map an emoji, take one out, or list them. SQLAlchemy's errors are passed on."""
        say = recipient.voice.say
        if not await command.administers():
            return Reply(say(texts.CHAT_ADMINS_ONLY))
        symbol, _, meaning = command.words.strip().partition(" ")
        if not symbol:
            return Reply(await self._listed(command.chat, recipient.voice))
        if CustomEmoji.parse(symbol) is None or not meaning.strip():
            return Reply(say(texts.CHAT_EMOJI_HOW))
        return Reply(await self._mapped(command.chat, symbol, meaning.strip().lower(), recipient.voice))

    async def _mapped(self, chat: Chat, symbol: str, meaning: str, voice: Voice) -> str:
        """Map an emoji or take it out; return what was done, or why not."""
        if meaning in _OFF:
            gone = await self._store.chat_emoji.remove(chat, symbol)
            return voice.say(texts.CHAT_EMOJI_GONE if gone else texts.CHAT_EMOJI_UNKNOWN, emoji=in_text(symbol))
        names = {voice.say(texts.FEELINGS[emotion]).lower(): emotion for emotion in EMOTIONS}
        meaning = names.get(meaning, meaning)
        stands_for = self._stands_for(meaning)
        if stands_for is None:
            feelings = ", ".join(voice.say(texts.FEELINGS[emotion]) for emotion in EMOTIONS)
            return voice.say(texts.CHAT_EMOJI_MEANING, feelings=feelings)
        if not await self._store.chat_emoji.put(chat, OwnEmoji(symbol, meaning[:_MOST_MEANING], stands_for)):
            return voice.say(texts.CHAT_EMOJI_FULL)
        return voice.say(texts.CHAT_EMOJI_KEPT, emoji=in_text(symbol), meaning=stands_for)

    async def _listed(self, chat: Chat, voice: Voice) -> str:
        own = await self._store.chat_emoji.of(chat)
        lines = [voice.say(texts.CHAT_EMOJI_LINE, emoji=in_text(each.symbol), meaning=each.stands_for) for each in own]
        return "\n".join((*lines, voice.say(texts.CHAT_EMOJI_HOW)))

    def _stands_for(self, meaning: str) -> str | None:
        """Return the likeliest emoji of the map for an emotion, the map's spelling of an emoji, or None."""
        emoji_map = self._emoji_map()
        if meaning in EMOTIONS:
            return emoji_map.emoji[int(emoji_map.likelihoods[EMOTIONS.index(meaning)].argmax())]
        spellings = {without_selector(each): each for each in emoji_map.emoji}
        found = unicode_emoji.emoji_list(meaning)
        return spellings.get(without_selector(str(found[0]["emoji"]))) if found else None
