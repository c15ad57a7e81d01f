"""Says what a journey found when it found something else."""

import pytest

pytest.register_assert_rewrite("clients.journey", "clients.talking")
