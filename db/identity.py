"""People and chats as the platforms name them; the database stores only their keyed hashes."""

import hashlib
import hmac
from dataclasses import dataclass

from db.enums import Platform


@dataclass(frozen=True)
class _Identity:
    platform: Platform
    id: str

    def hashed(self, secret: str) -> str:
        """Return HMAC-SHA256 of platform and id under the operator's secret, as 64 hexadecimal digits (RFC 2104)."""
        words = f"{type(self).__name__}:{self.platform}:{self.id}"
        return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Person(_Identity):
    """Someone who uses the bot: the platform, and their id there."""

    @classmethod
    def unknown(cls, platform: Platform) -> "Person":
        """Return the identity of whoever sent something and hides, or is no person: nobody who could agree to it."""
        return cls(platform, "?")


@dataclass(frozen=True)
class Chat(_Identity):
    """The conversation that a photo was sent in: platform, and the id of the chat, channel or browser there."""

    def message(self, number: str) -> "ChatMessage":
        """Return the identity of a message in this conversation, by its id there."""
        return ChatMessage(self.platform, f"{self.id}:{number}")


@dataclass(frozen=True)
class ChatMessage(_Identity):
    """One message of a conversation; see `Chat.message`."""
