"""Retrainings that are asked for in one process and done in another, with a real PostgreSQL between them."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

import db.retraining_queue
from bots.assembly import assembled
from bots.learning.retraining_process import RetrainingProcess
from bots.messages import AdminCommand, AdminCommandName
from bots.settings import Settings
from db import Actor, Depth, Person, Platform, Retraining, State, Store
from db.retraining_queue import RetrainingQueue, conninfo
from tests.db import postgresql
from tests.processes import has_ended
from tests.rows import execute, select_rows
from tests.training.feedback_rows import fill
from tests.waiting import PATIENCE_S, TRAINING_PATIENCE_S, until

ROOT = Path(__file__).parents[2]
SCHEMA = db.retraining_queue._SCHEMA
SECRET = "one secret for all processes of a test"
ANNA = Actor("Anna")
ADMIN = Person(Platform.TELEGRAM, "1")
HERE = (sys.executable, "-c", "import sys; sys.exit('It is done by the bot itself.')")
"""The program of a bot that nothing should be started by."""
WORKER = """
import asyncio, sys
import training.feedback.worker
from training.feedback.settings import FeedbackSettings

async def main():
    settings = FeedbackSettings()
    store = await settings.open_store()
    training.feedback.worker._PAUSE_S = 0.5
    training.feedback.worker.STOPPED_WITHIN_S = 1.0
    program = (sys.executable, "-c", sys.argv[1])
    say = lambda said: print(said, flush=True)
    await training.feedback.worker.Worker(store, settings.retraining_queue(store), None, say, program).run()
    await store.close()

asyncio.run(main())
"""
"""A worker whose retrainings are a script."""
REFUSES = "import sys; open({log!r}, 'a').write(sys.argv[-1] + ' '); print('Too little.', file=sys.stderr); sys.exit(1)"
LASTS = "import sys, time; open({log!r}, 'a').write(sys.argv[-1] + ' '); time.sleep(600)"
WAITS = (
    "import os, sys, time\nopen({log!r}, 'a').write(sys.argv[-1] + ' ')\n"
    "while not os.path.exists({go!r}): time.sleep(0.1)\nprint('Too little.', file=sys.stderr); sys.exit(1)"
)
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LASTS


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgresql.Cluster]:
    programs = postgresql.find_programs()
    if programs is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed: apt-get install postgresql")
    with postgresql.cluster(programs) as made:
        yield made


@pytest.fixture
async def url(cluster: postgresql.Cluster) -> str:
    return await postgresql.new_database(cluster.address)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url, SECRET)
    yield store
    await store.close()


@pytest.fixture
def queue(url: str, store: Store) -> RetrainingQueue:
    return RetrainingQueue(url, store.leases)


@pytest.fixture
def bot(store: Store, queue: RetrainingQueue) -> RetrainingProcess:
    return RetrainingProcess(store, {}, HERE, queue)


class Workers:
    """Worker processes, and what the scripts that they ran wrote down."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._log = folder / "log"
        self._log.touch()
        self._go = folder / "go"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, script: str) -> subprocess.Popen[bytes]:
        """Start a worker whose retrainings are a script."""
        return self.start_program("-c", WORKER, script.format(log=str(self._log), go=str(self._go)))

    def start_program(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a Python with these arguments, and with the settings of all."""
        output = (self._folder / f"output {len(self._started)}").open("wb")
        own = {"DATABASE_URL": self._url, "SECRET": SECRET, "DATA_DIR": str(self._folder)}
        environment = {**os.environ, "FER2013_DIR": str(self._folder / "nowhere"), **own}
        command = [sys.executable, *arguments]
        self._started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output))
        return self._started[-1]

    def let_go(self) -> None:
        """Let scripts that wait go on."""
        self._go.touch()

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of the retrainings that were begun, in their order."""
        return [int(number) for number in self._log.read_text().split()]

    def said(self) -> str:
        """Return what all of them printed."""
        return "\n".join(file.read_text() for file in sorted(self._folder.glob("output *")))

    def kill(self) -> None:
        """End all of them, and what they started, as a machine that fails does."""
        for worker in self._started:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(worker.pid)
                for each in (process, *process.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess):
                        each.kill()
            worker.wait(PATIENCE_S)


@pytest.fixture
def workers(tmp_path: Path, url: str) -> Iterator[Workers]:
    made = Workers(tmp_path, url)
    yield made
    made.kill()
    assert [secret for secret in (SECRET, postgresql.PASSWORD) if secret in made.said()] == []


async def waits(queue: RetrainingQueue, depth: Depth = Depth.ADAPT) -> None:
    """Wait until a worker is there."""
    async with asyncio.timeout(PATIENCE_S):
        while not await queue.has_worker(depth):
            await asyncio.sleep(0.05)


async def end_of(bot: RetrainingProcess, number: int) -> Retraining:
    """Wait for the end of a retraining and return it."""
    async with asyncio.timeout(TRAINING_PATIENCE_S):
        return [each async for each in bot.watch(number, look_every_s=0.05)][-1]


async def jobs(store: Store) -> list[tuple[str, str]]:
    """Return the state and the arguments of what procrastinate holds."""
    return await select_rows(store, f"SELECT status::text, args::text FROM {SCHEMA}.procrastinate_jobs")


async def no_job_is_left(store: Store) -> None:
    """Wait until procrastinate holds nothing any more."""
    async with asyncio.timeout(PATIENCE_S):
        while await jobs(store):
            await asyncio.sleep(0.05)


async def test_what_an_admin_asks_of_one_copy_in_a_chat_is_done_by_a_worker(
    url: str, store: Store, queue: RetrainingQueue, workers: Workers, tmp_path: Path
) -> None:
    await fill(store, people=6)
    worker = workers.start_program("-m", "training", "work")
    await waits(queue)
    chosen = {"data_dir": tmp_path, "database_url": url, "secret": SECRET, "admins": "telegram:1"}
    async with assembled(Settings(_env_file=None, **chosen), []) as other:  # type: ignore[call-arg, arg-type]
        assert await other.retraining_process.obstacle(Depth.ADAPT) == ""
        asked = AdminCommand(ADMIN, AdminCommandName.RETRAIN)
        async with asyncio.timeout(TRAINING_PATIENCE_S):
            replies = [reply.text async for reply in other.service.on_admin_command(asked)]
    assert "adapt-" in replies[-1], (replies, workers.said())
    latest = await store.retrainings.latest()
    assert latest is not None
    assert latest.state is State.DONE
    await no_job_is_left(store)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, PATIENCE_S) == 0
    assert not await queue.has_worker(Depth.ADAPT)
    said = workers.said()
    assert "No retraining of the depth full here: The full depth needs" in said
    assert f"Retraining {latest.id} (adapt) begins." in said
    assert f"Retraining {latest.id} has ended with status 0." in said


async def test_without_a_worker_for_it_the_bot_does_it_itself(
    queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers
) -> None:
    assert "Or start a worker" in await bot.obstacle(Depth.FULL)
    ended = await end_of(bot, await bot.start(Depth.FULL, ANNA))
    assert (ended.state, ended.message) == (State.FAILED, "It is done by the bot itself.")
    workers.start(REFUSES)
    await waits(queue)
    ended = await end_of(bot, await bot.start(Depth.FULL, ANNA))
    assert (ended.state, ended.message) == (State.FAILED, "It is done by the bot itself.")
    assert await bot.obstacle(Depth.FULL) != ""


async def test_of_two_workers_that_start_at_once_one_does_each_retraining(
    queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers, store: Store
) -> None:
    for _ in range(2):
        workers.start(REFUSES)
    await until(lambda: workers.said().count("Waiting for retrainings: adapt.") == 2)
    await waits(queue)
    numbers = []
    for _ in range(4):
        numbers.append(await bot.start(Depth.ADAPT, ANNA))
        ended = await end_of(bot, numbers[-1])
        assert (ended.state, ended.message) == (State.FAILED, "Too little."), workers.said()
    await asyncio.sleep(3)  # longer than a worker waits before it looks for orders again
    assert workers.numbers == numbers
    assert "Traceback" not in workers.said()
    await no_job_is_left(store)


async def test_a_worker_that_is_killed_leaves_a_lost_retraining_that_is_not_begun_again(
    queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers, store: Store
) -> None:
    workers.start(LASTS)
    await waits(queue)
    lost = await bot.start(Depth.ADAPT, ANNA)
    await until(lambda: workers.numbers == [lost])
    assert await jobs(store) == [("doing", f'{{"number": {lost}}}')]
    workers.kill()
    await execute(
        store,
        "UPDATE retrainings SET beat_at = beat_at - interval '91 seconds'",
        f"UPDATE {SCHEMA}.procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'",
    )
    assert (await end_of(bot, lost)).state is State.LOST
    workers.start(REFUSES)
    await until(lambda: workers.said().count("Waiting for retrainings") == 2)
    await waits(queue)
    after = await bot.start(Depth.ADAPT, ANNA)
    assert (await end_of(bot, after)).state is State.FAILED
    assert workers.numbers == [lost, after]
    await no_job_is_left(store)


async def test_a_worker_that_starts_after_the_order_takes_it_but_not_one_that_was_given_up(
    queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers, store: Store
) -> None:
    workers.start(REFUSES)
    await waits(queue)
    workers.kill()
    given_up = await bot.start(Depth.ADAPT, ANNA)  # it is not known yet that nobody is there
    await store.retrainings.finish(given_up, State.CANCELLED, "Given up.")
    ordered = await bot.start(Depth.ADAPT, ANNA)
    assert [status for status, _ in await jobs(store)] == ["todo", "todo"]
    workers.start(REFUSES)
    assert (await end_of(bot, ordered)).message == "Too little."
    assert workers.numbers == [ordered]
    assert f"Retraining {given_up} is left out" in workers.said()


@pytest.mark.parametrize("script", [LASTS, DEAF], ids=["hears", "deaf"])
async def test_a_worker_that_is_stopped_stops_its_retraining_and_ends(
    queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers, script: str
) -> None:
    worker = workers.start(script)
    await waits(queue)
    number = await bot.start(Depth.ADAPT, ANNA)
    await until(lambda: workers.numbers == [number])
    [process] = psutil.Process(worker.pid).children()
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, PATIENCE_S) == 0
    await until(lambda: has_ended(process))
    ended = await end_of(bot, number)
    assert (ended.state, ended.message) == (State.CANCELLED, "It was stopped; nothing was changed.")
    assert not await queue.has_worker(Depth.ADAPT)


async def test_a_retraining_that_is_killed_is_told_and_its_worker_goes_on(
    queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers
) -> None:
    workers.start("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    await waits(queue)
    for _ in range(2):
        ended = await end_of(bot, await bot.start(Depth.ADAPT, ANNA))
        assert (ended.state, ended.message) == (State.FAILED, "The process ended with status -9; nothing was changed.")


async def test_a_worker_and_its_retraining_outlive_outages_of_the_database(
    cluster: postgresql.Cluster, queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers
) -> None:
    worker = workers.start(WAITS)
    await waits(queue)
    first = await bot.start(Depth.ADAPT, ANNA)
    await until(lambda: workers.numbers == [first])
    await asyncio.to_thread(cluster.stop)
    await asyncio.sleep(13)  # longer than anybody is taken to be there without saying so
    await asyncio.to_thread(cluster.start)
    workers.let_go()
    assert (await end_of(bot, first)).message == "Too little."
    await asyncio.to_thread(cluster.stop)  # while it has nothing to do
    await asyncio.sleep(3)
    await asyncio.to_thread(cluster.start)
    await waits(queue)
    second = await bot.start(Depth.ADAPT, ANNA)
    assert (await end_of(bot, second)).message == "Too little."
    assert workers.numbers == [first, second]
    assert worker.poll() is None


async def test_an_order_outlives_a_moment_without_the_database_while_it_is_taken(
    url: str, store: Store, queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers
) -> None:
    workers.start(REFUSES)
    await waits(queue)
    number = await store.retrainings.start(Depth.ADAPT, ANNA)
    async with await psycopg.AsyncConnection.connect(conninfo(url)) as other:
        await other.execute("SELECT 1 FROM retrainings WHERE id = %s FOR UPDATE", [number])
        await queue.put(number, Depth.ADAPT)
        await until_blocked_by(store, other)
        await execute(store, f"SELECT pg_terminate_backend(pid) FROM ({_BLOCKED.format(other.info.backend_pid)}) AS it")
        await until(lambda: "The database does not answer (" in workers.said())
    ended = await end_of(bot, number)
    assert (ended.state, ended.message) == (State.FAILED, "Too little."), workers.said()
    assert workers.numbers == [number]


async def test_who_asks_and_is_cancelled_while_it_is_handed_over_leaves_no_dead_retraining(
    url: str, store: Store, queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers
) -> None:
    workers.start(REFUSES)
    await waits(queue)
    async with await psycopg.AsyncConnection.connect(conninfo(url)) as other:
        await other.execute(f"LOCK TABLE {SCHEMA}.procrastinate_jobs IN EXCLUSIVE MODE")
        asking = asyncio.create_task(bot.start(Depth.ADAPT, ANNA))
        async with asyncio.timeout(PATIENCE_S):
            while await store.retrainings.running() is None:
                await asyncio.sleep(0.05)
        asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    [number] = [each for [each] in await select_rows(store, "SELECT id FROM retrainings")]
    ended = await end_of(bot, number)
    assert (ended.state, ended.message) == (State.FAILED, "Too little."), workers.said()


async def test_a_worker_whose_role_may_not_create_a_schema_says_who_has_to_allow_it_and_ends(
    url: str, store: Store, tmp_path: Path
) -> None:
    role = await new_role(store)
    name = make_url(url).database
    await execute(
        store,
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    refused = Workers(tmp_path, make_url(url).set(username=role).render_as_string(hide_password=False))
    try:
        worker = refused.start_program("-m", "training", "work")
        assert await asyncio.to_thread(worker.wait, PATIENCE_S) == 3, refused.said()
    finally:
        refused.kill()
    assert f'GRANT CREATE ON DATABASE "{name}" TO "{role}"' in refused.said().splitlines()[-1]
    assert "Traceback" not in refused.said()
    assert postgresql.PASSWORD not in refused.said()


async def test_a_worker_does_not_use_a_schema_that_somebody_else_has_made_for_it(
    store: Store, queue: RetrainingQueue, workers: Workers
) -> None:
    stranger = await new_role(store)
    await execute(store, f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {stranger}")
    worker = workers.start_program("-m", "training", "work")
    assert await asyncio.to_thread(worker.wait, PATIENCE_S) == 3, workers.said()
    said = workers.said()
    assert f"The schema {SCHEMA} belongs to {stranger} and not to mugmoji" in said
    assert "Traceback" not in said
    assert not await queue.has_worker(Depth.ADAPT)


async def test_where_handing_over_fails_it_is_told_and_not_begun_here(
    url: str, store: Store, queue: RetrainingQueue, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.retraining_queue, "_CONNECTED_WITHIN_S", 0.5)
    workers.start(REFUSES)
    await waits(queue)
    wrong = RetrainingQueue(url.replace(postgresql.PASSWORD, "wrong"), store.leases)
    bot = RetrainingProcess(store, {}, HERE, wrong)
    ended = await end_of(bot, await bot.start(Depth.ADAPT, ANNA))
    message = "It could not be handed to the machine that trains (PoolTimeout); nothing was changed."
    assert (ended.state, ended.message) == (State.FAILED, message)
    assert workers.numbers == []


async def test_the_database_is_restored_with_the_tables_of_the_orders(
    url: str, store: Store, queue: RetrainingQueue, bot: RetrainingProcess, workers: Workers, tmp_path: Path
) -> None:
    programs = postgresql.find_programs()
    assert programs is not None
    workers.start(REFUSES)
    await waits(queue)
    workers.kill()
    number = await bot.start(Depth.ADAPT, ANNA)
    dump = str(tmp_path / "dump")
    await called(programs / "pg_dump", "--format=custom", f"--file={dump}", url)
    await store.retrainings.finish(number, State.CANCELLED, "It is not in the dump.")
    await called(programs / "pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={url}", dump)
    restored = await Store.open(url, SECRET)
    assert [status for status, _ in await jobs(restored)] == ["todo"]
    assert await restored.personal_data.of(Person(Platform.WEB, "1")) is None
    workers.start(REFUSES)
    assert (await end_of(RetrainingProcess(restored, {}), number)).message == "Too little."
    assert workers.numbers == [number]
    await restored.close()


_BLOCKED = "SELECT pid FROM pg_stat_activity WHERE {} = ANY(pg_blocking_pids(pid))"


async def until_blocked_by(store: Store, other: psycopg.AsyncConnection) -> None:
    """Wait until somebody waits for what this connection has locked."""
    async with asyncio.timeout(PATIENCE_S):
        while not await select_rows(store, _BLOCKED.format(other.info.backend_pid)):
            await asyncio.sleep(0.05)


async def new_role(store: Store) -> str:
    """Create a role that owns nothing, with the password of the tests, and return its name."""
    role = f"role_{uuid.uuid4().hex[:8]}"
    await execute(store, f"CREATE ROLE {role} LOGIN PASSWORD '{postgresql.PASSWORD}'")
    return role


async def called(*command: str | Path) -> None:
    """Run a command of PostgreSQL."""
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0
