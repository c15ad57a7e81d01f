"""Microsoft's Agent Governance Toolkit: a tool wrapped by `govern()`, alone and with its own checks run before.

Runs where the toolkit is installed. Its policies are its own YAML rules, not the Rego or Cedar it can also call.
"""

import tempfile
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.fail_open.cases import Call, Written
from benchmarks.fail_open.engines.base import Answer, Refused

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from agent_compliance.lint_policy import lint_file  # type: ignore[import-not-found]
    from agentmesh.governance import govern  # type: ignore[import-not-found]
    from agentmesh.governance.govern import GovernanceDenied  # type: ignore[import-not-found]
    from agentmesh.governance.policy import validate_policy_schema  # type: ignore[import-not-found]

HEADER = """apiVersion: governance.toolkit/v1
version: "1.0"
name: storefront
default_action: deny
rules:
"""
PERMIT = """- {name: refunds, condition: "action.type == 'issue_refund'", action: allow}
"""


def versions() -> str:
    """What is measured."""
    return f"agent-governance-toolkit-core {version('agent-governance-toolkit-core')}"


class Agt:
    """One governed tool a policy; `lint` refuses what `agt lint-policy --strict` and the schema check complain of."""

    def __init__(self, *, lint: bool = False) -> None:
        self._lint = lint
        self._folder = Path(tempfile.mkdtemp(prefix="agt-"))
        self._ran: list[Call] = []
        self._tool: Callable[..., object] | None = None

    def load(self, written: Written) -> None:
        """Write the file and wrap the tool with it."""
        path = self._folder / "policy.yaml"
        path.write_text(written.whole(HEADER, PERMIT, "  "), "utf-8")
        for name, text in written.beside.items():
            (self._folder / name).write_text(text, "utf-8")
        if self._lint:
            found = [*map(str, lint_file(path).messages), *validate_policy_schema(path.read_text("utf-8"))]
            if found:
                raise self._refused("; ".join(found))
        try:
            self._tool = govern(self._run, policy=str(path))
        except Exception as error:
            raise self._refused(f"{type(error).__name__}: {error}") from error

    def _refused(self, why: str) -> Refused:
        return Refused(why.replace(f"{self._folder}/", ""))

    def _run(self, **call: object) -> None:
        self._ran.append(call)

    def decide(self, call: Call) -> Answer:
        """A call goes through when the wrapped tool ran."""
        if self._tool is None:
            raise AssertionError("no policy is loaded")
        self._ran.clear()
        groups = {name: value for name, value in call.items() if name not in ("tool", "roles")}
        try:
            self._tool(action=call["tool"], **groups)
        except GovernanceDenied as error:
            return Answer(False, str(error))
        except Exception as error:  # noqa: BLE001 whatever it is, the tool was not reached
            return Answer(bool(self._ran), f"{type(error).__name__}: {error}")
        return Answer(bool(self._ran), "the tool ran" if self._ran else "the tool did not run")

    def close(self) -> None:
        """Remove the files."""
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()
