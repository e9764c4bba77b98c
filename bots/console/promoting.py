"""The dialogs before a promotion: the consequences in words, and a reason if the gate does not offer the version."""

import html
from collections.abc import Awaitable, Callable

from nicegui import events, ui

from bots.console.layout import button, question
from bots.console.page import ConsolePage, tell
from bots.console.report import NOT_JUDGED, judgement_in_words
from db import LEAST_REASON, Judgement, Version

_NOT_OFFERED = (
    "A model is offered if it is surely better than the one that is served now, and not much worse for everybody else. "
    "Another one may be served all the same; you are asked why, and your reason is kept with it."
)
_AfterIt = Callable[[], Awaitable[None]]


def promote_button(page: ConsolePage, version: Version, active: str, after: _AfterIt) -> None:
    """Show the button that begins a promotion and, where the gate does not offer the version, why that takes a reason.

    active, after: as in `ask_to_promote`.
    """
    is_offered = version.is_offered_over(active)
    promote = button("Promote" if is_offered else "Promote all the same …", "main" if is_offered else "")
    promote.on("click", lambda: ask_to_promote(page, version, active, after))
    if not is_offered:
        question(_NOT_OFFERED)


def ask_to_promote(page: ConsolePage, version: Version, active: str, after: _AfterIt) -> None:
    """Ask, and promote if confirmed. active: the served version that was shown. after: refreshes the page."""
    needs_reason = not version.is_offered_over(active)
    with page.frame.body, ui.dialog(value=True) as dialog, ui.element("div").classes("dialog"):
        ui.html(f"Serve {html.escape(version.name)}?", tag="h2", sanitize=False)
        ui.html(_what_changes(version, active), sanitize=False)
        reason = _reason_field(version, active) if needs_reason else None

        async def promote() -> None:
            because = reason.text if reason else ""
            if reason and len(because.strip()) < LEAST_REASON:
                tell("Please write in a few words why it should be served all the same.", "warning")
                return

            async def act() -> None:
                versions = page.services.store.versions
                await versions.promote(version.name, instead_of=active, by=page.actor, reason=because)
                tell(f"{version.name} will be served within seconds. You can go back at any time.")

            dialog.close()
            await page.attempt(act)
            await after()

        with ui.element("div").classes("buttons"):
            button("Cancel").on("click", dialog.close)
            look = "danger" if needs_reason else "main"
            button("Serve it all the same" if needs_reason else "Promote", look).on("click", promote)
    dialog.on("hide", dialog.delete)


class _Reason:
    """An input field for a reason."""

    def __init__(self) -> None:
        self.text = ""
        with ui.element("label"):
            ui.html("Why should it be served all the same? It is kept with the promotion.", tag="span", sanitize=False)
            field = ui.element("textarea").props("rows=3 maxlength=1000 required autofocus")
        field.on("input", self._typed, args=["target.value"], js_handler="(event) => emit(event.target.value)")

    def _typed(self, event: events.GenericEventArguments) -> None:
        self.text = str(event.args)


def _reason_field(version: Version, active: str) -> _Reason:
    if version.parent is not None and version.parent != active:
        told = f"It was compared with {version.parent}, but {active} is served now."
        ui.html(f'<p class="told bad">{html.escape(told)}</p>', sanitize=False)
    return _Reason()


def _what_changes(version: Version, active: str) -> str:
    name, before = html.escape(version.name), html.escape(active)
    told = (
        f"<p><strong>{name}</strong> will answer every new photo within seconds, in place of <strong>{before}</strong>"
    )
    told += ". Answers given so far stay as they are, and you can go back at any time.</p>"
    judgement = Judgement.of(version.metrics)
    if judgement is None:
        shipped = "It came with the software and has learned nothing from your people."
        return f"{told}<p>{NOT_JUDGED.get(version.origin, shipped)}</p>"
    return told + judgement_in_words(version, judgement)
