"""Journeys with second thoughts: people who approve, lower and deny, calls that are withdrawn, undone and repeated."""

from hypothesis import strategies as st
from ledger.model import Call, Deed, Model, Put, Waiting
from ledger.play import Move, Play, mostly, seldom
from ledger.second_thoughts import undo

from tillgate.guards import review
from tillgate.guards.review import Ruling

names = st.sampled_from(["rosa", "theo"])


def withdraw(model: Model, who: int, handle: str) -> Deed | None:
    """A request is taken back while nobody has decided on it."""
    if model.waiting[handle].call.who != who or not model.waits(handle):
        return None
    return Deed((Put("request", handle, "pending", "withdrawn"),), final=True)


class People(Play):
    """Requests, their ends, and what is done again or taken back."""

    def acts(self) -> list[Move]:
        waits = any(map(self.model.waits, self.model.waiting))
        decide = [self.decide] * 4 if waits else [self.decide, self.ask_for_a_person]
        again = [self.think_again, self.think_again, self.think_again] if self.model.done else []
        repeat = [self.repeat] if self.house.sent else []
        return [*super().acts(), *(decide if self.model.waiting else [self.ask_for_a_person]), *again, *repeat]

    def draw_handle(self, data: st.DataObject) -> str:
        """Mostly one that waits, else one that was decided."""
        waiting = [handle for handle in sorted(self.model.waiting) if self.model.waits(handle)]
        return data.draw(mostly(waiting, sorted(self.model.waiting)))

    def decide(self, data: st.DataObject) -> None:
        handle, name = self.draw_handle(data), data.draw(names)
        how = data.draw(st.sampled_from(["yes", "yes", "yes", "less", "less", "no", "withdrawn"]))
        if how == "no":
            self._deny(handle, name)
        elif how == "withdrawn":
            who = self.caller_for(data, f"cus_{self.model.waiting[handle].call.who}")
            self.call(who, "withdraw_request", lambda model, _: withdraw(model, who, handle), handle=handle)
        else:
            self.agree(handle, name, self._less(data, handle) if how == "less" else None)

    def _less(self, data: st.DataObject, handle: str) -> int:
        """Less than was asked for, now and then more."""
        asked = self.model.waiting[handle].deed.impact
        return asked + 1 if data.draw(seldom) else data.draw(st.integers(1, max(1, asked - 1)))

    def _deny(self, handle: str, name: str) -> None:
        waits = self.model.waits(handle)
        with self.house.store.transaction() as desk:
            ruling = review.deny(desk, handle, name, "no")
        assert ruling.done == waits
        if waits:
            self.model.tables["request"][handle] = "denied"

    def ask_for_a_person(self, data: st.DataObject) -> None:
        who = data.draw(st.integers(1, 2))
        self.call(who, "request_human", lambda _model, _: Deed(final=True), reason="x")

    def think_again(self, data: st.DataObject) -> None:
        able = [call for call, done in self.model.done.items() if undo(self.model, done.who, call)]
        call_id = data.draw(mostly(able[-3:], sorted(self.model.done)))
        who = self.caller_for(data, f"cus_{self.model.done[call_id].who}")
        self.call(who, "undo_action", lambda model, _: undo(model, who, call_id), call_id=call_id, reason="x")

    def repeat(self, data: st.DataObject) -> None:
        """One of the last calls once more, at once or after others, now and then under the key of another."""
        call: Call = data.draw(st.sampled_from(self.house.sent[:-6:-1]))
        under = data.draw(st.none() | st.none() | st.sampled_from(["key-1", "key-2", "key-3"]))
        self.play(call.under(under) if under else call)

    def agree(self, handle: str, name: str, minor: int | None) -> None:
        """One person's yes, to all of it or to less; what was done by it is not done by another yes or call."""
        self._agrees(handle, name, minor)
        if self.model.get("request", handle) == "executed":
            self._agrees(handle, "nora", None)
        if self.model.get("request", handle) == "executed" and self.model.waiting[handle].deed.steps:
            self.play(self.model.waiting[handle].call)

    def _agrees(self, handle: str, name: str, minor: int | None) -> None:
        waits = self.model.waiting[handle]
        amount = None if minor is None else self.house.money.format(minor)
        takes = self.model.waits(handle) and self._can_lower(waits, minor) and name not in waits.names
        with self.house.store.transaction() as desk:
            ruling = review.approve(self.house.gate, desk, handle, name, amount)
        assert ruling.done == takes, (handle, ruling)
        if takes:
            waits.names.append(name)
            self._settled(handle, waits, minor, ruling)
        self._is_told(handle)

    def _can_lower(self, waits: Waiting, minor: int | None) -> bool:
        return minor is None or (waits.call.lower is not None and minor < waits.deed.impact and waits.approvals == 1)

    def _settled(self, handle: str, waits: Waiting, minor: int | None, ruling: Ruling) -> None:
        """With enough people it is decided again: carried out if nothing has changed, else stale."""
        if len(waits.names) < waits.approvals:
            assert ruling.status == "pending"
            return
        self.model.deciding = handle
        call = waits.call
        now = call.lower(self.model, minor) if call.lower and minor is not None else call.act(self.model, "")
        self.model.deciding = None
        same = now is not None and self.model.versions(waits.deed.roots) == waits.basis
        if minor is None and now is not None:
            same = same and (now.steps, now.impact) == (waits.deed.steps, waits.deed.impact)
        assert ruling.status == ("executed" if same else "stale"), (handle, ruling)
        self.model.tables["request"][handle] = ruling.status
        if now is not None and same:
            self.carried_out(call.who, waits.call_id, now)
            self.house.memory.settle(handle, now)

    def _is_told(self, handle: str) -> None:
        """The customer reads how the request stands."""
        waits, status = self.model.waiting[handle], self.model.get("request", handle)
        if status == "pending" and self.model.now >= waits.expires:
            status = "expired"
        outcome = self.house.ask(waits.call.who, "check_request", {"handle": handle})
        assert outcome.data == {"status": status}
