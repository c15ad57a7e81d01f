"""Labelled cases and whole conversations, played and judged: who was let through, who was not, and what it did."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tau.adapter import LOOK_UPS, WITHOUT_NATIVE, Call, Json, Played, Shop, Talk
from tau.mirror import differences

NOT_JUDGEABLE = ("R6", "R7")
"""Two calls in one turn, and a hand-over that was not needed: only the dialogue shows them."""
VERBS = {
    "denied": "deny",
    "replayed": "deny",
    "unsayable": "deny",
    "verification_required": "needs_identity",
    "confirmation_required": "needs_confirmation",
    "completed": "allow",
}
MAY_BE_ASKED = "address_changed_twice_ambiguous"


@dataclass(frozen=True)
class Case:
    """One call whose right answer is known, and what came before it."""

    id: str
    category: str
    violates: tuple[str, ...]
    expected: str
    before: tuple[Call, ...]
    call: Call
    customer: str | None
    confirmed: bool = True
    agreed: Json | None = None

    @property
    def allowed(self) -> bool:
        return self.expected.startswith("allow")

    @property
    def judgeable(self) -> bool:
        return not set(self.violates) & set(NOT_JUDGEABLE)


@dataclass(frozen=True)
class Judged:
    """What became of a case. `fault` says in what it failed; None when it went as it must."""

    case: Case
    played: Played
    fault: str | None

    @property
    def agrees(self) -> bool:
        """Whether the verb is the expected one, not only the effect."""
        return VERBS.get(self.played.verb) == self.case.expected.split("_but_")[0]


def case_of(row: Json) -> Case:
    """A line of a file of cases."""
    session = row["session"]
    return Case(
        row["case_id"],
        row["category"],
        tuple(row["violates"]),
        row["expected"],
        tuple(_call(call) for call in row["preceding_calls"]),
        _call(row),
        session["verified_user_id"],
        session["confirmed"],
        session["confirmed_arguments"],
    )


def judge(case: Case, shop: Shop, folder: Path, policy: str | None = None) -> Judged:
    """Play one case on a shop of its own, under the policy of the example or another."""
    talk, done = Talk(shop, folder, policy), list[Call]()
    if case.customer and not any(call.tool in LOOK_UPS for call in case.before):
        talk.identify(case.customer)
    for call in case.before:
        done += [call] if talk.play(call).executed else []
    before = _shop(talk)
    played = talk.play(case.call, confirmed=case.confirmed, agreed=case.agreed)
    done += [case.call] if played.executed else []
    changed = _shop(talk) != before
    faults = [fault for fault in (_fault(case, played, changed), *unsound(talk), *differences(talk, done)) if fault]
    talk.close()
    return Judged(case, played, "; ".join(faults) or None)


def _fault(case: Case, played: Played, changed: bool) -> str | None:
    if not case.allowed:
        return f"{played.verb}, the shop {'' if changed else 'not '}changed" if played.executed or changed else None
    if played.executed:
        return "nothing changed" if case.call.tool not in READS and not changed else None
    asked = case.category == MAY_BE_ASKED and played.verb in ("confirmation_required", "escalated")
    return None if asked else f"refused: {played.verb} {' '.join(played.codes)}"


READS = (*LOOK_UPS, "get_user_details", "get_order_details", "get_product_details", "get_item_details",
         "list_all_product_types")  # fmt: skip


@dataclass(frozen=True)
class Said:
    """One line of a recorded conversation, and what became of it here."""

    row: Json
    played: Played

    @property
    def wanted(self) -> bool:
        """Whether the call is allowed and worked where it was recorded."""
        executed = self.row.get("executed") or {"here": self.row.get("executed_by_tau1")}
        return not self.row["violates"] and any(executed[name] is True for name in executed)

    @property
    def judgeable(self) -> bool:
        return self.row["tool"] not in (*WITHOUT_NATIVE, "transfer_to_human_agents")

    @property
    def name(self) -> str:
        row = self.row
        where = " ".join(str(row[key]) for key in ("run", "task_id", "seq") if key in row)
        return f"{where} {row['tool']}: {self.played.verb} {' '.join(self.played.codes)}"


@dataclass(frozen=True)
class Conversation:
    said: tuple[Said, ...]
    unsound: tuple[str, ...]


def conversations(rows: Iterable[Json]) -> list[list[Json]]:
    """The lines of each task of each run, in their order."""
    return [list(group) for _, group in groupby(rows, key=lambda row: (row.get("run"), row["task_id"]))]


def converse(rows: list[Json], shop: Shop, folder: Path) -> Conversation:
    """Play a recorded conversation from its first call to its last; the customer refuses what breaks R4."""
    talk = Talk(shop, folder)
    suggested = rows[0].get("identity", {}).get("suggested_call")
    if suggested:
        talk.play(_call(suggested))
    said = tuple(Said(row, talk.play(_call(row), confirmed="R4" not in row["violates"])) for row in rows)
    faults = (*unsound(talk), *differences(talk, [_call(line.row) for line in said if line.played.executed]))
    talk.close()
    return Conversation(said, faults)


_SHOP = " UNION ALL ".join(
    f"SELECT json_group_array(json_array({columns})) FROM {table}"
    for table, columns in {
        "customer": "id, address, address_changed_at, email, version",
        "payment_method": "id, customer_id, version",
        "orders": "id, status, shipping_address, version",
        "order_line": "id, variant_id, quantity, unit_price, discount",
        "variant": "id, stock, price, version",
        "transfer": "id, amount, method_id",
        "amendment": "id, kind",
        "stock_move": "id, quantity",
    }.items()
)
"""Everything a call could change in the shop, as few long texts, which is quick to compare."""


def _shop(talk: Talk) -> object:
    return talk.world.rows(_SHOP)


_BOOKS = """
SELECT o.id, o.status,
  (SELECT coalesce(sum(unit_price * quantity - discount), 0) FROM order_line WHERE order_id = o.id) AS lines,
  (SELECT coalesce(sum(amount), 0) FROM transfer WHERE order_id = o.id AND kind = 'payment') AS paid,
  (SELECT coalesce(sum(amount), 0) FROM transfer WHERE order_id = o.id AND kind = 'refund' AND cause != 'return'),
  (SELECT coalesce(sum(amount), 0) FROM transfer WHERE order_id = o.id AND kind = 'refund' AND cause = 'return')
FROM orders o WHERE o.id IN (SELECT order_id FROM amendment)
"""
_ELSEWHERE = """
SELECT r.id FROM transfer r JOIN transfer p ON p.id = r.payment_id
WHERE r.cause IN ('cancellation', 'payment') AND r.method_id != p.method_id
"""
_OVER = """
SELECT p.id FROM transfer p JOIN transfer r ON r.payment_id = p.id GROUP BY p.id HAVING sum(r.amount) > p.amount
"""
_MISPRICED = """
SELECT l.id FROM amendment a, json_each(a.lines) e
JOIN order_line l ON l.id = e.key JOIN variant v ON v.id = l.variant_id
WHERE a.kind IN ('items', 'exchange') AND (l.unit_price != v.price OR l.variant_id != json_extract(e.value, '$.to'))
"""
_OVERDRAWN = """
SELECT method_id FROM transfer WHERE kind != 'refund' OR settles_at IS NOT NULL GROUP BY method_id
HAVING method_id LIKE 'gift_card%' AND sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END) < 0
"""


def unsound(talk: Talk) -> Iterator[str]:
    """What no sequence of calls may leave behind: money back twice or elsewhere, a line at another one's price."""
    rows = talk.world.rows
    for order, status, lines, paid, back, promised in rows(_BOOKS):
        if paid - back != (0 if status == "cancelled" else lines) or back + promised > paid:
            yield f"{order} is {status} at {lines}: {paid} paid, {back} back, {promised} promised"
    found: Mapping[str, str] = {
        "money back to a method that did not pay": _ELSEWHERE,
        "more back than was paid": _OVER,
        "a line at another price than its variant's": _MISPRICED,
        "a gift card below zero": _OVERDRAWN,
    }
    for words, sql in found.items():
        yield from (f"{words}: {row[0]}" for row in rows(sql))


def _call(row: Json) -> Call:
    return Call(row["tool"], row["arguments"])
