"""`tillgate replay`: from files to a report."""

from pathlib import Path

from tillgate.guards.errors import ConfigurationError
from tillgate.server.app import policy_of, tool_map
from tillgate.server.cli.common import out, print_json
from tillgate.server.replay import replay
from tillgate.server.replay_report import as_json, render
from tillgate.server.settings import settings


def replay_file(file: Path, policy: Path | None, *, as_json_: bool, every: bool) -> bool:
    """Replay a transcript and print it; whether anything would be decided differently."""
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    result = replay(lines, policy_of(settings(policy=policy), tool_map()))
    if as_json_:
        print_json(as_json(result))
    else:
        render(result, out(), every=every)
    return result.differs
