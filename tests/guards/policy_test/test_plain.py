"""Facts a test does not state: always valid, unremarkable, and never at odds with those it does state."""

from typing import Any

import pytest

from tillgate.guards.facts import CATALOGUE, FactType, ToolSurface, integer, usage_fields
from tillgate.guards.policy.validate import valid
from tillgate.guards.policy_test.plain import complete, plain
from tillgate.guards.policy_test.run import run
from tillgate.server.app import surfaces, tool_map

SURFACES = surfaces(tool_map())
BY_TOOL = {name for name, group in CATALOGUE.items() if group.availability == "by_tool"}


def wrong(facts: dict[str, Any], fields: dict[str, FactType]) -> list[str]:
    """Facts that are missing, of another type, or that no catalogue knows."""
    found = [name for name, fact in fields.items() if name not in facts and not fact.optional]
    found += [name for name in facts if name not in fields or not valid(facts[name], fields[name])]
    return found


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
@pytest.mark.parametrize("everything", [False, True])
def test_plain_facts_are_valid_for_every_tool(surface: ToolSurface, everything: bool) -> None:
    stated: dict[str, Any] = {group: {} for group in surface.maybe} if everything else {}
    facts = complete(surface, stated, None)
    assert facts.keys() == {*(CATALOGUE.keys() - BY_TOOL - {"risk", "usage"}), *surface.always, *surface.maybe, "now"}
    for name, group in facts.items():
        if name == "now":
            assert type(group) is int
        elif name in BY_TOOL and not group["present"]:
            assert (group, everything, name in surface.always) == ({"present": False}, False, False)
        else:
            fields = dict(surface.args.fields if name == "args" else CATALOGUE[name].facts)
            assert wrong({each: value for each, value in group.items() if each != "present"}, fields) == []


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_what_may_be_missing_is_missing(surface: ToolSurface) -> None:
    facts = complete(surface, {}, None)
    optional = {
        f"{name}.{fact}"
        for name, group in CATALOGUE.items()
        for fact, kind in (surface.args.fields if name == "args" else group.facts).items()
        if kind.optional
    }
    known = {f"{name}.{fact}" for name, group in facts.items() if name != "now" for fact in group}
    assert known & optional <= {"subject.customer_id"}


def test_the_least_of_a_range_is_within_it() -> None:
    assert [plain(integer(lo=1)), plain(integer(hi=-2)), plain(integer(lo=-5)), plain(integer())] == [1, -2, 0, 0]


def made(tool: str, **stated: Any) -> dict[str, Any]:
    return complete(tool_map()[tool].surface, stated, None)


def test_a_caller_is_somebody_where_the_tool_has_a_customer() -> None:
    assert made("get_order")["subject"] == {"assurance": "IDENTIFIED", "customer_id": "cus_1"}
    assert made("search_products")["subject"] == {"assurance": "ANONYMOUS"}
    assert made("search_products", customer={"id": "cus_7"})["subject"]["customer_id"] == "cus_7"
    assert made("get_order", subject={"assurance": "ANONYMOUS"})["subject"] == {"assurance": "ANONYMOUS"}


def test_what_follows_from_a_stated_fact_agrees_with_it() -> None:
    order = made("issue_refund", order={"total": 1000, "refunded": 250, "status": "shipped"})["order"]
    assert (order["captured"], order["refundable"], order["refunded_percent"]) == (1000, 750, 25)
    assert order["dispatched"] is True
    assert made("get_cart", cart={"subtotal": 500, "discount": 100})["cart"]["total"] == 400
    assert made("edit_cart", call={"stated_intent": "refund"})["call"]["intent_matches"] is False
    assert made("edit_cart", call={"stated_intent": "cart"})["call"]["intent_matches"] is True
    assert made("edit_cart", approval={"granted": True})["approval"] == {"granted": True, "count": 1}
    assert made("edit_cart", approval={"count": 2})["approval"] == {"granted": True, "count": 2}
    assert made("get_order")["conversation"]["orders"] == 1
    assert (made("issue_refund")["impact"]["kind"], made("get_order")["impact"]["kind"]) == ("refund", "none")


def test_a_stated_fact_is_never_replaced() -> None:
    stated = {"total": 1000, "captured": 1, "refundable": 2, "refunded_percent": 3, "dispatched": True}
    assert made("issue_refund", order=stated)["order"].items() >= stated.items()


def test_the_facts_that_are_decided_on_are_whole(read: Any) -> None:
    [case] = read("tests: [{name: n, tool: issue_refund, expect: denied}]").cases
    facts = run(case, read("tests: [{name: n, tool: issue_refund, expect: denied}]").policy).facts
    assert wrong(facts["risk"], dict(CATALOGUE["risk"].facts)) == []
    assert wrong(facts["usage"]["monthly"], dict(usage_fields(counts=False))) == []
