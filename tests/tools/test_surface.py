"""The surface as a whole: what is offered, how it is annotated, and what no tool may ever take."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import pytest
from tools.calls import TOOLS

from tillgate.tools import registry
from tillgate.tools.arguments import GATE_ARGUMENTS
from tillgate.tools.get_cart import GetCart

READS = {
    "search_products", "get_product", "list_offers", "get_cart", "get_order", "list_orders", "get_customer",
    "quote_refund", "check_request",
}  # fmt: skip
IDENTITY = {"identify_customer", "verify_identity"}
CHANGES = {
    "edit_cart", "apply_discount", "remove_discount", "update_address", "cancel_order", "issue_refund", "return_items",
    "exchange_items", "change_order_items", "change_payment_method",
    "request_human", "withdraw_request", "undo_action",
}  # fmt: skip
each_tool = pytest.mark.parametrize("name", sorted(TOOLS))


def _objects(schema: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object" or "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from _objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _objects(inner)


def _names(schema: object) -> set[str]:
    return {name for part in _objects(schema) for name in part.get("properties", {})}


def test_every_tool_of_the_contract_is_there_once_and_sorted() -> None:
    names = [tool.name for tool in registry.tools()]
    assert names == sorted(READS | IDENTITY | CHANGES)


def test_two_tools_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_tools_of", lambda _module: [GetCart()])
    with pytest.raises(ValueError, match="get_cart"):
        registry.tools()


@each_tool
def test_no_object_in_a_schema_takes_what_it_does_not_name(name: str) -> None:
    assert all(part.get("additionalProperties") is False for part in _objects(TOOLS[name].input_schema()))


@each_tool
def test_no_tool_takes_a_price_a_percentage_or_a_customer(name: str) -> None:
    taken = _names(TOOLS[name].input_schema())
    if name == "search_products":
        assert "max_price" in taken, "a filter, which sets nothing"
        taken -= {"max_price"}
    assert not {word for word in taken if "price" in word or "percent" in word or "discount" in word}
    assert not taken & {"customer_id", "user_id", "subject", "assurance", "value"}


@each_tool
def test_the_gates_own_arguments_are_taken_by_changing_tools_and_by_no_other(name: str) -> None:
    taken = _names(TOOLS[name].input_schema())
    assert taken & GATE_ARGUMENTS == (GATE_ARGUMENTS if name in CHANGES else set())


@each_tool
def test_annotations_are_true_to_the_tool(name: str) -> None:
    tool = TOOLS[name]
    assert tool.effect == ("write" if name in CHANGES else "read")
    assert tool.recalled is (name in CHANGES)
    assert tool.hints.read_only is (name in READS)
    assert tool.hints.destructive is (name in {"cancel_order", "issue_refund"})
    if tool.hints.read_only:
        assert tool.hints.idempotent


@each_tool
def test_a_tool_never_both_always_and_maybe_has_a_group(name: str) -> None:
    assert not TOOLS[name].always & TOOLS[name].maybe
    assert TOOLS[name].always | TOOLS[name].maybe <= {"customer", "order", "method", "cart", "offer"}


@each_tool
def test_a_description_says_when_to_use_the_tool_and_names_no_policy(name: str) -> None:
    text = TOOLS[name].description
    assert 60 < len(text) < 420
    assert not any(char.isdigit() for char in text)


@each_tool
def test_results_never_have_cost_or_more_of_a_payment_method_than_last4(name: str) -> None:
    paths = TOOLS[name].surface.results
    words = {path.rsplit(".", 1)[-1] for path in paths}
    assert paths
    assert not words & {"cost", "margin_percent", "number", "card", "expiry", "code_hash", "salt"}


@each_tool
def test_arguments_are_frozen_and_strict(name: str) -> None:
    assert TOOLS[name].args.model_config.get("frozen") is True
    assert TOOLS[name].args.model_config.get("strict") is True


def test_surfaces_can_be_compared_and_carry_every_argument_as_a_typed_fact() -> None:
    surface = TOOLS["issue_refund"].surface
    assert {field.name for field in fields(surface)} >= {"args", "results", "always", "maybe"}
    kinds = {name: str(kind) for name, kind in surface.args.fields.items()}
    assert kinds == {
        "order_id": "string", "lines": "list of record", "amount": "money", "reason": "string", "method": "string",
    }  # fmt: skip
    assert surface.args.fields["amount"].optional
    assert not surface.args.fields["order_id"].optional
