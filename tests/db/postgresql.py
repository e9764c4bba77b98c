"""A real PostgreSQL server for the tests: a new cluster in a temporary folder, on a free port of 127.0.0.1."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

PASSWORD = "a-password-for-tests"


def find_programs() -> Path | None:
    """Return the folder with initdb and pg_ctl, or None if PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if shutil.which("pg_config"):
        folders.insert(0, Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip()))
    return next((each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Start a server, yield the address of its database "postgres", and stop it."""
    with tempfile.TemporaryDirectory(prefix="mugmoji-postgresql-") as name:
        folder = Path(name)
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            for path in (folder, password_file):
                shutil.chown(path, "postgres", "postgres")
        data, port = folder / "data", free_port()
        _run(programs / "initdb", "-D", data, "-U", "mugmoji", "-A", "scram-sha-256", "--pwfile", password_file, "-N")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        _run(programs / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", options)
        try:
            yield f"postgresql://mugmoji:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "stop", "-w", "-D", data, "-m", "immediate")


def _run(program: Path, *arguments: str | Path) -> None:
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*as_postgres, str(program), *map(str, arguments)]
    # pg_ctl leaves the server running with our pipes, so do not wait for its output
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
