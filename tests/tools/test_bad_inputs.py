"""What a model may send by mistake or on purpose: refused at parsing, with field and reason, never with the value.

The numbers are those of the list of bad inputs the design was made against.
"""

import time

import pytest
from tools.calls import TOOLS, errors, parsed

from tillgate.guards.model import Json
from tillgate.tools.arguments import Amount, Args

REFUND: dict[str, Json] = {"order_id": "ord_1", "reason": "broken"}
EDIT: dict[str, Json] = {"cart_id": "cart_1", "lines": [{"variant_id": "v_s", "quantity": 1}]}
ADDRESS: dict[str, Json] = {
    "line1": "1 Main St",
    "city": "Denver",
    "region": "CO",
    "postal_code": "80279",
    "country": "US",
}


def _refused(name: str, arguments: dict[str, Json], exponent: int = 2) -> list[str]:
    found = TOOLS[name].parse(arguments, exponent)
    assert not isinstance(found, Args), f"accepted: {arguments}"
    return [error.code for error in found]


def test_02_27_an_argument_nobody_declared_is_refused_by_name() -> None:
    for extra in ("is_admin", "customer_id", "price", "approved"):
        (error,) = errors("issue_refund", **REFUND, **{extra: "cus_2"})
        assert (error.field, error.code) == (extra, "unknown_argument")
    (nested,) = errors("edit_cart", lines=[{"variant_id": "v_s", "quantity": 1, "unit_price": "0.01"}])
    assert nested.field == "lines.0.unit_price"


@pytest.mark.parametrize("quantity", ["5", True, 5.0, 5.5, None, [5], {"n": 5}, float("nan"), float("inf")])
def test_03_a_quantity_is_a_whole_number_and_nothing_like_it(quantity: Json) -> None:
    _refused("edit_cart", {"lines": [{"variant_id": "v_s", "quantity": quantity}]})


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), -float("inf"), 1.0])
def test_04_a_number_that_is_not_whole_is_refused_where_none_would_be_allowed(limit: float) -> None:
    assert _refused("list_orders", {"limit": limit}) == ["not_whole"]


@pytest.mark.parametrize(
    "amount",
    [
        "NaN", "inf", "1e400", "1E+30", "1_000", " 5 ", "5 ", "-0", "-5.00", "+5", "", ".5", "5.", "05.00", "$5",
        "5,00", "\u0661\u0662\u0663", "\uff15.00", "1\n", "5.00\n", "0", "0.00", "0x10", "10000000000", "9" * 41,
        5, 5.0, True, ["5.00"], {"minor": 500},
    ],
)  # fmt: skip
def test_05_06_07_08_22_money_is_a_plain_positive_decimal_string(amount: Json) -> None:
    assert _refused("issue_refund", {**REFUND, "amount": amount})


@pytest.mark.parametrize("number", [10**40, 2**63, 2**53, -(2**53), 10**5000], ids=lambda _: "huge")
def test_08_09_a_huge_number_is_refused_quickly_and_without_a_crash(number: int) -> None:
    started = time.perf_counter()
    assert _refused("list_orders", {"limit": number}) == ["too_large"]
    assert time.perf_counter() - started < 0.05


@pytest.mark.parametrize(("amount", "exponent"), [("5.001", 2), ("5.0", 0), ("5.0001", 3)])
def test_10_more_digits_than_the_currency_has_are_refused(amount: str, exponent: int) -> None:
    assert _refused("issue_refund", {**REFUND, "amount": amount}, exponent) == ["money_digits"]


@pytest.mark.parametrize(
    ("text", "exponent", "minor"), [("5", 2, 500), ("5.5", 2, 550), ("48.00", 2, 4800), ("5", 0, 5), ("5.125", 3, 5125)]
)
def test_10_money_is_read_exactly_into_minor_units(text: str, exponent: int, minor: int) -> None:
    args = TOOLS["issue_refund"].parse({**REFUND, "amount": text}, exponent)
    assert isinstance(args, Args)
    assert args.facts()["amount"] == minor
    assert args.as_json()["amount"] == text


@pytest.mark.parametrize("quantity", [-1, 1000, 10**9])
def test_16_quantities_have_a_floor_and_a_cap(quantity: int) -> None:
    _refused("edit_cart", {"lines": [{"variant_id": "v_s", "quantity": quantity}]})
    _refused("issue_refund", {**REFUND, "lines": [{"line_id": "l", "quantity": quantity}]})


def test_16_zero_removes_from_a_cart_but_cannot_be_refunded() -> None:
    assert parsed("edit_cart", lines=[{"variant_id": "v_s", "quantity": 0}])
    _refused("issue_refund", {**REFUND, "lines": [{"line_id": "l", "quantity": 0}]})


def test_16_lists_are_neither_empty_nor_endless_nor_double() -> None:
    lines: list[Json] = [{"variant_id": f"v_{number}", "quantity": 1} for number in range(51)]
    for bad in ([], lines, [*lines[:3], lines[0]]):
        _refused("edit_cart", {"lines": bad})
    assert parsed("edit_cart", lines=lines[:50])
    twice: list[Json] = [{"line_id": "l", "quantity": 1}, {"line_id": "l", "quantity": 1}]
    for name in ("issue_refund", "quote_refund"):
        extra = REFUND if name == "issue_refund" else {"order_id": "ord_1"}
        assert _refused(name, {**extra, "lines": twice}) == ["duplicate"]


@pytest.mark.parametrize(
    "order_id",
    [
        "\u043erd_1",  # 17: Cyrillic o
        "ord\u200b_1", "\u202eord_1", "ord_1\u202c",  # 18
        "ord\uff3f1",  # 19
        "ord_1\x00", "a\x00b",  # 20
        "\ud800", "ord_\udfff",  # 21
        "ord_1\n", "ord_1 ", " ord_1", "\tord_1",  # 22
        "", "a" * 65, "../ord_1", "ord_1'; DROP TABLE orders;--", 1, None, ["ord_1"], {"id": "ord_1"},
    ],
)  # fmt: skip
def test_17_to_22_an_id_is_plain_ascii_exactly_as_a_tool_gave_it(order_id: Json) -> None:
    _refused("get_order", {"order_id": order_id})
    _refused("issue_refund", {**REFUND, "order_id": order_id})


@pytest.mark.parametrize(
    "line",
    [
        "1 Main\u202e St",
        "1 Main\x00",
        "\ud800",
        "1\nMain",
        "   ",
        "",
        "x" * 201,
        "e" + "\u0301" * 9,
        "\u200b",
        "\U000e0041bc",
    ],
)
def test_18_20_21_an_address_line_with_what_nobody_sees_is_refused(line: str) -> None:
    _refused("update_address", {"address": {**ADDRESS, "line1": line}})


def test_18_free_text_is_cleaned_and_kept() -> None:
    args = parsed("issue_refund", order_id="ord_1", reason="too\u202e small\u200b\nreally")
    assert args.as_json()["reason"] == "too small really"


@pytest.mark.parametrize(
    "change",
    [{"country": "us"}, {"country": "XX"}, {"country": "USA"}, {"country": "\uff35\uff33"}, {"postal_code": "80279\n"},
     {"postal_code": "\u0661\u0662"}, {"postal_code": "x" * 13}, {"city": 5}, {"planet": "Earth"}],
)  # fmt: skip
def test_an_address_is_checked_field_by_field(change: dict[str, Json]) -> None:
    for error in errors("update_address", address={**ADDRESS, **change}):
        assert error.field == f"address.{next(iter(change))}"


@pytest.mark.parametrize(
    "lines", ['[{"variant_id": "v_s", "quantity": 1}]', '["x"]', {"variant_id": "v_s", "quantity": 1}]
)
def test_25_a_list_is_a_list_and_not_a_text_of_one(lines: Json) -> None:
    _refused("edit_cart", {"lines": lines})


def test_23_24_oversize_text_and_endless_nesting_are_refused() -> None:
    assert _refused("issue_refund", {**REFUND, "reason": "x" * 1_000_000})
    deep: Json = "x"
    for _ in range(500):
        deep = [deep]
    assert _refused("issue_refund", {**REFUND, "lines": deep}) == ["too_deep"]


@pytest.mark.parametrize(
    "code", ["12345", "123456789", "\u0661\u0662\u0663\u0664\u0665\u0666", "12345a", "123456\n", 123456]
)
def test_a_code_is_six_to_eight_ascii_digits(code: Json) -> None:
    _refused("verify_identity", {"challenge_id": "chl_1", "code": code})


@pytest.mark.parametrize("arguments", [{"code": "123456"}, {"challenge_id": "chl_1"}])
def test_a_challenge_and_its_code_come_together(arguments: dict[str, Json]) -> None:
    assert _refused("verify_identity", arguments) == ["verification"]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"first_name": "Ana"}, {"first_name": "Ana", "last_name": "Diaz"}, {"email": "a@b.c", "postal_code": "80279"},
     {"email": "a@b.c", "first_name": "A", "last_name": "D", "postal_code": "1"}],
)  # fmt: skip
def test_a_customer_is_named_in_exactly_one_of_two_ways(arguments: dict[str, Json]) -> None:
    assert _refused("identify_customer", arguments) == ["identity"]


@pytest.mark.parametrize("email", ["no-at", "a@b@c", "@b.c", "a b@c.d", "a@b.c\n", "a@" + "b" * 253])
def test_an_email_address_looks_like_one(email: str) -> None:
    _refused("identify_customer", {"email": email})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_order", {"order_id": "SECRET VALUE"}),
        ("issue_refund", {"order_id": "ord_1", "reason": "r", "amount": "SECRET VALUE"}),
        ("issue_refund", {"order_id": "ord_1", "reason": "r", "intent": "SECRET VALUE"}),
        ("cancel_order", {"order_id": "ord_1", "reason": "SECRET VALUE"}),
        ("edit_cart", {"lines": [{"variant_id": "v", "quantity": "SECRET VALUE"}]}),
        ("edit_cart", {"lines": "SECRET VALUE"}),
        ("identify_customer", {"email": "SECRET VALUE"}),
        ("identify_customer", {"first_name": "SECRET VALUE"}),
        ("verify_identity", {"challenge_id": "chl_1", "code": "SECRET VALUE"}),
        ("update_address", {"address": {**ADDRESS, "country": "SECRET VALUE"}}),
        ("update_address", {"address": {**ADDRESS, "line1": "SECRET VALUE\u202e"}}),
        ("get_customer", {"customer_id": "SECRET VALUE"}),
        ("list_orders", {"limit": "SECRET VALUE"}),
        ("list_orders", {"status": "SECRET VALUE"}),
    ],
)
def test_an_error_names_the_field_and_never_the_value(name: str, arguments: dict[str, Json]) -> None:
    found = errors(name, **arguments)
    assert found
    assert all("SECRET" not in f"{error.field} {error.code} {error.message}" for error in found)
    assert all(error.message for error in found)


def test_a_hostile_argument_name_is_cut_and_cleaned() -> None:
    (error,) = errors("get_cart", cart_id="cart_1", **{"x\u202e\n\x1b[2J" + "y" * 500: 1})
    assert error.code == "unknown_argument"
    assert error.field.isprintable()
    assert len(error.field) <= 64


def test_a_broken_argument_name_is_refused_without_a_crash() -> None:
    assert _refused("get_cart", {"cart_id": "cart_1", "\ud800": 1}) == ["unknown_argument"]


def test_every_error_is_named_at_once() -> None:
    fields = {error.field for error in errors("update_address", order_id="\u043e", address={**ADDRESS, "city": ""})}
    assert fields == {"order_id", "address.city"}


def test_the_gates_arguments_reach_no_tool() -> None:
    args = parsed("get_order", order_id="ord_1")
    assert args.gate("idempotency_key") is None
    change = parsed("edit_cart", **EDIT, idempotency_key="k-1", customer_request="one shirt", intent="cart")
    assert change.gate("idempotency_key") == "k-1"
    assert change.gate("lines") is None
    assert set(change.as_json()) == set(change.facts()) == {"cart_id", "lines"}


def test_personal_arguments_are_named() -> None:
    assert parsed("identify_customer", email="a@b.c").personal() >= {"email", "first_name", "last_name", "postal_code"}
    assert parsed("update_address", address=ADDRESS).personal() == {"address"}
    assert parsed("verify_identity").personal() == {"code"}


def test_parsed_arguments_cannot_be_changed_after_the_guard_saw_them() -> None:
    args = parsed("edit_cart", **EDIT)
    with pytest.raises(ValueError, match="frozen"):
        args.cart_id = "cart_2"  # type: ignore[attr-defined]
    assert isinstance(args.lines, tuple)  # type: ignore[attr-defined]
    assert isinstance(Amount(1, "0.01"), Amount)
