"""The dialog that asks before something is ended or deleted."""

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from bots.console.layout import button
from bots.console.page import ConsolePage, tell

_Action = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Question:
    """What is asked, what a yes leads to, and the label of the button that says yes."""

    title: str
    consequence: str
    label: str


def ask(page: ConsolePage, question: Question, act: _Action, after: _Action) -> None:
    """Ask, and carry out `act` if confirmed, then `after`, which refreshes the page."""
    with page.frame.body, ui.dialog(value=True) as dialog, ui.element("div").classes("dialog"):
        ui.html(html.escape(question.title), tag="h2", sanitize=False)
        ui.html(f"<p>{html.escape(question.consequence)}</p>", sanitize=False)

        async def act_and_tell() -> None:
            await act()
            tell("Done.")

        async def confirmed() -> None:
            dialog.close()
            await page.attempt(act_and_tell)
            await page.attempt(after)

        with ui.element("div").classes("buttons"):
            button("Cancel").on("click", dialog.close)
            button(question.label, "danger").on("click", confirmed)
    dialog.on("hide", dialog.delete)
