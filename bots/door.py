"""What the three doors have in common: they serve until they are cancelled, or cannot be opened at all."""

from typing import Protocol


class DoorError(Exception):
    """A door cannot be opened; the message is one sentence for the operator that says what to set or check."""


class Door(Protocol):
    """A platform's adapter."""

    name: str

    async def run(self) -> None:
        """Serve until cancelled, then close cleanly. Raises `DoorError` where the platform refuses to let it in."""
