"""`tillgate policy schema`: what an editor needs to complete and check policy.yaml."""

from pathlib import Path
from typing import Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.server.cli.common import guarded, print_json, talk


@guarded
def schema(
    out: Annotated[Path | None, typer.Option("--out", help="Write it to a file (policy.schema.json)")] = None,
) -> None:
    """Write the JSON Schema of policy.yaml, with this project's tools and facts, for an editor."""
    import orjson

    from tillgate.guards.policy.schema import policy_schema
    from tillgate.server.app import surfaces, tool_map

    written = policy_schema(surfaces(tool_map()))
    if out is None:
        print_json(written)
        return
    try:
        out.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot be written: {error.strerror}") from error
    talk().print(f"{out} written; a policy begins with # yaml-language-server: $schema=./{out.name}", markup=False)
