"""The table of routes holds for every call: the real outcome is always one that its cell names."""

import random
from pathlib import Path

import pytest
from guards.explain.test_explain import HEAD, SCOPE, policy, quoted
from guards.policy.conftest import SURFACES
from guards.policy.test_differential import made_up, random_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.guards.decide import decide
from tillgate.guards.model import Assurance, Facts, Tier, Verdict
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.routes import Row, routes
from tillgate.server.app import surfaces, tool_map

TOOL = next(surface for surface in SURFACES if surface.name == "issue_refund")
ALL = "  - {id: all, tools: [issue_refund], permit: true}\n"


def rows(made: Policy) -> tuple[Row, ...]:
    [route] = [route for route in routes(made, SURFACES) if route.tool == "issue_refund"]
    return route.rows


def row_of(found: tuple[Row, ...], facts: Facts) -> Row:
    level, tier = Assurance[facts["subject"]["assurance"]], Tier[facts["risk"]["tier"]]
    amount = facts["impact"]["amount"]
    [row] = [
        row
        for row in found
        if row.levels[0] <= level <= row.levels[1]
        and row.tiers[0] <= tier <= row.tiers[1]
        and (row.band is None or row.band[0] <= amount <= row.band[1])
    ]
    return row


def told(rules: str) -> list[list[str]]:
    return [list(row.cell.lines()) for row in rows(load_policy(HEAD + "rules:\n" + rules, "policy.yaml", SURFACES))]


def test_bands_meet_at_the_thresholds() -> None:
    found = rows(policy())
    assert sorted({row.band for row in found if row.band}) == [(0, 2500), (2501, 10000), (10001, 2**53)]


def test_a_table_says_no_more_than_it_must() -> None:
    assert told(ALL) == [["completes"]]
    assert told(ALL + "  - {id: v, tools: [issue_refund], verify: stepped_up}\n") == [
        ["verifies to STEPPED_UP (v)"],
        ["completes"],
    ]


CASES = [
    (ALL + "  - {id: d, tools: [issue_refund], deny: no}\n", [["refused (d)"]]),
    ("  - {id: d, tools: [issue_refund], when: order.disputed, deny: no}\n", [["refused: nothing permits it"]]),
    (
        ALL + "  - {id: d, tools: [issue_refund], when: order.disputed, deny: no}\n",
        [["refused if order.disputed (d)", "completes otherwise"]],
    ),
    (
        ALL.replace("permit", "when: order.dispatched, permit"),
        [["refused unless order.dispatched (all)", "completes"]],
    ),
    (
        ALL + "  - {id: e, tools: [issue_refund], when: \"order.disputed && call.effect == 'write'\", escalate: q}\n",
        [["goes to q if order.disputed (e)", "completes otherwise"]],
    ),
    (ALL + "  - {id: s, tools: [issue_refund], mode: shadow, deny: no}\n", [["completes"]]),
]


@pytest.mark.parametrize(("rules", "wanted"), CASES)
def test_what_a_cell_says(rules: str, wanted: list[list[str]]) -> None:
    assert told(rules) == wanted


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_the_real_outcome_is_always_in_its_cell(seed: int) -> None:
    chance = random.Random(seed)
    does = [
        "deny: no",
        "permit: true",
        "verify: stepped_up",
        "verify: identified",
        "confirm: customer",
        "escalate: desk",
    ]
    when = [quoted(made_up(chance, 2, SCOPE)) for _ in range(6)]
    lines = [
        f"  - {{id: r{n}, tools: [issue_refund], when: {each}, {chance.choice(does)}}}\n" for n, each in enumerate(when)
    ]
    try:
        made = policy("rules:\n" + ALL * chance.randint(0, 1) + "".join(lines))
    except PolicyError:
        return
    found = rows(made)
    for _ in range(8):
        facts = random_facts(SCOPE, chance)
        facts["impact"]["amount"] = abs(facts["impact"]["amount"])
        facts["consent"]["strength"] = "NONE"
        facts["approval"] |= {"granted": False, "count": 0}
        facts["call"] |= {"tool": "issue_refund", "effect": TOOL.effect, "intent": TOOL.intent}
        decision = decide(made, "issue_refund", facts)
        cell = row_of(found, facts).cell
        assert decision.verdict in cell.verdicts
        if len(cell.verdicts) == 1:
            assert cell.verdicts == {decision.verdict}


def test_the_shipped_policy_has_a_route_for_every_tool() -> None:
    text = (Path(__file__).parents[3] / "policy.yaml").read_text("utf-8")
    found = routes(load_policy(text, "policy.yaml", surfaces(tool_map())), surfaces(tool_map()))
    assert {route.tool for route in found} == set(tool_map())
    browse = next(route for route in found if route.tool == "search_products")
    assert [row.cell.verdicts for row in browse.rows] == [{Verdict.PERMIT}]
