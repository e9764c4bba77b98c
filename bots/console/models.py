"""The versions of the model: which one is served, how good the others are, and the buttons that change it."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nicegui import ui

from bots.console import report
from bots.console.layout import button, panel, question
from bots.console.promoting import ask_to_promote
from bots.console.version_report import open_report
from bots.console.visit import Visit, tell
from bots.console.words import ago, count, empty, megabytes, percent, points
from db import Judgement, Promotion, Role, Shadowing, Version

_REFRESH_S = 3.0
_MOST_HISTORY = 12
_SHADOW = (
    "A model in shadow reads every photo silently beside the served one. Nobody sees its answers; you see how often "
    "the two agree."
)
_KINDS = {
    "start": "came with the software",
    "promote": "promoted",
    "override": "promoted against the check's advice",
    "rollback": "rolled back",
}


@dataclass(frozen=True)
class _Shelf:
    """What the page shows at one moment; equal ones look the same."""

    versions: tuple[Version, ...]
    way_back: str | None
    shadowing: Shadowing | None
    history: tuple[Promotion, ...]
    minute: datetime

    @property
    def active(self) -> str:
        """The name of the served version; empty where none is."""
        return next((version.name for version in self.versions if version.role is Role.ACTIVE), "")


def show(visit: Visit) -> None:
    """Build the page."""
    _Models(visit).build()


class _Models:
    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._versions = visit.parts.store.versions
        self._shelf: _Shelf | None = None

    def build(self) -> None:
        with self._visit.frame.body:
            self._now = ui.element("div")
            self._list = ui.element("div").classes("versions")
            with panel("Who served what, and why"):
                self._history = ui.html("", sanitize=False)
        self._visit.every(_REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        versions = await self._versions.all()
        shadow = next((version.name for version in versions if version.role is Role.SHADOW), None)
        shelf = _Shelf(
            versions,
            await self._versions.way_back(),
            await self._versions.shadowing(shadow) if shadow else None,
            await self._versions.history(_MOST_HISTORY),
            datetime.now(UTC).replace(second=0, microsecond=0),
        )
        if shelf != self._shelf:
            self._shelf = shelf
            self._show(shelf)

    async def _look_again(self) -> None:
        await self._visit.attempt(self._refresh)

    def _show(self, shelf: _Shelf) -> None:
        self._now.clear()
        with self._now:
            self._show_served(shelf)
        self._list.clear()
        judgements = [found for each in shelf.versions if (found := Judgement.of(each.metrics)) is not None]
        reach = report.axis_reach(judgements)
        with self._list:
            for version in shelf.versions:
                self._show_version(version, shelf, reach)
        self._history.set_content(_history(shelf.history))

    def _show_served(self, shelf: _Shelf) -> None:
        if not shelf.versions:
            ui.html(
                empty("No model is in the database yet. The one that came with the software is served."), sanitize=False
            )
            return
        since = next((each for each in shelf.history if each.version == shelf.active), None)
        with ui.element("section").classes("panel served"):
            told = f"for {ago(since.at, datetime.now(UTC)).removesuffix(' ago')}, by {since.by}" if since else ""
            ui.html(
                f'<span class="quiet">Served now</span><strong>{html.escape(shelf.active)}</strong>'
                f'<span class="quiet">{html.escape(told)}</span>',
                sanitize=False,
            ).classes("tile")
            if shelf.way_back is not None:
                label, active = f"Roll back to {shelf.way_back}", shelf.active
                button(label).on("click", lambda: self._roll_back(active))

    def _show_version(self, version: Version, shelf: _Shelf, reach: float) -> None:
        judgement = Judgement.of(version.metrics)
        with ui.element("section").classes("panel version") as box:
            box.props["data-version"] = version.name
            ui.html(_about(version, judgement, shelf.active), sanitize=False).classes("about")
            with ui.element("div").classes("buttons"):
                self._show_buttons(version, shelf)
            if judgement is not None:
                with ui.element("div").classes("measures"):
                    _show_measures(judgement, reach)
            if version.role is Role.SHADOW and shelf.shadowing is not None:
                with ui.element("div").classes("shadowing"):
                    ui.label(_shadowing(shelf.shadowing))
                    question(_SHADOW)

    def _show_buttons(self, version: Version, shelf: _Shelf) -> None:
        active, history = shelf.active, shelf.history
        lines = _history(tuple(each for each in history if each.version == version.name))
        button("Report").on("click", lambda: open_report(self._visit, version, lines))
        if version.role is Role.SHADOW:
            button("End shadow").on("click", lambda: self._set_shadow(None))
        if version.role is Role.ACTIVE or not version.is_kept:
            return
        if version.role is None:
            button("Run in shadow").on("click", lambda: self._set_shadow(version.name))
        is_offered = version.is_offered_over(active)
        promote = button("Promote" if is_offered else "Promote …", "main" if is_offered else "")
        promote.on("click", lambda: ask_to_promote(self._visit, version, active, self._look_again))

    async def _roll_back(self, active: str) -> None:
        async def act() -> None:
            back = await self._versions.roll_back(instead_of=active, by=self._visit.name)
            tell(f"{back} is served again within seconds.")

        await self._visit.attempt(act)
        await self._look_again()

    async def _set_shadow(self, name: str | None) -> None:
        async def act() -> None:
            await self._versions.set_shadow(name)
            tell(f"{name} reads along silently now." if name else "No model reads along any more.")

        await self._visit.attempt(act)
        await self._look_again()


def _show_measures(judgement: Judgement, reach: float) -> None:
    with ui.element("div").classes("measure main"):
        with ui.element("span").classes("quiet"):
            ui.html("On your people", tag="span", sanitize=False)
            question(report.GAIN)
        ui.html(report.gain_bar(judgement, reach), sanitize=False).classes("axis")
        ui.label(report.gain_in_words(judgement)).classes("small")
    with ui.element("div").classes("measure rest"):
        with ui.element("span").classes("quiet"):
            ui.html("On everybody else", tag="span", sanitize=False)
            question(report.GUARD)
        ui.label(f"{points(report.guard_change(judgement))} points").classes("guard")


def _about(version: Version, judgement: Judgement | None, active: str) -> str:
    facts = [report.ORIGINS[version.origin], ago(version.created_at, datetime.now(UTC)), megabytes(version.size)]
    if judgement is not None:
        facts.append(f"learned from {report.learned_from(judgement)}")
    if not version.is_kept:
        facts.append("its files were cleared away")
    return (
        f"<h2>{html.escape(version.name)} {_badges(version, judgement, active)}</h2>"
        f'<p class="quiet">{html.escape(" · ".join(facts))}</p>'
    )


def _badges(version: Version, judgement: Judgement | None, active: str) -> str:
    if version.role is Role.ACTIVE:
        return '<span class="badge good">served</span>'
    badges = '<span class="badge">in shadow</span> ' if version.role is Role.SHADOW else ""
    if judgement is None or not version.is_kept:
        return badges
    if version.is_offered_over(active):
        return badges + '<span class="badge good">better: offered</span>'
    outdated = judgement.offered and version.parent != active
    return badges + f'<span class="badge open">{"judged beside another" if outdated else "not offered"}</span>'


def _shadowing(shadowing: Shadowing) -> str:
    if not shadowing.faces:
        return "In shadow; no photo came since."
    share = percent(shadowing.same / shadowing.faces)
    return f"In shadow: agrees with the served model on {share} of {count(shadowing.faces, 'face')}."


def _history(promotions: Sequence[Promotion]) -> str:
    if not promotions:
        return '<p class="quiet">Nothing yet.</p>'
    lines = (
        f"<li><strong>{html.escape(each.version)}</strong> {_KINDS.get(each.kind, each.kind)} "
        f'<span class="quiet">by {html.escape(each.by)}, {ago(each.at, datetime.now(UTC))}'
        f"{f', in place of {html.escape(each.replaced)}' if each.replaced else ''}</span>"
        f"{f'<q>{html.escape(each.reason)}</q>' if each.reason else ''}</li>"
        for each in promotions
    )
    return f'<ul class="history">{"".join(lines)}</ul>'
