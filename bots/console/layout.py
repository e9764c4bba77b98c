"""The common parts of all console pages: head, navigation, banner, and small building blocks."""

import html
from contextlib import AbstractContextManager
from enum import StrEnum

from nicegui import ui

from bots.console import login_page


class Place(StrEnum):
    """The pages."""

    OVERVIEW = "overview"
    REVIEW = "review"
    MODELS = "models"
    RETRAINING = "retraining"
    TRAINING = "training"
    ADMINS = "admins"


PAGES = {
    Place.OVERVIEW: ("/console", "Overview", "insights"),
    Place.REVIEW: ("/console/review", "Review", "rate_review"),
    Place.MODELS: ("/console/models", "Models", "inventory_2"),
    Place.RETRAINING: ("/console/retraining", "Retraining", "model_training"),
    Place.TRAINING: ("/console/training", "Training", "science"),
    Place.ADMINS: ("/console/admins", "Admins", "group"),
}
"""Path, title and icon of each page."""

_HEAD = '<link rel="stylesheet" href="/console-static/console.css"><script src="/console-static/console.js"></script>'


class Frame:
    """The frame of a page; the page's content goes into `body`."""

    def __init__(self, place: Place, admin: str) -> None:
        self.place = place
        ui.add_head_html(_HEAD)
        with ui.element("div").classes("console"):
            self._navigation(admin)
            with ui.element("div").classes("content"):
                ui.html(PAGES[place][1], tag="h1", sanitize=False)
                self._banner = ui.html("", sanitize=False).props("role=status aria-live=polite")
                self.body = ui.element("div").classes("body")

    def warn(self, sentence: str) -> None:
        """Show a sentence above the page; hide the banner if it is empty."""
        self._banner.set_content(f'<p class="told bad">{html.escape(sentence)}</p>' if sentence else "")

    def _navigation(self, admin: str) -> None:
        with ui.element("nav").classes("rail").props("aria-label=Console"):
            ui.html('<span aria-hidden="true">😄</span> Mugmoji', sanitize=False).classes("name")
            with ui.element("div").classes("places"):
                for place, (path, title, icon) in PAGES.items():
                    with ui.element("a").classes("place") as link:
                        link.props["href"] = path
                        if place is self.place:
                            link.props["aria-current"] = "page"
                        ui.icon(icon).props("aria-hidden=true")
                        ui.label(title)
            with ui.element("div").classes("self"):
                ui.label(admin).classes("who").tooltip(f"You are {admin} here")
                with ui.element("button").classes("round theme").props("type=button title='Light or dark'") as theme:
                    theme.props["aria-label"] = "Light or dark"
                    ui.icon("contrast").props("aria-hidden=true")
                with ui.element("form").props(f"method=post action={login_page.LEAVE}"), ui.element("button") as leave:
                    leave.classes("round").props("type=submit aria-label='Log out' title='Log out'")
                    ui.icon("logout").props("aria-hidden=true")


def panel(title: str, explanation: str = "", *, wide: bool = False) -> AbstractContextManager[ui.element]:
    """Create a titled panel. explanation: the text of the "?" beside the title."""
    with ui.element("section").classes("panel wide" if wide else "panel") as box, ui.element("div").classes("title"):
        ui.html(html.escape(title), tag="h2", sanitize=False)
        if explanation:
            question(explanation)
    return box


def question(explanation: str) -> None:
    """Create a "?" that shows an explanation on hover, tap or keyboard focus."""
    with ui.element("button").classes("question").props("type=button") as mark:
        mark.props["aria-label"] = explanation
        ui.html("?", tag="span", sanitize=False)
        ui.tooltip(explanation).classes("explanation")


def button(label: str, look: str = "", *, is_off: bool = False) -> ui.element:
    """Create a native button, which reacts to Enter and Space without further code. look: "main", "danger" or empty.

    is_off: it cannot be pressed.
    """
    with ui.element("button").props("type=button").classes(f"button {look}") as made:
        ui.html(html.escape(label), tag="span", sanitize=False)
    if is_off:
        made.props("disabled")
    return made
