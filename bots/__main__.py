"""`python -m bots`: run every configured adapter around one service, until Ctrl-C or SIGTERM.

The first signal lets what is in hand be finished within `STOP_AFTER` seconds, the second ends it at once.

Exit status: 0 if stopped, 2 on wrong usage, 3 if something needed is missing or wrong (the last line says what to set).
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer

from bots.adapter import Adapter, AdapterError
from bots.assembly import AdapterFactory, Assembly, assembled, configured_adapters
from bots.logs import configure_logs
from bots.pictures.artwork import ArtworkError
from bots.serving.inference_pool import exit_past_hanging_threads
from bots.serving.measures import Measures
from bots.settings import Settings
from db import StoreError
from db.settings import SettingsError, load_settings
from recognizer import DetectorError, EmojiMapError, ModelError

MISSING, WARNED = 3, 1

app = typer.Typer(add_completion=False, help="Mugmoji: a bot for Telegram, Discord and the web chat.")
_log = structlog.get_logger()


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    """Send a selfie, get the emoji of your face. Settings come from the environment and `.env` (see .env.example)."""
    if context.invoked_subcommand is None:
        run()


@app.command()
def run() -> None:
    """Run the bot until Ctrl-C; this is also what happens without a command."""
    try:
        settings = load_settings(Settings)
        measures = Measures()
        configure_logs(settings.log_level, settings.log_format, measures.note)
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            status = runner.run(serve(settings, measures))
    except (SettingsError, StoreError, DetectorError, ModelError, EmojiMapError, ArtworkError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(MISSING) from None
    exit_past_hanging_threads(status)
    raise typer.Exit(status)


@app.command()
def doctor(
    backups: Annotated[Path, typer.Option(help="The folder where backups of the database are.")] = Path("backup"),
    strict: Annotated[bool, typer.Option(help="Exit with status 1 where there are warnings only.")] = False,
) -> None:
    """Examine settings, files and this machine, and say what to do about each fault; nothing is changed."""
    from bots.doctor import Severity, examine, line_of, summary_of, worst

    findings = []
    for finding in examine(backups):
        findings.append(finding)
        print(line_of(finding), flush=True)
    print(summary_of(findings))
    if worst(findings) is Severity.PROBLEM:
        raise typer.Exit(MISSING)
    if strict and worst(findings) is Severity.WARNING:
        raise typer.Exit(WARNED)


async def serve(settings: Settings, measures: Measures | None = None) -> int:
    """Run the adapters until a signal; return the exit status. measures: as in `assembled`."""
    factories = configured_adapters(settings)
    if not factories:
        raise SettingsError("Nothing to do: set TELEGRAM_TOKEN or DISCORD_TOKEN, or WEB_CHAT=true or CONSOLE=true.")
    async with assembled(settings, factories, measures) as assembly, asyncio.TaskGroup() as group:
        running = [group.create_task(_serve_one(factory, assembly)) for factory in factories]
        _on_stop_signals(lambda: _cancel(running))
    return 0 if all(task.cancelled() or task.result() for task in running) else MISSING


async def _serve_one(factory: AdapterFactory, assembly: Assembly) -> bool:
    """Run one adapter until it is cancelled; return False where it cannot start, and leave the others alone.

    An adapter that fails after its start is run again after a pause.
    """
    adapter: Adapter | None = None

    async def serve_it() -> None:
        nonlocal adapter
        adapter = adapter or factory.make(assembly)
        await adapter.run()

    try:
        await assembly.supervisor.keep(f"The adapter for {factory.kind.name}", serve_it, is_final=_cannot_start)
    except (AdapterError, SettingsError) as error:
        _log.error(str(error))
        return False
    return True


def _cannot_start(error: BaseException) -> bool:
    return isinstance(error, AdapterError | SettingsError)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of uvloop, which takes less of the processor, or Python's where there is none (Windows)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _on_stop_signals(stop: Callable[[], None]) -> None:
    """Call `stop` in the event loop on Ctrl-C and on SIGTERM."""
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(signal_number, stop)
        except NotImplementedError:  # the event loop of Windows
            signal.signal(signal_number, lambda _number, _frame: loop.call_soon_threadsafe(stop))


def _cancel(tasks: list[asyncio.Task[bool]]) -> None:
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    app(prog_name="python -m bots")
