"""Three implementations of one language agree: the compiler, the interpreter, and Google's CEL.

Expressions are made at random, twice at once: as a policy writes them, and lowered to plain CEL (amounts to whole
numbers, levels to ranks, times to seconds). Parentheses are left out wherever precedence allows, in both.
"""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.guards.facts import BOUND, CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.model import Facts
from tillgate.guards.money import currency
from tillgate.guards.policy.check import check_condition
from tillgate.guards.policy.compile import compile_conditions
from tillgate.guards.policy.conditions import Conditions
from tillgate.guards.policy.diagnostics import Findings
from tillgate.guards.policy.expression import Expr
from tillgate.guards.policy.interpret import FactError, holds
from tillgate.guards.policy.parser import parse
from tillgate.guards.policy.scope import Scope
from tillgate.guards.policy.validate import invalid_facts

TERNARY, OR, AND, RELATION, SUM, PRODUCT, UNARY, PRIMARY = range(8)


@dataclass(frozen=True)
class Twin:
    """One expression in both spellings; `level` is how tightly it binds."""

    ours: str
    cel: str
    level: int = PRIMARY


def same(text: str, level: int = PRIMARY) -> Twin:
    return Twin(text, text, level)


INTS = ("customer.age_days", "customer.orders", "customer.returns_percent", "order.age_hours", "conversation.calls")
OPTIONAL_INTS = ("order.delivered_days", "customer.address_age_hours")
MONEYS = ("impact.amount", "order.total", "order.refunded", "customer.refunded_30d")
OPTIONAL_MONEYS = ("args.amount", "method.balance")
OPTIONAL_TEXTS = ("args.address.line2", "call.stated_intent", "subject.customer_id")
BOOLS = ("order.disputed", "order.dispatched", "args.gift", "approval.granted", "impact.reversible")
ENUMS = {
    "order.status": ("pending", "shipped", "delivered"),
    "order.country": ("US", "DE"),
    "method.kind": ("card", "paypal"),
    "args.reason": ("damaged", "late"),
}
STRINGS = ("order.id", "customer.id", "args.order_id")
TEXTS = ("US", "DE", "cus_1", "", "é'\\", "U", "S\nU")
LISTS = ("customer.tags",)
LEVELS = {
    "subject.assurance": ("ANONYMOUS", "IDENTIFIED", "AUTHENTICATED", "STEPPED_UP"),
    "risk.tier": ("LOW", "MEDIUM", "HIGH", "CRITICAL"),
    "consent.strength": ("NONE", "AGENT", "CLIENT", "CUSTOMER"),
}


RECKLESS = ("order.delivered_days", "cart.items", "cart.margin_percent")


class Maker:
    """Makes random typed expressions for the tool `issue_refund`."""

    def __init__(self, chance: random.Random, *, reckless: bool = False) -> None:
        self.chance = chance
        self.reckless = reckless
        self.known: tuple[str, ...] = ()
        self.line: str | None = None
        self.tag: str | None = None

    def inside(self, twin: Twin, least: int) -> Twin:
        """Parentheses where they are needed, and sometimes where they are not."""
        if twin.level < least or self.chance.random() < 0.1:
            return Twin(f"({twin.ours})", f"({twin.cel})")
        return twin

    def join(self, op: str, left: Twin, right: Twin, level: int) -> Twin:
        a, b = self.inside(left, level), self.inside(right, level + 1)
        return Twin(f"{a.ours} {op} {b.ours}", f"{a.cel} {op} {b.cel}", level)

    def truth(self, depth: int) -> Twin:
        makers: list[Callable[[int], Twin]] = [self.compare, self.compare, self.member, self.text, self.atom]
        if depth > 0:
            makers += [self.logic, self.logic, self.negation, self.choice, self.guarded, self.guarded, self.quantified]
        return self.chance.choice(makers)(depth - 1)

    def atom(self, depth: int) -> Twin:
        guards = [f"has({fact})" for fact in RECKLESS] + ["cart.present"] * 2 if self.reckless else []
        return same(self.chance.choice((*BOOLS, "true", "false", "cart.present", "customer.present", *guards * 3)))

    def logic(self, depth: int) -> Twin:
        op, level = self.chance.choice((("&&", AND), ("||", OR)))
        items = [self.inside(self.truth(depth), level + 1) for _ in range(self.chance.randint(2, 4))]
        return Twin(f" {op} ".join(i.ours for i in items), f" {op} ".join(i.cel for i in items), level)

    def negation(self, depth: int) -> Twin:
        inner = self.inside(self.truth(depth), PRIMARY)
        bangs = "!" * self.chance.randint(1, 3)
        return Twin(bangs + inner.ours, bangs + inner.cel, UNARY)

    def choice(self, depth: int) -> Twin:
        test, then = self.inside(self.truth(depth), OR), self.inside(self.truth(depth), OR)
        other = self.truth(depth)
        return Twin(f"{test.ours} ? {then.ours} : {other.ours}", f"{test.cel} ? {then.cel} : {other.cel}", TERNARY)

    def guarded(self, depth: int) -> Twin:
        """An optional fact or group, read only behind its guard, in each of the accepted ways."""
        fact = self.chance.choice((*OPTIONAL_INTS, *OPTIONAL_MONEYS, *OPTIONAL_TEXTS, "cart.items", "cart.total"))
        guard = "cart.present" if fact.startswith("cart.") else f"has({fact})"
        if fact == "args.address.line2":
            guard = f"(has(args.address) && {guard})"
        before, self.known = self.known, (*self.known, fact)
        inner = self.truth(depth)
        self.known = before
        shape = self.chance.randrange(3)
        if shape == 0:
            a = self.inside(inner, AND + 1)
            return Twin(f"{guard} && {a.ours}", f"{guard} && {a.cel}", AND)
        if shape == 1:
            a = self.inside(inner, OR + 1)
            return Twin(f"!{guard} || {a.ours}", f"!{guard} || {a.cel}", OR)
        a, b = self.inside(inner, OR), self.truth(depth - 1)
        return Twin(f"{guard} ? {a.ours} : {b.ours}", f"{guard} ? {a.cel} : {b.cel}", TERNARY)

    def quantified(self, depth: int) -> Twin:
        kind = self.chance.choice(("exists", "all", "exists_one"))
        if self.line is None and self.chance.random() < 0.6:
            self.line = "l"
            body = self.truth(depth)
            if self.chance.random() < 0.3:
                note = self.inside(self.text_of("l.note"), AND + 1)
                body = Twin(f"has(l.note) && {note.ours}", f"has(l.note) && {note.cel}", AND)
            self.line = None
            return Twin(f"args.lines.{kind}(l, {body.ours})", f"args.lines.{kind}(l, {body.cel})")
        if self.tag is None:
            self.tag = "t"
            body = self.text_of("t") if self.chance.random() < 0.7 else self.truth(depth)
            self.tag = None
            return Twin(f"customer.tags.{kind}(t, {body.ours})", f"customer.tags.{kind}(t, {body.cel})")
        return self.compare(depth)

    def compare(self, depth: int) -> Twin:
        op = self.chance.choice(("==", "!=", "<", "<=", ">", ">="))
        pick = self.chance.randrange(6)
        if pick == 0:
            return self.join(op, self.number(depth), self.number(depth), RELATION)
        if pick == 1:
            return self.join(op, self.amount(depth), self.amount(depth), RELATION)
        if pick == 2:
            fact, names = self.chance.choice(list(LEVELS.items()))
            name = self.chance.choice(names)
            left, right = same(fact), Twin(name, str(names.index(name)))
            if self.chance.random() < 0.5:
                left, right = right, left
            return self.join(op, left, right, RELATION)
        if pick == 3:
            return self.join(op, self.moment(depth), self.moment(depth), RELATION)
        if pick == 4:
            fact, values = self.chance.choice(list(ENUMS.items()))
            return self.join(
                self.chance.choice(("==", "!=")), same(fact), self.quoted(self.chance.choice(values)), RELATION
            )
        return self.text_of(self.chance.choice((*STRINGS, *(("t",) if self.tag else ()))))

    def number(self, depth: int) -> Twin:
        known = [fact for fact in self.known if fact in (*OPTIONAL_INTS, "cart.items")]
        atoms = [*INTS, *known, "size(customer.tags)", "args.lines.size()", "size(order.country)"]
        atoms += ["l.quantity"] if self.line else []
        atoms += RECKLESS if self.reckless else ()
        pick = self.chance.randrange(10)
        if depth <= 0 or pick < 4:
            return same(self.chance.choice(atoms))
        if pick < 6:
            value = self.chance.randint(-50, 500)
            return same(str(value), UNARY if value < 0 else PRIMARY)
        if pick < 8:
            return self.join(self.chance.choice("+-"), self.number(depth - 1), self.number(depth - 1), SUM)
        if pick == 8:
            factor = self.chance.choice((-7, -2, 2, 3, 10))
            return self.join(self.chance.choice("/%"), self.number(depth - 1), self.constant(factor), PRODUCT)
        factor = self.chance.choice((-3, 2, 5))
        return self.join("*", self.number(depth - 1), self.constant(factor), PRODUCT)

    def constant(self, value: int) -> Twin:
        return same(str(value), UNARY if value < 0 else PRIMARY)

    def amount(self, depth: int) -> Twin:
        known = [fact for fact in self.known if fact in (*OPTIONAL_MONEYS, "cart.total")]
        pick = self.chance.randrange(10)
        if depth <= 0 or pick < 5:
            return same(self.chance.choice((*MONEYS, *known)))
        if pick < 7:
            minor = self.chance.choice((0, 1, 2500, 4800, 10_000, self.chance.randint(0, 20_000)))
            unit = self.chance.choice(("", " USD"))
            return Twin(f"money('{minor // 100}.{minor % 100:02d}{unit}')", str(minor))
        if pick < 9:
            return self.join(self.chance.choice("+-"), self.amount(depth - 1), self.amount(depth - 1), SUM)
        return self.join(self.chance.choice("*/"), self.amount(depth - 1), self.constant(3), PRODUCT)

    def moment(self, depth: int) -> Twin:
        pick = self.chance.randrange(3)
        if pick == 0:
            return same("now")
        if pick == 1:
            return Twin("timestamp('2026-01-01T00:00:00Z')", "1767225600")
        return Twin("now - duration('1h30m')", "now - 5400", SUM)

    def member(self, depth: int) -> Twin:
        pick = self.chance.randrange(4)
        if pick == 0:
            return self.join("in", self.quoted(self.chance.choice(("eu", "vip", "x"))), same("customer.tags"), RELATION)
        if pick == 1:
            fact, values = self.chance.choice(list(ENUMS.items()))
            chosen = [self.quoted(value) for value in self.chance.sample(values, self.chance.randint(1, 2))]
            listed = Twin(f"[{', '.join(c.ours for c in chosen)}]", f"[{', '.join(c.cel for c in chosen)}]")
            return self.join("in", same(fact), listed, RELATION)
        if pick == 2:
            items = [self.number(0) for _ in range(2)] + [self.constant(self.chance.randint(0, 9))]
            listed = Twin(f"[{', '.join(i.ours for i in items)}]", f"[{', '.join(i.cel for i in items)}]")
            return self.join("in", self.number(depth), listed, RELATION)
        fact, names = self.chance.choice(list(LEVELS.items()))
        chosen_names = self.chance.sample(names, 2)
        ranks = ", ".join(str(names.index(name)) for name in chosen_names)
        return self.join("in", same(fact), Twin(f"[{', '.join(chosen_names)}]", f"[{ranks}]"), RELATION)

    def text(self, depth: int) -> Twin:
        known = [fact for fact in self.known if fact in ("args.address.line2", "subject.customer_id")]
        return self.text_of(
            self.chance.choice((*STRINGS, *known, *known, "order.status", *(("t",) if self.tag else ())))
        )

    def text_of(self, fact: str) -> Twin:
        part = self.quoted(self.chance.choice(TEXTS))
        if self.chance.random() < 0.4 and fact != "order.status":
            return self.join(self.chance.choice(("==", "!=")), same(fact), part, RELATION)
        test = self.chance.choice(("startsWith", "endsWith", "contains"))
        return Twin(f"{fact}.{test}({part.ours})", f"{fact}.{test}({part.cel})")

    def quoted(self, text: str) -> Twin:
        mark = self.chance.choice("'\"")
        escaped = text.replace("\\", "\\\\").replace(mark, "\\" + mark).replace("\n", "\\n")
        if self.chance.random() < 0.2:
            escaped = escaped.replace("U", "\\x55").replace("é", "\\u00e9")
        return same(mark + escaped + mark)


def random_value(fact: FactType, chance: random.Random) -> Any:
    low, high = fact.bounds
    match fact.kind:
        case Kind.INT | Kind.MONEY | Kind.TIMESTAMP | Kind.DURATION:
            few = [n for n in (0, 1, 2, 3, 5, 30, 100, 2500, 4800, -1, -7, low, high, 1767225600) if low <= n <= high]
            return chance.choice(few)
        case Kind.BOOL:
            return chance.random() < 0.5
        case Kind.ENUM | Kind.ORDERED:
            return chance.choice(fact.values)
        case Kind.STRING:
            return chance.choice(("US", "DE", "cus_1", "", "é'\\", "US\n", "eu"))
        case Kind.LIST:
            assert fact.element is not None
            return [random_value(fact.element, chance) for _ in range(chance.randint(0, 3))]
        case Kind.RECORD:
            return {
                name: random_value(inner, chance)
                for name, inner in fact.fields.items()
                if not inner.optional or chance.random() < 0.6
            }


def random_facts(scope: Scope, chance: random.Random) -> dict[str, Any]:
    facts: dict[str, Any] = {"now": chance.choice((1767225600, 1767225599, 0, 1767231000))}
    for group in CATALOGUE.values():
        values = random_value(FactType(Kind.RECORD, fields=scope.fields(group.name)), chance)
        if group.availability == "by_tool":
            there = scope.groups.get(group.name) == "always" or chance.random() < 0.5
            values = {"present": True, **values} if there else {"present": False}
        facts[group.name] = values
    return facts


@pytest.fixture(scope="session")
def scope(surfaces: tuple[ToolSurface, ...]) -> Scope:
    by_name = {surface.name: surface for surface in surfaces}
    return Conditions(Findings("x", ""), by_name, currency("USD")).scope("issue_refund")


def checked(twin: Twin, scope: Scope) -> Expr | None:
    """The checked expression; None when it could overflow or never comes out true, as only a made one would."""
    expr, problems = check_condition(parse(twin.ours), scope)
    errors = [problem for problem in problems if problem.severity == "error"]
    assert all(problem.code in ("P013", "P022") for problem in errors), (twin.ours, errors)
    return expr


def made_up(chance: random.Random, depth: int, scope: Scope) -> str:
    """A condition that a policy may hold."""
    return next(twin.ours for twin in iter(lambda: Maker(chance).truth(depth), None) if checked(twin, scope))


@settings(max_examples=600, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_the_compiler_and_the_interpreter_agree_on_every_expression(seed: int, scope: Scope) -> None:
    chance = random.Random(seed)
    exprs = [expr for _ in range(6) if (expr := checked(Maker(chance).truth(3), scope)) is not None]
    program = compile_conditions(exprs, scope)
    for _ in range(4):
        facts = random_facts(scope, chance)
        assert invalid_facts(program.uses, facts) == ()
        assert sorted(program.match(facts) or ()) == [n for n, expr in enumerate(exprs) if holds(expr, facts)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_what_the_checker_accepts_never_reads_a_fact_that_is_missing(seed: int, scope: Scope) -> None:
    """Guards and reads are strewn about at random: whatever flow typing lets through is safe on any valid facts."""
    chance = random.Random(seed)
    for _ in range(40):
        twin = Maker(chance, reckless=True).truth(3)
        expr, _ = check_condition(parse(twin.ours), scope)
        if expr is None:
            continue
        program = compile_conditions([expr], scope)
        for _ in range(6):
            facts = random_facts(scope, chance)
            assert program.match(facts) == ([0] if holds(expr, facts) else []), twin.ours


JUNK: tuple[Any, ...] = (
    None,
    True,
    1.5,
    1,
    "x",
    "",
    -1,
    BOUND + 1,
    [],
    {},
    [1],
    ["x", 2],
    [None],
    {"present": True},
    "LOW",
)


def _damage(facts: dict[str, Any], chance: random.Random) -> None:
    """Takes one fact away or puts something else in its place, at any depth."""
    holder: Any = facts
    while True:
        key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        inner = holder[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.85:
            holder = inner
            continue
        if isinstance(holder, dict) and chance.random() < 0.3:
            del holder[key]
        else:
            holder[key] = chance.choice(JUNK)
        return


@settings(max_examples=600, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_the_compiled_and_the_slow_validation_refuse_the_same_facts(seed: int, scope: Scope) -> None:
    chance = random.Random(seed)
    exprs = [expr for _ in range(6) if (expr := checked(Maker(chance).truth(3), scope)) is not None]
    program = compile_conditions(exprs, scope)
    for _ in range(8):
        facts = random_facts(scope, chance)
        for _ in range(chance.randint(1, 3)):
            _damage(facts, chance)
        refused = program.match(facts) is None
        assert refused == (invalid_facts(program.uses, facts) != ()), (program.source, facts)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_the_interpreter_never_takes_a_damaged_fact_for_something_else(seed: int, scope: Scope) -> None:
    """On damaged facts it says what it says on whole ones, or raises: it compares nothing it should not."""
    chance = random.Random(seed)
    expr = checked(Maker(chance).truth(3), scope)
    if expr is None:
        return
    facts = random_facts(scope, chance)
    program = compile_conditions([expr], scope)
    broken = copy.deepcopy(facts)
    _damage(broken, chance)
    try:
        outcome = holds(expr, broken)
    except FactError:
        assert invalid_facts(program.uses, broken) != ()
        return
    if invalid_facts(program.uses, broken) == ():
        assert program.match(broken) == ([0] if outcome else [])


def _lowered(facts: Facts, scope: Scope) -> dict[str, Any]:
    """The same facts for plain CEL: levels as ranks."""
    lowered: dict[str, Any] = copy.deepcopy(dict(facts))
    for path, names in LEVELS.items():
        group, fact = path.split(".")
        lowered[group][fact] = names.index(lowered[group][fact])
    return lowered


@pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_google_cel_gives_every_expression_the_same_meaning(scope: Scope, count: int) -> None:
    cel = pytest.importorskip("cel_expr_python.cel", reason="the CEL oracle is not installed: meaning is NOT compared")
    record = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    env = cel.NewEnv(variables={**dict.fromkeys(CATALOGUE, record), "now": cel.Type.INT})
    compared = 0
    for seed in range(count):
        chance = random.Random(seed)
        twin = Maker(chance).truth(3)
        expr = checked(twin, scope)
        if expr is None:
            continue
        oracle, program = env.compile(twin.cel), compile_conditions([expr], scope)
        for _ in range(2):
            facts = random_facts(scope, chance)
            value = oracle.eval(data=_lowered(facts, scope)).plain_value()
            # The oracle returns errors as text, which is truthy: only true and false themselves count.
            assert value is holds(expr, facts) is (program.match(facts) == [0]), (twin.ours, twin.cel, value, facts)
            compared += 1
    assert compared > 1.5 * count
