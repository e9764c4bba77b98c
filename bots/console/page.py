"""One open page of the console: its services, its admin's permission, and its error messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from nicegui import ui
from sqlalchemy.exc import SQLAlchemyError

from bots.console import login_page
from bots.console.accounts import AccountError, Accounts
from bots.console.figures_cache import FiguresCache
from bots.console.layout import Frame, Place
from bots.learning.retraining_process import RetrainingProcess
from bots.learning.review_queue import ReviewQueue
from bots.learning.training_job import TrainingRefusedError
from bots.learning.training_window import TrainingWindow
from db import Actor, BusyError, Person, Platform, Store, VersionError
from recognizer import EmojiMap, ModelError

_DATABASE_AWAY = "The database does not answer. Nothing was changed; please try again in a moment."
_STALE = "The database does not answer; what you see may be old. It is tried again every few seconds."
_log = structlog.get_logger()


@dataclass(frozen=True)
class ConsoleServices:
    """The services of the pages.

    emoji_map: returns the current map. problem: returns a sentence about a problem with the models, empty if there is
    none.
    """

    store: Store
    emoji_map: Callable[[], EmojiMap]
    retraining_process: RetrainingProcess
    training_window: TrainingWindow
    queue: ReviewQueue
    figures: FiguresCache
    accounts: Accounts
    problem: Callable[[], str]


class ConsolePage:
    """One admin's open page."""

    def __init__(self, services: ConsoleServices, name: str, place: Place, may_stay: Callable[[], bool]) -> None:
        """Build the frame. may_stay: checks whether the admin's pass is still valid, for this name."""
        self.services = services
        self.name = name
        self.admin = Person(Platform.CONSOLE, name)
        self.actor = Actor.of(self.admin)
        self.frame = Frame(place, name)
        self._may_stay = may_stay
        self._has_failed = False

    async def attempt(self, action: Callable[[], Awaitable[None]]) -> bool:
        """Carry out an admin's request if they are allowed to; return whether it was done. Show a sentence if it
        fails.
        """
        if not self._may_stay():
            _log.warning("console_refused", reason="no pass any more")
            ui.navigate.to(login_page.PATH)
            return False
        with self.frame.body:  # the pressed element may be gone before the action has ended
            try:
                await action()
            except (VersionError, BusyError, AccountError, TrainingRefusedError, ModelError) as error:
                _log.warning("console_action_refused", reason=str(error))
                tell(str(error), "warning")
            except (SQLAlchemyError, OSError) as error:
                _log.error("console_action_failed", error=type(error).__name__)
                tell(_DATABASE_AWAY, "negative")
            else:
                return True
        return False

    def every(self, seconds: float, refresh: Callable[[], Awaitable[None]]) -> None:
        """Refresh the page regularly until it is closed; its banner reports failures."""

        async def tick() -> None:
            if not self._may_stay():
                ui.navigate.to(login_page.PATH)
                return
            try:
                await refresh()
            except (SQLAlchemyError, OSError, TrainingRefusedError) as error:
                if not self._has_failed:
                    _log.error("console_not_refreshed", page=self.frame.place.value, error=type(error).__name__)
                self._has_failed = True
                self.frame.warn(str(error) if isinstance(error, TrainingRefusedError) else _STALE)
            else:
                self._has_failed = False
                self.frame.warn(self.services.problem())

        ui.timer(seconds, tick)


def tell(sentence: str, kind: Literal["positive", "warning", "negative"] = "positive") -> None:
    """Show a notification at the bottom of the page; longer if it is bad news."""
    ui.notify(sentence, type=kind, position="bottom", timeout=3000 if kind == "positive" else 9000, multi_line=True)
