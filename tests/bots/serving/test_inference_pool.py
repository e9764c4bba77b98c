import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from bots.serving.inference_pool import HangingError, InferencePool
from tests.waiting import PATIENCE_S, until


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Return what work waits for that hangs; it ends after the test."""
    event = threading.Event()
    yield event
    event.set()


async def test_after_work_that_hangs_other_threads_go_on(stuck: threading.Event) -> None:
    pool = InferencePool(workers=2, waiting=8, longest_s=0.2)
    with capture_logs() as logs:
        ends = await asyncio.gather(*(pool.run(stuck.wait) for _ in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [HangingError] * 3
    assert [each["event"] for each in logs] == ["inference_hangs"] * 2  # the third one was alone in the next threads
    pool._longest_s = PATIENCE_S  # what follows ends, however long the machine takes
    assert await asyncio.gather(*(pool.run(lambda: 7) for _ in range(5))) == [7] * 5
    assert pool.has_free_worker
    assert pool.problem.startswith("3 of its threads hang")
    stuck.set()
    await until(lambda: not pool.problem)
    pool.close()


async def test_work_beside_a_thread_that_hangs_comes_to_its_end(stuck: threading.Event) -> None:
    pool, busy, has_begun = InferencePool(workers=2, waiting=8, longest_s=2.0), threading.Event(), threading.Event()

    def work() -> bool:
        has_begun.set()
        return busy.wait(PATIENCE_S)

    hanging = asyncio.create_task(pool.run(stuck.wait))
    await until(lambda: pool._running)
    pool._longest_s = PATIENCE_S  # for what comes now
    beside = asyncio.create_task(pool.run(work))
    await until(has_begun.is_set)
    with pytest.raises(HangingError):
        await hanging
    busy.set()
    assert await beside
    assert pool.problem.startswith("1 of its threads hang")
    pool.close()


async def test_a_time_out_of_the_work_itself_is_its_own_error() -> None:
    pool = InferencePool(workers=1, waiting=8)

    def late() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await pool.run(late)
    assert not pool.problem
    pool.close()


def test_the_end_waits_for_work_that_ends() -> None:
    has_begun, done = threading.Event(), threading.Event()

    def work() -> None:
        has_begun.set()
        time.sleep(0.2)
        done.set()

    async def begin() -> InferencePool:
        pool = InferencePool(workers=1, waiting=8)
        task = asyncio.create_task(pool.run(work))
        await until(has_begun.is_set)
        task.cancel()
        return pool

    asyncio.run(begin()).close()
    assert done.is_set()


_HANGS = """
import asyncio, contextlib, threading
from bots.serving.inference_pool import HangingError, InferencePool, exit_past_hanging_threads

async def main():
    pool = InferencePool(workers=1, waiting=8, longest_s=0.1)
    with contextlib.suppress(HangingError):
        await pool.run(threading.Event().wait)
    pool.close()

asyncio.run(main())
print("closed")
exit_past_hanging_threads(3)
"""


def test_a_thread_that_hangs_does_not_hold_up_the_end() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _HANGS], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.endswith("closed\n")
