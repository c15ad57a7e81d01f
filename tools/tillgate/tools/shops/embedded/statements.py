"""The shop's read statements; each names its `:shop`, and what belongs to a customer is narrowed to `:customer`.

Columns are named in the order of the noun they become. What hangs on a record comes with it as JSON, a list of lists,
so that one statement answers for a whole order or cart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tillgate.tools.shops.embedded.dialect import POSTGRESQL, SQLITE, Dialect

BALANCE = """(
  SELECT coalesce(sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END), 0)
  FROM transfer WHERE shop = {shop} AND method_id = {method} AND (kind != 'refund' OR settles_at IS NOT NULL))"""
"""What is on a gift card or store credit: everything that came in, without what waits for goods, less what went."""
_VISIBLE_CART = "shop = :shop AND (customer_id = :customer OR (customer_id IS NULL AND conversation = :conversation))"
_OWN_ORDERS = "(SELECT id FROM orders WHERE shop = :shop AND customer_id = :customer)"
_OWN_CARTS = """(
  SELECT id FROM cart WHERE shop = :shop AND customer_id = :customer UNION ALL
  SELECT id FROM cart WHERE shop = :shop AND conversation = :conversation AND customer_id IS NULL)"""
_VARIANT = "v.id, p.id AS product_id, p.title, v.options, v.price, v.cost, v.stock, v.version"
_OF_PRODUCT = "p.shop = v.shop AND p.id = v.product_id"
_OF_ORDER = "shop = o.shop AND order_id = o.id"
_REFUNDS = "t.kind = 'refund' AND (t.cause = 'refund' OR t.cause = 'cancellation' OR t.cause = 'return')"
"""In these words SQLite makes no table of the three for every row it looks at."""
_OFFER = "id, kind, value, minimum, starts_at, ends_at, stackable, max_uses_per_customer, tags, version"

TRANSFERS_OF_METHOD = """
SELECT t.id FROM transfer t JOIN payment_method m ON m.shop = t.shop AND m.id = t.method_id
WHERE t.shop = :shop AND t.method_id = :method AND m.customer_id = :customer
"""
OFFER = f"SELECT {_OFFER} FROM offer WHERE shop = :shop AND id = :id"  # noqa: S608
OFFERS = f"SELECT {_OFFER} FROM offer WHERE shop = :shop ORDER BY id"  # noqa: S608
OFFER_USES = f"""
SELECT count(*) FROM cart_offer
WHERE shop = :shop AND code = :code AND cart_id IN {_OWN_CARTS} AND cart_id IS DISTINCT FROM :besides
"""  # noqa: S608
_CATEGORY = "SELECT 1 FROM product WHERE shop = :shop AND lower(category) = :category"
_ANY = "SELECT 1 FROM variant WHERE shop = :shop"
_PRICE = "SELECT 1 FROM variant WHERE shop = :shop AND price <= :max_price"
FEW: Mapping[str, str] = {
    "few": f"SELECT count(*) FROM ({_ANY} LIMIT :few) AS few",  # noqa: S608
    "category": f"SELECT count(*) FROM ({_CATEGORY} LIMIT :few) AS few",  # noqa: S608
    "price": f"SELECT count(*) FROM ({_PRICE} LIMIT :few) AS few",  # noqa: S608
}
"""How many there are, counted no further than `:few`."""


def _owned(table: str, whose: str) -> str:
    return f"SELECT 1 FROM {table} WHERE shop = :shop AND id = :id{whose}"  # noqa: S608


OWNED: Mapping[str, str] = {
    "customer": _owned("customer", " AND id = :customer"),
    "payment_method": _owned("payment_method", " AND customer_id = :customer"),
    "variant": _owned("variant", ""),
    "offer": _owned("offer", ""),
    "cart": _owned("cart", f" AND {_VISIBLE_CART}"),
    "cart_line": _owned("cart_line", f" AND cart_id IN {_OWN_CARTS}"),
    "cart_offer": _owned("cart_offer", f" AND cart_id IN {_OWN_CARTS}"),
    "order": _owned("orders", " AND customer_id = :customer"),
    "order_line": _owned("order_line", f" AND order_id IN {_OWN_ORDERS}"),
    "transfer": _owned("transfer", f" AND order_id IN {_OWN_ORDERS}"),
    "amendment": _owned("amendment", f" AND order_id IN {_OWN_ORDERS}"),
    "stock_move": _owned("stock_move", f" AND order_id IN {_OWN_ORDERS}"),
    "shipment": _owned("shipment", f" AND order_id IN {_OWN_ORDERS}"),
}
"""One row when the record with `:id` is the subject's own, or public; by kind."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The questions that each database is asked in its own words.

    `order` counts refunds of the last 30 days over the 200 newest orders of anybody to its address. `search` is the
    same search by what narrows it most; `words` and `all` come in order without sorting, so they can stop early. `few`
    finds nothing unless the catalogue is small, and is there where planning a search costs more than to go through one.
    """

    customer: str
    by_email: str
    by_postal_code: str
    order: str
    orders: str
    cart: str
    search: Mapping[str, str]
    product: str
    variants: str


@cache
def statements(dialect: Dialect) -> Statements:
    """The statements for one database."""
    order = _order(dialect)
    found = f"SELECT {_VARIANT}, p.category"
    postal_code = dialect.at("address", "postal_code")
    identity = f"SELECT id, email, first_name, last_name, {postal_code} AS postal_code FROM customer WHERE shop = :shop"  # noqa: S608
    return Statements(
        customer=_customer(dialect),
        by_email=f"{identity} AND lower(trim(email)) = :email",
        by_postal_code=f"{identity} AND lower(trim({postal_code})) = :postal_code",
        order=f"""
        SELECT {order}, {_address_refunds(dialect)} FROM orders o
        WHERE o.shop = :shop AND o.id = :id AND o.customer_id = :customer
        """,  # noqa: S608
        orders=f"""
        SELECT {order}, 0 FROM orders o
        WHERE shop = :shop AND customer_id = :customer AND (CAST(:status AS text) IS NULL OR status = :status)
        ORDER BY placed_at DESC, id DESC LIMIT :limit
        """,  # noqa: S608
        cart=_cart(dialect),
        search=_search(dialect, found),
        product=f"""
        {found} FROM product p LEFT JOIN variant v ON v.shop = p.shop AND v.product_id = p.id
        WHERE p.shop = :shop AND p.id = :id ORDER BY v.place
        """,
        variants=f"""
        SELECT {_VARIANT} FROM variant v JOIN product p ON {_OF_PRODUCT}
        WHERE v.shop = :shop AND v.id IN (SELECT value FROM {dialect.values(":ids")})
        """,  # noqa: S608
    )


def _customer(dialect: Dialect) -> str:
    recent = f"FROM transfer t WHERE t.shop = m.shop AND t.method_id = m.id AND {_REFUNDS} AND t.created_at >= :since"
    balance = BALANCE.format(shop="m.shop", method="m.id")
    methods = dialect.listed(
        "id, customer_id, kind, brand, last4, balance, refunds_30d, refunded_30d, version",
        f"""
        SELECT m.*, (SELECT count(*) {recent}) AS refunds_30d,
          (SELECT coalesce(sum(amount), 0) {recent}) AS refunded_30d,
          CASE WHEN kind IN ('gift_card', 'store_credit') THEN {balance} END AS balance
        FROM payment_method m WHERE shop = :shop AND customer_id = :customer ORDER BY rowid
        """,  # noqa: S608
    )
    return f"""
    SELECT c.id, c.email, c.first_name, c.last_name, c.phone, c.created_at, c.address, c.address_changed_at, c.tags,
      {methods}, c.version, c.email_changed_at, o.orders, r.refunds_30d, r.refunded_30d, r.returned_orders, o.disputes
    FROM customer c, {_past(dialect)} WHERE c.shop = :shop AND c.id = :customer
    """  # noqa: S608


def _past(dialect: Dialect) -> str:
    """What a customer ordered and what went back, each in one row."""
    return f"""
    (SELECT count(*) AS orders, coalesce(sum(disputed), 0) AS disputes
     FROM orders WHERE shop = :shop AND customer_id = :customer) o,
    (SELECT count(CASE WHEN at >= :since THEN 1 END) AS refunds_30d,
            coalesce(sum(CASE WHEN at >= :since THEN amount END), 0) AS refunded_30d,
            count(DISTINCT CASE WHEN at >= delivered_at THEN order_id END) AS returned_orders
     FROM (SELECT t.amount, t.order_id, orders.delivered_at,
                  coalesce(t.created_at, orders.delivered_at, orders.placed_at) AS at
           FROM orders {dialect.then} transfer t ON t.shop = orders.shop AND t.order_id = orders.id
           WHERE orders.shop = :shop AND orders.customer_id = :customer AND {_REFUNDS}) back) r
    """  # noqa: S608


def _order(dialect: Dialect) -> str:
    """The columns of an order with everything that hangs on it."""
    lines = dialect.listed(
        "id, variant_id, product_id, title, options, quantity, unit_price, discount",
        f"""
        SELECT l.id, l.variant_id, v.product_id, p.title, v.options, l.quantity, l.unit_price, l.discount
        FROM order_line l
          LEFT JOIN variant v ON v.shop = l.shop AND v.id = l.variant_id LEFT JOIN product p ON {_OF_PRODUCT}
        WHERE l.shop = o.shop AND l.order_id = o.id ORDER BY l.rowid
        """,  # noqa: S608
    )
    payments = dialect.listed(
        "id, method_id, kind, last4, amount",
        """
        SELECT t.id, t.method_id, m.kind, m.last4, t.amount
        FROM transfer t JOIN payment_method m ON m.shop = t.shop AND m.id = t.method_id
        WHERE t.shop = o.shop AND t.order_id = o.id AND t.kind = 'payment' ORDER BY t.rowid
        """,
    )
    refunds = dialect.listed(
        "id, payment_id, method_id, amount, reason, lines, cause, created_at, settles_at",
        f"SELECT * FROM transfer WHERE {_OF_ORDER} AND kind = 'refund' ORDER BY rowid",  # noqa: S608
    )
    shipment, amendment = (f"SELECT * FROM {table} WHERE {_OF_ORDER} ORDER BY rowid" for table in _PARTS)  # noqa: S608
    shipments = dialect.listed("id, tracking, line_ids", shipment)
    amendments = dialect.listed("id, kind, lines, created_at", amendment)
    return (
        "o.id, o.customer_id, o.placed_at, o.status, o.delivered_at, o.disputed, o.shipping_address, "
        f"{lines}, {payments}, {refunds}, {shipments}, {amendments}, o.note, o.version"
    )


_PARTS = ("shipment", "amendment")


def _address_refunds(dialect: Dialect) -> str:
    same = dialect.same("shipping_address", "o.shipping_address")
    near = f"SELECT shop, id FROM orders WHERE shop = o.shop AND {same} ORDER BY placed_at DESC LIMIT 200"  # noqa: S608
    return f"""
    (SELECT count(*) FROM ({near}) n JOIN transfer t ON t.shop = n.shop AND t.order_id = n.id
     WHERE {_REFUNDS} AND t.created_at >= :since)
    """  # noqa: S608


def _cart(dialect: Dialect) -> str:
    lines = dialect.listed(
        "id, product_id, title, options, price, cost, stock, version, quantity, quoted",
        f"""
        SELECT {_VARIANT}, l.quantity, l.quoted
        FROM cart_line l{dialect.using("cart_line_cart")}
          JOIN variant v ON v.shop = l.shop AND v.id = l.variant_id JOIN product p ON {_OF_PRODUCT}
        WHERE l.shop = cart.shop AND l.cart_id = cart.id ORDER BY l.id
        """,  # noqa: S608
    )
    offers = dialect.listed(
        _OFFER,
        """
        SELECT o.* FROM cart_offer c JOIN offer o ON o.shop = c.shop AND o.id = c.code
        WHERE c.shop = cart.shop AND c.cart_id = cart.id ORDER BY o.id
        """,
    )
    return f"SELECT id, customer_id, {lines}, {offers}, version FROM cart WHERE id = :id AND {_VISIBLE_CART}"  # noqa: S608


def _search(dialect: Dialect, found: str) -> Mapping[str, str]:
    product, price, place = (
        f"{dialect.then} product p ON {_OF_PRODUCT}",
        f"{found} FROM variant v{dialect.using('variant_price')}",
        f"{found} FROM variant v{dialect.using('variant_place')}",
    )
    matching = f"""
    WHERE v.shop = :shop AND (CAST(:category AS text) IS NULL OR lower(p.category) = :category)
      AND (CAST(:max_price AS bigint) IS NULL OR v.price <= :max_price)
      AND (CAST(:in_stock AS bigint) IS NULL OR CASE WHEN v.stock > 0 THEN 1 ELSE 0 END = :in_stock)
      AND NOT EXISTS (SELECT 1 FROM {dialect.values(":patterns")} WHERE NOT v.words LIKE value ESCAPE '\\')
    """  # noqa: S608
    worded = {
        SQLITE: f"{found} FROM variant_words f CROSS JOIN variant v ON v.shop = :shop AND v.place = f.rowid {product}"
        f" {matching} AND variant_words MATCH :match ORDER BY f.rowid",
        POSTGRESQL: f"{place} {product} {matching} AND v.words LIKE :longest ESCAPE '\\' ORDER BY v.place",
    }
    few = {
        SQLITE: {},
        POSTGRESQL: {"few": f"{found} FROM variant v {product} {matching} AND ({FEW['few']}) < :few ORDER BY v.place"},
    }
    return {
        **few[dialect],
        "words": worded[dialect],
        "category": f"{found} FROM product p {dialect.then} variant v ON v.shop = p.shop AND v.product_id = p.id"
        f" {matching} AND p.shop = :shop AND lower(p.category) = :category ORDER BY v.place",
        "price": f"{price} {product} {matching} AND v.price <= :max_price ORDER BY v.place",
        "all": f"{place} {product} {matching} ORDER BY v.place",
    }
