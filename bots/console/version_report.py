"""The drawer with the full report on one version."""

import html

from nicegui import ui

from bots.console import report
from bots.console.layout import button, question
from bots.console.page import ConsolePage
from db import Judgement, Part, Version


async def open_report(page: ConsolePage, version: Version, history: str) -> None:
    """Show the drawer. history: its promotions, as HTML."""
    kept = 0

    async def look() -> None:
        nonlocal kept
        kept = await page.services.store.versions.kept_lessons(version.name, Part.LEARN)

    if not await page.attempt(look):
        return
    judgement = Judgement.of(version.metrics)
    with page.frame.body:
        drawer = ui.dialog(value=True).props("position=right full-height")
    with drawer, ui.element("div").classes("dialog drawer").props("role=dialog") as box:
        box.props["aria-label"] = f"Report on {version.name}"
        ui.html(html.escape(version.name), tag="h2", sanitize=False)
        ui.html(f'<p class="quiet">{_made(version)}</p>', sanitize=False)
        if judgement is None:
            shipped = "It came with the software; there was nothing to compare it with."
            ui.html(f"<p>{report.NOT_JUDGED.get(version.origin, shipped)}</p>", sanitize=False)
        else:
            _show_judgement(version, judgement)
            ui.html(_lessons(kept, judgement), sanitize=False)
        ui.html(f"<h3>When it was served</h3>{history}", sanitize=False)
        ui.html(f'<p class="quiet small">SHA-256 {version.sha256[:16]}…</p>', sanitize=False)
        with ui.element("div").classes("buttons"):
            button("Close").on("click", drawer.close)
    drawer.on("hide", drawer.delete)


def _show_judgement(version: Version, judgement: Judgement) -> None:
    ui.html(report.judgement_in_words(version, judgement), sanitize=False)
    with ui.element("h3"):
        ui.html("Read as people said", tag="span", sanitize=False)
        question(report.HELD_OUT)
    ui.html(report.emotion_bars(version, judgement), sanitize=False)


def _made(version: Version) -> str:
    beside = f", from {html.escape(version.parent)}" if version.parent else ""
    return f"{report.ORIGINS[version.origin]}{beside}, {version.created_at.astimezone():%d %B %Y, %H:%M}"


def _lessons(kept: int, judgement: Judgement) -> str:
    told = f"{kept:,} of the {judgement.learned_faces:,} faces it learned from are still kept"
    if kept < judgement.learned_faces:
        told += "; the others were forgotten since, as people may ask at any time"
    return f'<p class="quiet">{told}.</p>'
