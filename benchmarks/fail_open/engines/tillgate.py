"""Tillgate itself: the loader a server starts with, the risk assessment and the decision, on the shipped tools."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

from benchmarks.fail_open.cases import Call, Written
from benchmarks.fail_open.engines.base import Answer, Refused

from tillgate.guards.decide import decide
from tillgate.guards.model import Verdict
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.files import Files
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.risk import assess
from tillgate.server.app import surfaces, tool_map

HEADER = "policy: storefront\nversion: 1\ncurrency: USD\nrules:\n"
PERMIT = "- {id: refunds, tools: [issue_refund], permit: true}\n"
ABSENT = ("cart", "offer")
"""Groups of facts that a refund may lack."""


def versions() -> str:
    """What is measured."""
    return f"tillgate {version('tillgate')}"


class Tillgate:
    """Loads and decides as `tillgate serve` does, without a store around it."""

    def __init__(self) -> None:
        self._surfaces = surfaces(tool_map())
        self._policy: Policy | None = None

    def load(self, written: Written) -> None:
        """Take a policy, with the files beside it."""
        files = Files(written.whole(HEADER, PERMIT, "  "), written.beside)
        try:
            self._policy = load_policy(files.packed(), "policy.yaml", self._surfaces)
        except PolicyError as error:
            raise Refused(str(error).splitlines()[0]) from error

    def decide(self, call: Call) -> Answer:
        """Assess, then decide, on the facts the record would give."""
        if self._policy is None:
            raise AssertionError("no policy is loaded")
        facts = facts_of(call)
        risk = assess(self._policy, call["tool"], facts)
        facts["risk"] = {"score": risk.score, "tier": risk.tier.name}
        decision = decide(self._policy, call["tool"], facts)
        why = ", ".join(reason.code for reason in decision.reasons) or "no rule stands against it"
        return Answer(decision.verdict is Verdict.PERMIT, f"{decision.verdict}: {why}")

    def close(self) -> None:
        """Nothing is held."""


def facts_of(call: Call) -> dict[str, Any]:
    """The call's groups, as the gate would hand them over: by-tool groups say that they are there, time is a number."""
    groups = {name: value for name, value in call.items() if name not in ("tool", "roles", "now")}
    for name in ("order", "customer", "method"):
        if isinstance(groups.get(name), dict):
            groups[name] = {"present": True, **groups[name]}
    now = int(datetime.fromisoformat(call["now"]).timestamp())
    return {**{name: {"present": False} for name in ABSENT}, **groups, "now": now}
