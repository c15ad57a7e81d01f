"""Plays the story with every engine and writes the tables: `python benchmarks/approved_twice/run.py`

Ends with 1 when Tillgate does not keep what it promises, when an engine cannot tell the story at all, or when one is
missing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.approved_twice.engines.catalogue import CONTENDERS, DATABASE, Contender
from benchmarks.approved_twice.install import Missing, postgres, python_with
from benchmarks.approved_twice.table import Column, grouped, markdown, shortcomings, summary

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Install, play, write, and say what is wrong."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    columns: list[Column] = []
    complaints: list[str] = []
    with ExitStack() as running:
        where = _postgres(running, options.work, complaints)
        for contender in CONTENDERS:
            print(f"{contender.title} …", file=sys.stderr, flush=True)
            try:
                columns.append(_column(contender, options.work, options.rounds, where))
            except Missing as missing:
                complaints.append(f"MISSING: {contender.title} was not measured: {missing}")
    for column in columns:
        complaints += [f"WRONG: {column.title}: {found}" for found in shortcomings(column)]
    _write(options.out, columns, options.rounds)
    print("\n".join([summary(columns), *(f"- {column.version}" for column in columns), *complaints]))
    return 1 if complaints else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / "tillgate-approved-twice"
    parser.add_argument("--work", type=Path, default=cache, help=f"where the engines are installed ({cache})")
    parser.add_argument("--out", type=Path, help="where results.json and results.md go (the same folder)")
    parser.add_argument("--rounds", type=int, default=20, help="how often each scenario is played (20)")
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.out = options.out or options.work
    return options


def _postgres(running: ExitStack, work: Path, complaints: list[str]) -> str | None:
    try:
        return running.enter_context(postgres(work))
    except Missing as missing:
        complaints.append(f"MISSING: there is no PostgreSQL: {missing}")
        return None


def _column(contender: Contender, work: Path, rounds: int, where: str | None) -> Column:
    """Play with one engine in a process of its own, so that none can disturb another. Raises Missing."""
    if contender.on_postgres and where is None:
        raise Missing("it needs PostgreSQL")
    python = python_with(contender.packages, work) if contender.packages else Path(sys.executable)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        DATABASE: where or "",
    }
    command = [str(python), "-m", "benchmarks.approved_twice.measure", contender.name, str(rounds)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"it failed while measured: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return Column(contender.name, contender.title, found["version"], tuple(found["rounds"]))


def _write(folder: Path, columns: list[Column], rounds: int) -> None:
    date = datetime.now(UTC).date().isoformat()
    engines = [
        {"name": column.name, "title": column.title, "version": column.version, "ends": grouped(column)}
        for column in columns
    ]
    found = {"date": date, "rounds": rounds, "engines": engines}
    (folder / "results.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "results.md").write_text(markdown(columns, date), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
