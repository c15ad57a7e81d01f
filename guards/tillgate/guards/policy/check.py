"""Turns the syntax of a condition into a checked expression, collecting every finding instead of stopping at the first.

Flow typing: each truth-valued part says which optional facts are known when it is true and when it is false, so
`has(x) && x > 1`, `!has(x) || x > 1` and `has(x) ? x > 1 : false` are all accepted and a bare `x > 1` is not.
"""

from dataclasses import replace
from typing import Literal, cast

from tillgate.guards.facts import CATALOGUE, FactType, Kind, string
from tillgate.guards.policy.calls import check_call
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.expression import (
    BOOL,
    And,
    Choose,
    Compare,
    Comparison,
    Const,
    Expr,
    Load,
    Not,
    OneOf,
    Or,
    Present,
    Span,
    Within,
)
from tillgate.guards.policy.operators import Mismatch, add, beyond, mismatch, name_of, outcome_is_told, scale
from tillgate.guards.policy.scope import LISTS, NOTHING, Judged, Known, Problem, Resolved, Scope, resolve, unguarded
from tillgate.guards.policy.syntax import (
    Binary,
    Call,
    ListOf,
    Literal_,
    Logic,
    Name,
    Negation,
    Select,
    Syntax,
    Ternary,
    path_of,
)
from tillgate.guards.policy.terms import (
    ANY,
    LEVELS,
    as_truth,
    joined,
    literal,
    may_be_level,
    range_of,
    ranked,
    with_article,
)

STRING = string()


def check_condition(syntax: Syntax, scope: Scope) -> tuple[Expr | None, tuple[Problem, ...]]:
    """The checked condition for one tool, or None, with all findings."""
    checker = Checker(scope)
    expr = checker.truth(syntax, NOTHING).expr
    failed = any(problem.severity == "error" for problem in checker.problems)
    return (None if failed else expr), tuple(checker.problems)


class Checker:
    """Checks one condition in one scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.problems: list[Problem] = []
        self.variables: dict[str, FactType] = {}

    def report(self, problem: Problem) -> None:
        """Record a finding and go on."""
        self.problems.append(problem)

    def error(self, code: str, message: str, span: Span, hint: str | None = None) -> Judged:
        """Record an error; the part it stands for has no type."""
        self.report(Problem(code, message, span, hint))
        return Judged(None)

    def truth(self, node: Syntax, known: Known) -> Judged:
        """A part that must be true or false."""
        judged = self.judge(node, known)
        if judged.expr is not None and judged.expr.type.kind is not Kind.BOOL:
            kind = judged.expr.type.kind
            return self.error(
                "P018", f"a condition is true or false; this is {with_article(kind)}", node.span, as_truth(kind)
            )
        return judged

    def value(self, node: Syntax, known: Known, expected: FactType | None = None) -> Expr | None:
        """A part of any type; `expected` gives ordered constants their domain."""
        return self.judge(node, known, expected).expr

    def judge(self, node: Syntax, known: Known, expected: FactType | None = None) -> Judged:
        """Any part, with what it proves."""
        match node:
            case Literal_():
                return Judged(literal(node))
            case Name() | Select():
                return self._path(node, known, expected)
            case Negation():
                return self._negation(node, known)
            case Logic():
                return self._logic(node, known)
            case Ternary():
                return self._ternary(node, known, expected)
            case Binary():
                return Judged(self._binary(node, known))
            case Call():
                return check_call(self, node, known)
            case ListOf():
                return self.error("P017", "a list can only stand after `in`", node.span)

    def _path(self, node: Name | Select, known: Known, expected: FactType | None) -> Judged:
        path = path_of(node)
        if path is None:
            # A member of something that is not a path, such as a call: report what is inside, then this.
            self.value(cast(Select, node).operand, known)
            return self.error("P017", "only facts have members", cast(Select, node).member_span)
        root, members = path
        if not members and root.name not in self.variables and (constant := self._level(root, expected)):
            return constant
        found = resolve(self.scope, self.variables, root, members, self.report)
        if found is None:
            return Judged(None)
        if found.presence:
            return self._presence(found, node.span)
        problem = unguarded(self.scope, found, known, node.span)
        if problem:
            self.report(problem)
            return Judged(None)
        if found.type.kind is Kind.RECORD:
            hint = f"name one of its parts: {', '.join(list(found.type.fields)[:8])}"
            return self.error("P017", f"`{'.'.join(found.path)}` is a record, not a value", node.span, hint)
        return Judged(Load(found.path, replace(found.type, optional=False), found.bound, node.span))

    def _presence(self, found: Resolved, span: Span) -> Judged:
        group = found.path[0]
        if self.scope.groups.get(group) == "always":
            return Judged(Const(True, BOOL, span))
        return Judged(Present(group, span), yes=frozenset({(group,)}))

    def _level(self, name: Name, expected: FactType | None) -> Judged | None:
        """An ordered constant; None when the name is something else."""
        if expected is not None and expected.kind is Kind.ORDERED:
            if name.name in expected.values:
                return Judged(ranked(name, expected))
            if name.name in CATALOGUE or name.name == "now":
                return None
            hint = did_you_mean(name.name, expected.values)
            return self.error("P013", f"`{name.name}` is not one of its levels", name.span, hint)
        domains = LEVELS.get(name.name)
        if not domains:
            return None
        first, *others = domains
        if others and expected is None:
            return self.error("P017", f"`{name.name}` is a level of several facts", name.span, "compare it with a fact")
        return Judged(ranked(name, first))

    def _negation(self, node: Negation, known: Known) -> Judged:
        inner = self.truth(node.operand, known)
        return Judged(Not(inner.expr, node.span) if inner.expr else None, yes=inner.no, no=inner.yes)

    def _logic(self, node: Logic, known: Known) -> Judged:
        """For `&&`, each part is read where all before it are true; for `||`, where all before it are false."""
        gathered: Known = NOTHING
        shared: Known | None = None
        items: list[Expr | None] = []
        for item in node.items:
            judged = self.truth(item, known | gathered)
            items.append(judged.expr)
            onward, ends = (judged.yes, judged.no) if node.op == "&&" else (judged.no, judged.yes)
            shared = gathered | ends if shared is None else shared & (gathered | ends)
            gathered |= onward
        checked = [item for item in items if item is not None]
        expr: Expr | None = None
        if len(checked) == len(items):
            expr = And(tuple(checked), node.span) if node.op == "&&" else Or(tuple(checked), node.span)
        stopped = shared or NOTHING
        return Judged(expr, gathered, stopped) if node.op == "&&" else Judged(expr, stopped, gathered)

    def _ternary(self, node: Ternary, known: Known, expected: FactType | None) -> Judged:
        test = self.truth(node.test, known)
        then = self.judge(node.then, known | test.yes, expected)
        other = self.judge(node.other, known | test.no, expected or (then.expr.type if then.expr else None))
        yes = (test.yes | then.yes) & (test.no | other.yes)
        no = (test.yes | then.no) & (test.no | other.no)
        if test.expr is None or then.expr is None or other.expr is None:
            return Judged(None, yes, no)
        wrong = mismatch(then.expr, other.expr, self.scope.currency)
        if wrong:
            return self.error("P017", "both sides of `? :` must have one type", node.span, wrong.hint)
        kind = joined(then.expr.type, other.expr.type)
        return Judged(Choose(test.expr, then.expr, other.expr, kind, node.span), yes, no)

    def _binary(self, node: Binary, known: Known) -> Expr | None:
        if node.op == "in":
            return self._membership(node, known)
        left, right = self._operands(node, known)
        if left is None or right is None:
            return None
        if node.op in ("+", "-", "*", "/", "%"):
            return self._arithmetic(node, left, right)
        return self._comparison(node, left, right)

    def _operands(self, node: Binary, known: Known) -> tuple[Expr | None, Expr | None]:
        """The side that may be a bare level is read last, in the light of the other."""
        if may_be_level(node.left, self.variables):
            right = self.value(node.right, known)
            return self.value(node.left, known, right.type if right else ANY), right
        left = self.value(node.left, known)
        return left, self.value(node.right, known, left.type if left else ANY)

    def _arithmetic(self, node: Binary, left: Expr, right: Expr) -> Expr | None:
        if node.op in ("+", "-"):
            result = add("+" if node.op == "+" else "-", left, right, node.span, self.scope.currency)
        else:
            result = scale(cast(Literal["*", "/", "%"], node.op), left, right, node.span)
        if isinstance(result, Problem):
            self.report(result)
            return None
        return result

    def _comparison(self, node: Binary, left: Expr, right: Expr) -> Expr | None:
        wrong = mismatch(left, right, self.scope.currency)
        if wrong:
            span = {"left": left.span, "right": right.span, None: node.span}[wrong.side]
            self.report(Problem(wrong.code, wrong.message, span, wrong.hint))
            return None
        if node.op not in ("==", "!=") and left.type.kind in (Kind.STRING, Kind.ENUM, Kind.BOOL):
            self.error("P017", f"{with_article(left.type.kind)} has no order", node.span, "use `==`, `!=` or `in`")
            return None
        compare = Compare(cast(Comparison, node.op), left, right, node.span)
        problem = outcome_is_told(compare)
        if problem is not None:
            self.report(problem)
        return compare

    def _membership(self, node: Binary, known: Known) -> Expr | None:
        if isinstance(node.right, ListOf):
            return self._one_of(node, node.right, known)
        path = path_of(node.right)
        if path is not None and path[0].name == LISTS:
            return self._listed(node, path[1], known)
        over = self.value(node.right, known)
        expected = over.type.element if over is not None and over.type.element else ANY
        item = self.value(node.left, known, expected)
        if over is None or item is None:
            return None
        if not isinstance(over, Load) or over.type.element is None:
            self.error("P017", f"`in` needs a list, not {with_article(over.type.kind)}", node.right.span)
            return None
        element = Load((*over.path, "[]"), over.type.element, over.bound, over.span)
        return Within(item, over, node.span) if self._agree(item, element) else None

    def _listed(self, node: Binary, members: tuple[Select, ...], known: Known) -> Expr | None:
        """`item in lists.name`: the list is part of the policy, so its values are constants."""
        item = self.value(node.left, known)
        name = ".".join(member.member for member in members)
        values = self.scope.lists.get(name)
        if values is None:
            hint = did_you_mean(name, self.scope.lists) or "declare it under `lists`"
            self.error("P043", f"unknown list `{name}`", node.right.span, hint)
        if item is None or values is None:
            return None
        constants = tuple(Const(value, STRING, node.right.span) for value in values)
        agree = all(self._agree(item, each) for each in constants)
        return OneOf(item, constants, node.span) if agree else None

    def _one_of(self, node: Binary, listed: ListOf, known: Known) -> Expr | None:
        item = self.value(node.left, known)
        items = [self.value(each, known, item.type if item else ANY) for each in listed.items]
        if item is None or None in items:
            return None
        if not items:
            self.error("P017", "nothing is in an empty list", listed.span)
            return None
        checked = [each for each in items if each is not None]
        # Every wrong item is reported, not only the first.
        agree = [self._agree(item, each) for each in checked]
        return OneOf(item, tuple(checked), node.span) if all(agree) else None

    def _agree(self, item: Expr, each: Expr) -> bool:
        wrong = mismatch(item, each, self.scope.currency)
        if wrong is None and beyond(item, each):
            message = f"{name_of(item)} is from {range_of(item, each)}"
            wrong = Mismatch("P013", message, "right")
        if wrong is None:
            return True
        self.report(Problem(wrong.code, wrong.message, item.span if wrong.side == "left" else each.span, wrong.hint))
        return False
