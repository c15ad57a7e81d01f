"""Tools that policies may already speak of, but that this version does not offer yet.

Their surfaces are typed like any other, so a rule about them is checked now and holds on the day they are offered.
Until then no client sees them and no call reaches them.
"""

from dataclasses import replace

from tillgate.guards.facts import FactType, ToolSurface, integer, list_of, record, string
from tillgate.tools.arguments import Intent

_GROUPS = frozenset({"customer", "order", "method"})


def announced() -> tuple[ToolSurface, ...]:
    """The surfaces, by name."""
    swapped = list_of(record({"line_id": string(), "new_variant_id": string()}))
    returned = list_of(record({"line_id": string(), "quantity": integer(lo=1)}))
    method = replace(string(), optional=True)
    return (
        _surface("change_order_items", "exchange", lines=swapped, payment_method_id=string()),
        _surface("change_payment_method", "payment", payment_method_id=string()),
        _surface("exchange_items", "exchange", lines=swapped, payment_method_id=string()),
        _surface("return_items", "refund", lines=returned, reason=string(), refund_method=method),
    )


def _surface(name: str, intent: Intent, **arguments: FactType) -> ToolSurface:
    args = record({"order_id": string(), **arguments})
    return ToolSurface(name, "write", intent, always=_GROUPS, maybe=frozenset(), args=args, results=frozenset())
