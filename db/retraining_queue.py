"""Hand retrainings to workers on other machines (`python -m training work`), with procrastinate on PostgreSQL.

What is handed over is the number of a retraining; everything else about it, and whether it may still begin, stands in
`Retrainings`. A worker holds a lease as long as it waits for orders, so that whoever asks knows whether there is one.

procrastinate's tables stand in a schema of their own, named by their form: processes with versions of procrastinate
that do not fit together do not see each other, and nothing is migrated, since an order lives for seconds.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from secrets import token_hex

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.schema import SchemaManager
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from db.enums import Depth
from db.leases import Leases
from db.moments import utc_now
from db.retrainings import QueueError
from db.store import StoreError

_FORM = hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()[:8]
_SCHEMA = f"procrastinate_{_FORM}"
_TASK = "retrain"
_PRESENCE = "retraining worker "
"""How the leases of all workers begin."""
_POSTGRESQL_LOCK = 0x6D75676D6F6A6A
"""Any number that nothing else on the server locks: next to that of `db.migrate`."""
_CONNECTED_WITHIN_S = 10.0
_ANSWERED_WITHIN_S = 30.0
"""How long a worker waits for any connection of its pool: longer than a server takes to hand over to its standby."""
_LOOKED_EVERY_S = 2.0
_HELD_FOR, _RENEWED_EVERY_S = timedelta(seconds=12), 4.0
_ERRORS = (ProcrastinateException, psycopg.Error, OSError)


class RetrainingQueue:
    """The orders for workers."""

    def __init__(self, address: str, leases: Leases) -> None:
        """address: DATABASE_URL of a PostgreSQL. leases: of the same database."""
        self._conninfo = conninfo(address)
        self._leases = leases

    async def has_worker(self, depth: Depth) -> bool:
        """Return whether a worker waits for retrainings of this depth. Raise SQLAlchemy's errors, and `OSError`."""
        return bool(await self._leases.held(_presence(depth), utc_now()))

    async def put(self, number: int, depth: Depth) -> None:
        """Hand a retraining to a worker for its depth. Raise `QueueError`; a worker may have got it all the same."""
        try:
            async with self._opened(_CONNECTED_WITHIN_S) as app:
                await app.configure_task(_TASK, queue=depth.value).defer_async(number=number)
        except _ERRORS as error:
            raise QueueError(type(error).__name__) from error

    async def work(self, depths: Sequence[Depth], retrain: Callable[[int], Awaitable[None]]) -> None:
        """Call `retrain` with the number of each retraining of these depths that is handed over, one after the other.

        Return or raise `QueueError` where the database failed; orders wait meanwhile. Raise `StoreError` where it will
        not do before somebody changes it. Cancelled, take no more and wait for the end of the call in hand. An order is
        taken once, also where its worker dies.
        """
        try:
            await self._prepare()
            async with self._opened(_ANSWERED_WITHIN_S) as app:
                app.task(name=_TASK)(retrain)
                await _forget_what_dead_workers_left(app)
                await self._work(app, depths)
        except _ERRORS as error:
            raise QueueError(type(error).__name__) from error

    async def _work(self, app: App, depths: Sequence[Depth]) -> None:
        working = asyncio.create_task(
            app.run_worker_async(
                queues=[depth.value for depth in depths],
                fetch_job_polling_interval=_LOOKED_EVERY_S,
                listen_notify=False,  # a connection for it that breaks would end the worker
                delete_jobs=DeleteJobCondition.ALWAYS.value,
                install_signal_handlers=False,
            )
        )
        announcing = asyncio.create_task(self._announce(depths))
        try:
            await asyncio.wait({working, announcing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (announcing, working):  # nobody hands anything over while the last call ends
                task.cancel()
                await asyncio.wait({task})
        for task in (working, announcing):
            if not task.cancelled():
                task.result()

    async def _announce(self, depths: Sequence[Depth]) -> None:
        """Tell others that this process waits for orders, until cancelled."""
        holder = token_hex(8)
        names = [f"{_presence(depth)}{holder}" for depth in depths]
        with suppress(SQLAlchemyError, OSError):  # the next worker does it
            await self._leases.clear_away(_PRESENCE, utc_now())  # what dead workers left
        try:
            while True:
                with suppress(SQLAlchemyError, OSError):  # it is told again
                    for name in names:
                        now = utc_now()
                        await self._leases.take(name, holder, now, now + _HELD_FOR)
                await asyncio.sleep(_RENEWED_EVERY_S)
        finally:
            with suppress(SQLAlchemyError, OSError):  # it runs out
                for name in names:
                    await self._leases.give_back(name, holder)

    async def _prepare(self) -> None:
        """Create procrastinate's tables unless they are there, whole or not at all; others that do so wait.

        Raise `StoreError` if the role may not create them, or if they are another one's.
        """
        async with await psycopg.AsyncConnection.connect(self._conninfo) as connection:
            await connection.execute("SET LOCAL lock_timeout = '30s'")
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_POSTGRESQL_LOCK])
            owned = "SELECT pg_get_userbyid(nspowner), current_user FROM pg_namespace WHERE nspname = %s"
            found = await (await connection.execute(owned, [_SCHEMA])).fetchone()
            if found is None:
                await _create_tables(connection)
                return
            owner, role = found
        if owner != role:  # its triggers would run with the rights of this role
            raise StoreError(
                f"The schema {_SCHEMA} belongs to {owner} and not to {role}, so it is not used. Let {owner} or an "
                f"administrator of the server remove it: DROP SCHEMA {_SCHEMA} CASCADE"
            )

    @asynccontextmanager
    async def _opened(self, patience_s: float) -> AsyncIterator[App]:
        """Yield procrastinate with connections to its schema. patience_s: how long to wait for one."""
        pool = AsyncConnectionPool(
            self._conninfo,
            kwargs={"options": f"-c search_path={_SCHEMA}"},
            min_size=1,
            max_size=2,
            timeout=patience_s,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        async with pool:
            await pool.wait(patience_s)
            app = App(connector=PsycopgConnector())
            async with app.open_async(pool):
                yield app


def conninfo(address: str) -> str:
    """Return DATABASE_URL, which is written for asyncpg, as libpq understands it."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    url = make_url(address).set(drivername="postgresql+psycopg")
    renamed = {"sslmode" if name == "ssl" else name: value for name, value in url.query.items()}
    url = url.set(query={name: value for name, value in renamed.items() if name in known})
    _, parameters = url.get_dialect()().create_connect_args(url)
    return make_conninfo(**{"connect_timeout": int(_CONNECTED_WITHIN_S), **parameters})


def _presence(depth: Depth) -> str:
    """Return how the leases of the workers for a depth begin."""
    return f"{_PRESENCE}{_FORM} {depth.value} "


async def _create_tables(connection: psycopg.AsyncConnection) -> None:
    name = psycopg.sql.Identifier(_SCHEMA)
    try:
        await connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(name))
    except psycopg.errors.InsufficientPrivilege as error:
        database, role = (
            psycopg.sql.Identifier(each).as_string(connection)
            for each in (connection.info.dbname, connection.info.user)
        )
        raise StoreError(
            "The role of the worker may not create the tables of the orders. Let the owner of the database allow it: "
            f"GRANT CREATE ON DATABASE {database} TO {role}"
        ) from error
    await connection.execute(psycopg.sql.SQL("SET LOCAL search_path TO {}").format(name))
    await connection.execute(SchemaManager.get_schema())


async def _forget_what_dead_workers_left(app: App) -> None:
    for job in await app.job_manager.get_stalled_jobs(task_name=_TASK):
        with suppress(ConnectorException):  # another worker that starts now has done it
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
