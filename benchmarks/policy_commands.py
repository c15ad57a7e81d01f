"""How long an operator waits for the commands over a large policy, each as a process from start to end.

    python benchmarks/policy_commands.py [--rules 1000] [--cases 1000]

The rules are those of the other benchmarks, over the shipped tools that have an order; the cases are calls of those
tools, each with what came of it when it was asked first. `start` is what `tillgate policy --help` takes: no policy is
read for it. Three runs, the median counts.
"""

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.workload import TEMPLATES

from tillgate.server.app import surfaces, tool_map

RUNS = 3
UNSUITABLE = "args."
"""The shipped tools have arguments of their own: templates that ask for some are left out."""


def tools() -> list[str]:
    """The shipped tools that always have an order and a customer."""
    return [each.name for each in surfaces(tool_map()) if {"order", "customer"} <= each.always]


def policy(rules: int) -> str:
    """A policy of so many rules over them."""
    chance, names = random.Random(7), tools()
    fitting = [each for each in TEMPLATES if UNSUITABLE not in each[0]]
    lines = ["policy: bench", "version: 1", "currency: USD", "queues: {desk: {reviewers: [a]}}"]
    lines += ["risk: {tiers: {medium: 30, high: 60, critical: 85}, factors: []}", "rules:"]
    for number in range(rules):
        when, effect = fitting[number // len(names) % len(fitting)]
        said = f"escalate: {{queue: {effect.split()[1]}}}" if effect.startswith("escalate") else effect
        condition = when.replace("{n}", str(chance.randint(200, 990)))
        lines.append(f'  - {{id: r{number}, tools: [{names[number % len(names)]}], when: "{condition}", {said}}}')
    return "\n".join(lines) + "\n"


def suite(cases: int, outcomes: Sequence[str]) -> str:
    """So many cases; `outcomes` are what is expected of each."""
    chance, names = random.Random(11), tools()
    lines = ["policy: policy.yaml", "tests:"]
    for number in range(cases):
        facts = f'order: {{status: delivered, total: "{chance.randint(900, 9900)}.00", delivered_days: 5}}'
        facts += (
            f', customer: {{age_days: {chance.randint(100, 1200)}}}, impact: {{amount: "{chance.randint(1, 999)}.00"}}'
        )
        lines.append(f"  - {{name: case {number}, tool: {names[number % len(names)]}, facts: {{{facts}}},")
        lines.append(f"     expect: {outcomes[number]}}}")
    return "\n".join(lines) + "\n"


def waited(folder: Path, *arguments: str) -> tuple[float, str]:
    """Seconds of one command, and what it said. Raises RuntimeError when it could not do its work."""
    began = time.perf_counter()
    command = [str(Path(sys.executable).parent / "tillgate"), "policy", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode not in (0, 1):  # 1 is findings
        raise RuntimeError(f"{arguments}: {done.stderr[-2000:]}")
    return took, done.stdout


def main() -> None:
    """The benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = policy(options.rules)
        (folder / "policy.yaml").write_text(text, "utf-8")
        later = re.sub(r"\b([2-9][0-9]{2})\b", lambda found: str(int(found[1]) + 1), text)
        (folder / "later.yaml").write_text(later, "utf-8")
        cases = folder / "policy.test.yaml"
        cases.write_text(suite(options.cases, ["completed"] * options.cases), "utf-8")
        _, told = waited(folder, "test", str(cases))
        came = {int(number): found for number, found in re.findall(r"FAILED +case (\d+)\n.*\n.*, got (\w+)", told)}
        cases.write_text(suite(options.cases, [came.get(n, "completed") for n in range(options.cases)]), "utf-8")
        commands = (
            ["--help"],
            ["check"],
            ["test", str(cases)],
            ["diff", "policy.yaml", "later.yaml"],
            ["prove", "--monotone", "--verification", "--limits"],
        )
        for command in commands:
            times = [waited(folder, *command) for _ in range(RUNS)]
            name, last = command[0], (times[-1][1].strip().splitlines() or [""])[-1]
            if name == "--help":
                name, last = "start", ""
            print(f"{name:<6} {statistics.median(took for took, _ in times):5.2f} s   {last[:90]}")


if __name__ == "__main__":
    main()
