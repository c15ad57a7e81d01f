"""A small shop in memory for the tools' tests: tables of plain fields, and the record one subject may see of them."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from tillgate.guards.errors import Stale
from tillgate.guards.model import Assurance, Json, Plan
from tillgate.guards.money import Currency, currency
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.model import (
    Address,
    Amendment,
    Cart,
    CartLine,
    Customer,
    Offer,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
    Product,
    Refund,
    Shipment,
    Variant,
)
from tillgate.tools.commerce.record import Challenge, Conversation, PastCall, RequestView

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOME = Address("1 Main St", None, "Denver", "CO", "80279", "US")
ANAS = Conversation("conv_1", "cus_1", True, 0, Assurance.AUTHENTICATED)
Tables = Mapping[str, Mapping[str, Json]]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def variant(variant_id: str, *, price: int = 4800, stock: int = 5, title: str = "T-Shirt") -> Variant:
    return Variant(variant_id, "p_1", title, {"size": variant_id[-1].upper()}, price, 2000, stock, 3)


def offer(code: str, **fields: Any) -> Offer:
    plain = Offer(code, "percent", 1000, 0, None, None, False, None, (), 7)
    return replace(plain, **fields)


def method(
    method_id: str, kind: Any = "card", *, balance: int | None = None, customer_id: str = "cus_1"
) -> PaymentMethod:
    last4 = "4242" if kind == "card" else None
    return PaymentMethod(method_id, customer_id, kind, "visa" if last4 else None, last4, balance, 0, 0, 1)


def customer(customer_id: str = "cus_1", *methods: PaymentMethod, **fields: Any) -> Customer:
    plain = Customer(
        id=customer_id,
        email=f"{customer_id}@example.com",
        first_name="Ana",
        last_name="Diaz",
        phone="+15550100",
        created_at=NOW - timedelta(days=400),
        address=HOME,
        address_changed_at=None,
        tags=(),
        payment_methods=methods,
        version=11,
        email_changed_at=None,
        orders=3,
        refunds_30d=0,
        refunded_30d=0,
        returned_orders=0,
        disputes=0,
    )
    return replace(plain, **fields)


def order(order_id: str = "ord_1", **fields: Any) -> Order:
    """Two shirts at 48.00 and a cap at 9.50, 105.50 paid with the card `pm_1`, delivered three days ago."""
    plain = Order(
        id=order_id,
        customer_id="cus_1",
        placed_at=NOW - timedelta(days=9),
        status="delivered",
        delivered_at=NOW - timedelta(days=3),
        disputed=False,
        shipping_address=HOME,
        lines=(
            OrderLine(f"{order_id}-1", "v_s", "p_1", "T-Shirt", {"size": "S"}, 2, 4800, 0),
            OrderLine(f"{order_id}-2", "v_c", "p_2", "Cap", {}, 1, 950, 0),
        ),
        payments=(Payment("pay_1", "pm_1", "card", "4242", 10550),),
        refunds=(),
        shipments=(Shipment("shp_1", "TRACK1", (f"{order_id}-1",)),),
        amendments=(),
        note=None,
        version=5,
        address_refunds_30d=0,
    )
    return replace(plain, **fields)


def pending(order_id: str = "ord_2", **fields: Any) -> Order:
    """The same order before it was sent."""
    return order(order_id, **{"status": "pending", "delivered_at": None, "shipments": (), **fields})


class World(Struct, frozen=True):
    """Everything on file, and who is looking. `applied` gives the world after a plan; nothing changes in place."""

    subject: str | None = "cus_1"
    now: datetime = NOW
    currency: Currency = field(default_factory=lambda: currency("USD"))
    conversation: Conversation = ANAS
    customers: tuple[Customer, ...] = ()
    placed: tuple[Order, ...] = ()
    carts: tuple[Cart, ...] = ()
    catalogue: tuple[Product, ...] = ()
    on_offer: tuple[Offer, ...] = ()
    other_uses: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    challenges: tuple[Challenge, ...] = ()
    requests: tuple[RequestView, ...] = ()
    past: tuple[PastCall, ...] = ()
    made: Tables = field(default_factory=lambda: MappingProxyType({}))
    gate: Tables = field(default_factory=lambda: MappingProxyType({}))

    def customer(self) -> Customer | None:
        return next((each for each in self.customers if each.id == self.subject), None)

    def identify(
        self, *, email: str | None, first_name: str | None, last_name: str | None, postal_code: str | None
    ) -> str | None:
        if email is not None:
            found = [each for each in self.customers if each.email.lower() == email.strip().lower()]
        else:
            key = (first_name, last_name, postal_code)
            found = [c for c in self.customers if (c.first_name, c.last_name, c.address.postal_code) == key]
        return found[0].id if len(found) == 1 else None

    def order(self, order_id: str) -> Order | None:
        own = (each for each in self.placed if each.customer_id == self.subject)
        return next((each for each in own if each.id == order_id), None)

    def orders(self, *, status: OrderStatus | None, limit: int) -> Sequence[Order]:
        own = [each for each in self.placed if each.customer_id == self.subject and status in (None, each.status)]
        return sorted(own, key=lambda each: each.placed_at, reverse=True)[:limit]

    def cart(self, cart_id: str) -> Cart | None:
        return next((c for c in self.carts if c.id == cart_id and c.customer_id == self.subject), None)

    def search(
        self, *, query: str | None, category: str | None, max_price: int | None, in_stock: bool | None, limit: int
    ) -> Sequence[Product]:
        found = [
            replace(product, variants=fitting)
            for product in self.catalogue
            if category in (None, product.category) and (query or "").lower() in product.title.lower()
            if (fitting := tuple(each for each in product.variants if max_price is None or each.price <= max_price))
        ]
        return found[:limit]

    def product(self, product_id: str) -> Product | None:
        return next((each for each in self.catalogue if each.id == product_id), None)

    def variants(self, ids: Sequence[str]) -> Mapping[str, Variant]:
        return {each.id: each for product in self.catalogue for each in product.variants if each.id in ids}

    def offer(self, code: str) -> Offer | None:
        return next((each for each in self.on_offer if each.code == code), None)

    def offers(self) -> Sequence[Offer]:
        return sorted(self.on_offer, key=lambda each: each.code)

    def offer_uses(self, code: str, *, besides_cart: str | None) -> int:
        return self.other_uses.get(code, 0)

    def transfers(self, method_id: str) -> frozenset[str]:
        rows = self.tables().items()
        return frozenset(key for key, row in rows if key.startswith("transfer:") and row.get("method_id") == method_id)

    def new_id(self, kind: str) -> str:
        return f"{kind}_{hashlib.sha256(self.conversation.key.encode()).hexdigest()[:8]}"

    def challenge(self, challenge_id: str) -> Challenge | None:
        return next((each for each in self.challenges if each.id == challenge_id), None)

    def request(self, handle: str) -> RequestView | None:
        return next((each for each in self.requests if each.handle == handle), None)

    def past_call(self, call_id: str) -> PastCall | None:
        return next((each for each in self.past if each.call_id == call_id), None)

    def entity(self, entity: str) -> Mapping[str, Json] | None:
        return self.tables().get(entity)

    def version(self, entity: str) -> int | None:
        kind, _, key = entity.partition(":")
        if kind == "variant":
            return next((each.version for each in self.variants([key]).values()), None)
        if kind == "offer":
            return next((each.version for each in self.on_offer if each.code == key), None)
        roots: Mapping[str, Sequence[Any]] = {"order": self.placed, "cart": self.carts, "customer": self.customers}
        return next((each.version for each in roots[kind] if each.id == key), None)

    def tables(self) -> dict[str, dict[str, Json]]:
        """Every record as plain fields, the way a plan's changes speak of them."""
        rows: dict[str, dict[str, Json]] = {key: dict(fields) for key, fields in self.gate.items()}
        for person in self.customers:
            rows |= _customer_rows(person)
        for placed in self.placed:
            rows |= _order_rows(placed)
        for cart in self.carts:
            rows |= _cart_rows(cart)
            rows[f"cart:{cart.id}"] |= self.made.get(cart.id, {})
        return rows

    def applied(self, plan: Plan) -> "World":
        """The world after the plan. Raises Stale when a `before` or a version of its basis does not hold."""
        rows = self.tables()
        for root, version in plan.basis:
            if self.version(root) != version:
                raise Stale(root)
        for change in plan.changes:
            row = rows.setdefault(change.entity, {})
            if row.get(change.field) != change.before:
                raise Stale(f"{change.entity}.{change.field}")
            row[change.field] = change.after
        kept = {key: row for key, row in rows.items() if row.get("id", key) is not None}
        return self._from(kept, frozenset(root for root, _ in plan.basis))

    def _from(self, rows: Tables, moved: frozenset[str]) -> "World":
        carts = {each.id: each for each in self.carts}
        for key, row in rows.items():
            if key.startswith("cart:") and row["id"] not in carts:
                carts[row["id"]] = Cart(row["id"], row.get("customer_id"), (), (), 0)
        before = self.tables()
        return replace(
            self,
            customers=tuple(_customer(each, rows, before, moved) for each in self.customers),
            catalogue=tuple(_restocked(each, rows, before) for each in self.catalogue),
            placed=tuple(_order(each, rows, moved) for each in self.placed),
            carts=tuple(self._cart(each, rows, moved) for each in carts.values() if f"cart:{each.id}" in rows),
            made={row["id"]: row for key, row in rows.items() if key.startswith("cart:")},
            gate=MappingProxyType(
                {
                    key: row
                    for key, row in rows.items()
                    if key in self.gate or key.startswith(("stock_move:", "amendment:"))
                }
            ),
        )

    def _cart(self, cart: Cart, rows: Tables, moved: frozenset[str]) -> Cart:
        lines = [row for key, row in rows.items() if key.startswith(f"cart_line:{cart.id}/")]
        codes = [row["code"] for key, row in rows.items() if key.startswith(f"cart_offer:{cart.id}/")]
        known = self.variants([row["variant_id"] for row in lines])
        return replace(
            cart,
            lines=tuple(CartLine(known[row["variant_id"]], row["quantity"], row["quoted"]) for row in lines),
            offers=tuple(each for each in self.offers() if each.code in codes),
            version=cart.version + (f"cart:{cart.id}" in moved),
        )


def _customer_rows(person: Customer) -> dict[str, dict[str, Json]]:
    rows: dict[str, dict[str, Json]] = {
        f"customer:{person.id}": {
            "id": person.id,
            "email": person.email,
            "address": asdict(person.address),
            "address_changed_at": person.address_changed_at and stamped(person.address_changed_at),
        }
    }
    return rows | {f"payment_method:{each.id}": _plain(each) for each in person.payment_methods}


def _plain(each: PaymentMethod) -> dict[str, Json]:
    return {"id": each.id, "customer_id": each.customer_id, "kind": each.kind, "brand": each.brand, "last4": each.last4}


def _order_rows(placed: Order) -> dict[str, dict[str, Json]]:
    rows: dict[str, dict[str, Json]] = {
        f"order:{placed.id}": {
            "id": placed.id,
            "status": placed.status,
            "shipping_address": asdict(placed.shipping_address),
        }
    }
    for refund in placed.refunds:
        times = {"created_at": refund.created_at, "settles_at": refund.settles_at}
        stamps = {key: value and stamped(value) for key, value in times.items()}
        ids = {"id": f"refund/{refund.id}", "payment_id": f"payment/{refund.payment_id}", "kind": "refund"}
        rows[f"transfer:refund/{refund.id}"] = {**asdict(refund), "order_id": placed.id, **ids, **stamps}
    for each in placed.payments:
        ids = {"id": f"payment/{each.id}", "kind": "payment", "order_id": placed.id}
        rows[f"transfer:payment/{each.id}"] = {"method_id": each.method_id, "amount": each.amount, **ids}
    for line in placed.lines:
        rows[f"order_line:{line.id}"] = {**asdict(line), "order_id": placed.id}
    return rows


def _cart_rows(cart: Cart) -> dict[str, dict[str, Json]]:
    rows: dict[str, dict[str, Json]] = {f"cart:{cart.id}": {"id": cart.id, "customer_id": cart.customer_id}}
    for line in cart.lines:
        key = f"{cart.id}/{line.variant.id}"
        fields = {
            "cart_id": cart.id, "variant_id": line.variant.id, "quantity": line.quantity, "quoted": line.version
        }  # fmt: skip
        rows[f"cart_line:{key}"] = {"id": key, **fields}
    for each in cart.offers:
        key = f"{cart.id}/{each.code}"
        rows[f"cart_offer:{key}"] = {"id": key, "cart_id": cart.id, "code": each.code}
    return rows


def _customer(person: Customer, rows: Tables, before: Tables, moved: frozenset[str]) -> Customer:
    row = rows[f"customer:{person.id}"]
    opened = [
        method(each["id"], each["kind"], balance=0, customer_id=person.id)
        for key, each in rows.items()
        if key.startswith("payment_method:") and key not in before and each["customer_id"] == person.id
    ]
    kept = [each for each in person.payment_methods if f"payment_method:{each.id}" in rows]
    return replace(
        person,
        address=Address(**row["address"]),
        address_changed_at=moment(row["address_changed_at"]),
        payment_methods=tuple(
            each
            if each.balance is None
            else replace(each, balance=each.balance + _moved_to(each.id, rows) - _moved_to(each.id, before))
            for each in (*kept, *opened)
        ),
        version=person.version + (f"customer:{person.id}" in moved),
    )


def _moved_to(method_id: str, rows: Tables) -> int:
    """What the ledger has brought to a gift card or credit, less what it paid."""
    found = [each for key, each in rows.items() if key.startswith("transfer:") and each["method_id"] == method_id]
    amounts: list[int] = [-each["amount"] for each in found if each["kind"] == "payment"]
    amounts += [each["amount"] for each in found if each["kind"] == "refund" and each.get("settles_at")]
    return sum(amounts)


def _restocked(product: Product, rows: Tables, before: Tables) -> Product:
    def freed(variant_id: str, tables: Tables) -> int:
        moves = (each for key, each in tables.items() if key.startswith("stock_move:"))
        return sum(each["quantity"] for each in moves if each["variant_id"] == variant_id)

    return replace(
        product,
        variants=tuple(
            replace(each, stock=each.stock + freed(each.id, rows) - freed(each.id, before)) for each in product.variants
        ),
    )


def _order(placed: Order, rows: Tables, moved: frozenset[str]) -> Order:
    row = rows[f"order:{placed.id}"]
    refunds = [r for key, r in rows.items() if key.startswith("transfer:refund/") and r["order_id"] == placed.id]
    amended = [r for key, r in rows.items() if key.startswith("amendment:") and r["order_id"] == placed.id]
    return replace(
        placed,
        status=row["status"],
        shipping_address=Address(**row["shipping_address"]),
        refunds=tuple(_refund(each) for each in refunds),
        amendments=tuple(_amendment(each) for each in amended),
        version=placed.version + (f"order:{placed.id}" in moved),
    )


def _refund(row: Mapping[str, Json]) -> Refund:
    return Refund(
        id=row["id"].partition("/")[2],
        payment_id=row["payment_id"].partition("/")[2],
        method_id=row["method_id"],
        amount=row["amount"],
        reason=row["reason"],
        lines=row["lines"],
        cause=row["cause"],
        created_at=moment(row["created_at"]),
        settles_at=moment(row.get("settles_at")),
    )


def _amendment(row: Mapping[str, Json]) -> Amendment:
    made = moment(row["created_at"])
    assert made is not None
    return Amendment(row["id"], row["kind"], row["lines"], made)
