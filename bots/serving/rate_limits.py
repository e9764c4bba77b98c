"""How often the platforms let a bot call them: one table, which the adapters keep."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RateLimit:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


TELEGRAM_OVERALL = RateLimit(30, 1)
"""Messages to all chats together (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this)."""
TELEGRAM_CHAT = RateLimit(1, 1)
"""Messages to one chat; short bursts are tolerated (same source)."""
TELEGRAM_GROUP = RateLimit(20, 60)
"""Messages to one group (same source)."""
DISCORD_OVERALL = RateLimit(50, 1)
"""Calls in all, except those that answer interactions; each route's own limit comes with Discord's answers
(https://discord.com/developers/docs/topics/rate-limits#global-rate-limit).
"""
