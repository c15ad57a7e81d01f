"""The policies shown in the docs load without a warning, and the benchmarks are all listed."""

import re
from pathlib import Path

import pytest
from worlds import policy

DOCS = Path(__file__).parents[1] / "docs"
BLOCKS = re.findall(r"```yaml\n(.*?)```", (DOCS / "policy.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_a_policy_that_is_shown_loads(text: str) -> None:
    assert policy(text).warnings == ()


def test_there_is_something_shown() -> None:
    assert len(BLOCKS) >= 3


def test_every_benchmark_is_in_their_index() -> None:
    benchmarks = DOCS.parent / "benchmarks"
    files = [*benchmarks.glob("*.py"), *benchmarks.glob("*/run.py")]
    commands = [
        f"`python {file.relative_to(DOCS.parent)}"
        for file in files
        if '__name__ == "__main__"' in file.read_text("utf-8")
    ]
    index = (benchmarks / "README.md").read_text("utf-8")
    assert len(commands) >= 10
    assert [command for command in commands if command not in index] == []
