"""Findings about a policy in SARIF 2.1.0, which code scanners and editors read."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tillgate.guards.model import Json
from tillgate.guards.policy.diagnostics import Diagnostic

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[Diagnostic]) -> dict[str, Json]:
    """One run with every finding as a result."""
    codes = sorted({each.code for each in found})
    rules: list[Json] = [{"id": code, "help": {"text": f"docs/diagnostics.md#{code.lower()}"}} for code in codes]
    driver: dict[str, Json] = {"name": "tillgate policy check", "version": version("tillgate"), "rules": rules}
    results: list[Json] = [_result(each, codes.index(each.code)) for each in found]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(each: Diagnostic, index: int) -> Json:
    region: dict[str, Json] = {
        "startLine": each.line,
        "startColumn": each.column,
        "endColumn": each.column + each.span,
        "snippet": {"text": each.excerpt},
    }
    uri = Path(each.source).as_posix().replace(" ", "%20")
    return {
        "ruleId": each.code,
        "ruleIndex": index,
        "level": each.severity,
        "message": {"text": each.message + (f" (help: {each.hint})" if each.hint else "")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
    }
