"""Change where an order goes before it is sent, or the address on the profile."""

from msgspec.structs import asdict
from pydantic import Field

from tillgate.guards.model import Change, Impact, Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.addresses import AddressArgs
from tillgate.tools.amending import amendment
from tillgate.tools.arguments import ChangeArgs, Id
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.model import Address, Customer, Order
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_order, own_profile, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.account import AddressChange
from tillgate.tools.views.base import time_or_none
from tillgate.tools.views.orders import address_view


class UpdateAddressArgs(ChangeArgs):
    PERSONAL = frozenset({"address"})

    order_id: Id | None = Field(default=None, description="Leave it out to change the address on the profile")
    address: AddressArgs = Field(description="The whole new address")


class UpdateAddress(Tool[UpdateAddressArgs]):
    name = "update_address"
    description = (
        "Change the delivery address of an order that has not been dispatched, or the address on the "
        "profile when no order is named. Read the address back to the customer first; expect to be asked "
        "for verification or confirmation."
    )
    effect = "write"
    intent = "delivery"
    hints = Hints(read_only=False, destructive=False, idempotent=True)
    result = AddressChange
    always = frozenset({"customer"})
    maybe = frozenset({"order"})
    args = UpdateAddressArgs

    def look_up(self, args: UpdateAddressArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record) if args.order_id else own_profile(record)

    def plan(self, args: UpdateAddressArgs, found: Found, record: Record) -> Plan | Reason:
        address = args.address.address()
        if found.order is None:
            return _profile(seen(found.customer), address, record)
        return undeliverable(found.order) or _order(found.order, address, record)


def undeliverable(order: Order) -> Reason | None:
    """Why this order's address can no longer change."""
    if order.status == "cancelled":
        return Reason("order_cancelled", "This order was cancelled.")
    if order.dispatched:
        return Reason("already_dispatched", "This order has been sent; its address can no longer change.")
    return None


def _order(order: Order, address: Address, record: Record) -> Plan:
    change = Change(f"order:{order.id}", "shipping_address", asdict(order.shipping_address), asdict(address))
    return Plan(
        UpdateAddress.name,
        f"Change the delivery address of order {order.id}",
        detail=_new(address),
        changes=() if address == order.shipping_address else (change, *amendment(order, "address", record.now, {})),
        impact=Impact(kind="delivery_change"),
        basis=((f"order:{order.id}", order.version),),
        result=AddressChange(order_id=order.id, address=address_view(address)),
    )


def _profile(customer: Customer, address: Address, record: Record) -> Plan:
    entity, before = f"customer:{customer.id}", time_or_none(customer.address_changed_at)
    changes = (
        Change(entity, "address", asdict(customer.address), asdict(address)),
        Change(entity, "address_changed_at", before, stamped(record.now), stamp=True),
    )
    return Plan(
        UpdateAddress.name,
        "Change the address on the customer's profile",
        detail=_new(address),
        changes=() if address == customer.address else changes,
        impact=Impact(kind="account_change"),
        basis=((entity, customer.version),),
        result=AddressChange(order_id=None, address=address_view(address)),
    )


def _new(address: Address) -> str:
    """The whole address, as the customer must see it before saying yes to it."""
    parts = (address.line1, address.line2, address.city, address.region, address.postal_code, address.country)
    return f"The new address is: {', '.join(part for part in parts if part)}."
