"""Where updates come from: what polling and the webhook have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol, TypeAlias

from telegram import Update
from telegram.ext import Application
from telegram.request import BaseRequest

UPDATES = (
    *(Update.MESSAGE, Update.EDITED_MESSAGE, Update.CHANNEL_POST, Update.EDITED_CHANNEL_POST),
    *(Update.CALLBACK_QUERY, Update.INLINE_QUERY, Update.MESSAGE_REACTION),
)
"""The kinds of updates that Telegram sends. Messages in the private chats of a business account are not among them:
the bot would speak there in somebody else's name.
"""
_LIBRARY_TASKS = (":polling_task", ":update_fetcher")
"""Suffixes of the names of python-telegram-bot's lasting tasks."""

AnyApplication: TypeAlias = Application[Any, Any, Any, Any, Any, Any]


class Source(Protocol):
    """Brings updates to the application, and lets Telegram forget those that are settled.

    brings_one_by_one: the next message of a chat comes only when the one before is settled, perhaps to another process.
    """

    brings_one_by_one: ClassVar[bool]

    async def while_due(self, serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Call `serve` whenever it is this process's turn to serve."""

    def request(self) -> BaseRequest:
        """Return what fetches updates."""

    def begin(self) -> None:
        """Forget what an earlier run had in hand: what it has not settled comes again, and is new then."""

    def settle(self, number: int) -> None:
        """Let Telegram forget an update: it is answered, or its photo is in the journal."""

    def open(self, application: AnyApplication) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        """Let updates come until the context is left. It is given what waits until they no longer do, and raises why.

        Raise `TelegramError`.
        """

    async def give_up(self) -> None:
        """Let others have what came and was not settled: nobody answers it here any more."""


def lasting_tasks() -> list[asyncio.Task[None]]:
    """Return the library's tasks that fetch updates and hand them on, as soon as they run."""
    return [task for task in asyncio.all_tasks() if task.get_name().endswith(_LIBRARY_TASKS)]


async def end_of(tasks: list[asyncio.Task[None]], within_s: float | None = None) -> None:
    """Wait until one of the lasting tasks ends, which they only do by an error, and raise it.

    within_s: seconds after which this returns all the same; None for never.
    """
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=within_s)
    for task in done:
        if not task.cancelled():
            task.result()
    if done or not tasks:
        raise ConnectionResetError("Telegram's library no longer fetches updates")
