"""The policies shown in the docs load without a warning."""

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
