"""The official conformance suite, in every protocol version it knows, and what of it is not for Tillgate.

It runs against `tillgate serve --http` as it is, and against a workshop: the same server with the tools that some
scenarios want to call. A scenario counts as passed when each of its checks is, warnings included.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from clients.installing import INSTALLED, installed, node_environment
from clients.stage import Stage, stage

SUITE = INSTALLED / "node/node_modules/.bin/conformance"
VERSIONS = ("2025-06-18", "2025-11-25", "2026-07-28")
EXTENSIONS = "extensions"

TEXT = "Every answer of a tool is its outcome: structured, and the same as text. There is no other content."
OURS = "Resources and prompts are Tillgate's own few; there is no way to add others."
QUESTION = "What is asked of a client is Tillgate's: a yes to a plan, or a page to open. A tool asks for nothing."
NOT_FOR_US: Mapping[str, str] = {
    "completion-complete": "No completion of arguments is offered.",
    "logging-set-level": "No log goes to clients; it is about other people's calls as well.",
    "tools-call-with-logging": "No log goes to clients; it is about other people's calls as well.",
    "tools-call-with-progress": "A call has no steps worth telling of: it is one transaction.",
    "tools-call-sampling": "Tillgate never asks a client for its model.",
    "tools-call-image": TEXT,
    "tools-call-audio": TEXT,
    "tools-call-embedded-resource": TEXT,
    "tools-call-mixed-content": TEXT,
    "resources-read-text": OURS,
    "resources-read-binary": OURS,
    "resources-templates-read": OURS,
    "resources-subscribe": "Resources are read when they are wanted; nothing tells of their changes.",
    "resources-unsubscribe": "Resources are read when they are wanted; nothing tells of their changes.",
    "prompts-get-simple": OURS,
    "prompts-get-with-args": OURS,
    "prompts-get-embedded-resource": OURS,
    "prompts-get-with-image": OURS,
    "server-sse-polling": "A stream that broke is not taken up again: the call is sent again, and acts once.",
    "elicitation-sep1034-defaults": QUESTION,
    "elicitation-sep1330-enums": QUESTION,
    "input-required-result-basic-elicitation": QUESTION,
    "input-required-result-basic-sampling": QUESTION,
    "input-required-result-basic-list-roots": QUESTION,
    "input-required-result-multiple-input-requests": QUESTION,
    "input-required-result-multi-round": QUESTION,
    "input-required-result-non-tool-request": QUESTION,
    "input-required-result-capability-check": QUESTION,
    "input-required-result-ignore-extra-params": "It answers a question that was never put, with no state of ours.",
    "http-custom-header-server-validation": "No argument is a header too: what tells of a customer has no place there.",
    "sep-2640-skills-directory": "Skills are not offered.",
    "sep-2640-skills-enumeration": "Skills are not offered.",
    "sep-2640-skills-manifest": "Skills are not offered.",
    "tasks-mrtr-input": "A request that waits asks nothing of the client; it waits for a colleague.",
    "tasks-mrtr-composition": QUESTION,
    "tasks-required-task-error": "A client that knows no tasks gets the escalated outcome, with a handle.",
    "tasks-status-notifications": "Nothing is sent unasked; the suite does not check it either.",
}
"""Scenarios that are not run, and why."""

CHECKS_NOT_FOR_US: Mapping[str, str] = {
    "sep-2575-server-rejects-undeclared-capability": "No call needs a capability of the client.",
    "sep-2575-missing-capability-http-400": "No call needs a capability of the client.",
    "sep-2663-tasks-get-status-failed": "Whatever comes of a request is an outcome; its task never fails.",
    "tasks-headers-tolerate-mcp-method-on-tools-call": f"It wants the bare words of a tool. {TEXT}",
}
"""Single checks of scenarios that are run."""

IN_THE_WORKSHOP = {
    "tools-call-simple-text",
    "tools-call-error",
    "tools-call-elicitation",
    "json-schema-2020-12",
    "input-required-result-request-state",
    "input-required-result-result-type",
    "input-required-result-tampered-state",
    "input-required-result-missing-input-response",
    "input-required-result-validate-input",
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
}
"""Scenarios that call tools by names of their own; without them they would pass or fail for nothing."""


def test_tillgate_as_it_is(tmp_path: Path) -> None:
    installed("node")
    shop = stage(tmp_path)
    with shop.serving() as url:
        found = {version: failing(shop, url, version) for version in VERSIONS}
    for version, scenarios in found.items():
        ours = scenarios.keys() - NOT_FOR_US.keys() - IN_THE_WORKSHOP
        assert len(ours) >= 6, version
        assert {name: scenarios[name] for name in ours if scenarios[name]} == {}, version


def test_tillgate_with_the_tools_that_scenarios_call(tmp_path: Path) -> None:
    installed("node")
    shop = stage(tmp_path)
    with shop.serving(sys.executable, "-m", "clients.workshop") as url:
        found = {version: failing(shop, url, version) for version in (*VERSIONS[1:], EXTENSIONS)}
    for version, scenarios in found.items():
        ours = scenarios.keys() - NOT_FOR_US.keys()
        assert {name: scenarios[name] for name in ours if scenarios[name]} == {}, version
    known = {name for scenarios in found.values() for name in scenarios}
    assert IN_THE_WORKSHOP | NOT_FOR_US.keys() <= known, "the suite has no such scenario"


def failing(shop: Stage, url: str, version: str) -> dict[str, list[str]]:
    """Every scenario the suite has for a version, with what did not pass of it."""
    out = shop.folder / version
    chosen = [] if version == EXTENSIONS else ["--spec-version", version]
    command = [str(SUITE), "server", "--url", url, "--suite", "all", *chosen, "-o", str(out)]
    done = subprocess.run(
        command, cwd=shop.folder, env=node_environment(shop.folder), capture_output=True, text=True, check=False
    )
    assert out.is_dir(), done.stdout + done.stderr
    return {scenario: list(_failures(checks)) for scenario, checks in _checks(out)}


def _checks(out: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(out.glob("*/checks.json")):
        found = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT.*", file.parent.name)
        assert found is not None
        yield found[1], file


def _failures(file: Path) -> Iterator[str]:
    for check in json.loads(file.read_text("utf-8")):
        if check["status"] in ("FAILURE", "WARNING") and check["id"] not in CHECKS_NOT_FOR_US:
            yield f"{check['id']}: {check.get('errorMessage')}"
