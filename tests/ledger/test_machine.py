"""Over any sequence of acts the store and plain arithmetic agree, and no money or goods come from nowhere."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from ledger.machine import Counter

CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]


def test_every_journey_ends_where_the_arithmetic_says() -> None:
    run_state_machine_as_test(
        Counter,
        settings=settings(
            max_examples=30, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=CALM
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
