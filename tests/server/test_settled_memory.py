"""What a start leaves is never looked through again; what calls leave is."""

import gc
from collections.abc import Iterator

import pytest

from tillgate.server.beside import settle_memory


@pytest.fixture
def loading() -> Iterator[None]:
    """Nothing is collected, as while a server is starting; afterwards all is as it was."""
    before = gc.get_threshold()
    gc.disable()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("loading")
def test_what_calls_leave_behind_is_collected_once_all_is_loaded() -> None:
    settle_memory()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
