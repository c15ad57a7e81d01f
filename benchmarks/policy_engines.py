"""Measures Tillgate beside other policy engines: the same rules, the same calls, the same machine, one run.

Run `python benchmarks/policy_engines.py [--svg FILE] [--json FILE]`. The result is a page in Markdown on stdout.
Engines are installed from PyPI into environments of their own under `--work`, where they stay for the next run; one
that cannot be installed is named and left out. Every verdict of every engine is held against Tillgate's: any difference
is an error.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.engines.dialects import lowered, translated
from benchmarks.engines.forms import FORMS, Form
from benchmarks.engines.page import page
from benchmarks.engines.picture import picture
from benchmarks.engines.results import Row
from benchmarks.workload import calls, policy_of, policy_text

from tillgate.guards.decide import decide

ROOT = Path(__file__).resolve().parents[1]
SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 2
PATIENCE = 600
"""Seconds that one engine may take for one size."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """Tillgate (`form` None) or a form of another engine, with the Python it lives in; None where it has none."""

    form: int | None
    python: str | None

    @property
    def named(self) -> Form | None:
        """The form, None for Tillgate."""
        return None if self.form is None else FORMS[self.form]


def say(text: str) -> None:
    """Talk goes to stderr; stdout is the page."""
    print(text, file=sys.stderr, flush=True)


def installed(form: Form, work: Path) -> str | None:
    """The Python of the environment an engine lives in, made when it is not there yet; None when that fails."""
    home = work / f"{form.package}-{form.version}"
    python = home / "bin" / "python"
    ready = home / "ready"
    if ready.exists():
        return str(python)
    say(f"installing {form.package} {form.version}")
    venv.create(home, with_pip=True, clear=True)
    wanted = [str(python), "-m", "pip", "install", "--quiet", f"{form.package}=={form.version}"]
    done = subprocess.run(wanted, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"NOT MEASURED: {form.package} {form.version} cannot be installed:\n{done.stderr[-2000:]}")
        return None
    ready.touch()
    return str(python)


def measured(entrant: Entrant, size: int) -> dict[str, Any] | str:
    """What the worker says, or why it says nothing."""
    policy, _ = policy_of(size)
    form = entrant.named
    job: dict[str, Any] = {"form": entrant.form, "size": size}
    if form is None:
        job |= {"text": policy_text(size), "calls": calls(size)}
    else:
        told = [(tool, lowered(facts)) for tool, facts in calls(size)]
        job |= {"rules": translated(policy, form.dialect), "calls": told}
    place = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [str(entrant.python), "-m", "benchmarks.engines.worker"]
    try:
        done = subprocess.run(
            command, input=json.dumps(job), capture_output=True, text=True, env=place, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"cut off after {PATIENCE} s"
    if done.returncode:
        say(done.stderr[-2000:])
        return f"failed: {done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else done.returncode}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row(entrant: Entrant, size: int, rounds: Sequence[dict[str, Any] | str], wanted: Sequence[str]) -> Row:
    """One line of the table, from the best of its rounds."""
    form = entrant.named
    name = ("Tillgate", "", "facts checked, every reason given", False)
    if form is not None:
        name = (form.package, form.version, form.described, form.flat)
    failed = next((each for each in rounds if isinstance(each, str)), None)
    if failed is not None:
        return Row(*name, size, note=failed)
    good = [each for each in rounds if not isinstance(each, str)]
    wrong = max(sum(a != b for a, b in zip(each["verdicts"], wanted, strict=True)) for each in good)
    times = [sorted(each["times"]) for each in good]
    p50, p99 = min((each[len(each) // 2], each[int(len(each) * 0.99)]) for each in times)
    return Row(*name, size, p50, p99, min(each["load"] for each in good), wrong)


def compared(entrants: Sequence[Entrant], size: int) -> Iterator[Row]:
    """All entrants at one size, in rounds, so that what else the machine does falls on all of them."""
    policy, _ = policy_of(size)
    wanted = [decide(policy, tool, facts).verdict.value for tool, facts in calls(size)]
    found: dict[Entrant, list[dict[str, Any] | str]] = {entrant: [] for entrant in entrants}
    for number in range(ROUNDS):
        for entrant in entrants:
            form = entrant.named
            if entrant.python is None:
                found[entrant].append("cannot be installed here")
            elif form is not None and size > form.most_rules:
                found[entrant].append(f"left out: {form.why}")
            else:
                say(f"{size} rules, round {number + 1}: {f'{form.package}: {form.described}' if form else 'Tillgate'}")
                found[entrant].append(measured(entrant, size))
    yield from (row(entrant, size, found[entrant], wanted) for entrant in entrants)


def main() -> int:
    """Measures everything; 1 when any engine decided anything differently."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "tillgate-engines")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--svg", type=Path, help="draw them here")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    pythons = {(form.package, form.version): installed(form, options.work) for form in FORMS}
    entrants = [Entrant(None, sys.executable)]
    entrants += [Entrant(place, pythons[form.package, form.version]) for place, form in enumerate(FORMS)]
    rows = [each for size in options.sizes for each in compared(entrants, size)]
    machine = f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}"
    print(page(rows, machine))
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in rows], indent=1) + "\n", "utf-8")
    if options.svg:
        options.svg.write_text(picture(rows, machine), "utf-8")
    return 1 if any(each.wrong for each in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
