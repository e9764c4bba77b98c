"""The page of model versions: which one is served, how good the others are, and buttons to change it."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nicegui import ui

from bots.console import report
from bots.console.formatting import ago, count, empty, megabytes, percent, points
from bots.console.layout import button, panel, question
from bots.console.page import ConsolePage, tell
from bots.console.promoting import promote_button
from bots.console.version_report import open_report
from db import Judgement, Promotion, Role, ShadowComparison, Version

_REFRESH_S = 3.0
_MOST_HISTORY = 12
_SHADOW = (
    "A model in shadow reads every photo silently, in addition to the served one. Nobody sees its answers; you see how "
    "often the two agree."
)
_KINDS = {
    "start": "came with the software",
    "promote": "promoted",
    "override": "promoted against the check's advice",
    "rollback": "rolled back",
}


@dataclass(frozen=True)
class _Snapshot:
    """The data of the page at one moment; equal snapshots look the same."""

    versions: tuple[Version, ...]
    way_back: str | None
    shadow_comparison: ShadowComparison | None
    history: tuple[Promotion, ...]
    minute: datetime

    @property
    def active(self) -> str:
        """Return the name of the served version; empty if there is none."""
        return next((version.name for version in self.versions if version.role is Role.ACTIVE), "")


def show(page: ConsolePage) -> None:
    """Build the page."""
    _Models(page).build()


class _Models:
    def __init__(self, page: ConsolePage) -> None:
        self._page = page
        self._versions = page.services.store.versions
        self._snapshot: _Snapshot | None = None

    def build(self) -> None:
        with self._page.frame.body:
            self._now = ui.element("div")
            self._list = ui.element("div").classes("versions")
            with panel("Who served what, and why"):
                self._history = ui.html("", sanitize=False)
        self._page.every(_REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        versions = await self._versions.all()
        shadow = next((version.name for version in versions if version.role is Role.SHADOW), None)
        snapshot = _Snapshot(
            versions,
            await self._versions.way_back(),
            await self._versions.shadow_comparison(shadow) if shadow else None,
            await self._versions.history(_MOST_HISTORY),
            datetime.now(UTC).replace(second=0, microsecond=0),
        )
        if snapshot != self._snapshot:
            self._snapshot = snapshot
            self._show(snapshot)

    async def _look_again(self) -> None:
        await self._page.attempt(self._refresh)

    def _show(self, snapshot: _Snapshot) -> None:
        self._now.clear()
        with self._now:
            self._show_served(snapshot)
        self._list.clear()
        judgements = [found for each in snapshot.versions if (found := Judgement.of(each.metrics)) is not None]
        reach = report.axis_reach(judgements)
        with self._list:
            for version in snapshot.versions:
                self._show_version(version, snapshot, reach)
        self._history.set_content(_history(snapshot.history))

    def _show_served(self, snapshot: _Snapshot) -> None:
        if not snapshot.versions:
            ui.html(
                empty("No model is in the database yet. The one that came with the software is served."), sanitize=False
            )
            return
        since = next((each for each in snapshot.history if each.version == snapshot.active), None)
        with ui.element("section").classes("panel served"):
            told = f"for {ago(since.at, datetime.now(UTC)).removesuffix(' ago')}, by {since.by}" if since else ""
            ui.html(
                f'<span class="quiet">Served now</span><strong>{html.escape(snapshot.active)}</strong>'
                f'<span class="quiet">{html.escape(told)}</span>',
                sanitize=False,
            ).classes("tile")
            if snapshot.way_back is not None:
                label, active = f"Roll back to {snapshot.way_back}", snapshot.active
                button(label).on("click", lambda: self._roll_back(active))

    def _show_version(self, version: Version, snapshot: _Snapshot, reach: float) -> None:
        judgement = Judgement.of(version.metrics)
        with ui.element("section").classes("panel version") as box:
            box.props["data-version"] = version.name
            ui.html(_about(version, judgement, snapshot.active), sanitize=False).classes("about")
            with ui.element("div").classes("buttons"):
                self._show_buttons(version, snapshot)
            if judgement is not None:
                with ui.element("div").classes("measures"):
                    _show_measures(judgement, reach)
            if version.role is Role.SHADOW and snapshot.shadow_comparison is not None:
                with ui.element("div").classes("shadowing"):
                    ui.label(_shadow_comparison(snapshot.shadow_comparison))
                    question(_SHADOW)

    def _show_buttons(self, version: Version, snapshot: _Snapshot) -> None:
        active, history = snapshot.active, snapshot.history
        lines = _history(tuple(each for each in history if each.version == version.name))
        button("Report").on("click", lambda: open_report(self._page, version, lines))
        if version.role is Role.SHADOW:
            button("End shadow").on("click", lambda: self._set_shadow(None))
        if version.role is Role.ACTIVE or not version.is_kept:
            return
        if version.role is None:
            button("Run in shadow").on("click", lambda: self._set_shadow(version.name))
        promote_button(self._page, version, active, self._look_again)

    async def _roll_back(self, active: str) -> None:
        async def act() -> None:
            back = await self._versions.roll_back(instead_of=active, by=self._page.actor)
            tell(f"{back} is served again within seconds.")

        await self._page.attempt(act)
        await self._look_again()

    async def _set_shadow(self, name: str | None) -> None:
        async def act() -> None:
            await self._versions.set_shadow(name)
            tell(f"{name} now reads every photo, too, without a word." if name else "Nothing runs in shadow any more.")

        await self._page.attempt(act)
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
    return badges + f'<span class="badge open">{"compared with another" if outdated else "not offered"}</span>'


def _shadow_comparison(shadow_comparison: ShadowComparison) -> str:
    if not shadow_comparison.faces:
        return "In shadow; no photo came since."
    share = percent(shadow_comparison.same / shadow_comparison.faces)
    return f"In shadow: agrees with the served model on {share} of {count(shadow_comparison.faces, 'face')}."


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
