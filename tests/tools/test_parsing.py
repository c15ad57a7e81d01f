"""Arguments that are taken at once are those that are taken value by value, and what is refused is named the same."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tools.calls import TOOLS

from tillgate.guards.model import Tier
from tillgate.tools.arguments import unfit_value

LINE: dict[str, Any] = {"variant_id": "v_s", "quantity": 1, "version": 1}
FITTING: Mapping[str, Mapping[str, Any]] = {
    "edit_cart": {"cart_id": "cart_1", "lines": [LINE], "customer_request": "please", "intent": "cart"},
    "issue_refund": {"order_id": "ord_1", "amount": "5.00", "reason": "broken", "lines": [{"line_id": "l"}]},
    "search_products": {"query": "cap", "max_price": "9.00", "in_stock": True, "limit": 3},
}


class Text(str):
    """A text of a type of its own."""


ODD = st.sampled_from(
    [None, float("nan"), 1.0, 1.5, 2**53, -(2**63), 10**40, "\ud800", "\u200b", "", True, 1, "5.00", "v_s"]
) | st.sampled_from([Text("v_s"), Tier.LOW, (LINE,), [LINE], [], {}, {"\ud800": 1}, {"a": [[[{}]]]}, b"x"])


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A call with one or two of its values replaced, or another added."""
    name = draw(st.sampled_from(sorted(FITTING)))
    arguments = dict(FITTING[name])
    for key in draw(st.lists(st.sampled_from([*arguments, "other", "idempotency_key"]), max_size=2)):
        arguments[key] = draw(ODD)
    if draw(st.booleans()) and "lines" in arguments:
        key = draw(st.sampled_from([*LINE, "line_id", "other"]))
        arguments["lines"] = [{**LINE, key: draw(ODD)}]
    return name, arguments


def _told(act: Any, arguments: Any) -> Any:
    try:
        return act(arguments, 2)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the same either way
        return type(error)


@given(altered())
@example(("search_products", {"limit": float("nan")}))
@example(("edit_cart", {"lines": [{**LINE, "version": 2**53}]}))
@settings(max_examples=400, deadline=None)
def test_both_ways_say_the_same(call: tuple[str, dict[str, Any]]) -> None:
    name, arguments = call
    tool: Any = TOOLS[name]
    assert _told(tool.parse, arguments) == _told(tool._named, arguments)


@given(altered())
@settings(max_examples=400, deadline=None)
def test_what_is_taken_holds_no_value_that_no_tool_takes(call: tuple[str, dict[str, Any]]) -> None:
    name, arguments = call
    if not isinstance(_told(TOOLS[name].parse, arguments), (list, type)):
        assert unfit_value(arguments) is None


@pytest.mark.parametrize("depth", [15, 16, 17, 70])
def test_nesting_is_named_before_anything_else(depth: int) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    tool: Any = TOOLS["get_order"]
    for arguments in ({"order_id": deep}, MappingProxyType({"order_id": deep})):
        assert _told(tool.parse, arguments) == _told(tool._named, arguments)
