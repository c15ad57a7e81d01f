"""The shop's read statements; each narrows what belongs to a customer to `:customer` by itself."""

from collections.abc import Mapping

from tillgate.tools.shops.embedded.triggers import BALANCE

_VISIBLE_CART = "(customer_id = :customer OR (customer_id IS NULL AND conversation = :conversation))"
_OWN_ORDERS = "(SELECT id FROM orders WHERE customer_id = :customer)"
_OWN_CARTS = f"(SELECT id FROM cart WHERE {_VISIBLE_CART})"  # noqa: S608
_LISTED = "(SELECT value FROM json_each(?))"
_VARIANT = (
    "v.id, p.id AS product_id, p.title, p.category, v.options, v.price, v.cost, v.stock, v.version "
    "FROM variant v JOIN product p ON p.id = v.product_id"
)

CUSTOMER = """
SELECT c.*, o.orders, o.disputes, r.refunds_30d, r.refunded_30d, r.returned_orders
FROM customer c,
  (SELECT count(*) AS orders, coalesce(sum(disputed), 0) AS disputes
   FROM orders WHERE customer_id = :customer) o,
  (SELECT coalesce(sum(at >= :since), 0) AS refunds_30d,
          coalesce(sum(CASE WHEN at >= :since THEN amount END), 0) AS refunded_30d,
          count(DISTINCT CASE WHEN at >= delivered_at THEN order_id END) AS returned_orders
   FROM (SELECT t.amount, t.order_id, orders.delivered_at,
                coalesce(t.created_at, orders.delivered_at, orders.placed_at) AS at
         FROM orders JOIN transfer t ON t.order_id = orders.id
         WHERE orders.customer_id = :customer AND t.kind = 'refund'
           AND t.cause IN ('refund', 'cancellation', 'return'))) r
WHERE c.id = :customer
"""
_REFUNDS = "t.kind = 'refund' AND t.cause IN ('refund', 'cancellation', 'return')"
_RECENT = f"FROM transfer t WHERE t.method_id = m.id AND {_REFUNDS} AND t.created_at >= :since"
METHODS = f"""
SELECT m.*, (SELECT count(*) {_RECENT}) AS refunds_30d, (SELECT coalesce(sum(amount), 0) {_RECENT}) AS refunded_30d,
  CASE WHEN kind IN ('gift_card', 'store_credit') THEN {BALANCE.format(method="m.id")} END AS balance
FROM payment_method m WHERE customer_id = :customer ORDER BY rowid
"""  # noqa: S608
_POSTAL_CODE = "json_extract(address, '$.postal_code')"
_IDENTITY = f"SELECT id, email, first_name, last_name, {_POSTAL_CODE} AS postal_code FROM customer"  # noqa: S608
BY_EMAIL = f"{_IDENTITY} WHERE lower(trim(email)) = lower(?)"
BY_POSTAL_CODE = f"{_IDENTITY} WHERE lower(trim({_POSTAL_CODE})) = lower(?)"

ORDER = f"""
SELECT o.*, (SELECT count(*) FROM (SELECT id FROM orders WHERE shipping_address = o.shipping_address
                                   ORDER BY placed_at DESC LIMIT 200) n JOIN transfer t ON t.order_id = n.id
             WHERE {_REFUNDS} AND t.created_at >= :since) AS address_refunds_30d
FROM orders o WHERE o.id = :id AND o.customer_id = :customer
"""  # noqa: S608
"""One order. Refunds of the last 30 days are counted over the 200 newest orders of anybody to its address."""
ORDERS = """
SELECT *, 0 AS address_refunds_30d FROM orders WHERE customer_id = :customer AND (:status IS NULL OR status = :status)
ORDER BY placed_at DESC, id DESC LIMIT :limit
"""
ORDER_PARTS = (
    """
    SELECT l.order_id, l.id, l.variant_id, v.product_id, p.title, v.options, l.quantity, l.unit_price, l.discount
    FROM order_line l LEFT JOIN variant v ON v.id = l.variant_id LEFT JOIN product p ON p.id = v.product_id
    WHERE l.order_id IN (%ids%) ORDER BY l.rowid
    """,
    """
    SELECT y.order_id, y.id, y.method_id, m.kind, m.last4, y.amount
    FROM transfer y JOIN payment_method m ON m.id = y.method_id
    WHERE y.order_id IN (%ids%) AND y.kind = 'payment' ORDER BY y.rowid
    """,
    "SELECT * FROM transfer WHERE order_id IN (%ids%) AND kind = 'refund' ORDER BY rowid",
    "SELECT * FROM shipment WHERE order_id IN (%ids%) ORDER BY rowid",
    "SELECT * FROM amendment WHERE order_id IN (%ids%) ORDER BY rowid",
)
"""Lines, payments, refunds, shipments and amendments of orders; `%ids%` stands for one mark an order."""

CART = f"SELECT * FROM cart WHERE id = :id AND {_VISIBLE_CART}"  # noqa: S608
CART_LINES = f"""
SELECT l.quantity, l.quoted, {_VARIANT} JOIN cart_line l ON l.variant_id = v.id WHERE l.cart_id = ? ORDER BY l.id
"""
CART_OFFERS = """
SELECT o.* FROM cart_offer c JOIN offer o ON o.id = c.code WHERE c.cart_id = ? ORDER BY o.id
"""

_MATCHING = """
WHERE (:category IS NULL OR p.category = :category COLLATE NOCASE)
  AND (:max_price IS NULL OR v.price <= :max_price)
  AND (:in_stock IS NULL OR (v.stock > 0) = :in_stock)
  AND NOT EXISTS (SELECT 1 FROM json_each(:patterns) WHERE NOT v.words LIKE value ESCAPE '\\')
"""
_FOUND = "SELECT v.id, p.id AS product_id, p.title, p.category, v.options, v.price, v.cost, v.stock, v.version"
_PRODUCT = "CROSS JOIN product p ON p.id = v.product_id"
SEARCH: Mapping[str, str] = {
    "words": f"{_FOUND} FROM variant_words f CROSS JOIN variant v ON v.place = f.rowid {_PRODUCT}"
    f" {_MATCHING} AND variant_words MATCH :match ORDER BY f.rowid",
    "category": f"{_FOUND} FROM product p CROSS JOIN variant v ON v.product_id = p.id"
    f" {_MATCHING} AND p.category = :category COLLATE NOCASE ORDER BY v.place",
    "price": f"{_FOUND} FROM variant v INDEXED BY variant_price {_PRODUCT}"
    f" {_MATCHING} AND v.price <= :max_price ORDER BY v.place",
    "all": f"{_FOUND} FROM variant v INDEXED BY variant_place {_PRODUCT} {_MATCHING} ORDER BY v.place",
}
"""The same search by what narrows it most; `words` and `all` come in order without sorting, so they can stop early."""
FEW: Mapping[str, str] = {
    "category": "SELECT count(*) FROM (SELECT 1 FROM product WHERE category = :category COLLATE NOCASE LIMIT :few)",
    "price": "SELECT count(*) FROM (SELECT 1 FROM variant WHERE price <= :max_price LIMIT :few)",
}
"""How many there are, counted no further than `:few`."""
PRODUCT = """
SELECT v.id, p.id AS product_id, p.title, p.category, v.options, v.price, v.cost, v.stock, v.version
FROM product p LEFT JOIN variant v ON v.product_id = p.id WHERE p.id = ? ORDER BY v.rowid
"""
VARIANTS = f"SELECT {_VARIANT} WHERE v.id IN {_LISTED}"

TRANSFERS_OF_METHOD = """
SELECT transfer.id FROM transfer JOIN payment_method ON payment_method.id = transfer.method_id
WHERE method_id = :method AND customer_id = :customer
"""
OFFER = "SELECT * FROM offer WHERE id = ?"
OFFERS = "SELECT * FROM offer ORDER BY id"
OFFER_USES = f"""
SELECT count(*) FROM cart_offer
WHERE code = :code AND cart_id IN {_OWN_CARTS} AND cart_id IS NOT :besides
"""  # noqa: S608

OWNED: Mapping[str, str] = {
    "customer": "SELECT 1 FROM customer WHERE id = :id AND id = :customer",
    "payment_method": "SELECT 1 FROM payment_method WHERE id = :id AND customer_id = :customer",
    "variant": "SELECT 1 FROM variant WHERE id = :id",
    "offer": "SELECT 1 FROM offer WHERE id = :id",
    "cart": f"SELECT 1 FROM cart WHERE id = :id AND {_VISIBLE_CART}",  # noqa: S608
    "cart_line": f"SELECT 1 FROM cart_line WHERE id = :id AND cart_id IN {_OWN_CARTS}",  # noqa: S608
    "cart_offer": f"SELECT 1 FROM cart_offer WHERE id = :id AND cart_id IN {_OWN_CARTS}",  # noqa: S608
    "order": "SELECT 1 FROM orders WHERE id = :id AND customer_id = :customer",
    "order_line": f"SELECT 1 FROM order_line WHERE id = :id AND order_id IN {_OWN_ORDERS}",  # noqa: S608
    "transfer": f"SELECT 1 FROM transfer WHERE id = :id AND order_id IN {_OWN_ORDERS}",  # noqa: S608
    "amendment": f"SELECT 1 FROM amendment WHERE id = :id AND order_id IN {_OWN_ORDERS}",  # noqa: S608
    "stock_move": f"SELECT 1 FROM stock_move WHERE id = :id AND order_id IN {_OWN_ORDERS}",  # noqa: S608
    "shipment": f"SELECT 1 FROM shipment WHERE id = :id AND order_id IN {_OWN_ORDERS}",  # noqa: S608
}
"""One row when the record with `:id` is the subject's own, or public; by kind."""
