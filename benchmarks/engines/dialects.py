"""Says the rules of a loaded policy in the languages of other engines, from the conditions Tillgate itself has checked.

Amounts become whole numbers and levels their ranks, in the rules and in the facts. A rule that demands something gets
its own question, whether that demand is still open; Tillgate answers it by itself. Only what the workload writes is
translated: anything else is an error, so nothing is ever compared that was left out in silence.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.engines.rules import BODIES, Read, Rules

from tillgate.guards.facts import CATALOGUE, Kind
from tillgate.guards.model import Confirm, Escalate, Facts, Requirement, Verify
from tillgate.guards.policy.expression import (
    And,
    Arith,
    Compare,
    Const,
    Expr,
    Has,
    Load,
    Not,
    OneOf,
    Or,
    Path,
    Quantify,
)
from tillgate.guards.policy.types import Policy, ToolRules


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one language writes what the conditions are made of."""

    fact: str
    has: str
    one_of: str = "{0} in [{1}]"
    among: str = "{0}.exists(t, t == {1})"
    both: str = " && "
    either: str = " || "
    negated: str = "!({})"

    def flat(self, fact: str) -> "Dialect":
        """The same language with one variable for each fact, and one for each optional fact that says it is known."""
        return replace(self, fact=fact, has=f"{fact}_known")


CEL = Dialect("{0}.{1}", "has({0}.{1})")
ZEN = Dialect(
    "{0}.{1}",
    "{0}.{1} != null",
    among="some({0}, # == {1})",
    both=" and ",
    either=" or ",
    negated="not ({})",
)
# Cedar has no quantifiers: that some element equals a value is that the set contains it.
CEDAR = Dialect("context.{0}.{1}", "context.{0} has {1}", "[{1}].contains({0})", "{0}.contains({1})")
# In Rego a fact that is missing makes its body undefined, which is not true.
REGO = Dialect("input.{0}.{1}", "input.{0}.{1}", "{0} in {{{1}}}", "{1} in {0}", "; ", BODIES, "not {}")

DIALECTS = {
    "cel": CEL,
    "cel-flat": CEL.flat("{0}_{1}"),
    "zen": ZEN,
    "zen-flat": ZEN.flat("{0}_{1}"),
    "cedar": CEDAR,
    "cedar-flat": CEDAR.flat("context.{0}_{1}"),
    "rego": REGO,
    "rego-flat": REGO.flat("input.{0}_{1}"),
}


def translated(policy: Policy, dialect: str) -> dict[str, Rules]:
    """The rules of every tool in one of the `DIALECTS`."""
    return {tool: _rules(tool, laid, DIALECTS[dialect]) for tool, laid in policy.by_tool.items()}


def _rules(tool: str, laid: ToolRules, dialect: Dialect) -> Rules:
    found: Rules = {"deny": [], "permit": [], "demands": [], "reads": sorted({*_reads(laid)})}
    for rule in laid.rules:
        text = said(rule.when.by_tool[tool], dialect)
        if rule.requirement is None:
            (found["deny"] if rule.kind == "deny" else found["permit"]).append(text)
            continue
        unmet = _unmet(rule.requirement, dialect)
        if not found["demands"] or found["demands"][-1]["unmet"] != unmet:
            found["demands"].append({"verdict": rule.kind, "unmet": unmet, "rules": []})
        found["demands"][-1]["rules"].append(text)
    return found


def _reads(laid: ToolRules) -> Iterator[Read]:
    """What the conditions read and what tells whether a demand is met."""
    for group in laid.program.uses.groups:
        for use in group.facts:
            yield Read(group.name, use.path[-1], use.type.kind.value, use.type.optional)
    proofs = {
        "verify": ("subject", "assurance"),
        "confirm": ("consent", "strength"),
        "escalate": ("approval", "granted"),
    }
    for rule in laid.rules:
        if rule.kind in proofs:
            group_name, name = proofs[rule.kind]
            yield Read(group_name, name, CATALOGUE[group_name].facts[name].kind.value, optional=False)


def _unmet(demand: Requirement, dialect: Dialect) -> str:
    match demand:
        case Verify(level=level):
            return f"{dialect.fact.format('subject', 'assurance')} < {level:d}"
        case Confirm(strength=strength):
            return f"{dialect.fact.format('consent', 'strength')} < {strength:d}"
        case Escalate(approvals=1):
            return dialect.negated.format(dialect.fact.format("approval", "granted"))
        case _:
            raise NotImplementedError(demand)


def said(expr: Expr, dialect: Dialect) -> str:
    """A condition in another language."""
    match expr:
        case Const(value=value):
            return f'"{value}"' if isinstance(value, str) else str(value)
        case Load(path=path, bound=False):
            return _at(dialect.fact, path)
        case Has(path=path, bound=False):
            return _at(dialect.has, path)
        case Not(item=item):
            return dialect.negated.format(said(item, dialect))
        case And(items=items):
            return dialect.both.join(_closed(item, dialect) for item in items)
        case Or(items=items):
            return dialect.either.join(_closed(item, dialect) for item in items)
        case Compare(op=op, left=left, right=right) | Arith(op=op, left=left, right=right):
            return f"{said(left, dialect)} {op} {said(right, dialect)}"
        case OneOf(item=item, items=items):
            return dialect.one_of.format(said(item, dialect), ", ".join(said(each, dialect) for each in items))
        case Quantify("exists", name, over, Compare("==", Load(path=path), Const() as value)) if path == (name,):
            return dialect.among.format(said(over, dialect), said(value, dialect))
        case _:
            raise NotImplementedError(expr)


def _at(form: str, path: Path) -> str:
    if len(path) != 2:
        raise NotImplementedError(path)
    return form.format(*path)


def _closed(expr: Expr, dialect: Dialect) -> str:
    text = said(expr, dialect)
    return f"({text})" if isinstance(expr, And | Or) else text


def lowered(facts: Facts) -> dict[str, Any]:
    """The same facts with levels as ranks."""
    found: dict[str, Any] = copy.deepcopy(dict(facts))
    for group in CATALOGUE.values():
        inside = found.get(group.name)
        if not isinstance(inside, Mapping):
            continue
        for name, fact in group.facts.items():
            if fact.kind is Kind.ORDERED and name in inside:
                found[group.name][name] = fact.values.index(inside[name])
    return found
