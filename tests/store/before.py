"""Stores of layout 4 with data in them, and what a store holds and how it is laid out."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from postgresql import binaries

from tillgate.server.store.layout import MIGRATIONS
from tillgate.tools.shops.embedded.engine import dbapi

SCRIPT = Path(__file__).with_name("layout_4.sql").read_text("utf-8")
"""A SQLite store as the last version with that layout made it: two shops, refunds, requests and a cart."""


def file_of_before(path: Path) -> Path:
    """A SQLite store of layout 4."""
    with closing(dbapi.connect(path)) as connection:
        connection.executescript(SCRIPT)
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def database_of_before(url: str, folder: Path) -> str:
    """The same on PostgreSQL, where that layout was called version 1."""
    script = (MIGRATIONS / "versions/layout_4_postgresql.sql").read_text("utf-8")
    with closing(dbapi.connect(file_of_before(folder / "source.db"))) as source, psycopg.connect(url) as target:
        target.execute(script.replace("%%", "%").encode())
        target.execute("CREATE TABLE layout AS SELECT 1 AS version")
        target.execute("SET session_replication_role = replica")  # what triggers did is in the rows
        for table in tables(source):
            columns = [name for _, name, *_ in source.execute(f"PRAGMA table_info({table})")]
            marks = ", ".join("%s" for _ in columns)
            for row in source.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"):
                target.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})".encode(), row)
        target.execute("INSERT INTO log SELECT shop FROM shop")
    return url


def tables(connection: Any) -> Sequence[str]:
    """The tables of a SQLite file that hold rows of their own."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'variant_words%'"
        " AND name NOT IN ('log', 'layout')"
    )
    return [name for (name,) in found]


def contents(url: str) -> Mapping[str, Sequence[Any]]:
    """Every row of every table that a migration has to leave alone."""
    if not url.startswith("postgresql"):
        with closing(dbapi.connect(url)) as connection:
            return {
                each: connection.execute(f"SELECT * FROM {each} ORDER BY rowid").fetchall()
                for each in tables(connection)
            }
    with psycopg.connect(url) as connection:
        named = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'layout' ORDER BY 1"
        ).fetchall()
        return {
            each: connection.execute(f'SELECT * FROM "{each}" AS t ORDER BY to_jsonb(t)::text'.encode()).fetchall()
            for (each,) in named
        }


def schema(url: str) -> Sequence[str]:
    """Everything the database was told to make: tables, columns, checks, indexes, triggers and functions."""
    if url.startswith("postgresql"):
        return _dumped(url)
    with closing(dbapi.connect(url)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return sorted(re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql.strip())) for (sql,) in made)


def _dumped(url: str) -> Sequence[str]:
    """As PostgreSQL itself tells it."""
    program = shutil.which("pg_dump", path=os.pathsep.join([str(binaries()), os.environ["PATH"]]))
    assert program is not None, "there is a PostgreSQL server here, and no pg_dump beside it"
    command = [program, "--schema-only", "--no-owner", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"})
    return [line.rstrip() for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\"))]


def layout_marks(url: str) -> tuple[Any, ...]:
    """What a store says of its layout."""
    if url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT CAST(to_jsonb(layout) AS text) FROM layout").fetchone() or ()
    with closing(dbapi.connect(url)) as connection:
        (marked,) = connection.execute("PRAGMA user_version").fetchone()
        has = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'layout'").fetchone()
        return (marked, connection.execute("SELECT version_num FROM layout").fetchone()[0] if has else None)


def told(url: str, sql: str) -> None:
    """What an administrator says to the database."""
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.encode())
    else:
        with closing(dbapi.connect(url)) as connection:
            connection.execute(sql)
            connection.commit()
