"""Take back what an earlier call did: the inverse of its plan, exact, through the same door."""

from pydantic import Field

from tillgate.guards.model import Change, Impact, Plan, Reason, Undo, inverse
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import ChangeArgs, Id, Text
from tillgate.tools.commerce.record import PastCall, Record
from tillgate.tools.spec import Found, Tool, not_found
from tillgate.tools.undoing import barred, closed, impact_kind, moved, paid_back, reduction, roots
from tillgate.tools.views.desk import TakenBack


class UndoActionArgs(ChangeArgs):
    call_id: Id = Field(description="The call_id of the action to take back")
    reason: Text = Field(description="Why, in a few words")


class UndoAction(Tool[UndoActionArgs]):
    name = "undo_action"
    description = (
        "Take back an earlier action of this customer by its call_id, when it was a mistake. It restores "
        "exactly what was there before and is refused when that is no longer possible; taking back cannot "
        "itself be taken back."
    )
    effect = "write"
    intent = "account"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = TakenBack
    maybe = frozenset({"customer", "order", "cart"})
    args = UndoActionArgs

    def look_up(self, args: UndoActionArgs, record: Record) -> Found | Reason:
        past = record.past_call(args.call_id)
        if past is None:
            return not_found("action")
        keys = roots(past.changes, record)
        return Found(
            customer=record.customer(),
            order=next((record.order(key[6:]) for key in keys if key.startswith("order:")), None),
            cart=next((record.cart(key[5:]) for key in keys if key.startswith("cart:")), None),
            other=past,
        )

    def plan(self, args: UndoActionArgs, found: Found, record: Record) -> Plan | Reason:
        past: PastCall = found.other
        changes: tuple[Change, ...] = past.changes
        refused = closed(past, record) or moved(changes, record) or barred(changes, record)
        if refused:
            return refused
        back, reduces = paid_back(changes), reduction(changes, record)
        versions = [(root, record.version(root)) for root in roots(changes, record)]
        return Plan(
            self.name,
            f"Take back: {past.summary}",
            changes=inverse(changes),
            impact=Impact(back + reduces, impact_kind(changes, back, reduces)),
            basis=tuple((root, version) for root, version in versions if version is not None),
            undoes=past.call_id,
            undo=Undo(why_not="Taking back an action cannot itself be taken back."),
            result=TakenBack(call_id=past.call_id, tool=past.tool, undone=True, summary=past.summary),
        )
