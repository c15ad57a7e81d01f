"""Hand the conversation to a person on purpose."""

from pydantic import Field

from tillgate.guards.model import Escalate, Plan, Reason, Undo
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import ChangeArgs, Id, Text
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_order
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.desk import HandedOver

_QUEUE = "support"
_EXPIRES = 86_400


class RequestHumanArgs(ChangeArgs):
    reason: Text = Field(description="What the customer needs, in a few words")
    order_id: Id | None = Field(default=None, description="The order it is about, if there is one")


class RequestHuman(Tool[RequestHumanArgs]):
    name = "request_human"
    description = (
        "Ask for a person to take over. Use it when the customer wants one or when nothing else helps; the "
        "answer is escalated, with a handle for check_request. The colleague sees the conversation, so the "
        "customer need not repeat it."
    )
    effect = "write"
    intent = "handoff"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = HandedOver
    maybe = frozenset({"customer", "order"})
    queue = _QUEUE
    args = RequestHumanArgs

    def look_up(self, args: RequestHumanArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record) if args.order_id else Found(customer=record.customer())

    def plan(self, args: RequestHumanArgs, found: Found, record: Record) -> Plan | Reason:
        about = f" about order {found.order.id}" if found.order else ""
        reason = Reason("human_requested", "A colleague will take over from here.")
        return Plan(
            self.name,
            f"Hand the conversation over to a colleague{about}",
            undo=Undo(why_not="A conversation with a colleague cannot be taken back."),
            requires=(Escalate(_QUEUE, 1, _EXPIRES, reason),),
            result=HandedOver(handed_over=True, order_id=args.order_id),
        )
