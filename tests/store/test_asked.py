"""How a file is asked what each call asks: by an index, and never by looking through what is alike."""

from worlds import World

from tillgate.guards.model import Assurance, Subject
from tillgate.tools.shops.embedded.sqlite import SqliteSql


def test_the_last_of_many_like_calls_is_found_without_sorting_them(world: World) -> None:
    with world.store.reading() as desk:
        assert isinstance(desk.sql, SqliteSql)
        asked: list[str] = []
        talk = desk.talk(world.caller)
        desk.sql.connection.set_trace_callback(asked.append)
        desk.recall_call(Subject("cus_1", Assurance.IDENTIFIED), talk, "edit_cart", "digest")
        desk.sql.connection.set_trace_callback(None)
        [statement] = asked
        steps = [row["detail"] for row in desk.sql.rows(f"EXPLAIN QUERY PLAN {statement}")]
    assert steps == ["SEARCH action USING INDEX action_arguments (shop=? AND arguments=?)"]
