"""What every driver in Python reads and writes: a line for each call, and a line for what came of it."""

import asyncio
import json
import os
import sys
from typing import Any

CONFIG: dict[str, Any] = json.loads(sys.argv[1])
URL: str | None = CONFIG.get("url")
HEADERS: dict[str, str] = {"Authorization": f"Bearer {CONFIG['token']}"} if CONFIG.get("token") else {}
COMMAND: list[str] = CONFIG.get("command", [])
ENVIRONMENT = {**os.environ, **CONFIG.get("env", {})}


def say(**line: Any) -> None:
    """One line to whoever drives."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def heard() -> dict[str, Any] | None:
    """The next call: `tool` and `arguments`; None when there is none any more."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None
