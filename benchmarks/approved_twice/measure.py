"""Plays every scenario with one engine. Also a program: `python -m benchmarks.approved_twice.measure ENGINE ROUNDS`."""

import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.approved_twice.engines.catalogue import Contender, contender
from benchmarks.approved_twice.provider import Books
from benchmarks.approved_twice.story import SCENARIOS, play


def measured(chosen: Contender, rounds: int) -> Iterator[dict[str, Any]]:
    """Every round with a provider that honours keys, and with one that ignores them."""
    for honours in (True, False):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield from _with(chosen, rounds, Path(folder), honours=honours)


def _with(chosen: Contender, rounds: int, folder: Path, *, honours: bool) -> Iterator[dict[str, Any]]:
    books = Books(folder / "books.db", honours)
    keys = "honours" if honours else "ignores"
    orders = {f"ord_{scenario}_{number}_{keys}": scenario for scenario in SCENARIOS for number in range(rounds)}
    engine = chosen.engine(folder, books, list(orders))
    try:
        with ThreadPoolExecutor(engine.rounds_at_once) as players:
            played = players.map(lambda order: play(engine, books, orders[order], order), orders)
            for (_, scenario), ended in zip(orders.items(), played, strict=True):
                yield {"keys": keys, "scenario": scenario, **asdict(ended)}
    finally:
        engine.close()


def main() -> None:
    """Play with one engine in this process and print JSON."""
    chosen = contender(sys.argv[1])
    json.dump({"version": chosen.versions(), "rounds": list(measured(chosen, int(sys.argv[2])))}, sys.stdout)


if __name__ == "__main__":
    main()
