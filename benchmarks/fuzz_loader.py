"""Loads damaged policies for some minutes: no crash, no hang. `python benchmarks/fuzz_loader.py --minutes 10`

Each text is a shipped policy with a few changes by seeded chance: lines moved, doubled or cut, tokens put elsewhere,
characters of every kind thrown in. Loading it must end in a policy or in findings, and soon.
"""

import argparse
import random
import re
import time
from collections import Counter
from pathlib import Path

from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.files import Files
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy_lint.lint import lint
from tillgate.server.app import surfaces, tool_map
from tillgate.server.world import SystemClock

ROOT = Path(__file__).parents[1]
SHIPPED = [ROOT / "policy.yaml", *sorted(ROOT.glob("examples/*/policy.yaml"))]
EXTRA = """
let: {calm: "order.present && !order.disputed", small: "calm || impact.amount < money('5.00')"}
lists: {near: [US, CA], far: {file: far.txt}}
include: [more.yaml]
"""
OTHERS = {"far.txt": "GB\nFR\n", "more.yaml": "rules:\n  - {id: more, tools: [get_order], when: small, permit: true}\n"}
TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
SPICE = [
    *(
        "\t",
        "\x00",
        "\u2028",
        "é",
        "\U0001f600",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        ":",
        "- ",
        "&a ",
        "*a ",
        "!!str ",
        "|\n",
    ),
    *("&& ", "|| ", "!", "(", ")", "? ", " : ", "money('", "exists(x, ", "has(", "lists.near", "calm", "now", "in "),
    *("include: [", "<<: ", "# ", "%YAML 1.1\n", "---\n", "...\n", "9" * 30, "-" * 40, "(" * 40, "!" * 60),
]


def damaged(text: str, chance: random.Random) -> str:
    """The text after one to eight changes."""
    for _ in range(chance.randint(1, 8)):
        tokens = TOKEN.findall(text)
        at, to = chance.randrange(len(tokens) or 1), chance.randrange(len(tokens) or 1)
        kind = chance.randrange(7)
        if kind == 0 and tokens:
            del tokens[at : at + chance.randint(1, 12)]
        elif kind == 1 and tokens:
            tokens[at], tokens[to] = tokens[to], tokens[at]
        elif kind == 2:
            tokens[to:to] = tokens[at : at + chance.randint(1, 60)] * chance.randint(1, 6)
        elif kind == 3:
            tokens.insert(at, chance.choice(SPICE) * chance.choice([1, 1, 1, 3, 50]))
        elif kind == 4:
            tokens.insert(at, chr(chance.randrange(1, 0xD7FF)))
        else:
            lines = text.splitlines(keepends=True)
            one, other = chance.randrange(len(lines) or 1), chance.randrange(len(lines) or 1)
            lines[one:one] = lines[other : other + chance.randint(1, 4)]
            tokens = lines if kind == 5 else lines[:one] + lines[one + 1 :]
        text = "".join(tokens)
    return text


def main() -> None:
    """Fuzz for a while and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tools = surfaces(tool_map())
    texts = [path.read_text("utf-8") for path in SHIPPED]
    texts += [text + EXTRA for text in texts]
    ends, slowest, slow_seed = Counter[str](), 0.0, -1
    until, seed = time.monotonic() + options.minutes * 60, options.seed
    while time.monotonic() < until:
        chance = random.Random(seed)
        text = Files(damaged(chance.choice(texts), chance), OTHERS).packed()
        began = time.perf_counter()
        try:
            policy = load_policy(text, "policy.yaml", tools)
            lint(policy, text, tools, SystemClock().now())
            ends["loaded"] += 1
        except PolicyError as error:
            str(error)
            ends["refused"] += 1
        except Exception:
            print(f"seed {seed} crashes the loader")
            raise
        took = time.perf_counter() - began
        if took > slowest:
            slowest, slow_seed = took, seed
        seed += 1
    print(f"{ends.total()} policies: {dict(ends)}; the slowest took {slowest:.3f} s (seed {slow_seed}); no crash")


if __name__ == "__main__":
    main()
