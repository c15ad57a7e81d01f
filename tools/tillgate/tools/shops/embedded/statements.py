"""The shop's read statements; each names its `:shop`, and what belongs to a customer is narrowed to `:customer`.

Columns are named in the order of the noun they become. What hangs on a record comes with it as JSON, a list of lists,
so that one statement answers for a whole order or cart; only `_listed` knows what the database calls these functions.
"""

from collections.abc import Mapping

from tillgate.tools.shops.embedded.triggers import BALANCE


def _listed(columns: str, source: str) -> str:
    """The rows of a source as one JSON list of their columns, in the order of the source."""
    return f"(SELECT json_group_array(json_array({columns})) FROM ({source}))"  # noqa: S608


_VISIBLE_CART = "shop = :shop AND (customer_id = :customer OR (customer_id IS NULL AND conversation = :conversation))"
_OWN_ORDERS = "(SELECT id FROM orders WHERE shop = :shop AND customer_id = :customer)"
_OWN_CARTS = f"(SELECT id FROM cart WHERE {_VISIBLE_CART})"  # noqa: S608
_LISTED = "(SELECT value FROM json_each(:ids))"
_VARIANT = "v.id, p.id AS product_id, p.title, v.options, v.price, v.cost, v.stock, v.version"
_OF_PRODUCT = "p.shop = v.shop AND p.id = v.product_id"
_REFUNDS = "t.kind = 'refund' AND t.cause IN ('refund', 'cancellation', 'return')"
_RECENT = f"FROM transfer t WHERE t.shop = m.shop AND t.method_id = m.id AND {_REFUNDS} AND t.created_at >= :since"
_METHODS = _listed(
    "id, customer_id, kind, brand, last4, balance, refunds_30d, refunded_30d, version",
    f"""
    SELECT m.*, (SELECT count(*) {_RECENT}) AS refunds_30d, (SELECT coalesce(sum(amount), 0) {_RECENT}) AS refunded_30d,
      CASE WHEN kind IN ('gift_card', 'store_credit') THEN {BALANCE.format(shop="m.shop", method="m.id")} END AS balance
    FROM payment_method m WHERE shop = :shop AND customer_id = :customer ORDER BY rowid
    """,  # noqa: S608
)

CUSTOMER = f"""
SELECT c.id, c.email, c.first_name, c.last_name, c.phone, c.created_at, c.address, c.address_changed_at, c.tags,
  {_METHODS}, c.version, c.email_changed_at, o.orders, r.refunds_30d, r.refunded_30d, r.returned_orders, o.disputes
FROM customer c,
  (SELECT count(*) AS orders, coalesce(sum(disputed), 0) AS disputes
   FROM orders WHERE shop = :shop AND customer_id = :customer) o,
  (SELECT coalesce(sum(at >= :since), 0) AS refunds_30d,
          coalesce(sum(CASE WHEN at >= :since THEN amount END), 0) AS refunded_30d,
          count(DISTINCT CASE WHEN at >= delivered_at THEN order_id END) AS returned_orders
   FROM (SELECT t.amount, t.order_id, orders.delivered_at,
                coalesce(t.created_at, orders.delivered_at, orders.placed_at) AS at
         FROM orders JOIN transfer t ON t.shop = orders.shop AND t.order_id = orders.id
         WHERE orders.shop = :shop AND orders.customer_id = :customer AND {_REFUNDS})) r
WHERE c.shop = :shop AND c.id = :customer
"""  # noqa: S608
_POSTAL_CODE = "json_extract(address, '$.postal_code')"
_IDENTITY = f"SELECT id, email, first_name, last_name, {_POSTAL_CODE} AS postal_code FROM customer WHERE shop = :shop"  # noqa: S608
BY_EMAIL = f"{_IDENTITY} AND lower(trim(email)) = lower(:email)"
BY_POSTAL_CODE = f"{_IDENTITY} AND lower(trim({_POSTAL_CODE})) = lower(:postal_code)"

_ADDRESS_REFUNDS = f"""
(SELECT count(*) FROM (SELECT shop, id FROM orders WHERE shop = o.shop AND shipping_address = o.shipping_address
                       ORDER BY placed_at DESC LIMIT 200) n JOIN transfer t ON t.shop = n.shop AND t.order_id = n.id
 WHERE {_REFUNDS} AND t.created_at >= :since)
"""  # noqa: S608
_OF_ORDER = "shop = o.shop AND order_id = o.id"
_LINES = _listed(
    "id, variant_id, product_id, title, options, quantity, unit_price, discount",
    f"""
    SELECT l.id, l.variant_id, v.product_id, p.title, v.options, l.quantity, l.unit_price, l.discount
    FROM order_line l
      LEFT JOIN variant v ON v.shop = l.shop AND v.id = l.variant_id LEFT JOIN product p ON {_OF_PRODUCT}
    WHERE l.shop = o.shop AND l.order_id = o.id ORDER BY l.rowid
    """,  # noqa: S608
)
_PAYMENTS = _listed(
    "id, method_id, kind, last4, amount",
    """
    SELECT t.id, t.method_id, m.kind, m.last4, t.amount
    FROM transfer t JOIN payment_method m ON m.shop = t.shop AND m.id = t.method_id
    WHERE t.shop = o.shop AND t.order_id = o.id AND t.kind = 'payment' ORDER BY t.rowid
    """,
)
_MADE_REFUNDS = _listed(
    "id, payment_id, method_id, amount, reason, lines, cause, created_at, settles_at",
    f"SELECT * FROM transfer WHERE {_OF_ORDER} AND kind = 'refund' ORDER BY rowid",  # noqa: S608
)
_SHIPMENTS = _listed("id, tracking, line_ids", f"SELECT * FROM shipment WHERE {_OF_ORDER} ORDER BY rowid")  # noqa: S608
_AMENDMENTS = _listed("id, kind, lines, created_at", f"SELECT * FROM amendment WHERE {_OF_ORDER} ORDER BY rowid")  # noqa: S608
_ORDER = (
    "o.id, o.customer_id, o.placed_at, o.status, o.delivered_at, o.disputed, o.shipping_address, "
    f"{_LINES}, {_PAYMENTS}, {_MADE_REFUNDS}, {_SHIPMENTS}, {_AMENDMENTS}, o.note, o.version"
)
ORDER = f"""
SELECT {_ORDER}, {_ADDRESS_REFUNDS} FROM orders o WHERE o.shop = :shop AND o.id = :id AND o.customer_id = :customer
"""  # noqa: S608
"""One order. Refunds of the last 30 days are counted over the 200 newest orders of anybody to its address."""
ORDERS = f"""
SELECT {_ORDER}, 0 FROM orders o
WHERE shop = :shop AND customer_id = :customer AND (:status IS NULL OR status = :status)
ORDER BY placed_at DESC, id DESC LIMIT :limit
"""  # noqa: S608

_OFFER = "id, kind, value, minimum, starts_at, ends_at, stackable, max_uses_per_customer, tags, version"
_CART_LINES = _listed(
    "id, product_id, title, options, price, cost, stock, version, quantity, quoted",
    f"""
    SELECT {_VARIANT}, l.quantity, l.quoted
    FROM cart_line l JOIN variant v ON v.shop = l.shop AND v.id = l.variant_id JOIN product p ON {_OF_PRODUCT}
    WHERE l.shop = cart.shop AND l.cart_id = cart.id ORDER BY l.id
    """,  # noqa: S608
)
_CART_OFFERS = _listed(
    _OFFER,
    """
    SELECT o.* FROM cart_offer c JOIN offer o ON o.shop = c.shop AND o.id = c.code
    WHERE c.shop = cart.shop AND c.cart_id = cart.id ORDER BY o.id
    """,
)
CART = f"SELECT id, customer_id, {_CART_LINES}, {_CART_OFFERS}, version FROM cart WHERE id = :id AND {_VISIBLE_CART}"  # noqa: S608

_MATCHING = """
WHERE v.shop = :shop AND (:category IS NULL OR p.category = :category COLLATE NOCASE)
  AND (:max_price IS NULL OR v.price <= :max_price)
  AND (:in_stock IS NULL OR (v.stock > 0) = :in_stock)
  AND NOT EXISTS (SELECT 1 FROM json_each(:patterns) WHERE NOT v.words LIKE value ESCAPE '\\')
"""
_FOUND = f"SELECT {_VARIANT}, p.category"
_PRODUCT = f"CROSS JOIN product p ON {_OF_PRODUCT}"
SEARCH: Mapping[str, str] = {
    "words": f"{_FOUND} FROM variant_words f CROSS JOIN variant v ON v.shop = :shop AND v.place = f.rowid {_PRODUCT}"
    f" {_MATCHING} AND variant_words MATCH :match ORDER BY f.rowid",
    "category": f"{_FOUND} FROM product p CROSS JOIN variant v ON v.shop = p.shop AND v.product_id = p.id"
    f" {_MATCHING} AND p.shop = :shop AND p.category = :category COLLATE NOCASE ORDER BY v.place",
    "price": f"{_FOUND} FROM variant v INDEXED BY variant_price {_PRODUCT}"
    f" {_MATCHING} AND v.price <= :max_price ORDER BY v.place",
    "all": f"{_FOUND} FROM variant v INDEXED BY variant_place {_PRODUCT} {_MATCHING} ORDER BY v.place",
}
"""The same search by what narrows it most; `words` and `all` come in order without sorting, so they can stop early."""
_CATEGORY = "SELECT 1 FROM product WHERE shop = :shop AND category = :category COLLATE NOCASE"
FEW: Mapping[str, str] = {
    "category": f"SELECT count(*) FROM ({_CATEGORY} LIMIT :few)",  # noqa: S608
    "price": "SELECT count(*) FROM (SELECT 1 FROM variant WHERE shop = :shop AND price <= :max_price LIMIT :few)",
}
"""How many there are, counted no further than `:few`."""
PRODUCT = f"""
{_FOUND} FROM product p LEFT JOIN variant v ON v.shop = p.shop AND v.product_id = p.id
WHERE p.shop = :shop AND p.id = :id ORDER BY v.place
"""
VARIANTS = (
    f"SELECT {_VARIANT} FROM variant v JOIN product p ON {_OF_PRODUCT} WHERE v.shop = :shop AND v.id IN {_LISTED}"  # noqa: S608
)

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
