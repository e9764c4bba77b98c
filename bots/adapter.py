"""What the platforms' adapters have in common: they serve until they are cancelled, or cannot start at all."""

from typing import ClassVar, Protocol

from db import Platform


class AdapterError(Exception):
    """An adapter cannot start; the message is one sentence for the operator that says what to set or check."""


class Adapter(Protocol):
    """Translates a platform's events to `bots.messages`, and the replies back.

    allowed_reactions: the emoji with which the platform lets a bot react, None for any.
    """

    name: ClassVar[Platform]
    allowed_reactions: ClassVar[frozenset[str] | None]

    async def run(self) -> None:
        """Serve until cancelled; then take in nothing new, finish what is in hand within the operator's time, close.

        Cancelled once more, close at once. Raise `AdapterError` if the platform refuses the bot.
        """
