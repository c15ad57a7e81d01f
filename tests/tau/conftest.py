"""One store filled with the benchmark's shop; every conversation gets a copy of its own."""

import pytest
from tau.adapter import TAU, Shop, seeded


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    if not TAU.is_dir():
        pytest.skip(f"the shared retail data is not here: {TAU}")
    return seeded(tmp_path_factory.mktemp("tau"))
