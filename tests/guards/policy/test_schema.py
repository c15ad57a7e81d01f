"""The editor's schema never contradicts the loader, and knows this project's tools and facts."""

import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from guards.policy.conftest import SURFACES
from guards.policy.test_bad_policies import CASES, HEAD

from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.schema import fact_list, policy_schema
from tillgate.server.app import surfaces, tool_map

ROOT = Path(__file__).parents[3]
SHIPPED = [ROOT / "policy.yaml", ROOT / "server/tillgate/server/stricter.yaml", *ROOT.glob("examples/*/policy.yaml")]
SCHEMA = policy_schema(surfaces(tool_map()))


class Text(yaml.SafeLoader):
    """YAML 1.2 as editors read it: `no` and a day are text."""


for tag in ("bool", "timestamp"):
    Text.yaml_implicit_resolvers = {
        key: [pair for pair in pairs if pair[0] != f"tag:yaml.org,2002:{tag}"]
        for key, pairs in Text.yaml_implicit_resolvers.items()
    }
Text.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def read(text: str) -> Any:
    return yaml.load(text, Loader=Text)


def accepts(text: str, schema: dict[str, Any] = SCHEMA) -> bool:
    return bool(jsonschema.Draft7Validator(schema).is_valid(read(text)))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_policy_fits(path: Path) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(read(path.read_text("utf-8")))


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_everything_the_language_has_fits() -> None:
    text = HEAD + (
        "mode: shadow\ninclude: [more.yaml]\nlet: {calm: 'order.disputed'}\n"
        "lists: {a: [x], b: {file: b.txt}}\n"
        "rules:\n  - {id: r, tools: [get_order], when: calm, unless: calm, until: 2026-01-31, mode: shadow, deny: no}\n"
        "  - {id: e, tools: '*', escalate: {queue: q, approvals: 2, expires: 24h}}\n"
        "budgets: [{id: b, tools: '*', per: [customer.id], window: 1d, limit: {count: 1}, exceeded: {escalate: q}}]\n"
        "queues: {q: {reviewers: [r], four_eyes_over: '5.00'}}\n"
    )
    assert accepts(text)


WRONG = [
    "rulez: []",
    "rules: [{id: r, tools: [get_ordr], deny: no}]",
    "rules: [{id: r, tools: [get_order], deny: no, permit: true}]",
    "rules: [{id: r, tools: [get_order]}]",
    "rules: [{id: r, tools: [get_order], verify: anonymous}]",
    "budgets: [{id: b, tools: '*', per: customer.idd, window: 1d, limit: '5.00'}]",
    "queues: {q: {reviewer: [r]}}",
    "mode: off",
]


@pytest.mark.parametrize("body", WRONG)
def test_what_an_editor_must_underline(body: str) -> None:
    assert not accepts(HEAD + body)


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_whatever_loads_fits(case: tuple[str, str, list[str], str]) -> None:
    """A refusal by the schema alone would send an operator after an error that is none."""
    try:
        load_policy(case[1], "policy.yaml", SURFACES)
    except PolicyError:
        return
    assert accepts(case[1], policy_schema(SURFACES))


def test_every_fact_is_told_with_its_type() -> None:
    assert fact_list()["order.delivered_days?"] == "number (days)"
    assert fact_list()["impact.amount"].startswith("money")
    assert "- risk.tier: LOW < MEDIUM < HIGH < CRITICAL" in str(SCHEMA["definitions"])
