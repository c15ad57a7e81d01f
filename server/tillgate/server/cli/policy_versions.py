"""`tillgate policy log` and `rollback`: what a store was served under, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.server.cli.common import AsJson, Db, PolicyFile, Shop, escape, guarded, out, print_json, table, talk


@guarded
def log(
    digest: Annotated[str | None, typer.Argument(help="Print the text of this one (the beginning is enough)")] = None,
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """List the policies this store was served under, and whether the file is the one that is served."""
    from tillgate.server.cli.opening import reading
    from tillgate.server.versions import chosen, versions

    with reading(db=db, shop=shop) as desk:
        found = versions(desk)
    if digest is not None:
        typer.echo(chosen(found, digest).text, nl=False)
        return
    served = found[-1].digest if found else None
    file = _file(policy, served)
    if as_json:
        keys = ("digest", "source", "served_at", "actions")
        print_json({"served": [{key: getattr(each, key) for key in keys} for each in found], "file": file})
        return
    shown = table(bare=True)
    for heading in ("served at", "digest", "actions", "file"):
        shown.add_column(heading, justify="right" if heading == "actions" else "left")
    for each in found:
        shown.add_row(each.served_at, each.digest.removeprefix("sha256:")[:12], str(each.actions), escape(each.source))
    out().print(table if found else "No policy was served here yet.")
    talk().print(file["state"], markup=False, soft_wrap=True)


def _file(policy: Path | None, served: str | None) -> dict[str, str | None]:
    """How the file on disk stands to the policy that is served."""
    from tillgate.server.app import policy_of, tool_map
    from tillgate.server.settings import settings

    try:
        loaded = policy_of(settings(policy=policy), tool_map())
    except PolicyError as error:
        first = error.diagnostics[0]
        return {"digest": None, "state": f"the file is refused: {first.place} {first.code} {first.message}"}
    except ConfigurationError as error:
        return {"digest": None, "state": str(error)}
    state = "is what was served last" if loaded.digest == served else "is not what was served last"
    return {"digest": loaded.digest, "state": f"{loaded.source} {state}"}


@guarded
def rollback(
    digest: Annotated[str, typer.Argument(help="The policy to go back to (the beginning of its digest is enough)")],
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
) -> None:
    """Put an earlier policy back into the file; servers that run take it like any other change."""
    from tillgate.server.app import policy_file
    from tillgate.server.cli.opening import reading
    from tillgate.server.settings import settings
    from tillgate.server.versions import chosen, restore, versions

    file = policy_file(settings(policy=policy).policy)
    if file is None:
        raise ConfigurationError("there is no policy file to put it into: name one with --policy")
    with reading(db=db, shop=shop) as desk:
        version = chosen(versions(desk), digest)
    kept = restore(version, file)
    out().print(f"{file} is {version.digest[:19]}… again", markup=False)
    if kept is not None:
        talk().print(f"the file that was there is kept as {kept}", markup=False)
