"""A real PostgreSQL server for the tests: a new cluster in a temporary folder, on a free port of 127.0.0.1."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.ports import free_port

PASSWORD = "a-password-for-tests"
_WITHIN_S = 180
"""Seconds in which a server is made, started or stopped, on a busy machine, too."""


def find_programs() -> Path | None:
    """Return the folder with initdb and pg_ctl, or None if PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if shutil.which("pg_config"):
        folders.insert(0, Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip()))
    return next((each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


class Cluster:
    """A server with its data, which may be stopped and started again at the same address."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder, self._port = programs, folder, free_port()
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            for path in (folder, password_file):
                shutil.chown(path, "postgres", "postgres")
        self._data = folder / "data"
        access = ("-U", "mugmoji", "-A", "scram-sha-256", "--pwfile", password_file)
        _run(programs / "initdb", "-D", self._data, *access, "-N")

    @property
    def address(self) -> str:
        """Return the address of the database "postgres"."""
        return f"postgresql://mugmoji:{PASSWORD}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c fsync=off"
        options += f" -c unix_socket_directories={self._folder}"
        log = self._folder / "log"
        _run(self._programs / "pg_ctl", "start", "-w", "-t", _WITHIN_S, "-D", self._data, "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop the server at once, as if its machine failed."""
        _run(self._programs / "pg_ctl", "stop", "-w", "-t", _WITHIN_S, "-D", self._data, "-m", "immediate")


@contextmanager
def cluster(programs: Path) -> Iterator[Cluster]:
    """Start a server, yield it, and stop it."""
    with tempfile.TemporaryDirectory(prefix="mugmoji-postgresql-") as name:
        made = Cluster(programs, Path(name))
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Start a server, yield the address of its database "postgres", and stop it."""
    with cluster(programs) as made:
        yield made.address


async def new_database(server: str) -> str:
    """Create an empty database on a server, and return its address. server: the address of another one."""
    address = make_url(server)
    name = f"test_{uuid.uuid4().hex}"
    engine = create_async_engine(address.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return address.set(database=name).render_as_string(hide_password=False)


def _run(program: Path, *arguments: str | int | Path) -> None:
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*as_postgres, str(program), *map(str, arguments)]
    # pg_ctl leaves the server running with our pipes, so do not wait for its output
    subprocess.run(
        command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_WITHIN_S
    )
