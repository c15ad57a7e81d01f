"""An export of thirty records to take apart: calls, a request, its approval and its execution."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from hypothesis import strategies as st

from tillgate.guards.audit.log import GENESIS, export_lines, seal

PERSONAL = ("arguments.address", "facts.args.address", "plan.changes", "outcome.data", "words")


def salts(seed: int = 7) -> Callable[[], bytes]:
    source = random.Random(seed)
    return lambda: source.randbytes(16)


def call(number: int, **over: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "kind": "call",
        "at": f"2026-01-01T00:{number:02}:00Z",
        "call_id": f"call_{number}",
        "conversation": "c1",
        "agent": {"id": "shop-agent", "channel": "stdio"},
        "subject": {"customer_id": "cus_1", "assurance": "AUTHENTICATED"},
        "tool": "update_address",
        "arguments": {"order_id": "ord_1", "address": {"line1": f"Größe {number} \u2028 🏠", "city": "Denver"}},
        "facts": {"impact": {"amount": 0, "kind": "delivery_change", "reversible": True}, "args": {}},
        "decision": {"verdict": "permit", "reasons": [], "unmet": [], "hits": [], "shadow": None},
        "policy": "sha256:" + "ab" * 32,
        "plan": {"changes": [{"entity": "order:ord_1", "field": "city", "before": "A", "after": "B"}]},
        "outcome": {"status": "completed", "executed": True, "data": {"city": "Denver", "tab\t": 'quote"\\/'}},
        "replayed": False,
    }
    return {**body, **over}


def request(number: int) -> list[dict[str, Any]]:
    waits = {"status": "escalated", "executed": False, "escalation": {"handle": "esc_1"}}
    escalated: dict[str, Any] = {"verdict": "escalate", "reasons": [], "unmet": [], "hits": [], "shadow": None}
    about = {"request": "esc_1", "call_id": f"call_{number}", "at": "2026-01-01T01:00:00Z"}
    return [
        call(number, outcome=waits, decision=escalated),
        {"kind": "approval", **about, "reviewer": "rey"},
        call(number, kind="execution", **{**about, "at": "2026-01-01T01:00:01Z"}),
    ]


def bodies(count: int = 30) -> list[dict[str, Any]]:
    made = [call(number) for number in range(count - 5)]
    reads = [call(50, plan=None, decision=None, outcome={"status": "denied", "executed": False})]
    return [{"kind": "policy", "at": "2026-01-01T00:00:00Z", "policy": "sha256:00"}, *made, *reads, *request(60)]


def rows(made: Iterable[Mapping[str, Any]]) -> list[tuple[bytes, str, bytes | None]]:
    salt, head, stored = salts(), GENESIS, list[tuple[bytes, str, bytes | None]]()
    for seq, body in enumerate(made, start=1):
        sealed = seal(body, seq=seq, prev=head, personal=PERSONAL, salt=salt)
        stored.append((sealed.record, sealed.hash, orjson.dumps(sealed.personal) if sealed.personal else None))
        head = sealed.hash
    return stored


def export(made: Iterable[Mapping[str, Any]] | None = None, *, without_personal: bool = False) -> list[bytes]:
    return list(export_lines(rows(bodies() if made is None else made), without_personal=without_personal))


BOUND = 2**53 - 1
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-BOUND, BOUND) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
_FIELDS = KEYS.filter(lambda key: key not in {"v", "seq", "prev", "hash", "personal", "kind", "plan"})
BODIES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(_FIELDS, VALUES, max_size=5).map(
    lambda fields: {**fields, "kind": "seed"}
)
