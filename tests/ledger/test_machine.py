"""Over any sequence of acts the store and plain arithmetic agree, and no money or goods come from nowhere."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from ledger.machine import PLAYED, Counter

from tillgate.server.app import tool_map

CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def test_every_changing_tool_is_played() -> None:
    assert {name for name, tool in tool_map().items() if tool.surface.effect == "write"} == PLAYED


def test_every_journey_ends_where_the_arithmetic_says() -> None:
    run_state_machine_as_test(
        Counter,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=CALM
        ),
    )


@pytest.mark.long
@pytest.mark.parametrize("shard", range(2))
def test_two_thousand_journeys_end_where_the_arithmetic_says(shard: int) -> None:
    run_state_machine_as_test(
        Counter,
        settings=settings(
            max_examples=1000, stateful_step_count=50, deadline=None, suppress_health_check=CALM, database=None
        ),
    )
