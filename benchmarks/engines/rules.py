"""The rules of one tool as another engine gets them: texts in its language, sorted by what they do."""

from typing import NamedTuple, TypedDict

BODIES = "\0"
"""What joins alternatives in Rego, where a body has no `or`: each is a body of its own."""


class Read(NamedTuple):
    """A fact the rules of a tool read."""

    group: str
    name: str
    kind: str
    optional: bool


class Demand(TypedDict):
    """Rules that demand the same: the verdict while `unmet` holds and one of `rules` does."""

    verdict: str
    unmet: str
    rules: list[str]


class Rules(TypedDict):
    """Denies win, then a permit must match, then demands are asked in this order."""

    deny: list[str]
    permit: list[str]
    demands: list[Demand]
    reads: list[Read]
