"""The `tillgate` command. Nouns, then verbs; exit 0 ok, 1 findings, 2 usage, 3 configuration, 4 integrity.

Each command imports what it needs when it runs, so that `tillgate serve` starts fast.
"""

import gc
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from tillgate.server.cli import audit, policy, requests, store
from tillgate.server.cli.common import FINDINGS, As, AsJson, Db, PolicyFile, Shop, guarded, out, print_json, talk

DevKey = Annotated[
    Path | None,
    typer.Option(help="A key of your own for tokens of `tillgate token`", metavar="FILE", show_default=False),
]
ResourceUrl = Annotated[
    str | None, typer.Option(help="By which URL clients come: their tokens are meant for it", metavar="URL")
]

app = typer.Typer(
    name="tillgate",
    help="Lets an agent act in a shop, and decides what it may do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(requests.app, name="requests")
app.add_typer(audit.app, name="audit")
app.add_typer(policy.app, name="policy")
app.add_typer(store.app, name="store")


@app.callback(invoke_without_command=True)
def root(show: Annotated[bool, typer.Option("--version", help="Print the version")] = False) -> None:
    if show:
        typer.echo(version("tillgate"))
        raise typer.Exit


@app.command()
@guarded
def serve(
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    customer: Annotated[str | None, typer.Option(help="The customer this process serves (an id on file)")] = None,
    assurance: Annotated[
        str | None, typer.Option(help="How that customer is known: identified, authenticated, stepped_up")
    ] = None,
    agent: Annotated[str | None, typer.Option(help="The name of the agent, for policy and audit")] = None,
    notify: Annotated[
        str | None, typer.Option(help="Where codes go: outbox, smtp://HOST:PORT?from=ADDRESS, https://…")
    ] = None,
    payments: Annotated[
        str | None, typer.Option(help="Who pays refunds out: nobody but the ledger, or stub:PATH", show_default=False)
    ] = None,
    http: Annotated[
        str | None, typer.Option(help="Serve many clients at HOST:PORT/mcp instead", metavar="HOST:PORT")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where customers reach this server, for links in messages", show_default=False)
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="Whose tokens are taken: their `iss`", metavar="URL")] = None,
    jwks: Annotated[str | None, typer.Option(help="Where that issuer's keys are", metavar="FILE|URL")] = None,
    resource_url: ResourceUrl = None,
    dev_key: DevKey = None,
    customer_claim: Annotated[str | None, typer.Option(help="The claim that is the customer's id: customer_id")] = None,
    acr: Annotated[list[str] | None, typer.Option(help="What an `acr` means", metavar="VALUE=LEVEL")] = None,
    allowed_host: Annotated[list[str] | None, typer.Option(help="Another name of this site", metavar="HOST")] = None,
    allowed_origin: Annotated[list[str] | None, typer.Option(help="A page that may call", metavar="ORIGIN")] = None,
    unsafe_no_auth: Annotated[
        bool, typer.Option("--unsafe-no-auth", help="Ask no token; on a loopback address only")
    ] = False,
) -> None:
    """Serve one MCP client on stdin and stdout, or many over HTTP."""
    gc.disable()  # until all is loaded: nothing of it is garbage, and looking for some is an eighth of the start
    from tillgate.server.serving import serve as serve_with
    from tillgate.server.settings import settings

    flags: dict[str, object] = {
        "db": db,
        "shop": shop,
        "policy": policy,
        "customer": customer,
        "assurance": assurance,
        "agent": agent,
    }
    flags |= {"notify": notify, "payments": payments, "http": http, "public_url": public_url}
    flags |= {"issuer": issuer, "jwks": jwks, "resource_url": resource_url, "dev_key": dev_key, "acr": acr}
    flags |= {"allowed_host": allowed_host, "allowed_origin": allowed_origin, "customer_claim": customer_claim}
    serve_with(settings(**flags, unsafe_no_auth=unsafe_no_auth or None))


@app.command()
@guarded
def token(
    dev_key: DevKey = None,
    customer: Annotated[str | None, typer.Option(help="Whom it is for (an id on file); nobody without it")] = None,
    assurance: Annotated[str | None, typer.Option(help="How they are known: authenticated without it")] = None,
    agent: Annotated[str, typer.Option(help="The client that calls with it")] = "agent",
    session: Annotated[str | None, typer.Option(help="The conversation it is for", show_default=False)] = None,
    scope: Annotated[str, typer.Option(help="What it covers")] = "tools:read tools:write",
    expires: Annotated[str, typer.Option(help="How long it is valid: 90s, 30m, 8h, 7d")] = "1h",
    resource_url: ResourceUrl = None,
) -> None:
    """Mint a token for `tillgate serve --http --dev-key`. For development: whoever has the key can be anyone."""
    from tillgate.server.cli.minting import minted

    typer.echo(
        minted(
            dev_key, resource_url, customer=customer, assurance=assurance, agent=agent, session=session, scope=scope,
            expires=expires,
        )
    )  # fmt: skip


@app.command()
@guarded
def seed(
    file: Annotated[Path, typer.Argument(help="A shop file")],
    db: Db = None,
    shop: Shop = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a shop that is already there")] = False,
) -> None:
    """Load a shop file: strictly, and all or nothing."""
    from tillgate.server.seeding import seed_file

    seeded = seed_file(file, db=db, shop=shop, replace=replace)
    for warning in seeded.warnings:
        talk().print(f"warning: {warning}", markup=False, soft_wrap=True)
    talk().print(seeded.report, markup=False, soft_wrap=True)


@app.command()
@guarded
def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause between the steps")] = False,
) -> None:
    """Play a scripted conversation against a packaged shop, through a real MCP client."""
    from tillgate.server.demo import play

    raise typer.Exit(play(fast=fast))


@app.command()
@guarded
def outbox(db: Db = None, shop: Shop = None, as_json: AsJson = False) -> None:
    """Messages to customers, with the one-time codes in them. For demonstrations: whoever reads this can be anyone."""
    from tillgate.server.cli.opening import reading

    statement = "SELECT at, recipient, subject, body, sent_at FROM outbox WHERE shop = ? ORDER BY seq"
    with reading(db=db, shop=shop) as desk:
        rows = [dict(row) for row in desk.sql.rows(statement, (desk.shop,))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        text = f"{row['at']}  to {row['recipient']}  {row['subject']}\n  {row['body']}\n"
        out().print(text, markup=False, soft_wrap=True)


@app.command()
@guarded
def undo(
    name: As,
    call_id: Annotated[str | None, typer.Argument(help="The call to take back", show_default=False)] = None,
    policy_digest: Annotated[
        str | None, typer.Option(help="Take back what the policy with this digest let through", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only show what would be")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit log")] = "taken back by an operator",
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Take back what a call did, or what a whole policy let through, through the same door as every other call."""
    from tillgate.server.cli.undoing import undo_all, undo_one

    if (call_id is None) == (policy_digest is None):
        raise typer.BadParameter("give either CALL_ID or --policy-digest")
    if call_id is not None:
        sound = undo_one(call_id, name, reason, db=db, shop=shop, policy=policy, as_json=as_json)
    else:
        sound = undo_all(policy_digest or "", name, reason, yes=yes, db=db, shop=shop, policy=policy, as_json=as_json)
    if not sound:
        raise typer.Exit(FINDINGS)


Whoever = Annotated[
    str | None, typer.Option("--as", help="Your name in the audit log; the system's own without it", show_default=False)
]
Switched = Annotated[str | None, typer.Argument(help="A tool; every tool without it", show_default=False)]


@app.command()
@guarded
def pause(
    tool: Switched = None, name: Whoever = None, db: Db = None, shop: Shop = None, as_json: AsJson = False
) -> None:
    """Stop agents at once, from one tool or from all. What waits stays, and people can still look, deny and undo."""
    from tillgate.server.cli.switching import switch

    if not switch(tool, name, on=False, db=db, shop=shop, as_json=as_json):
        raise typer.Exit(FINDINGS)


@app.command()
@guarded
def resume(
    tool: Switched = None, name: Whoever = None, db: Db = None, shop: Shop = None, as_json: AsJson = False
) -> None:
    """Take a pause back."""
    from tillgate.server.cli.switching import switch

    if not switch(tool, name, on=True, db=db, shop=shop, as_json=as_json):
        raise typer.Exit(FINDINGS)


@app.command()
@guarded
def replay(
    file: Annotated[Path, typer.Argument(help="A transcript, such as an audit export")],
    policy: PolicyFile = None,
    as_json: AsJson = False,
    every: Annotated[bool, typer.Option("--all", help="Also list the calls that end as they did")] = False,
) -> None:
    """Decide every recorded call again, offline. Exit 1 when anything would be decided differently."""
    from tillgate.server.cli.replaying import replay_file

    if replay_file(file, policy, as_json_=as_json, every=every):
        raise typer.Exit(FINDINGS)


def main() -> None:
    """The console script."""
    app()
