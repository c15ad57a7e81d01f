"""Say how a request to a person stands and, once it was carried out, what came of it."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Id
from tillgate.tools.commerce.record import Record, RequestView
from tillgate.tools.spec import Found, Tool, not_found
from tillgate.tools.views.desk import RequestState, request_state


class CheckRequestArgs(Args):
    handle: Id


class CheckRequest(Tool[CheckRequestArgs]):
    name = "check_request"
    description = (
        "See how a request stands that was escalated: pending, approved, executed with its result, denied, "
        "expired, withdrawn or stale. Use the handle from the escalated answer, and wait the seconds given "
        "there between two calls."
    )
    effect = "read"
    intent = "handoff"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = RequestState
    maybe = frozenset({"customer", "order"})
    args = CheckRequestArgs

    def look_up(self, args: CheckRequestArgs, record: Record) -> Found | Reason:
        request = record.request(args.handle)
        if request is None:
            return not_found("request")
        return Found(customer=record.customer(), other=request)

    def plan(self, args: CheckRequestArgs, found: Found, record: Record) -> Plan | Reason:
        request: RequestView = found.other
        return Plan(
            self.name,
            f"Show request {request.handle}",
            request=request.handle,
            result=request_state(request),
        )
