"""Who and where, as the platforms name them; the database only ever sees their keyed hashes."""

import hashlib
import hmac
from dataclasses import dataclass

from db.vocabulary import Platform


@dataclass(frozen=True)
class _Identity:
    platform: Platform
    id: str

    def hashed(self, secret: str) -> str:
        """HMAC-SHA256 of platform and id under the operator's secret, as 64 hexadecimal digits (RFC 2104)."""
        words = f"{type(self).__name__}:{self.platform}:{self.id}"
        return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Person(_Identity):
    """Someone who talks to the bot: the platform, and the id they have there."""


@dataclass(frozen=True)
class Chat(_Identity):
    """The conversation a photo came from: platform, and the id of the chat, channel or browser there."""
