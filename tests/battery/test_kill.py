"""Killed at any moment: at start, in recovery, before and after each commit and each call outside."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from battery.crash import crashing
from battery.seeded import Fault
from battery.seen import watching
from battery.stage import Place, opened

from tillgate.server.payments.stub import Behaviour

Note = Callable[[str, object], None]
BEHAVIOURS: Sequence[Behaviour] = (
    "done", "done", "done", "done", "done", "lost_after", "done",
    "refused", "done", "late", "error_after", "done", "lost_before",
)  # fmt: skip
LONGEST = 0.15
"""How long processes work at most between two kills: some are still opening the store, some are well under way."""


@pytest.mark.parametrize("kills", [20, pytest.param(1_000, marks=pytest.mark.long)])
def test_killed_anywhere_nothing_is_done_twice_unwritten_or_forgotten(
    tmp_path: Path, kills: int, record_property: Note
) -> None:
    place = opened(Place(tmp_path, behaviours=BEHAVIOURS))
    with watching(place) as seen:
        with crashing(place, seen, seed=kills) as loop:
            for kill in range(1, kills + 1):
                loop.kill_one(LONGEST)
                assert kill % 10 or seen.findings() == []
            loop.finish()
        assert seen.findings_at_rest() == []
        record_property("records", seen.story.size)
        record_property("requests", len(seen.story.stands))
        record_property("done outside", len(place.provider.acts()))
        record_property("asked for outside", place.times_asked())


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ("outside first", "not set out"),
        ("fresh keys", "twice"),
        ("split", "unaudited"),
        ("early answer", "lost answer"),
    ],
)
def test_a_bug_that_is_put_in_is_found_within_a_hundred_kills(
    tmp_path: Path, fault: Fault, finding: str, record_property: Note
) -> None:
    found = list[str]()
    place = opened(Place(tmp_path, behaviours=BEHAVIOURS))
    with watching(place) as seen, crashing(place, seen, seed=3, fault=fault) as loop:
        for kill in range(1, 101):
            loop.kill_one(LONGEST)
            found += [each for each in seen.findings() if each.startswith(finding)]
            if found:
                record_property("found at kill", kill)
                return
    pytest.fail(f"{fault} was not found")
