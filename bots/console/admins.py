"""The page of admins: who has an account, which invitations are open, and buttons to invite somebody or end either."""

import html
import math
from collections.abc import Callable
from datetime import UTC, datetime

from nicegui import events, ui

from bots.console import join_page
from bots.console.account_file import Account, Invitation
from bots.console.confirming import Question, ask
from bots.console.formatting import ago, count
from bots.console.layout import button, panel
from bots.console.names import MOST_NAME
from bots.console.page import ConsolePage

_REFRESH_S = 3.0
_EXPLAINED = (
    "Everybody you invite gets a token of their own, so that their name beside a label or a promotion is proven. Give "
    "the name they are known by; the link is shown once, for you to send."
)
_SHARED = (
    "You are here with the shared token, and once somebody has joined, what you do is marked with it. Invite yourself, "
    "too, and open the link here."
)
_NOBODY = "Nobody has an account that works: whoever enters does so with the shared token."


def show(page: ConsolePage) -> None:
    """Build the page."""
    _Admins(page).build()


class _Admins:
    def __init__(self, page: ConsolePage) -> None:
        self._page = page
        self._accounts = page.services.accounts
        self._shown: tuple[object, ...] = ()
        self._typed = ""

    def build(self) -> None:
        request = ui.context.client.request
        self._address = f"{request.url.scheme}://{request.url.netloc}{join_page.PATH}/"
        with self._page.frame.body:
            with panel("Invite an admin"):
                ui.label(_EXPLAINED).classes("quiet explained")
                if not any(each.name == self._page.name for each in self._accounts.open()):
                    ui.label(_SHARED).classes("quiet explained")
                with ui.element("form").classes("invite") as self._form:
                    with ui.element("label"):
                        ui.html("Their name", tag="span", sanitize=False)
                        self._field = ui.element("input").classes("field")
                        self._field.props(f"maxlength={MOST_NAME} required autocomplete=off")
                    button("Invite", "main").props("type=submit")
                self._field.on("input", self._type, args=["target.value"], js_handler="(e) => emit(e.target.value)")
                self._form.on("submit.prevent", self._invite)
            with panel("Open invitations") as self._invited:
                self._invitations = ui.element("ul").classes("admins")
            with panel("Admins with an account"):
                self._list = ui.element("ul").classes("admins")
        self._page.every(_REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        accounts, invitations = self._accounts.open(), self._accounts.invitations()
        shown = (accounts, invitations, datetime.now(UTC).replace(second=0, microsecond=0))
        if shown == self._shown:
            return
        self._shown = shown
        self._invited.set_visibility(bool(invitations))
        self._invitations.clear()
        with self._invitations:
            for invitation in invitations:
                self._show_invitation(invitation)
        self._list.clear()
        with self._list:
            if not accounts:
                with ui.element("li").classes("quiet"):
                    ui.html(_NOBODY, tag="span", sanitize=False)
            for account in accounts:
                self._show_account(account)

    def _show_invitation(self, invitation: Invitation) -> None:
        hours = math.ceil((invitation.until - datetime.now(UTC).timestamp()) / 3600)
        _entry(
            invitation.name,
            f"invited by {invitation.invited_by}, works for {count(hours, 'hour')}",
            "Take back",
            lambda: self._ask(
                f"Take back the invitation of {invitation.name}?",
                "The link does nothing any more.",
                "Take back",
                lambda: self._accounts.take_back(invitation, self._page.name),
            ),
        )

    def _show_account(self, account: Account) -> None:
        since = ago(datetime.fromtimestamp(account.since, UTC), datetime.now(UTC))
        _entry(
            f"{account.name} (you)" if account.name == self._page.name else account.name,
            f"joined {since}, invited by {account.invited_by}",
            "End",
            lambda: self._ask(
                f"End the account of {account.name}?",
                "They are logged out everywhere, and their token does nothing any more. What they labelled and "
                "promoted stays. Whoever also knows the shared token can still enter with that, until it is changed.",
                "End the account",
                lambda: self._accounts.end(account, self._page.name),
            ),
        )

    def _type(self, event: events.GenericEventArguments) -> None:
        self._typed = str(event.args)

    async def _invite(self) -> None:
        async def act() -> None:
            link = self._address + self._accounts.invite(self._typed, self._page.name)
            self._show_link(self._typed, link)
            self._typed = ""
            self._form.run_method("reset")

        await self._page.attempt(act)
        await self._page.attempt(self._refresh)

    def _show_link(self, name: str, link: str) -> None:
        with ui.dialog(value=True).props("persistent") as dialog, ui.element("div").classes("dialog"):
            ui.html(f"A link for {html.escape(name)}", tag="h2", sanitize=False)
            ui.html(
                "<p>Send it to nobody else: whoever uses it first gets the account. It works once, within 48 hours, "
                "and is not shown again.</p>",
                sanitize=False,
            )
            field = ui.element("input").props("readonly autofocus").classes("field")
            field.props["value"], field.props["aria-label"] = link, "Link"
            with ui.element("div").classes("buttons"):
                button("Done", "main").on("click", dialog.close)
        dialog.on("hide", dialog.delete)

    def _ask(self, question: str, consequence: str, label: str, end: Callable[[], None]) -> None:
        async def act() -> None:
            end()

        ask(self._page, Question(question, consequence, label), act, self._refresh)


def _entry(name: str, facts: str, label: str, press: Callable[[], None]) -> None:
    with ui.element("li").classes("admin"):
        ui.html(f'<strong>{html.escape(name)}</strong> <span class="quiet">{html.escape(facts)}</span>', sanitize=False)
        button(label).on("click", press).props["aria-label"] = f"{label}: {name}"
