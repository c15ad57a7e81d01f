"""A transcript decided again says what would end otherwise, why, and whose money would move."""

import io
import json
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from rich.console import Console
from worlds import OPEN as OPEN_WORLD
from worlds import World
from worlds import policy as world_policy

from tillgate.guards import review
from tillgate.guards.audit.log import GENESIS, export_lines, seal
from tillgate.guards.audit.personal import withhold
from tillgate.guards.audit.record import as_json as written
from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.decide import decide
from tillgate.guards.facts import ToolSurface, money, optional, record, string
from tillgate.guards.model import Assurance, Reason, Verdict, Verify
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.risk import assess
from tillgate.server.replay import Replay, replay
from tillgate.server.replay_report import as_json, render, totals

TOOLS = [
    ToolSurface("issue_refund", "write", "refund", frozenset({"customer"}), args=record({"amount": optional(money())})),
    ToolSurface("get_order", "read", "order_status", maybe=frozenset({"customer"}), args=record({"id": string()})),
]
OPEN = """
policy: storefront
version: 1
currency: USD
risk:
  factors: [{id: young, when: "customer.present && customer.age_days < 30", points: 40, because: "new here"}]
  tiers: {medium: 30, high: 60, critical: 85}
rules:
  - {id: refunds, tools: [issue_refund], permit: true}
  - {id: reads, tools: [get_order], permit: true}
"""
LARGE = "  - {id: large, tools: [issue_refund], when: \"impact.amount > money('50.00')\", escalate: refunds}\n"
RISKY = '  - {id: risky, tools: [issue_refund], when: "risk.tier >= MEDIUM", deny: risky, message: "Not now."}\n'
BUDGET = """budgets:
  - {id: b, tools: [issue_refund], per: customer.id, window: 1d, limit: "100.00", exceeded: deny, message: "Enough."}
"""
STATUS = {"permit": "completed", "deny": "denied", "escalate": "escalated", "verify": "verification_required"}
NOON = 1_767_268_800


def policy(text: str = OPEN) -> Policy:
    return load_policy(text, "policy.yaml", TOOLS)


def facts(tool: str = "issue_refund", amount: int = 4800, now: int = NOON, **over: Any) -> dict[str, Any]:
    effect, intent = ("write", "refund") if tool == "issue_refund" else ("read", "order_status")
    customer = {"present": True, "id": "cus_1", "age_days": 400, "orders": 3, "tags": [], "refunds_30d": 0}
    return {
        "subject": {"assurance": "AUTHENTICATED", "customer_id": "cus_1"},
        "agent": {"id": "a", "channel": "stdio"},
        "call": {"tool": tool, "effect": effect, "intent": intent, "intent_matches": True},
        "args": {},
        "conversation": {"calls": 1, "writes": 0, "denied": 0, "escalated": 0, "orders": 1},
        "customer": {**customer, "refunded_30d": 0, "returns_percent": 0, "disputes": 0, **over.pop("customer", {})},
        "impact": {"amount": amount, "kind": "refund" if amount else "none", "reversible": False},
        "usage": {},
        "consent": {"strength": "NONE"},
        "approval": {"granted": False, "count": 0},
        "now": now,
        **over,
    }


def line(number: int, by: Policy | None = None, **over: Any) -> dict[str, Any]:
    """A call as the gate records it under a policy."""
    tool = over.pop("tool", "issue_refund")
    known = over.pop("facts", None) or facts(tool, 4800 if tool == "issue_refund" else 0)
    by = by or policy()
    risk = assess(by, tool, known)
    known = {**known, "risk": {"score": risk.score, "tier": risk.tier.name}}
    decision = decide(by, tool, known)
    verdict = decision.verdict.value
    change = {"entity": "refund:r", "field": "id", "before": None, "after": f"r{number}", "stamp": False}
    return {
        "kind": "call",
        "at": "2026-01-01T12:00:00Z",
        "call_id": f"call_{number}",
        "conversation": "c1",
        "tool": tool,
        "arguments": {"n": number},
        "facts": known,
        "limits": {"exceeded": [], "requires": []},
        "decision": written(decision),
        "refusal": None,
        "policy": by.digest,
        "plan": {"changes": [change], "denies": None} if tool == "issue_refund" else None,
        "outcome": {"status": STATUS[verdict], "executed": verdict == "permit"},
        "replayed": False,
        **over,
    }


def again(lines: Iterable[dict[str, Any]], by: Policy) -> Replay:
    return replay([json.dumps(each) for each in lines], by)


def ends(made: Replay) -> list[str]:
    return [f"{row.entry.old.status} → {row.new.status if row.new else '?'}" for row in made.rows]


def test_the_same_policy_decides_the_same() -> None:
    made = again([line(1), line(2, tool="get_order")], policy())
    assert (ends(made), made.differs) == (["completed → completed", "completed → completed"], False)


def test_a_stricter_policy_holds_what_moved_before_and_says_why() -> None:
    made = again([line(1, facts=facts(amount=4800)), line(2, facts=facts(amount=7000))], policy(OPEN + LARGE))
    assert ends(made) == ["completed → completed", "completed → escalated"]
    assert made.differs
    assert [reason.rule for reason in made.rows[1].why] == ["large"]
    assert made.rows[1].entry.old.rules == ("refunds",)
    assert made.rows[1].new is not None
    assert made.rows[1].new.rules == ("large", "refunds")
    report = as_json(made)
    assert report["statuses"] == {"completed": {"completed": 1, "escalated": 1}}
    assert report["money"]["completed"]["recorded"] == {"minor": 11_800, "amount": "118.00"}
    assert report["money"]["completed"]["difference"] == {"minor": -7000, "amount": "-70.00"}
    assert report["money"]["escalated"]["replayed"] == {"minor": 7000, "amount": "70.00"}


def test_risk_is_assessed_anew_and_not_believed() -> None:
    young = line(1, facts=facts(customer={"age_days": 3}))
    young["facts"]["risk"] = {"score": 0, "tier": "LOW"}
    made = again([young], policy(OPEN + RISKY))
    assert (ends(made), made.rows[0].end and made.rows[0].end.score) == (["completed → denied"], 40)


def test_an_export_is_read_with_its_personal_values_put_back() -> None:
    body = line(1, arguments={"email": "a@example.com"}, facts=facts(args={"email": "a@example.com"}))
    paths = ["arguments.email", "facts.args.email", "plan.changes"]
    sealed = seal(body, seq=1, prev=GENESIS, personal=paths, salt=lambda: b"s" * 16)
    rows = [(sealed.record, sealed.hash, orjson.dumps(sealed.personal))]
    whole, bare = (replay(export_lines(rows, without_personal=bare), policy()) for bare in (False, True))
    assert (ends(whole), whole.others) == (["completed → completed"], 1)
    assert bare.rows[0].note == "not decided: personal facts are not in this file (args.email)"


def test_a_personal_value_that_was_changed_is_not_used() -> None:
    kept = line(1)
    personal = withhold(kept, ["arguments.n"], lambda: b"s" * 16)
    personal["arguments.n"]["value"] = 2
    made = again([{**kept, "personal": personal}], policy())
    assert "not what the record committed to" in made.unreadable[0].reason


def test_the_recorded_usage_holds_under_the_same_policy() -> None:
    by = policy(OPEN + BUDGET)
    used = facts(usage={"b": {"amount": 14_800, "count": 4, "left": 0}})
    denied = line(1, by, facts=used, limits={"exceeded": ["b"], "requires": []})
    denied["decision"]["verdict"], denied["outcome"]["status"] = "deny", "denied"
    made = again([denied], by)
    assert ends(made) == ["denied → denied"]
    assert [reason.message for reason in made.rows[0].why] == ["Enough."]


def test_the_recorded_usage_of_a_budget_is_held_against_a_new_limit() -> None:
    used = facts(usage={"b": {"amount": 14_800, "count": 4, "left": 5200}})
    assert ends(again([line(1, facts=used)], policy(OPEN + BUDGET))) == ["completed → denied"]
    roomy = BUDGET.replace("100.00", "148.00")
    assert ends(again([line(1, facts=used)], policy(OPEN + roomy))) == ["completed → completed"]


def test_a_new_budget_is_filled_by_what_this_replay_lets_complete() -> None:
    day = 86_400
    calls = [
        line(1, facts=facts(amount=6000)),
        line(2, facts=facts(amount=6000, now=NOON + 10)),
        line(3, facts=facts(amount=4000, now=NOON + 20)),
        line(4, facts=facts(amount=1, now=NOON + 30)),
        line(5, facts=facts(amount=6000, now=NOON + 30, customer={"id": "cus_2"})),
        line(6, facts=facts(amount=6000, now=NOON + day - 1)),
        line(7, facts=facts(amount=6000, now=NOON + day)),
    ]
    made = again(calls, policy(OPEN + BUDGET))
    assert [row.new.status if row.new else "" for row in made.rows] == [
        "completed",
        "denied",  # 120.00 in one day
        "completed",  # the denied one used nothing
        "denied",
        "completed",  # another customer
        "denied",  # the first is one second short of a day old
        "completed",
    ]


def test_callers_without_the_fact_a_budget_is_kept_by_share_one_account() -> None:
    nobody = [facts(amount=6000), facts(amount=6000)]
    for each in nobody:
        del each["customer"]["id"]
    made = again([line(n, facts=each) for n, each in enumerate(nobody, 1)], policy(OPEN + BUDGET))
    assert ends(made) == ["completed → completed", "completed → denied"]


def test_a_read_draws_on_no_budget() -> None:
    reads = (
        BUDGET.replace("[issue_refund]", "[issue_refund, get_order]")
        .replace('"100.00"', "{count: 1}")
        .replace("per: customer.id", "per: agent.id")
    )
    made = again([line(n, tool="get_order") for n in range(5)], policy(OPEN + reads))
    assert set(ends(made)) == {"completed → completed"}


def test_what_was_refused_before_policy_stays_as_it_was() -> None:
    refused = line(1, refusal={"code": "not_found", "message": "No such order."}, outcome={"status": "denied"})
    made = again([refused], policy(OPEN + LARGE))
    assert (made.rows[0].new, made.rows[0].note) == (None, "kept: refused before policy (not_found)")
    assert not made.differs


def test_a_line_without_facts_is_listed_and_not_decided() -> None:
    by_hand = {"conversation": "c1", "at": "2026-01-01T12:00:00Z", "tool": "issue_refund", "arguments": {}}
    made = again([by_hand], policy())
    assert made.rows[0].note == "not decided: no recorded facts"
    assert as_json(made)["not_decided"] == 1


def test_a_line_by_hand_with_facts_is_decided() -> None:
    by_hand = {
        "conversation": "c1",
        "at": "2026-01-01T12:00:00Z",
        "tool": "issue_refund",
        "arguments": {},
        "facts": facts(amount=7000),
    }
    made = again([by_hand], policy(OPEN + LARGE))
    assert (ends(made), made.differs) == (["None → escalated"], False)
    assert as_json(made)["statuses"] == {"not recorded": {"escalated": 1}}


def test_what_was_let_through_to_happen_outside_is_no_request_for_people() -> None:
    told = {"status": "escalated", "executed": False, "escalation": {"handle": "esc_1"}}
    let_through = line(1, outcome=told, under_way=[{"key": "k", "port": "payments"}], request="esc_1")
    became = {"kind": "outcome", "at": "2026-01-01T12:00:01Z", "call_id": "call_1", "outcome": {"status": "completed"}}
    made = again([let_through, became], policy())
    assert (ends(made), made.others, made.differs) == (["completed → completed"], 1, False)
    assert ends(again([let_through, became], policy(OPEN + LARGE.replace("50.00", "5.00")))) == [
        "completed → escalated"
    ]


def test_the_tools_own_demands_are_asked_again() -> None:
    demand = written(Verify(Assurance.STEPPED_UP, Reason("step_up", "A code, please.")))
    made = again([line(1, limits={"exceeded": [], "requires": [demand]})], policy())
    assert ends(made) == ["completed → verification_required"]


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"plan": {"changes": [1], "denies": {"code": "wrong_code"}}, "outcome": {"status": "denied"}}, "denied"),
        ({"outcome": {"status": "failed"}}, "failed"),
    ],
)
def test_a_permitted_plan_that_refused_or_failed_by_itself_still_does(over: dict[str, Any], status: str) -> None:
    for recorded in ("permit", "verify"):
        call = line(1, **over)
        call["decision"]["verdict"] = recorded
        assert ends(again([call], policy())) == [f"{status} → {status}"]


def request(by: Policy, amount: int = 7000) -> list[dict[str, Any]]:
    granted = facts(amount=amount, approval={"granted": True, "count": 1})
    opened = line(1, by, facts=facts(amount=amount))
    approval = {"kind": "approval", "at": "2026-01-01T13:00:00Z", "request": "esc_1", "call_id": "call_1"}
    return [opened, approval, line(1, by, facts=granted, kind="execution", request="esc_1")]


def test_an_approved_request_is_decided_again_with_its_approval() -> None:
    by = policy(OPEN + LARGE)
    made = again(request(by), by)
    assert (ends(made), made.differs, made.others) == (["escalated → escalated", "completed → completed"], False, 1)
    report = as_json(made)["money"]
    assert (report["escalated"]["replayed"]["minor"], report["completed"]["replayed"]["minor"]) == (7000, 7000)


def test_a_request_that_is_no_longer_needed_moves_its_money_once() -> None:
    made = again(request(policy(OPEN + LARGE)), policy())
    assert ends(made) == ["escalated → completed", "completed → completed"]
    assert made.rows[1].note == "line 1 already ends completed"
    assert as_json(made)["money"]["completed"]["replayed"]["minor"] == 7000


def test_a_request_that_would_not_be_opened_is_not_executed() -> None:
    made = again(request(policy(OPEN + LARGE)), policy(OPEN + LARGE.replace("escalate: refunds", "deny: large")))
    assert ends(made) == ["escalated → denied", "completed → denied"]
    assert totals(made).replayed["completed"] == 0


def test_a_call_sent_again_with_a_proof_is_answered_by_the_first_if_that_now_completes() -> None:
    proof = "  - {id: proof, tools: [issue_refund], verify: stepped_up}\n"
    asking = policy(OPEN + proof)
    asked = line(1, asking)
    proven = facts(subject={"assurance": "STEPPED_UP", "customer_id": "cus_1"})
    done = line(2, asking, facts=proven, arguments=asked["arguments"])
    assert ends(again([asked, done], asking)) == [
        "verification_required → verification_required",
        "completed → completed",
    ]
    made = again([asked, done], policy())
    assert ends(made) == ["verification_required → completed", "completed → completed"]
    assert totals(made).replayed["completed"] == 4800


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{not json", "not JSON"),
        ("[]", "not a JSON object"),
        (json.dumps({"kind": "party"}), "'party' is not a kind of record"),
        (json.dumps({"kind": []}), "$.kind"),
        (json.dumps({"kind": "call"}), "at is missing"),
        (json.dumps({**line(1), "tool": 5}), "got `int` - at `$.tool`"),
        (json.dumps({**line(1), "conversation": None}), "$.conversation"),
        (json.dumps({**line(1), "facts": []}), "$.facts"),
        (json.dumps({**line(1), "facts": facts(impact={"amount": "48.00"})}), "facts.impact.amount is not a whole"),
        (json.dumps({**line(1), "facts": facts(usage={"b": {"amount": True, "count": 1}})}), "usage.b.amount"),
        (json.dumps({**line(1), "facts": {"order": {"total": 4.8}}}), "float"),
        (json.dumps({**line(1), "facts": {}, "at": "yesterday"}), "RFC 3339"),
        (json.dumps({**line(1), "facts": {}, "at": "2026-01-01T00:00:00"}), "no zone"),
        (json.dumps({**line(1), "decision": {"verdict": "maybe"}}), "'maybe' - at `$.decision.verdict`"),
        (json.dumps({**line(1), "decision": {"verdict": "permit", "hits": [{}]}}), "decision.hits"),
        (json.dumps({**line(1), "limits": {"requires": [{"kind": "bribe"}]}}), "not a recorded requirement"),
        (json.dumps({**line(1), "limits": {"exceeded": [{}]}}), "limits.exceeded"),
        (json.dumps({**line(1), "personal": {"tool": 5}}), "personal values"),
        (json.dumps({**line(1), "outcome": {"status": 5}}), "outcome.status"),
        (json.dumps({**line(1), "policy": []}), "$.policy"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_an_unreadable_line_is_reported_with_its_number_and_the_rest_goes_on(bad: str, reason: str) -> None:
    made = replay([json.dumps(line(1)), bad, "", json.dumps(line(2))], policy())
    assert [(each.line, reason in each.reason) for each in made.unreadable] == [(2, True)]
    assert len(made.rows) == 2
    assert made.differs


def test_a_policy_that_only_watches_changes_no_end_but_shows_what_it_would_have_done() -> None:
    watching = policy(OPEN.replace("currency: USD", "currency: USD\nmode: shadow") + LARGE)
    made = again([line(1, facts=facts(amount=7000))], watching)
    assert ends(made) == ["completed → completed"]
    assert made.rows[0].new is not None
    assert made.rows[0].new.shadow == Verdict.ESCALATE
    assert "would be: escalate" in shown(made)


def test_the_report_is_the_same_every_time_and_sorted() -> None:
    lines = [line(n, facts=facts(amount=n * 1000)) for n in range(9)]
    first, second = (orjson.dumps(as_json(again(lines, policy(OPEN + LARGE)))) for _ in range(2))
    assert first == second == orjson.dumps(orjson.loads(first), option=orjson.OPT_SORT_KEYS)


def shown(made: Replay) -> str:
    out = io.StringIO()
    render(made, Console(file=out, width=200, no_color=True), every=True)
    return out.getvalue()


def test_people_see_what_changed_without_colours() -> None:
    text = shown(again([line(1), line(2, facts=facts(amount=7000))], policy(OPEN + LARGE)))
    changed = next(row for row in text.splitlines() if "≠" in row)
    for part in ("completed → escalated", "+large", "70.00"):
        assert part in changed
    assert "2 calls, 1 changed, 0 not decided again" in text


def test_a_transcript_cannot_write_to_the_terminal_behind_the_table() -> None:
    text = shown(again([line(1, tool="get_order\x1b[2J[bold]\u202e"), {"kind": "\x1b]0;x"}], policy()))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]" in text


def test_nothing_to_replay_is_not_a_difference() -> None:
    made = replay([], policy())
    assert not made.differs
    assert "0 calls" in shown(made)


REFUNDS = """
  - {id: all, tools: "*", permit: true}
  - {id: proof, tools: [update_address], verify: stepped_up}
  - {id: yes, tools: [cancel_order], confirm: agent}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds}}
"""
BUDGETS = """budgets:
  - {id: b, tools: [issue_refund], per: customer.id, window: 30d, limit: "45.00", exceeded: deny, message: "Enough."}
rules:"""


def _day_in_the_shop(world: World) -> World:
    """Reads, refusals, a refund, an escalation that is approved, and a call given twice."""
    world = world.under(REFUNDS, OPEN_WORLD.replace("rules:", BUDGETS))
    refund = {"order_id": "ord_1", "reason": "broken"}
    world.call("get_order", order_id="ord_1")
    world.call("get_order", order_id="ord_404")
    world.call("issue_refund", order_id="ord_1", amount="nine")
    world.call("issue_refund", **refund, amount="9.00")
    world.call("issue_refund", **refund, amount="9.00")
    asked = world.call("issue_refund", **refund, amount="30.00", customer_request="Größe passt nicht \u2028 🏠")
    assert asked.escalation is not None
    with world.store.transaction() as desk:
        review.approve(world.gate, desk, asked.escalation.handle, "rosa")
    world.call("issue_refund", **refund, amount="8.00")
    world.call("edit_cart", lines=[{"variant_id": "v_1", "quantity": 1}])
    return world


def test_what_a_real_gate_wrote_is_verified_and_decided_the_same_again(world: World) -> None:
    world = _day_in_the_shop(world)
    rows = world.rows("SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq")
    lines = list(export_lines(rows))
    assert verify_lines(lines).problems == []
    assert verify_lines(export_lines(rows, without_personal=True)).ok
    made = replay(lines, world.gate.policy)
    assert [row.entry.line for row in made.rows if row.change != "none"] == []
    assert not made.differs
    assert "completed → completed" in ends(made)
    assert "escalated → escalated" in ends(made)
    assert "denied → denied" in ends(made)


def test_a_new_policy_on_a_real_log_says_what_it_would_have_done(world: World) -> None:
    world = _day_in_the_shop(world)
    rows = world.rows("SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq")
    stricter = world_policy(OPEN_WORLD.replace("rules:", "rules:\n  - {id: never, tools: [issue_refund], deny: never}"))
    made = replay(export_lines(rows), stricter)
    decided = [row.entry.tool == "issue_refund" and row.new is not None for row in made.rows]
    refunds = [end for end, refund in zip(ends(made), decided, strict=True) if refund]
    assert refunds == ["completed → denied", "escalated → denied", "completed → denied", "denied → denied"]
    assert totals(made).recorded["completed"] == 3900
    assert totals(made).replayed["completed"] == 0
