"""Background tasks that die are logged, told to admins, and started again."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bots.serving.backoff import HEALTHY_AFTER_S, LONGEST_PAUSE_S, restarts
from bots.serving.supervision import BackgroundTasks, Supervisor
from tests.waiting import PATIENCE_S


class Pauses:
    """Lets no time pass, and remembers how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.go_on = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self.go_on.wait()


def _is_os_error(error: BaseException) -> bool:
    return isinstance(error, OSError)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


async def test_a_task_that_dies_is_logged_told_and_started_again(pauses: Pauses) -> None:
    starts, again = 0, asyncio.Event()

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts == 1:
            raise RuntimeError("LiteRT does not like this network")
        again.set()
        await asyncio.Event().wait()

    with capture_logs() as logs:
        async with asyncio.timeout(30), Supervisor(pauses.sleep) as supervisor:
            supervisor.start("The watch", work)
            while not pauses.seconds:
                await asyncio.sleep(0)
            assert supervisor.problem == "The watch has stopped (RuntimeError) and is started again."
            pauses.go_on.set()
            await again.wait()
            assert supervisor.problem == ""
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task_died", "The watch")]
    assert starts == 2


async def test_an_error_that_is_final_is_raised_and_stays_told(pauses: Pauses) -> None:
    async def refused() -> None:
        raise PermissionError("Telegram refused the token.")

    async with Supervisor(pauses.sleep) as supervisor:
        with pytest.raises(PermissionError):
            await supervisor.keep("The adapter", refused, is_final=lambda error: isinstance(error, PermissionError))
        assert supervisor.problem == "Telegram refused the token."
    assert not pauses.seconds


async def test_a_task_whose_end_fails_is_not_started_again(pauses: Pauses) -> None:
    starts, begun = 0, asyncio.Event()

    async def work() -> None:
        nonlocal starts
        starts += 1
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the connection was gone already")

    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE_S), Supervisor(pauses.sleep) as supervisor:
            supervisor.start("The watch", work)
            await begun.wait()
    assert starts == 1
    assert [entry["event"] for entry in logs] == ["task_failed_while_it_ended"]


async def test_what_is_raised_beside_the_tasks_goes_on_as_it_is(pauses: Pauses) -> None:
    async def fails() -> None:
        async with Supervisor(pauses.sleep) as supervisor:
            supervisor.start("The watch", asyncio.Event().wait)  # type: ignore[arg-type]
            raise PermissionError

    with pytest.raises(PermissionError):
        await fails()


async def test_a_task_that_dies_leaves_the_others_alone(pauses: Pauses) -> None:
    async def dies() -> None:
        raise ValueError

    ticks = asyncio.Semaphore(0)

    async def lives() -> None:
        while True:
            ticks.release()
            await asyncio.sleep(0)

    with capture_logs():
        async with asyncio.timeout(30), Supervisor(pauses.sleep) as supervisor:
            supervisor.start("One", dies)
            supervisor.start("Other", lives)
            for _ in range(50):
                await ticks.acquire()
            assert "One" in supervisor.problem
            assert "Other" not in supervisor.problem


async def test_pauses_grow_to_a_minute_and_start_over_after_a_time_of_health(pauses: Pauses) -> None:
    pauses.go_on.set()
    lasts, told, now = [0.0] * 9 + [HEALTHY_AFTER_S, 0.0], [], [0.0]

    def tell(_: BaseException, pause_s: float) -> None:
        told.append(pause_s)

    async for attempt in restarts(_is_os_error, tell, clock=lambda: now[0], sleep=pauses.sleep):
        with attempt:
            if not lasts:
                break
            now[0] += lasts.pop(0)
            raise OSError("away")
    assert told == pauses.seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60, 1, 2]
    assert max(told) == LONGEST_PAUSE_S


async def test_what_is_not_worth_another_attempt_is_raised() -> None:
    async def attempts() -> None:
        async for attempt in restarts(_is_os_error, lambda *_: None):
            with attempt:
                raise KeyError

    with pytest.raises(KeyError):
        await attempts()


async def test_a_short_task_that_fails_is_logged_and_waited_for() -> None:
    async def fails() -> None:
        raise ValueError("no")

    tasks, done = BackgroundTasks(), []

    async def works() -> None:
        await asyncio.sleep(0)
        done.append(True)

    with capture_logs() as logs:
        tasks.start("one", fails())
        tasks.start("other", works())
        await tasks.finish()
        await asyncio.sleep(0)
    assert done
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task_died", "one")]


async def test_short_tasks_can_be_cancelled() -> None:
    tasks, begun = BackgroundTasks(), asyncio.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.Event().wait()

    with capture_logs() as logs:
        tasks.start("one", waits())
        await begun.wait()
        async with asyncio.timeout(30):
            await tasks.cancel()
    assert not logs
