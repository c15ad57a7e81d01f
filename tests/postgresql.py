"""A PostgreSQL server of the tests' own: real, started when a test first asks for it, gone with the session.

It listens on a socket in a folder of its own and nowhere else. The server refuses to run as root, so under root it
runs as the user its package made.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

USER = "postgres"
NEEDED = "there is no PostgreSQL server on this machine (install the package postgresql): NOTHING of it was tested"
_PATIENCE = 60.0


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, of the newest version there is."""
    found = [Path(each).parent for each in (shutil.which("postgres"),) if each]
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name))
    return next((each for each in [*found, *reversed(packaged)] if (each / "initdb").is_file()), None)


class Server:
    """One server with its data in a temporary folder; `options` are settings, such as `fsync=off`."""

    def __init__(self, bin_folder: Path, *options: str) -> None:
        self._bin = bin_folder
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="tillgate-pg-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self._count = 0
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres", **more: str) -> str:
        """Where a client finds a database of this server."""
        return f"postgresql://{USER}@/{database}?host={self.folder}" + "".join(f"&{k}={v}" for k, v in more.items())

    def start(self) -> None:
        """Start, and wait until it answers."""
        with_us = [leash, "--pdeathsig", "QUIT"] if (leash := shutil.which("setpriv")) else []
        settings = [f"unix_socket_directories={self.folder}", "listen_addresses=", "max_connections=200"]
        command = [*with_us, str(self._bin / "postgres"), "-D", str(self.data)]
        for setting in [*settings, *self._options]:
            command += ["-c", setting]
        with (self.folder / "log").open("ab") as out:
            self.server = subprocess.Popen(command, stdout=out, stderr=out, cwd=self.folder, **self._as)
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                if self.server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)

    def kill(self) -> None:
        """As when the power goes: the server and all of its backends, without a word."""
        backends = [int(row[0]) for row in self.ask("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
        self.server.kill()
        self.server.wait()
        for backend in backends:
            try:
                os.kill(backend, 9)
            except ProcessLookupError:
                continue

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self.server.poll() is None:
            self.server.send_signal(3)  # SIGQUIT: at once
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, sql: str, database: str = "postgres") -> Sequence[Any]:
        """The rows of one statement, as whoever administers the server."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def database(self) -> str:
        """The name of a new database with nothing in it."""
        self._count += 1
        name = f"tillgate_{self._count}"
        self.ask(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        """The database is gone, whoever is still connected to it."""
        self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments], capture_output=True, text=True, cwd=self.folder, **self._as
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
