"""`tillgate requests`: what waits for a person, and a local operator's answer to it."""

from typing import Annotated, Any

import typer

from tillgate.server.cli.common import (
    FINDINGS,
    As,
    AsJson,
    Db,
    PolicyFile,
    Shop,
    escape,
    guarded,
    out,
    print_json,
    table,
    talk,
)

app = typer.Typer(help="What waits for a person.", no_args_is_help=True)
Handle = Annotated[str, typer.Argument(help="The handle, esc_…")]


@app.command("list")
@guarded
def list_(
    db: Db = None,
    shop: Shop = None,
    every: Annotated[bool, typer.Option("--all", help="Also what has ended")] = False,
    as_json: AsJson = False,
) -> None:
    """Requests that wait, oldest first."""
    from tillgate.server.cli.opening import money_of, reading

    with reading(db=db, shop=shop) as desk:
        now, money = desk.now, money_of(desk)
        rows = [_summary(request, now, money) for request in desk.requests()]
    rows = [row for row in rows if every or row["status"] in ("pending", "executing", "in_doubt")]
    if as_json:
        print_json(rows)
        return
    if not rows:
        talk().print("Nothing waits. A call that policy escalates will appear here.")
        return
    shown = table()
    for heading in ("request", "status", "amount", "what", "queue", "approvals", "expires"):
        shown.add_column(heading, overflow="fold", min_width=18 if heading == "request" else None)
    for row in rows:
        shown.add_row(
            row["handle"], row["status"], row["amount"], escape(row["summary"]), escape(row["queue"]),
            f"{len(row['approved_by'])} of {row['approvals']}", row["expires_at"],
        )  # fmt: skip
    out().print(shown)


@app.command()
@guarded
def show(handle: Handle, db: Db = None, shop: Shop = None, as_json: AsJson = False) -> None:
    """Everything a reviewer needs to decide one request."""
    from tillgate.server.cli.opening import money_of, reading
    from tillgate.server.cli.packet import print_packet

    with reading(db=db, shop=shop) as desk:
        request = desk.request(handle)
        row = _summary(request, desk.now, money_of(desk)) | {"packet": dict(request.packet)} if request else None
    if row is None:
        talk().print(f"There is no request {escape(handle)}.")
        raise typer.Exit(FINDINGS)
    if as_json:
        print_json(row)
    else:
        print_packet(out(), row)


@app.command()
@guarded
def approve(
    handle: Handle,
    name: As,
    amount: Annotated[str | None, typer.Option(help="Approve this smaller amount instead, such as 40.00")] = None,
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Say yes. The call is looked up, planned and decided again, and executed once if nothing has changed."""
    from tillgate.guards import review
    from tillgate.guards.steps import drive
    from tillgate.server.cli.opening import opened

    with opened(db=db, shop=shop, policy=policy) as built:
        ruling = drive(review.approving(built.gate, handle, name, amount), built.store, built.gate.reach)
    _tell(ruling, as_json)


@app.command()
@guarded
def settle(
    handle: Handle,
    name: As,
    happened: Annotated[
        bool, typer.Option("--happened/--did-not-happen", help="How it ended, as the provider's own books say")
    ],
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Say how a request in doubt ended, once you have looked: it happened, or it did not. Nothing is sent again."""
    from tillgate.guards import review
    from tillgate.server.cli.opening import opened

    with opened(db=db, shop=shop, policy=policy) as built, built.store.transaction() as desk:
        ruling = review.settle(built.gate, desk, handle, name, happened=happened)
    _tell(ruling, as_json)


@app.command()
@guarded
def deny(
    handle: Handle,
    name: As,
    message: Annotated[str, typer.Option(help="Words for the customer")],
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Say no, with words for the customer."""
    from tillgate.guards import review
    from tillgate.server.cli.opening import opened

    with opened(db=db, shop=shop, policy=policy) as built, built.store.transaction() as desk:
        ruling = review.deny(desk, handle, name, message)
    _tell(ruling, as_json)


def _tell(ruling: Any, as_json: bool) -> None:
    if as_json:
        outcome = ruling.outcome.as_json() if ruling.outcome else None
        print_json({"done": ruling.done, "status": ruling.status, "message": ruling.message, "outcome": outcome})
    else:
        out().print(f"{ruling.status}: {escape(ruling.message)}")
    if not ruling.done or ruling.status == "stale":
        raise typer.Exit(FINDINGS)


def _summary(request: Any, now: Any, money: Any) -> dict[str, Any]:
    from tillgate.guards.audit.record import rfc3339

    return {
        "handle": request.handle,
        "call_id": request.call_id,
        "status": request.state(now),
        "tool": request.received.tool,
        "summary": request.summary,
        "amount": money.format(request.amount),
        "currency": money.code,
        "customer_id": request.subject.customer_id,
        "agent": request.received.caller.agent.id,
        "queue": request.queue,
        "approvals": request.approvals,
        "approved_by": list(request.approved_by),
        "created_at": rfc3339(request.created_at),
        "expires_at": rfc3339(request.expires_at),
        "message": request.message,
    }
