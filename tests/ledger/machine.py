"""Random journeys of all acts that move money or goods, with approvals, undo, retries and crashes, beside the model."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from ledger.model import Model, Movement
from worlds import NOW, SeededMinter, TestClock, customer, policy

from tillgate.guards import review
from tillgate.guards.desk import Received
from tillgate.guards.gate import Gate
from tillgate.guards.outcome import Outcome
from tillgate.server.app import tool_map
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.seed import seed

PRICES = {"v_a": 1001, "v_b": 1307, "v_c": 899}
METHODS = ("card", "paypal", "gift", "credit")
PLACED = {
    "o_p1": ("pending", [("card", 2002)]),
    "o_p2": ("pending", [("gift", 500), ("card", 1502)]),
    "o_d1": ("delivered", [("card", 2002)]),
    "o_d2": ("delivered", [("paypal", 1001), ("gift", 1001)]),
}
POLICY = """
policy: machine
version: 1
currency: USD
rules:
  - {id: all, tools: "*", permit: true}
  - {id: ask, tools: [cancel_order], confirm: agent}
  - {id: large, tools: [issue_refund, exchange_items], when: "impact.amount > money('8.00') || args.order_id == 'o_d2'", escalate: refunds}
context:
  check_request: {anonymous: [status]}
queues: {refunds: {reviewers: [desk]}, support: {reviewers: [desk]}}
"""  # noqa: E501
MONEY = "SELECT coalesce(sum(CASE WHEN target = ? THEN amount ELSE -amount END), 0) FROM transfer"
orders, lines, variants = (
    st.sampled_from(sorted(PLACED)),
    st.sampled_from(["1", "9"]),
    st.sampled_from([*PRICES, "v_x"]),
)
methods = st.sampled_from([*METHODS, "nobodys"])


class Crash(Exception):
    """The process dies before the transaction is on disk."""


class CrashingDesk(SqlDesk):
    """Dies at the last moment: everything is done but the record."""

    def append(self, *_args: Any, **_kwargs: Any) -> None:
        raise Crash


def shop_file() -> dict[str, Any]:
    """One customer with every kind of method, four orders of two units at 10.01."""
    address = {
        "line1": "1 Main St",
        "line2": None,
        "city": "Denver",
        "region": "CO",
        "postal_code": "80279",
        "country": "US",
    }
    kinds = {"card": "card", "paypal": "paypal", "gift": "gift_card", "credit": "store_credit"}
    owned = [
        {"id": key, "kind": kind, "brand": None, "last4": None, "balance": {"gift": "7.00", "credit": "0.00"}.get(key)}
        for key, kind in kinds.items()
    ]
    person = {
        "id": "cus_1", "email": "c@example.com", "first_name": "A", "last_name": "B", "phone": None,
        "created_at": "2025-01-01T00:00:00Z", "address": address, "address_changed_at": None, "tags": [],
        "payment_methods": owned,
    }  # fmt: skip
    sold = [
        {"id": key, "options": {"size": key}, "price": f"{price // 100}.{price % 100:02d}", "cost": None, "stock": 3}
        for key, price in PRICES.items()
    ]
    placed = [
        {
            "id": key, "customer_id": "cus_1", "placed_at": "2026-05-20T00:00:00Z", "status": status,
            "delivered_at": "2026-05-25T00:00:00Z" if status == "delivered" else None, "disputed": False,
            "shipping_address": address,
            "lines": [{"id": f"{key}-1", "variant_id": "v_a", "quantity": 2, "unit_price": "10.01"}],
            "payments": [
                {"id": f"{key}-p{n}", "method_id": method, "amount": f"{amount // 100}.{amount % 100:02d}"}
                for n, (method, amount) in enumerate(paid, start=1)
            ],
            "refunds": [], "shipments": [], "note": None,
        }
        for key, (status, paid) in PLACED.items()
    ]  # fmt: skip
    return {
        "currency": "USD", "customers": [person], "offers": [], "carts": [], "orders": placed,
        "products": [{"id": "p_1", "title": "Shirt", "category": None, "variants": sold}],
    }  # fmt: skip


def fresh_model() -> Model:
    """The model of that shop."""
    payments = {key: {f"{key}-p{n}": a for n, (_, a) in enumerate(paid, 1)} for key, (_, paid) in PLACED.items()}
    paid_by = {f"{key}-p{n}": m for key, (_, paid) in PLACED.items() for n, (m, _) in enumerate(paid, 1)}
    return Model(
        left=payments,
        method_of=paid_by,
        balance={"gift": 700, "credit": 0},
        stock=dict.fromkeys(PRICES, 3),
        price=PRICES,
        line=dict.fromkeys(PLACED, ("v_a", 1001)),
        status={key: status for key, (status, _) in PLACED.items()},
    )


class Counter(RuleBasedStateMachine):
    """The gate and its store on one side, the model on the other."""

    template: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="tillgate-machine-"))
        self.clock, self.minter = TestClock(), SeededMinter()
        self.path = self.folder / "shop.db"
        if Counter.template is not None:
            shutil.copy(Counter.template, self.path)
        self.store = SqliteStore(self.path, self.clock, self.minter)
        if Counter.template is None:
            with self.store.transaction() as desk:
                seed(desk.sql, json.dumps(shop_file()), now=NOW)
        self.gate = Gate(tool_map(), policy(POLICY), self.store, self.minter)
        self.model = fresh_model()
        self.waiting: dict[str, tuple[str, str, list[Any]]] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.store.reading() as desk:
            return [tuple(row) for row in desk.sql.rows(sql, params)]

    def everything(self) -> list[Any]:
        """The whole shop, without how often a record was planned upon."""
        found = [self.rows(f"SELECT * FROM {table} ORDER BY 1") for table in ("order_line", "transfer", "amendment")]
        return [*found, self.rows("SELECT id, stock FROM variant"), self.rows("SELECT id, status FROM orders")]

    def send(self, tool: str, **arguments: Any) -> Outcome:
        before = self.everything()
        outcome = self.gate.handle(Received(tool, arguments, customer()))
        if outcome.confirmation is not None and outcome.confirmation.token is not None:
            arguments["confirmation_token"] = outcome.confirmation.token
            outcome = self.gate.handle(Received(tool, arguments, customer()))
        assert outcome.status != "failed", (tool, arguments)
        if not outcome.executed or outcome.replayed:
            assert self.everything() == before, (tool, outcome.status)
        self.sent.append((tool, {k: v for k, v in arguments.items() if k != "confirmation_token"}))
        return outcome

    def acted(self, outcome: Outcome, what: str, *details: Any) -> None:
        """Let the model do the same, now or when people approve."""
        if outcome.replayed:
            return
        if outcome.status == "completed":
            self.happen(outcome.call_id, what, details)
        elif outcome.status == "escalated" and outcome.escalation is not None:
            self.waiting[outcome.escalation.handle] = (outcome.call_id, what, list(details))

    def happen(self, call: str, what: str, details: Any) -> None:
        self.model.carry_out(call, list(getattr(self, f"do_{what}")(call, *details)))

    def do_refund(self, _call: str, order: str, amount: int, to: str | None) -> list[Movement]:
        return list(self.model.give_back(order, amount, to, now=True))

    def do_return(self, _call: str, order: str, to: str | None) -> list[Movement]:
        return list(self.model.give_back(order, min(self.unit(order), self.model.held(order)), to, now=False))

    def do_cancel(self, call: str, order: str) -> list[Movement]:
        back = list(self.model.give_back(order, self.model.held(order), None, now=True))
        self.model.status[order] = "cancelled"
        self.model.cancels[call] = order
        return [*back, ("stock", self.model.line[order][0], 2)]

    def do_pay(self, call: str, order: str, method: str) -> list[Movement]:
        others = {key: left for key, left in self.model.left[order].items() if self.model.method_of[key] != method}
        back: list[Movement] = []
        for key, left in others.items():
            back.append(("left", f"{order} {key}", -left))
            if self.model.method_of[key] in self.model.balance:
                back.append(("balance", self.model.method_of[key], left))
        return [*self.model.capture(order, call, method, sum(others.values())), *back]

    def do_swap(self, call: str, order: str, variant: str, method: str, free: bool) -> list[Movement]:
        before, _ = self.model.line[order]
        difference = 2 * (PRICES[variant] - PRICES[before])
        self.model.line[order] = (variant, PRICES[variant])
        self.model.swaps[call] = (order, before, variant)
        goods: list[Movement] = [("stock", variant, -2), *([("stock", before, 2)] if free else [])]
        if difference > 0:
            return [*goods, *self.model.capture(order, call, method, difference)]
        back = min(-difference, self.model.held(order))
        return [*goods, *self.model.give_back(order, back, method, now=True)]

    def unit(self, order: str) -> int:
        return self.model.line[order][1]

    @rule(order=orders, minor=st.integers(1, 2500), to=st.none() | methods)
    def refund(self, order: str, minor: int, to: str | None) -> None:
        more = {} if to is None else {"method": to}
        amount = f"{minor // 100}.{minor % 100:02d}"
        outcome = self.send("issue_refund", order_id=order, amount=amount, reason="x", **more)
        self.acted(outcome, "refund", order, minor, to)

    @rule(order=orders, line=lines, to=st.none() | methods)
    def give_one_back(self, order: str, line: str, to: str | None) -> None:
        more = {} if to is None else {"refund_method": to}
        wanted = [{"line_id": f"{order}-{line}", "quantity": 1}]
        self.acted(self.send("return_items", order_id=order, lines=wanted, reason="x", **more), "return", order, to)

    @rule(order=orders)
    def cancel(self, order: str) -> None:
        self.acted(self.send("cancel_order", order_id=order, reason="other"), "cancel", order)

    @rule(order=orders, method=methods)
    def pay_otherwise(self, order: str, method: str) -> None:
        self.acted(self.send("change_payment_method", order_id=order, payment_method_id=method), "pay", order, method)

    @rule(
        tool=st.sampled_from(["exchange_items", "change_order_items"]), order=orders, variant=variants, method=methods
    )
    def swap(self, tool: str, order: str, variant: str, method: str) -> None:
        wanted = [{"line_id": f"{order}-1", "new_variant_id": variant}]
        outcome = self.send(tool, order_id=order, lines=wanted, payment_method_id=method)
        self.acted(outcome, "swap", order, variant, method, tool == "change_order_items")

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), yes=st.booleans())
    def decide(self, data: st.DataObject, yes: bool) -> None:
        handle = data.draw(st.sampled_from(sorted(self.waiting)))
        before = self.everything()
        with self.store.transaction() as desk:
            if yes:
                status = review.approve(self.gate, desk, handle, "rosa", None).status
            else:
                status = review.deny(desk, handle, "rosa", "no").status
        call, what, details = self.waiting[handle]
        if status == "executed":
            self.happen(call, what, details)
        else:
            assert self.everything() == before
        del self.waiting[handle]

    @precondition(lambda self: self.model.acts)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.model.acts)))
        if self.send("undo_action", call_id=call, reason="x").status == "completed":
            self.model.take_back(call)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        tool, arguments = data.draw(st.sampled_from(self.sent[-5:]))
        before = self.everything()
        try:
            with self.store.transaction() as desk:
                dying = CrashingDesk(desk.sql, self.clock.now(), self.minter)
                self.gate.journey(
                    dying, Received(tool, {**arguments, "idempotency_key": "never"}, customer()), "call_dead"
                )
        except Crash:
            self.store.close()
            self.store = SqliteStore(self.path, self.clock, self.minter)
            self.gate = Gate(self.gate.tools, self.gate.policy, self.store, self.minter)
        assert self.everything() == before

    @rule(minutes=st.sampled_from([1, 30, 61, 60 * 25]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        for method, balance in self.model.balance.items():
            found = self.rows(
                "SELECT coalesce(sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END), 0)"
                " FROM transfer WHERE method_id = ? AND (kind != 'refund' OR settles_at IS NOT NULL)",
                method,
            )[0][0]
            assert found == balance >= 0, method
        for order in PLACED:
            account = f"order:{order}"
            held = self.rows(f"{MONEY} WHERE target = ? OR source = ?", account, account, account)[0][0]
            assert held == self.model.held(order) >= 0, order
        assert dict(self.rows("SELECT id, stock FROM variant")) == self.model.stock
        assert dict(self.rows("SELECT id, status FROM orders")) == self.model.status
        swapped = {key: variant for key, (variant, _) in self.model.line.items()}
        assert dict(self.rows("SELECT order_id, variant_id FROM order_line")) == swapped

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert min(self.model.stock.values()) >= 0
        accounts: dict[str, int] = {}
        for source, target, amount in self.rows("SELECT source, target, amount FROM transfer"):
            accounts[source] = accounts.get(source, 0) - amount
            accounts[target] = accounts.get(target, 0) + amount
        assert sum(accounts.values()) == 0
        assert not self.rows(
            "SELECT p.id FROM transfer p WHERE p.kind = 'payment' AND p.amount <"
            " (SELECT coalesce(sum(amount), 0) FROM transfer r WHERE r.payment_id = p.id)"
        )
