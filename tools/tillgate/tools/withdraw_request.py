"""Take back a request before a person has decided on it."""

from tillgate.guards.model import Change, Plan, Reason, Undo
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import ChangeArgs, Id
from tillgate.tools.commerce.record import Record, RequestView
from tillgate.tools.spec import Found, Tool, not_found
from tillgate.tools.views.desk import Withdrawn


class WithdrawRequestArgs(ChangeArgs):
    handle: Id


class WithdrawRequest(Tool[WithdrawRequestArgs]):
    name = "withdraw_request"
    description = (
        "Withdraw a request that still waits for a colleague. Use it when the customer has changed their "
        "mind; it is refused once somebody has decided."
    )
    effect = "write"
    intent = "handoff"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = Withdrawn
    maybe = frozenset({"customer", "order"})
    args = WithdrawRequestArgs

    def look_up(self, args: WithdrawRequestArgs, record: Record) -> Found | Reason:
        request = record.request(args.handle)
        if request is None:
            return not_found("request")
        return Found(customer=record.customer(), other=request)

    def plan(self, args: WithdrawRequestArgs, found: Found, record: Record) -> Plan | Reason:
        request: RequestView = found.other
        if request.status != "pending":
            return Reason("not_pending", f"This request does not wait any more: it is {request.status}.")
        return Plan(
            self.name,
            f"Withdraw request {request.handle}",
            changes=(Change(f"escalation:{request.handle}", "status", "pending", "withdrawn"),),
            request=request.handle,
            undo=Undo(why_not="A withdrawn request is closed; make the call again instead."),
            result=Withdrawn(handle=request.handle, status="withdrawn"),
        )
