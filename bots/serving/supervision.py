"""Keep background tasks running, and report those that are not: none of them ends without a log line."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self

import structlog

from bots.serving.backoff import is_being_cancelled, restarts

_log = structlog.get_logger()


class Supervisor:
    """Runs tasks until its context is left; one that fails is logged, named in `problem`, and started again after a
    pause.

    An asynchronous context manager; leaving it cancels the tasks and waits for them.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """sleep: waits for the given seconds before a task is started again."""
        self._sleep = sleep
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._failed: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        """Enter; tasks may be started from now on."""
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel every task and wait for it."""
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)  # what was raised in the context goes on as it is

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Keep `work` running from now on. name: what admins and the log call it."""
        self._running.append(self._tasks.create_task(self.keep(name, work), name=name))

    @property
    def problems(self) -> Mapping[str, str]:
        """What does not run at the moment: its name, and a sentence for an admin."""
        return dict(self._failed)

    @property
    def problem(self) -> str:
        """What does not run at the moment, in sentences for an admin; empty where everything does."""
        return " ".join(self._failed.values())

    async def keep(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        *,
        is_final: Callable[[BaseException], bool] = lambda _: False,
    ) -> None:
        """Run `work` here until it returns, again and again where it fails.

        name: what admins and the log call it. is_final: whether an exception ends it for good; such a one is raised,
        and its message stays in `problem`.
        """

        def should_restart(error: BaseException) -> bool:
            return isinstance(error, Exception) and not is_final(error)

        def tell(error: BaseException, pause_s: float) -> None:
            self._failed[name] = f"{name} has stopped ({type(error).__name__}) and is started again."
            _log.error("task_died", task=name, restart_in_s=pause_s, exc_info=error)

        try:
            async for attempt in restarts(should_restart, tell, sleep=self._sleep):
                self._failed.pop(name, None)
                with attempt:
                    await work()
        except Exception as error:
            if is_being_cancelled():
                _log.error("task_failed_while_it_ended", task=name, exc_info=error)
                raise asyncio.CancelledError from error
            self._failed[name] = str(error)
            raise


class BackgroundTasks:
    """Short background tasks: they are referenced until they end, and logged if they fail."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in a separate task. name: used for it in the log."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait for the running tasks."""
        if self._running:
            await asyncio.wait(self._running)

    async def cancel(self) -> None:
        """Cancel the running tasks, and wait for them."""
        for task in self._running:
            task.cancel()
        await self.finish()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task_died", task=task.get_name(), exc_info=error)
