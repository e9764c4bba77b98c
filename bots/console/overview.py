"""The overview page: today's activity, agreement of model and people, and the served model."""

from datetime import datetime

from nicegui import ui

from bots.console import charts, tables
from bots.console.figures import DAYS, WEEKS, Figures
from bots.console.formatting import empty, for_how_long, percent
from bots.console.layout import panel
from bots.console.page import ConsolePage
from db import Role, Version

_REFRESH_S = 5.0
_NO_FACES = "No faces yet. They show up here as soon as someone sends a selfie."
_NO_ANSWERS = "Nobody has said yet what a face shows. Taps on emoji and labels from the review queue count."
_AGREEMENT = (
    "Of the faces that people said something about: how often the model's likeliest emotion is what they said. "
    "The band shows where the true value lies with 95 % certainty; it is wide where few people answered."
)
_BY_EMOTION = (
    "Of the faces that people call happy, how many does the model call happy, too? The thin line shows where the true "
    "value lies with 95 % certainty."
)
_CONFUSION = (
    "Each row is what people say, each column what the model says. Green: they agree. Orange: what the model takes it "
    "for instead. Percent of the row, with the number of faces below."
)
_MIX = (
    "What the model reads in the faces people send. A sudden change may mean another kind of photos, or a worse model."
)


def show(page: ConsolePage) -> None:
    """Build the page."""
    _Overview(page).build()


class _Overview:
    def __init__(self, page: ConsolePage) -> None:
        self._page = page
        self._is_daily = True
        self._figures: Figures | None = None

    def build(self) -> None:
        with self._page.frame.body:
            self._tiles = ui.html(_waiting_tiles(), sanitize=False).classes("tiles")
            with ui.element("div").classes("switch").props("role=group aria-label=Period"):
                self._days, self._weeks = _period(f"Last {DAYS} days"), _period(f"Last {WEEKS} weeks")
            self._days.on("click", lambda: self._switch(is_daily=True))
            self._weeks.on("click", lambda: self._switch(is_daily=False))
            with ui.element("div").classes("grid"):
                with panel("Does the model say what people say?", _AGREEMENT, wide=True):
                    self._agreement_empty = ui.html("", sanitize=False)
                    self._agreement = charts.TimeChart()
                with panel("By emotion", _BY_EMOTION):
                    self._by_emotion = ui.html("", sanitize=False)
                with panel("Model against people", _CONFUSION):
                    self._confusion = ui.html("", sanitize=False)
                with panel("Which emotions the model reads", _MIX, wide=True):
                    self._mix_empty = ui.html("", sanitize=False)
                    self._mix = charts.TimeChart()
        self._switch(is_daily=True)
        self._page.every(_REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        served = await self._page.services.store.versions.holding(Role.ACTIVE)
        promotions = await self._page.services.store.versions.history(1)
        self._figures = await self._page.services.figures.figures()
        since = promotions[0].at if promotions else None
        self._tiles.set_content(_tiles(self._figures, served, since))
        self._show_view()

    def _switch(self, *, is_daily: bool) -> None:
        self._is_daily = is_daily
        self._days.props["aria-pressed"] = "true" if is_daily else "false"
        self._weeks.props["aria-pressed"] = "false" if is_daily else "true"
        self._show_view()

    def _show_view(self) -> None:
        if self._figures is None:
            return
        view = self._figures.daily if self._is_daily else self._figures.weekly
        has_answers, has_faces = view.agreement is not None, any(period.faces for period in view.periods)
        self._by_emotion.set_content(tables.by_emotion(view.by_emotion) if has_answers else empty(_NO_ANSWERS))
        self._confusion.set_content(
            tables.confusion(view.confusion, "people say", "model says") if has_answers else empty(_NO_ANSWERS)
        )
        self._agreement_empty.set_content("" if has_answers else empty(_NO_ANSWERS))
        self._mix_empty.set_content("" if has_faces else empty(_NO_FACES))
        if has_answers:
            self._agreement.show(charts.agreement_over_time(view.periods), charts.agreement_in_words(view.periods))
        else:
            self._agreement.hide()
        if has_faces:
            self._mix.show(charts.mix_over_time(view.periods), charts.mix_in_words(view.periods))
        else:
            self._mix.hide()


def _period(label: str) -> ui.element:
    with ui.element("button").props("type=button") as button:
        ui.html(label, tag="span", sanitize=False)
    return button


def _waiting_tiles() -> str:
    return tables.tile("Faces today", "…", "") + tables.tile("Answers today", "…", "")


def _tiles(figures: Figures, served: Version | None, since: datetime | None) -> str:
    view = figures.daily
    today, yesterday = figures.today, figures.yesterday
    rate = percent(view.agreement.value) if view.agreement else "–"
    sure = (
        f"{percent(view.agreement.low)} to {percent(view.agreement.high)} likely"
        if view.agreement
        else "no answers yet"
    )
    lasts = f"for {for_how_long(since, datetime.now(since.tzinfo))}" if since else "the one that came with the software"
    return "".join(
        (
            tables.tile("Faces today", f"{today.faces:,}", tables.compared(today.faces, yesterday.faces)),
            tables.tile("Answers today", f"{today.answers:,}", tables.compared(today.answers, yesterday.answers)),
            tables.tile(f"Agreement, {DAYS} days", rate, sure),
            tables.tile("Model served", served.name if served else "shipped", lasts),
        )
    )
