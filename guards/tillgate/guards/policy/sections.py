"""Reads what rules lean on: queues, budgets and risk; each as frozen values, each finding at its place."""

from collections.abc import Mapping
from typing import cast

from tillgate.guards.facts import CATALOGUE, FactType, Kind
from tillgate.guards.model import Contribution, Escalate, Reason
from tillgate.guards.money import Currency
from tillgate.guards.policy.conditions import Conditions, Declared, Named
from tillgate.guards.policy.diagnostics import Place, did_you_mean
from tillgate.guards.policy.shape import WORD, Shape
from tillgate.guards.policy.types import Budget, Queue, RiskFactor, Tiers
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, Scalar

DAY = 86_400
MOST_APPROVALS = 5
_SCALARS = (Kind.STRING, Kind.ENUM, Kind.INT, Kind.BOOL)

_BEFORE = "it is only known after risk is assessed"
CLOSED_TO_FACTORS: Mapping[str, str] = dict.fromkeys(("risk", "usage", "consent", "approval"), _BEFORE)


class Sections:
    """Reads the parts of one file; knows the tools, the currency and the queues."""

    def __init__(self, shape: Shape, conditions: Conditions) -> None:
        self.shape = shape
        self.conditions = conditions
        self.queues: dict[str, Queue] | None = None

    @property
    def currency(self) -> Currency:
        """The currency of the file."""
        return self.conditions.currency

    def tools(self, node: Node) -> Named | None:
        """The tools a rule names: a list, or `"*"` for every one."""
        surfaces = self.conditions.surfaces
        if isinstance(node, Scalar) and node.text == "*":
            return Named(tuple(surfaces), {}, node.place)
        if isinstance(node, Scalar):
            self.shape.error("P010", 'tools must be a list, or "*" for every tool', node.place, f"[{node.text}]")
            return None
        places: dict[str, Place] = {}
        for item in self.shape.items(node, "tools"):
            name = self.shape.text(item, "a tool")
            if name is not None and name not in surfaces:
                hint = 'write tools: "*"' if name == "*" else did_you_mean(name, surfaces)
                self.shape.error("P031", f"unknown tool `{name}`", item.place, hint)
            elif name in places:
                self.shape.error("P030", f"`{name}` is listed twice", item.place)
            elif name is not None:
                places[name] = item.place
        return Named(tuple(places), places, node.place) if places else None

    def read_queues(self, node: Node) -> None:
        """`queues:`; once it is there, every queue must be declared in it."""
        self.queues = {}
        section = self.shape.any_mapping(node, "queues")
        for name, body in section.values.items() if section else ():
            fields = self.shape.mapping(body, f"queue `{name}`", ["reviewers"], ["four_eyes_over"])
            reviewers: list[str] = []
            for item in self.shape.items(fields["reviewers"], "reviewers") if "reviewers" in fields else ():
                reviewer = self.shape.named(item, "a reviewer")
                if reviewer is not None:
                    reviewers.append(reviewer)
            over = None
            if "four_eyes_over" in fields:
                over = self.shape.amount(fields["four_eyes_over"], "four_eyes_over", self.currency)
            self.queues[name] = Queue(name, tuple(reviewers), over)

    def escalation(self, node: Node, reason: Reason) -> Escalate | None:
        """`escalate: queue`, or `{queue, approvals, expires}`."""
        if isinstance(node, Scalar):
            queue = self._queue(node)
            return Escalate(queue, 1, DAY, reason) if queue else None
        fields = self.shape.mapping(node, "escalate", ["queue"], ["approvals", "expires"])
        queue = self._queue(fields["queue"]) if "queue" in fields else None
        approvals: int | None = 1
        if "approvals" in fields:
            approvals = self.shape.integer(fields["approvals"], "approvals", 1, MOST_APPROVALS)
        expires = self.shape.duration(fields["expires"], "expires") if "expires" in fields else DAY
        if queue is None or approvals is None or expires is None:
            return None
        return Escalate(queue, approvals, expires, reason)

    def _queue(self, node: Node) -> str | None:
        name = self.shape.named(node, "a queue")
        if name is not None and self.queues is not None and name not in self.queues:
            hint = did_you_mean(name, self.queues)
            self.shape.error("P032", f"queue `{name}` is not declared under `queues`", node.place, hint)
            return None
        return name

    def read_budgets(self, node: Node) -> tuple[tuple[Budget, ...], dict[str, Declared]]:
        """`budgets:`, and what conditions may say of them, even of those with findings."""
        budgets: list[Budget] = []
        declared: dict[str, Declared] = {}
        for item in self.shape.items(node, "budgets", empty=True):
            optional = ["exceeded", "message"]
            fields = self.shape.mapping(item, "a budget", ["id", "tools", "per", "window", "limit"], optional)
            name = self.shape.named(fields["id"], "a budget's id", WORD) if "id" in fields else None
            named = self.tools(fields["tools"]) if "tools" in fields else None
            amount, count = self._limit(fields["limit"]) if "limit" in fields else (None, None)
            if name in declared:
                self.shape.error("P030", f"a second budget `{name}`", fields["id"].place)
            elif name is not None:
                tools = frozenset(named.tools) if named else frozenset(self.conditions.surfaces)
                declared[name] = Declared(tools, amount is None and count is not None)
            budget = self._budget(fields, name, named, amount, count)
            if budget is not None:
                budgets.append(budget)
        return tuple(budgets), declared

    def _limit(self, node: Node) -> tuple[int | None, int | None]:
        """`"200.00"`, `{count: 3}`, or both as `{amount, count}`."""
        if isinstance(node, Scalar):
            return self.shape.amount(node, "limit", self.currency), None
        fields = self.shape.mapping(node, "limit", [], ["amount", "count"])
        if isinstance(node, MappingNode) and not node.values:
            self.shape.error("P009", "limit has neither an amount nor a count", node.place, 'write "100.00"')
        amount = self.shape.amount(fields["amount"], "amount", self.currency) if "amount" in fields else None
        count = self.shape.integer(fields["count"], "count", 0, 1_000_000) if "count" in fields else None
        return amount, count

    def _budget(
        self,
        fields: Mapping[str, Node],
        name: str | None,
        named: Named | None,
        amount: int | None,
        count: int | None,
    ) -> Budget | None:
        window = self.shape.duration(fields["window"], "window") if "window" in fields else None
        per = self._per(fields["per"], named) if "per" in fields else ()
        denies = self._denies(fields.get("exceeded"))
        message = "This is more than I can do for now." if denies else "A colleague needs to look at this first."
        if "message" in fields:
            message = self.shape.text(fields["message"], "message") or message
        reason = Reason("budget_exceeded", message, name)
        escalate = None if denies else self._exceeded(fields["exceeded"], reason)
        if name is None or named is None or window is None or not per or (amount is None and count is None):
            return None
        if not denies and escalate is None:
            return None
        tools = frozenset(named.tools)
        return Budget(name, tools, per, window, amount, count, escalate or "deny", message, reason)

    def _denies(self, node: Node | None) -> bool:
        return node is None or (isinstance(node, Scalar) and node.text == "deny")

    def _exceeded(self, node: Node, reason: Reason) -> Escalate | None:
        if isinstance(node, Scalar):
            hint = "write deny, or {escalate: <queue>}"
            self.shape.error("P011", f"'{node.text}' is not what a budget can do", node.place, hint)
            return None
        fields = self.shape.mapping(node, "exceeded", ["escalate"])
        return self.escalation(fields["escalate"], reason) if "escalate" in fields else None

    def _per(self, node: Node, named: Named | None) -> tuple[str, ...]:
        nodes = (node,) if isinstance(node, Scalar) else self.shape.items(node, "per")
        paths = [self._account(each, named) for each in nodes]
        return tuple(path for path in paths if path is not None)

    def _account(self, node: Node, named: Named | None) -> str | None:
        """One fact by which a budget keeps separate accounts."""
        path = self.shape.text(node, "per")
        if path is None:
            return None
        group, _, member = path.partition(".")
        fact: FactType | None = CATALOGUE[group].facts.get(member) if group in CATALOGUE else None
        if fact is None or fact.kind not in _SCALARS:
            known = CATALOGUE[group].facts if group in CATALOGUE else CATALOGUE
            hint = did_you_mean(member if group in CATALOGUE else group, known)
            self.shape.error("P037", f"`{path}` is not a fact a budget can be kept by", node.place, hint)
            return None
        for tool in named.tools if named else ():
            self._may_lack(path, group, fact, tool, node)
        return path

    def _may_lack(self, path: str, group: str, fact: FactType, tool: str, node: Node) -> None:
        surface = self.conditions.surfaces[tool]
        by_tool = CATALOGUE[group].availability == "by_tool"
        if by_tool and group not in surface.always | surface.maybe:
            self.shape.error("P037", f"`{tool}` never has `{group}`, which this budget is kept by", node.place)
        elif fact.optional or (by_tool and group not in surface.always):
            message = f"`{tool}` may lack `{path}`: its calls without one share one account"
            self.shape.findings.warning("P106", message, node.place)

    def read_risk(self, node: Node) -> tuple[tuple[RiskFactor, ...], Tiers | None]:
        """`risk:` with its factors and tiers."""
        fields = self.shape.mapping(node, "risk", ["factors", "tiers"])
        factors: list[RiskFactor] = []
        seen: set[str] = set()
        for item in self.shape.items(fields["factors"], "factors", empty=True) if "factors" in fields else ():
            factor = self._factor(item, seen)
            if factor is not None:
                factors.append(factor)
        return tuple(factors), self._tiers(fields["tiers"]) if "tiers" in fields else None

    def _factor(self, node: Node, seen: set[str]) -> RiskFactor | None:
        fields = self.shape.mapping(node, "a factor", ["id", "when", "points", "because"], ["tools"])
        name = self.shape.named(fields["id"], "a factor's id") if "id" in fields else None
        if name in seen:
            self.shape.error("P030", f"a second factor `{name}`", fields["id"].place)
        seen.update([name] if name else [])
        points = self.shape.integer(fields["points"], "points", 1, 1000) if "points" in fields else None
        because = self.shape.text(fields["because"], "because") if "because" in fields else None
        every = Named(tuple(self.conditions.surfaces), {}, node.place)
        named = self.tools(fields["tools"]) if "tools" in fields else every
        when = None
        if named is not None and "when" in fields and self.shape.text(fields["when"], "when", longest=100_000):
            when = self.conditions.read(cast(Scalar, fields["when"]), named, CLOSED_TO_FACTORS, restricts=True)
        if name is None or points is None or because is None or when is None:
            return None
        contribution = Contribution(name, points, because)
        return RiskFactor(name, frozenset(when.by_tool), when, contribution, node.place.line + 1)

    def _tiers(self, node: Node) -> Tiers | None:
        fields = self.shape.mapping(node, "tiers", ["medium", "high", "critical"])
        scores = {name: self.shape.integer(value, name, 1, 100_000) for name, value in fields.items()}
        medium, high, critical = scores.get("medium"), scores.get("high"), scores.get("critical")
        if medium is None or high is None or critical is None:
            return None
        if not medium < high:
            self.shape.error("P034", "high must be above medium", fields["high"].place, "medium < high < critical")
        if not high < critical:
            place = fields["critical"].place
            self.shape.error("P034", "critical must be above high", place, "medium < high < critical")
        return Tiers(medium, high, critical)
