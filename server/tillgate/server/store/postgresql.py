"""The PostgreSQL store: one connection a process, any number of processes.

A transaction first locks its shop's row of `log`, under READ COMMITTED: whatever it reads afterwards is what everybody
before it left, and nobody else of this shop writes until it ends. Budgets, claims and the chain of the log are exact
for that reason alone. Time is the server's, so that leases and expiries mean the same to every process.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tillgate.guards.errors import Busy, ConfigurationError, Unavailable, Unsure
from tillgate.guards.ports import Clock, Minter
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.layout import layout_of_schema, refuse
from tillgate.server.store.store import SqlStore
from tillgate.tools.shops.embedded.postgresql import PostgresSql
from tillgate.tools.shops.embedded.sql import MAIN, Conflict, Overtaken, Sql
from tillgate.tools.shops.embedded.wire import Wire

WAITS_SECONDS = 5
"""How long a transaction waits for the other processes of its shop."""
IDLE_SECONDS = 10
"""A transaction whose process says nothing for so long is ended by the server, and the next one goes on."""
_LEAST_VERSION = 14
_SESSION = {
    "lock_timeout": f"{WAITS_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
}
_USUAL = {
    "target_session_attrs": "read-write",
    "application_name": "tillgate",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Unless the URL says otherwise: a server that is silent for ten seconds is taken for lost."""
_UNLESS_SET = "SELECT set_config(%s, %s, false) WHERE current_setting(%s) = '0'"
_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on, local, remote_write or remote_apply"}
"""What the server must be set to, or what was answered could be lost."""
_TAKE, _LOOK = (
    f"SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint) FROM ({place}) AS place"  # noqa: S608
    for place in ("SELECT shop FROM log WHERE shop = ? FOR UPDATE", "SELECT shop FROM log WHERE shop = ?")
)
"""The time once the place is taken, and at once."""


class PostgresStore(SqlStore):
    """One shop of a database. `clock` replaces the server's own time, for replays and tests."""

    def __init__(self, url: str, clock: Clock | None, minter: Minter, shop: str = MAIN) -> None:
        super().__init__(shop, minter)
        self.url = url
        self._clock = clock
        self._wire = _opened(url, shop)

    def _take_place(self) -> tuple[Sql, datetime]:
        return self._begin("BEGIN ISOLATION LEVEL READ COMMITTED", _TAKE)

    def _look(self) -> tuple[Sql, datetime]:
        return self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ", _LOOK)

    def _begin(self, how: str, place: str) -> tuple[Sql, datetime]:
        """Nothing was decided yet, so a connection that turns out to be lost is made anew, once."""
        try:
            try:
                found = self._begun(how, place)
            except Unavailable:
                if not self._wire.closed:
                    raise
                self._wire = _connected(self.url)
                found = self._begun(how, place)
        except (Unavailable, psycopg.Error) as error:
            self._roll_back()
            if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise Busy("other processes hold the shop's place in the log") from error
            raise error if isinstance(error, Unavailable) else Unavailable(f"PostgreSQL: {error}") from error
        return PostgresSql(self._wire, self.shop), self._clock.now() if self._clock else found

    def _begun(self, how: str, place: str) -> datetime:
        sql = PostgresSql(self._wire, self.shop)
        sql.tell(how)
        row = sql.row(place, (self.shop,))
        if row is None:
            raise Unavailable(f"the shop {self.shop} has no row in log any more, and nothing is done without it")
        return datetime.fromtimestamp(row[0], UTC)

    def _commit(self, desk: SqlDesk) -> None:
        """What becomes of a commit that nobody answers is found out from the log: its last record is there, or not."""
        try:
            said = self._wire.ask("COMMIT").command_status
        except (Unavailable, psycopg.Error, Conflict) as error:
            if self._wire.in_part_of_one:  # the server has passed the commit over
                self._roll_back()
                raise Overtaken(f"the transaction had failed: {error}") from error
            self._roll_back()
            if (kept := self._was_kept(desk)) is not True:
                raise (Unsure if kept is None else Unavailable)(f"the commit failed: {error}") from error
        else:
            if said != b"COMMIT":  # which is how the server answers where something had failed before
                raise Overtaken("the transaction had failed, and was rolled back")

    def _was_kept(self, desk: SqlDesk) -> bool | None:
        """Asked in the next turn at the shop, so that a commit still under way is over. None where nobody can say."""
        if (last := desk.last_record) is None:
            return None
        try:
            sql, _ = self._take_place()
            found = sql.row("SELECT hash FROM audit WHERE shop = ? AND seq = ?", (self.shop, last[0]))
        except Unavailable:
            return None
        finally:
            self._roll_back()
        return found is not None and found["hash"] == last[1]

    def _roll_back(self) -> None:
        try:
            with suppress(psycopg.Error, Conflict, Overtaken):
                self._wire.sync()  # whatever was told and not yet answered
            if self._wire.in_part_of_one:
                self._wire.ask("ROLLBACK")
        except Unavailable:
            self._wire.close()  # the server rolls back what its client leaves

    def _close(self) -> None:
        self._wire.close()


def _opened(url: str, shop: str) -> Wire:
    try:
        with psycopg.connect(**connecting(url), autocommit=True) as connection:
            _check_server(connection)
            _create(connection, url)
            connection.execute("INSERT INTO log (shop) VALUES (%s) ON CONFLICT DO NOTHING", (shop,))
        return _connected(url)
    except (psycopg.Error, Unavailable) as error:
        raise ConfigurationError(f"PostgreSQL: cannot open the store: {str(error).strip()}") from error


def _connected(url: str) -> Wire:
    """A session of the store's own."""
    try:
        connection = psycopg.connect(**connecting(url), autocommit=True)
    except psycopg.Error as error:
        raise Unavailable(f"PostgreSQL: {str(error).strip()}") from error
    try:
        for name, value in _SESSION.items():
            connection.execute(_UNLESS_SET, (name, value, name))
        return Wire(connection)
    except BaseException:
        connection.close()
        raise


def connecting(url: str) -> dict[str, Any]:
    """How to connect. Of several servers in the URL, to the one that can be written to."""
    return {**_USUAL, **conninfo_to_dict(url)}


def _check_server(connection: "psycopg.Connection[Any]") -> None:
    """Raises ConfigurationError for a server on which an answer could be lost, or told wrongly."""
    if connection.info.server_version < _LEAST_VERSION * 10_000:
        raise ConfigurationError(f"PostgreSQL {_LEAST_VERSION} or newer is needed")
    for name, wanted in _DURABLE.items():
        if _shown(connection, name) == "off":
            raise ConfigurationError(
                f"PostgreSQL has {name} = off: what was answered could be lost; set it to {wanted}, "
                "for the server, the database and the role"
            )
    if (encoding := _shown(connection, "server_encoding")) != "UTF8":
        raise ConfigurationError(f"PostgreSQL: the database is encoded in {encoding}; create one with UTF8")


def _shown(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    return str(row[0]) if row else ""


def _create(connection: "psycopg.Connection[Any]", url: str) -> None:
    """Make what is not there yet. Processes that start together wait for one another."""
    if layout_of_schema(connection) is None:
        from tillgate.server.store.creating import create_in_database

        create_in_database(connecting(url))
    refuse(layout_of_schema(connection) or 0, "PostgreSQL", url)
