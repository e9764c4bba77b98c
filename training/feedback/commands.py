"""The commands from feedback to a served model. Only `--depth full` needs Keras.

They use the bot's database: DATABASE_URL, SECRET and the other settings come from the environment or `.env`.
"""

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from db import Actor, Depth, Judgement, Role, Store, Version
from db.settings import load_settings
from recognizer import EmojiMap, Recognizer
from recognizer.classification import MODEL_FOLDER, Classifier
from recognizer.packing import pack_folder
from training import MissingError, TrainingError
from training.feedback.importing import LABELS, import_faces, listed, unknown_folders
from training.feedback.retraining import Progress, require, retrain
from training.feedback.settings import FeedbackSettings

loop = typer.Typer()
_console = Console()
_MOST_HISTORY = 10
_POLITENESS = 10


@loop.command("import-faces")
def import_faces_command(
    source: Annotated[
        Path, typer.Argument(help="FOLDER/<emotion>/*, or a CSV with path, emotion and optionally person.")
    ],
    name: Annotated[str | None, typer.Option(help="Name of the set; the folder's name if not given.")] = None,
) -> None:
    """Import labelled faces as feedback; the same set can be imported again."""
    pictures = listed(source)

    async def run(store: Store, _: FeedbackSettings) -> None:
        report = await import_faces(store, Recognizer.load(), pictures, name or source.absolute().stem)
        if unnamed := sum(picture.is_nobodys for picture in pictures):
            _console.print(
                f"{unnamed} pictures name no person, so each counts as a separate person. Put several of one person "
                "into a folder for that person, or name the person in a CSV's column person.",
                highlight=False,
            )
        if unknown := unknown_folders(source):
            _console.print(
                f"Left out, since their names are none of {', '.join(LABELS)}: {', '.join(unknown)}.", highlight=False
            )
        for path, reason in report.refused:
            _console.print(f"{path}: {reason}", soft_wrap=True, highlight=False)
        _console.print(f"{report.added} faces added, {report.known} known already, {len(report.refused)} not usable.")
        if not report.added + report.known:
            raise TrainingError(f"None of the {len(pictures)} pictures of {source} could be used.")

    _with_store(run)


@loop.command("retrain")
def retrain_command(
    depth: Annotated[
        Depth, typer.Option(help="adapt: the head, in seconds. full: the whole network, with base data.")
    ] = Depth.ADAPT,
    data: Annotated[Path | None, typer.Option("--data", help="Base data for full, as for fit.")] = None,
    job: Annotated[int | None, typer.Option(help="A retraining that is claimed already; set by the bot.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing for it; start nothing.")] = False,
) -> None:
    """Fit a new version to the feedback, judge it, and store it beside the served one; nothing is promoted."""
    if check:
        require(depth, data)
        return
    if job is not None and hasattr(os, "nice"):  # Windows has none
        os.nice(_POLITENESS)  # leave the processor to the bot, which answers photos meanwhile

    async def run(store: Store, settings: FeedbackSettings) -> None:
        emoji_map = EmojiMap.load(settings.emoji_map)
        number = job if job is not None else await store.retrainings.start(depth, _me())
        with Bar(console=_console, transient=True) as bar:
            task = bar.add_task("", total=1.0)

            def heard(progress: Progress) -> None:
                bar.update(task, description=progress.step, completed=progress.share)

            made = await retrain(store, depth, number, emoji_map, data=data, heard=heard)
        version = await store.versions.find(made)
        assert version is not None
        _tell(version)

    _with_store(run)


@loop.command()
def work(
    data: Annotated[Path | None, typer.Option("--data", help="Base data for full, as for fit.")] = None,
) -> None:
    """Do the retrainings that admins ask for elsewhere, on this machine, until stopped; for PostgreSQL only."""

    async def run(store: Store, settings: FeedbackSettings) -> None:
        queue = settings.retraining_queue(store)
        if queue is None:
            raise MissingError(
                "Waiting for retrainings needs a PostgreSQL in DATABASE_URL, and procrastinate: "
                "pip install -e '.[postgresql]'."
            )
        from training.feedback.worker import Worker  # noqa: PLC0415  # needs procrastinate, as nothing else does

        def say(sentence: str) -> None:
            _console.print(sentence, highlight=False, markup=False, soft_wrap=True)

        await Worker(store, queue, data, say).run()

    _with_store(run)


@loop.command()
def models() -> None:
    """List the versions of the model, the newest first, and the last promotions."""

    async def run(store: Store, _: FeedbackSettings) -> None:
        for version in await store.versions.all():
            _console.print(_described(version), highlight=False)
        for each in await store.versions.history(_MOST_HISTORY):
            why = f": {each.reason}" if each.reason else ""
            _console.print(f"{each.at:%Y-%m-%d %H:%M}  {each.version}  {each.kind} by {each.by}{why}")
            if each.replaced:
                _console.print(f"    in place of {each.replaced}")

    _with_store(run)


@loop.command()
def promote(
    version: Annotated[str, typer.Argument(help="As `models` lists it.")],
    because: Annotated[str, typer.Option(help="Reason, if the gate does not offer it; it is recorded.")] = "",
) -> None:
    """Serve this version from now on; all replicas switch to it within seconds."""

    async def run(store: Store, _: FeedbackSettings) -> None:
        active = await _active(store)
        await store.versions.promote(version, instead_of=active, by=_me(), reason=because)
        _console.print(f"{version} is served from now on. Back to {active}: python -m training rollback")

    _with_store(run)


@loop.command()
def rollback() -> None:
    """Serve the version again that the current one replaced."""

    async def run(store: Store, _: FeedbackSettings) -> None:
        back = await store.versions.roll_back(instead_of=await _active(store), by=_me())
        _console.print(f"{back} is served again.")

    _with_store(run)


@asynccontextmanager
async def _opened(settings: FeedbackSettings) -> AsyncIterator[Store]:
    store = await settings.open_store()
    try:
        yield store
    finally:
        await store.close()


def _with_store(work: Callable[[Store, FeedbackSettings], Awaitable[None]]) -> None:
    """Run a command with the database open and the shipped model registered in it."""

    async def run() -> None:
        settings = load_settings(FeedbackSettings)
        async with _opened(settings) as store:
            if await store.versions.holding(Role.ACTIVE) is None:
                await store.versions.begin_with(Classifier.load().card.version, pack_folder(MODEL_FOLDER))
            await work(store, settings)

    asyncio.run(run())


async def _active(store: Store) -> str:
    active = await store.versions.holding(Role.ACTIVE)
    assert active is not None  # one exists since the first start
    return active.name


def _described(version: Version) -> str:
    """Return a version in at most four lines: its role, what it is, what it learned from, and the gate's figures."""
    judgement = Judgement.of(version.metrics)
    role = version.role or ("offered" if judgement is not None and judgement.offered else "")
    size = f"{version.size / 1e6:.1f} MB" if version.is_kept else "its files were cleared away"
    parent = f", from {version.parent}" if version.parent else ""
    lines = [f"{version.name}  {role}".rstrip(), f"made {version.created_at:%Y-%m-%d %H:%M}{parent}, {size}"]
    if judgement is not None:
        guard = 100 * (judgement.guard_candidate - judgement.guard_served)
        lines += [
            f"learned from {judgement.learned_faces} faces of {judgement.learned_people} people",
            f"better for your people by {judgement.gain:+.1f} points ({judgement.low:+.1f} to {judgement.high:+.1f}), "
            f"guard {guard:+.1f}",
        ]
    return "\n    ".join(lines)


def _tell(version: Version) -> None:
    judgement = Judgement.of(version.metrics)
    assert judgement is not None  # judged when it was created
    _console.print(
        f"{version.name}: learned from {judgement.learned_faces} faces of {judgement.learned_people} people in "
        f"{judgement.seconds:.0f} s.\nOf {judgement.judged_faces} held-out faces of {judgement.judged_people} "
        f"people it reads {judgement.candidate:.1%} as people say; {version.parent} reads {judgement.served:.1%}: "
        f"{judgement.gain:+.1f} points (95 %: {judgement.low:+.1f} to {judgement.high:+.1f}); "
        f"{judgement.sure:.1%} sure that it is better.\n"
        f"Guard, {judgement.guard_faces} faces: {judgement.guard_candidate:.1%} against {judgement.guard_served:.1%}.\n"
        f"{judgement.why}\n"
        + (f"Serve it: python -m training promote {version.name}" if judgement.offered else "It is not offered."),
        highlight=False,
    )


def _me() -> Actor:
    return Actor(f"command line ({getpass.getuser()})")
