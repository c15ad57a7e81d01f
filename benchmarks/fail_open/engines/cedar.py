"""Cedar, through cedarpy: by default, and with a schema that validates policies when loaded and every request.

Runs where cedarpy is installed. Without a schema a policy is refused only if it does not parse.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cedarpy  # type: ignore[import-not-found]
from benchmarks.fail_open.cases import Call, Written
from benchmarks.fail_open.engines.base import Answer, Refused

PERMIT = 'permit (principal, action == Action::"issue_refund", resource);\n'
SCHEMA = Path(__file__).with_name("cedar.cedarschema")
GROUPS = ("args", "order", "customer", "method", "impact")


def versions() -> str:
    """What is measured."""
    return f"cedarpy {version('cedarpy')}"


class Cedar:
    """Policies as text; `schema` turns on what Cedar's documentation offers against mistakes."""

    def __init__(self, *, schema: bool = False) -> None:
        self._schema = SCHEMA.read_text("utf-8") if schema else None
        self._policies: Any = None

    def load(self, written: Written) -> None:
        """Parse, and validate against the schema if there is one."""
        text = written.whole("", PERMIT, "")
        try:
            self._policies = cedarpy.PolicySet.from_str(text)
        except ValueError as error:
            raise Refused(str(error)) from error
        if self._schema is not None:
            found = cedarpy.validate_policies(text, self._schema)
            if not found.validation_passed:
                raise Refused("; ".join(str(error) for error in found.errors))

    def decide(self, call: Call) -> Answer:
        """Only `Allow` lets a call through; a request Cedar cannot read does not."""
        request = {
            "principal": 'Agent::"agent_1"',
            "action": f'Action::"{call["tool"]}"',
            "resource": 'Shop::"shop_1"',
            "context": context(call),
        }
        entities = [
            {
                "uid": {"type": "Agent", "id": "agent_1"},
                "attrs": {},
                "parents": [{"type": "Role", "id": role} for role in call["roles"]],
            }
        ]
        result = cedarpy.is_authorized(request, self._policies, entities, schema=self._schema)
        return Answer(result.allowed, " ".join([result.decision.name, *result.diagnostics.errors]))

    def close(self) -> None:
        """Nothing is held."""


def context(call: Call) -> dict[str, Any]:
    """The call's facts as Cedar values: times are datetimes, statuses are of a closed entity type."""
    found = {name: call[name] for name in GROUPS if name in call}
    found["now"] = {"__extn": {"fn": "datetime", "arg": call["now"]}}
    order = found.get("order")
    if isinstance(order, Mapping) and isinstance(order.get("status"), str):
        found["order"] = {**order, "status": {"__entity": {"type": "Status", "id": order["status"]}}}
    return found
