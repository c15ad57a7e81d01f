"""A mistake in a policy or a fact never opens the gate: the sixty cases of the comparison, with Tillgate alone."""

import json
from pathlib import Path

import pytest
import yaml
from benchmarks.fail_open.cases import LANGUAGES, Case, cases, controls
from benchmarks.fail_open.engines.tillgate import Tillgate
from benchmarks.fail_open.measure import measured, wrong_controls

RESULTS = Path(__file__).parents[2] / "benchmarks" / "fail_open" / "results.json"
CUT_OFF = "half-a-file"
"""The one case whose text is meant not to be YAML."""


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_a_mistake_never_opens_the_gate(case: Case) -> None:
    [result] = measured(Tillgate(), [case], "tillgate")
    assert result.outcome in ("refused", "closed"), f"{case.wrong} {result.why}"


def test_what_is_right_goes_through_or_is_stopped_as_it_says() -> None:
    results = list(measured(Tillgate(), controls(), "tillgate"))
    assert wrong_controls(results) == []
    assert {result.outcome for result in results} >= {"open", "closed"}


def test_there_are_sixty_cases_each_stopping_a_call_and_controls_of_both_kinds() -> None:
    assert len({case.id for case in (*cases(), *controls())}) == 60 + len(controls())
    assert {case.goes for case in cases()} == {"stopped"}
    assert {case.goes for case in controls()} == {"stopped", "through"}
    assert all(set(case.written) == set(LANGUAGES) for case in (*cases(), *controls()))


@pytest.mark.parametrize("case", [*cases(), *controls()], ids=lambda case: case.id)
def test_no_engine_refuses_a_policy_for_a_slip_of_the_comparison(case: Case) -> None:
    """What another engine is given is YAML wherever that engine reads YAML, so a refusal is for the mistake itself."""
    for language in ("cerbos", "agt"):
        written = case.written[language]
        if written.form != "missing" and case.id != CUT_OFF:
            assert list(yaml.parse(written.text))


def test_the_published_results_are_of_these_cases_and_every_engine_met_the_controls() -> None:
    published = json.loads(RESULTS.read_text("utf-8"))
    engines, page = published["engines"], RESULTS.with_name("README.md").read_text("utf-8")
    assert published["date"] in page
    assert [engine["name"] for engine in engines if engine["opens"] == 0] == ["tillgate"]
    for engine in engines:
        assert [found["case"] for found in engine["cases"]] == [case.id for case in cases()]
        assert [found["case"] for found in engine["controls"]] == [case.id for case in controls()]
        counted = sum(found["outcome"] != "n/a" for found in engine["cases"])
        assert f"| **{engine['opens']}** of {counted} |" in page
