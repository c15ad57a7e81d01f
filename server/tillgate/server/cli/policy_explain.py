"""`tillgate policy explain`: why a call ended, or would end, as it does, and what would change that."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json
from tillgate.server.cli.common import AsJson, Db, PolicyFile, Shop, guarded, out, print_json

if TYPE_CHECKING:
    from tillgate.guards.explain import Call, Judged, RuleTold, Told
    from tillgate.guards.nearest import Change, Nearest
    from tillgate.guards.policy.types import Policy

_ENDS = {
    "permit": "completes",
    "deny": "is denied",
    "verify": "asks for a proof of identity",
    "confirm": "asks for a confirmation",
    "escalate": "waits for a person",
}


@guarded
def explain(
    call_id: Annotated[str | None, typer.Argument(help="A recorded call")] = None,
    tool: Annotated[str | None, typer.Option("--tool", help="A call that was not made: its tool")] = None,
    facts: Annotated[str | None, typer.Option("--facts", help="Its facts: YAML, or a file; the rest is plain")] = None,
    db: Db = None,
    shop: Shop = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the rules that fired or nearly fired, the value of every part, and the smallest change that matters."""
    from tillgate.guards.explain import judge, rules_told
    from tillgate.guards.nearest import nearest
    from tillgate.server.app import tool_map

    if (call_id is None) == (tool is None):
        raise typer.BadParameter("name a recorded call, or a --tool with --facts")
    loaded, call = _recorded(call_id, db, shop, policy) if call_id else _supposed(str(tool), facts or "{}", policy)
    judged = judge(loaded, call)
    rules = rules_told(loaded, call, judged)
    near = nearest(loaded, call, judged, tool_map()[call.tool].surface)
    if as_json:
        print_json(_json(loaded, call, judged, rules, near))
        return
    for line in _lines(loaded, call, judged, rules, near):
        out().print(line, markup=False, soft_wrap=True)


def _recorded(call_id: str, db: str | None, shop: str | None, policy: Path | None) -> tuple["Policy", "Call"]:
    """A call of the store, under the policy that decided it unless another one is named."""
    from tillgate.guards.audit.log import export_lines
    from tillgate.guards.explain import Call
    from tillgate.guards.policy.load import load_policy
    from tillgate.server.app import policy_of, surfaces, tool_map
    from tillgate.server.cli.opening import reading
    from tillgate.server.settings import settings
    from tillgate.server.transcript import Entry, read_entry
    from tillgate.server.versions import versions

    with reading(db=db, shop=shop) as desk:
        rows = desk.sql.rows(
            "SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p ON p.shop = a.shop AND p.seq = a.seq"
            " WHERE a.shop = ?"
            " AND json_extract(a.record, '$.call_id') = ? AND json_extract(a.record, '$.kind') = 'call'",
            (desk.shop, call_id),
        )
        served = {each.digest: each for each in versions(desk)}
    lines = list(export_lines(tuple(row) for row in rows))
    entry = read_entry(1, lines[0]) if lines else None
    if not isinstance(entry, Entry):
        raise ConfigurationError(f"{call_id}: no such call is recorded here")
    if entry.not_decided or entry.tool not in tool_map():
        raise ConfigurationError(f"{call_id}: {entry.not_decided or f'there is no tool `{entry.tool}` any more'}")
    version = served.get(entry.policy or "")
    if policy is None and version is not None:
        loaded = load_policy(version.text, version.source, surfaces(tool_map()))
    else:
        loaded = policy_of(settings(policy=policy), tool_map())
    return loaded, Call(entry.tool, entry.facts, entry.usage, entry.counts, entry.amount, entry.requires)


def _supposed(tool: str, stated: str, policy: Path | None) -> tuple["Policy", "Call"]:
    """A call that nobody made. Raises PolicyError for facts that no such call can have."""
    from tillgate.guards.explain import Call
    from tillgate.guards.money import currency
    from tillgate.guards.policy.diagnostics import Findings, PolicyError, did_you_mean
    from tillgate.guards.policy.shape import Shape
    from tillgate.guards.policy.yaml import read_yaml
    from tillgate.guards.policy_test.plain import complete
    from tillgate.guards.policy_test.stating import Facts
    from tillgate.guards.policy_test.values import Values
    from tillgate.server.app import policy_of, tool_map
    from tillgate.server.settings import settings

    tools = tool_map()
    loaded = policy_of(settings(policy=policy), tools)
    if tool not in tools:
        raise ConfigurationError(f"--tool {tool}: unknown tool; {did_you_mean(tool, tools)}")
    source, text = ("--facts", stated)
    if Path(stated).is_file():
        source, text = stated, Path(stated).read_text("utf-8")
    findings = Findings(source, text)
    shape, node = Shape(findings), read_yaml(text, findings)
    reader = Facts(shape, Values(shape, currency(loaded.currency)), loaded)
    whole = reader.whole(node) if node is not None else None
    read = reader.read(whole, tools[tool].surface) if whole is not None else None
    if findings.errors or read is None:
        raise PolicyError(findings.errors)
    surface = tools[tool].surface
    known = complete(surface, read.groups, read.now)
    counts, amount = surface.effect == "write", known["impact"]["amount"]
    own = (amount, 1) if counts else (0, 0)
    usage = {name: {"amount": used.amount + own[0], "count": used.count + own[1]} for name, used in read.used.items()}
    return loaded, Call(tool, known, usage, counts, amount)


def _lines(
    policy: "Policy", call: "Call", judged: "Judged", rules: tuple["RuleTold", ...], near: tuple["Nearest", ...]
) -> Iterator[str]:
    decision = judged.decision
    why = "; ".join(reason.message + (f" ({reason.rule or reason.code})") for reason in decision.reasons)
    yield f"{call.tool} {_ENDS[decision.verdict.value]}" + (f": {why}" if why else "")
    for demand in decision.unmet:
        yield f"  still open: {demand.reason.rule}: {_demand(demand)}"
    yield f"risk {judged.risk.score}, {judged.risk.tier.name}"
    for factor in judged.risk.contributions:
        yield f"  +{factor.points} {factor.factor}: {factor.because}"
    for budget in judged.exceeded:
        yield f"budget {budget.id} has no room: {judged.facts['usage'][budget.id]}"
    for each in rules:
        yield ""
        yield f"{each.state} {each.rule.kind} {each.rule.id}  {each.rule.place}"
        yield from ["  always"] if each.condition.words == "true" else _tree(each.condition, 1)
    yield ""
    for path in near:
        changes = " and ".join(_change(change, policy) for change in path.changes)
        yield f"it {_ENDS[path.verdict.value]} if {changes}"
    if not near:
        yield "no change of one or two facts makes it end otherwise"


def _demand(demand: object) -> str:
    level, strength, queue = (getattr(demand, name, None) for name in ("level", "strength", "queue"))
    if level is not None:
        return f"verify {level.name.lower()}"
    return f"confirm {strength.name.lower()}" if strength is not None else f"escalate {queue}"


def _tree(told: "Told", depth: int) -> Iterator[str]:
    facts = f"   ({', '.join(told.facts)})" if told.facts and not told.parts else ""
    yield f"{'  ' * depth}{told.value:<6} {told.words}{facts}"
    for part in told.parts:
        yield from _tree(part, depth + 1)


def _change(change: "Change", policy: "Policy") -> str:
    from tillgate.guards.money import currency
    from tillgate.guards.nearest import GONE
    from tillgate.guards.policy.wording import shown

    money = currency(policy.currency)
    name = ".".join(change.path)
    if change.after is GONE:
        return f"{name} were not known"
    now = "unknown" if change.before is GONE else shown(change.before, change.type, money)
    return f"{name} were {shown(change.after, change.type, money)} instead of {now}"


def _json(
    policy: "Policy", call: "Call", judged: "Judged", rules: tuple["RuleTold", ...], near: tuple["Nearest", ...]
) -> dict[str, Json]:
    decision = judged.decision
    return {
        "tool": call.tool,
        "verdict": decision.verdict.value,
        "reasons": [
            {"code": each.code, "message": each.message, "rule": each.rule} for each in decision.reasons
        ],
        "risk": {
            "score": judged.risk.score,
            "tier": judged.risk.tier.name,
            "factors": [{"id": each.factor, "points": each.points} for each in judged.risk.contributions],
        },
        "exceeded": [budget.id for budget in judged.exceeded],
        "rules": [
            {"id": each.rule.id, "kind": each.rule.kind, "state": each.state, "place": each.rule.place,
             "condition": _told(each.condition)} for each in rules
        ],
        "nearest": [
            {"verdict": each.verdict.value, "changes": [_change(change, policy) for change in each.changes]}
            for each in near
        ],
    }  # fmt: skip


def _told(told: "Told") -> Json:
    return {
        "words": told.words,
        "value": told.value,
        "facts": list(told.facts),
        "parts": [_told(part) for part in told.parts],
    }
