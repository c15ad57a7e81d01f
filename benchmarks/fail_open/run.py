"""Runs every case through every engine and writes the tables: `python benchmarks/fail_open/run.py`

Ends with 1 when Tillgate opens in a case, when a control comes out wrong, or when an engine is missing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.fail_open.engines.catalogue import CONTENDERS, Contender
from benchmarks.fail_open.install import Missing, cerbos_binary, python_for_peers
from benchmarks.fail_open.measure import Result, wrong_controls
from benchmarks.fail_open.table import Column, markdown, summary

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Install, measure, write, and say what is wrong."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    columns: list[Column] = []
    complaints: list[str] = []
    for contender in CONTENDERS:
        print(f"{contender.title} …", file=sys.stderr, flush=True)
        try:
            column = _column(contender, options.work)
        except Missing as missing:
            complaints.append(f"MISSING: {contender.title} was not measured: {missing}")
            continue
        columns.append(column)
        complaints += [f"CONTROL: {contender.title}: {wrong}" for wrong in wrong_controls(column.controls)]
    complaints += [
        f"OPEN: Tillgate: {result.case}: {result.why}"
        for column in columns
        for result in column.cases
        if column.name == "tillgate" and result.outcome == "open"
    ]
    _write(options.out, columns)
    print("\n".join([summary(columns), *complaints]))
    return 1 if complaints else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / "tillgate-fail-open"
    parser.add_argument("--work", type=Path, default=cache, help=f"where the engines are installed ({cache})")
    parser.add_argument("--out", type=Path, help="where results.json and results.md go (the same folder)")
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.out = options.out or options.work
    return options


def _column(contender: Contender, work: Path) -> Column:
    """Measure one engine in a process of its own, so that none can disturb another."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    python = sys.executable
    if contender.runs_in == "binary":
        environment["CERBOS"] = str(cerbos_binary(work))
    elif contender.runs_in == "python":
        python = str(python_for_peers(work))
    command = [python, "-m", "benchmarks.fail_open.measure", contender.name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"it failed while measured: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    cases, controls = ([Result(**each) for each in found[part]] for part in ("cases", "controls"))
    return Column(contender.name, contender.title, found["version"], tuple(cases), tuple(controls))


def _write(folder: Path, columns: list[Column]) -> None:
    date = datetime.now(UTC).date().isoformat()
    found = {"date": date, "engines": [column.as_json() for column in columns]}
    (folder / "results.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "results.md").write_text(markdown(columns, date), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
