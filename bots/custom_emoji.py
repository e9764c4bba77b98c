"""Emoji of a server or a sticker set, as text: in the database, in tokens of suggestions, and between rooms.

Discord: `<:name:id>` or `<a:name:id>`, as in its messages. Telegram: `<emoji:id>`, with the emoji that stands for it
where it cannot be shown.
"""

import re
from dataclasses import dataclass

_SYMBOL = re.compile(
    r"<(?P<animated>a?):(?P<name>\w{2,32}):(?P<id>\d{15,21})>|<(?P<emoji>[^<>:\w]{1,16}):(?P<number>\d{5,25})>"
)


@dataclass(frozen=True)
class CustomEmoji:
    """An emoji that is not Unicode's.

    id: the platform's. name: what it is called on Discord, empty on Telegram. fallback: the emoji that stands for it
    on Telegram, empty on Discord.
    """

    id: int
    name: str = ""
    fallback: str = ""
    is_animated: bool = False

    def __str__(self) -> str:
        if self.fallback:
            return f"<{self.fallback}:{self.id}>"
        return f"<{'a' if self.is_animated else ''}:{self.name}:{self.id}>"

    @classmethod
    def parse(cls, text: str) -> "CustomEmoji | None":
        """Return the emoji that a text is; None if it is another text."""
        found = _SYMBOL.fullmatch(text)
        if found is None:
            return None
        if found["emoji"]:
            return cls(int(found["number"]), fallback=found["emoji"])
        return cls(int(found["id"]), found["name"], is_animated=bool(found["animated"]))


def in_text(emoji: str) -> str:
    """Return an emoji as it is written in a message: a custom one of Telegram's as what stands for it."""
    custom = CustomEmoji.parse(emoji)
    return custom.fallback or emoji if custom is not None else emoji


def spoken(emoji: str) -> str:
    """Return what a custom emoji is called; any other text as it is."""
    custom = CustomEmoji.parse(emoji)
    return custom.name or custom.fallback if custom is not None else emoji
