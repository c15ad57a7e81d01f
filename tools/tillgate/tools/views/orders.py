"""An order as its customer sees it; of a payment method only kind and last four digits."""

from collections.abc import Iterable

from tillgate.guards.money import Currency
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.model import Address, Order, OrderLine, Refund
from tillgate.tools.views.base import Untrusted, View, last_four, line, line_or_none, time_or_none, untrusted
from tillgate.tools.views.catalogue import options_view


class AddressView(View):
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str


class OrderLineView(View):
    """One line; a charge such as shipping or tax has no variant. `amount` is what was paid for it."""

    id: str
    variant_id: str | None
    product_id: str | None
    title: str
    options: dict[str, str]
    quantity: int
    unit_price: str
    discount: str
    amount: str


class PaymentView(View):
    id: str
    method_id: str
    kind: str
    last4: str | None
    amount: str


class RefundView(View):
    id: str
    payment_id: str
    method_id: str
    amount: str
    reason: Untrusted | None
    created_at: str | None
    settles_at: str | None


class ShipmentView(View):
    id: str
    tracking: str | None
    line_ids: list[str]


class AmendmentView(View):
    """Something that was done to the order since it was placed."""

    id: str
    kind: str
    line_ids: list[str]
    created_at: str


class OrderView(View):
    currency: str
    id: str
    status: str
    placed_at: str
    delivered_at: str | None
    disputed: bool
    lines: list[OrderLineView]
    total: str
    captured: str
    refunded: str
    refundable: str
    shipping_address: AddressView
    payments: list[PaymentView]
    refunds: list[RefundView]
    shipments: list[ShipmentView]
    amendments: list[AmendmentView]
    note: Untrusted | None


class OrderRow(View):
    id: str
    status: str
    placed_at: str
    delivered_at: str | None
    total: str
    refunded: str
    lines: list[OrderLineView]


class OrderList(View):
    currency: str
    orders: list[OrderRow]


def address_view(address: Address) -> AddressView:
    """A postal address, line by line."""
    return {
        "line1": line(address.line1),
        "line2": line_or_none(address.line2),
        "city": line(address.city),
        "region": line_or_none(address.region),
        "postal_code": line(address.postal_code),
        "country": address.country,
    }


def refund_view(refund: Refund, currency: Currency) -> RefundView:
    """One refund; its reason was typed by somebody."""
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "method_id": refund.method_id,
        "amount": currency.format(refund.amount),
        "reason": untrusted(refund.reason),
        "created_at": time_or_none(refund.created_at),
        "settles_at": time_or_none(refund.settles_at),
    }


def order_row(order: Order, currency: Currency) -> OrderRow:
    """One order of a list."""
    return {
        "id": order.id,
        "status": order.status,
        "placed_at": stamped(order.placed_at),
        "delivered_at": time_or_none(order.delivered_at),
        "total": currency.format(order.total),
        "refunded": currency.format(order.refunded),
        "lines": lines_view(order.lines, currency),
    }


def order_view(order: Order, currency: Currency) -> OrderView:
    """One order with everything that hangs on it."""
    money = order.sums
    return {
        "currency": currency.code,
        "id": order.id,
        "status": order.status,
        "placed_at": stamped(order.placed_at),
        "delivered_at": time_or_none(order.delivered_at),
        "disputed": order.disputed,
        "lines": lines_view(order.lines, currency),
        "total": currency.format(order.total),
        "captured": currency.format(money.captured),
        "refunded": currency.format(money.refunded),
        "refundable": currency.format(money.refundable),
        "shipping_address": address_view(order.shipping_address),
        "payments": _payments(order, currency),
        "refunds": [refund_view(refund, currency) for refund in order.refunds],
        "shipments": _shipments(order),
        "amendments": [
            {"id": each.id, "kind": each.kind, "line_ids": list(each.lines), "created_at": stamped(each.created_at)}
            for each in order.amendments
        ],
        "note": untrusted(order.note),
    }


def lines_view(lines: Iterable[OrderLine], currency: Currency) -> list[OrderLineView]:
    """Lines of an order, each with what was paid for it."""
    return [
        {
            "id": item.id,
            "variant_id": item.variant_id,
            "product_id": item.product_id,
            "title": line(item.title),
            "options": options_view(item.options.items()),
            "quantity": item.quantity,
            "unit_price": currency.format(item.unit_price),
            "discount": currency.format(item.discount),
            "amount": currency.format(item.amount),
        }
        for item in lines
    ]


def _payments(order: Order, currency: Currency) -> list[PaymentView]:
    return [
        {
            "id": payment.id,
            "method_id": payment.method_id,
            "kind": payment.method_kind,
            "last4": last_four(payment.last4),
            "amount": currency.format(payment.amount),
        }
        for payment in order.payments
    ]


def _shipments(order: Order) -> list[ShipmentView]:
    return [
        {"id": shipment.id, "tracking": line_or_none(shipment.tracking), "line_ids": list(shipment.line_ids)}
        for shipment in order.shipments
    ]
