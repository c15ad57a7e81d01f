"""`tillgate audit`: read, verify and export the log."""

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from tillgate.guards.model import inside
from tillgate.server.cli.common import (
    FINDINGS,
    INTEGRITY,
    AsJson,
    Db,
    Shop,
    escape,
    guarded,
    out,
    print_json,
    table,
    talk,
)

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.command()
@guarded
def show(
    call_id: Annotated[str | None, typer.Argument(help="Only the records of this call or request")] = None,
    db: Db = None,
    shop: Shop = None,
    as_json: AsJson = False,
    last: Annotated[int, typer.Option(help="How many records")] = 50,
) -> None:
    """The last records, or those of one call."""
    from tillgate.server.cli.opening import reading

    with reading(db=db, shop=shop) as desk:
        rows = desk.sql.rows("SELECT record FROM audit WHERE shop = ? ORDER BY seq", (desk.shop,))
    records: list[dict[str, Any]] = [orjson.loads(row["record"]) for row in rows]
    if call_id is not None:
        records = [record for record in records if call_id in (record.get("call_id"), record.get("request"))]
        if not records:
            talk().print(f"There is no record of {call_id}.", markup=False)
            raise typer.Exit(FINDINGS)
    records = records[-last:]
    if as_json:
        print_json(records)
        return
    shown = table()
    for heading in ("seq", "at", "kind", "tool", "customer", "status", "why", "call"):
        shown.add_column(heading, overflow="fold")
    for record in records:
        outcome = inside(record, "outcome")
        why = ", ".join(reason.get("rule") or reason["code"] for reason in outcome.get("reasons", []))
        customer = inside(record, "subject").get("customer_id") or ""
        shown.add_row(
            str(record["seq"]), record["at"], record["kind"], escape(record.get("tool") or ""), escape(customer),
            outcome.get("status", ""), escape(why), record.get("call_id", ""),
        )  # fmt: skip
    out().print(shown)


@app.command()
@guarded
def export(
    to: Annotated[Path | None, typer.Option("--out", help="A file (default: stdout)")] = None,
    db: Db = None,
    shop: Shop = None,
    without_personal: Annotated[
        bool, typer.Option("--without-personal", help="Leave out the values that identify people")
    ] = False,
) -> None:
    """Write the whole log as JSON Lines: a transcript that `audit verify` and `replay` read."""
    from tillgate.server.cli.opening import reading
    from tillgate.server.store.log import stored_lines

    with reading(db=db, shop=shop) as desk:
        lines = stored_lines(desk.sql, without_personal=without_personal)
    if to is None:
        sys.stdout.buffer.writelines(lines)
        return
    with to.open("wb") as file:
        file.writelines(lines)
    talk().print(f"{to}: {len(lines) - 1} records", markup=False)


@app.command()
@guarded
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export (default: the store itself)")] = None,
    db: Db = None,
    shop: Shop = None,
    as_json: AsJson = False,
) -> None:
    """Check the log: every record, every link, every commitment. Exit 4 when anything was changed."""
    from tillgate.guards.audit.verify import verify_lines
    from tillgate.guards.errors import ConfigurationError
    from tillgate.server.cli.opening import reading
    from tillgate.server.store.log import stored_lines, unrecorded

    gaps: list[str] = []
    if file is None:
        with reading(db=db, shop=shop) as desk:
            lines, gaps = stored_lines(desk.sql), unrecorded(desk.sql)
    else:
        try:
            lines = file.read_bytes().splitlines(keepends=True)
        except OSError as error:
            raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    result = verify_lines(lines)
    problems = [{"line": item.line, "seq": item.seq, "reason": item.reason} for item in result.problems]
    problems += [{"line": None, "seq": None, "reason": gap} for gap in gaps]
    if as_json:
        print_json(
            {
                "ok": not problems,
                "records": result.records,
                "head": result.head,
                "root": result.root,
                "problems": problems,
            }
        )
    elif not problems:
        count = f"{result.records} record{'' if result.records == 1 else 's'}"
        out().print(f"sound: {count}, root {result.root}", markup=False)
    for item in [] if as_json else problems[:20]:
        place = f"line {item['line']}: " if item["line"] else ""
        out().print(f"{place}{item['reason']}", markup=False)
    if problems:
        raise typer.Exit(INTEGRITY)
