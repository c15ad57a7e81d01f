"""A customer's own profile, an address that was changed, and how sure we are who is speaking."""

from tillgate.guards.money import Currency
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.model import Customer, PaymentMethod
from tillgate.tools.views.base import View, last_four, line, line_or_none, time_or_none
from tillgate.tools.views.orders import AddressView, address_view


class MethodView(View):
    """A way to pay: never more of its number than the last four digits."""

    id: str
    kind: str
    brand: str | None
    last4: str | None
    balance: str | None


class CustomerView(View):
    currency: str
    id: str
    email: str
    first_name: str
    last_name: str
    phone: str | None
    created_at: str
    address: AddressView
    address_changed_at: str | None
    tags: list[str]
    orders: int
    payment_methods: list[MethodView]


class AddressChange(View):
    """`order_id` is missing when it is the profile's address."""

    order_id: str | None
    address: AddressView


class Identification(View):
    identified: bool
    assurance: str


class StepUp(View):
    verified: bool
    assurance: str


def method_view(method: PaymentMethod, currency: Currency) -> MethodView:
    """One payment method on file."""
    return {
        "id": method.id,
        "kind": method.kind,
        "brand": line_or_none(method.brand),
        "last4": last_four(method.last4),
        "balance": None if method.balance is None else currency.format(method.balance),
    }


def customer_view(customer: Customer, currency: Currency) -> CustomerView:
    """The profile; policy masks it before it leaves."""
    return {
        "currency": currency.code,
        "id": customer.id,
        "email": line(customer.email),
        "first_name": line(customer.first_name),
        "last_name": line(customer.last_name),
        "phone": line_or_none(customer.phone),
        "created_at": stamped(customer.created_at),
        "address": address_view(customer.address),
        "address_changed_at": time_or_none(customer.address_changed_at),
        "tags": [line(tag) for tag in customer.tags],
        "orders": customer.orders,
        "payment_methods": [method_view(method, currency) for method in customer.payment_methods],
    }
