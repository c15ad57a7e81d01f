"""However a log is cut, and whoever reads the pieces, the result is the same to the byte; and an end that is not the
end of the log is an error."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from subprocess import PIPE
from threading import Thread
from typing import Any

import pytest
from logs import POLICIES, random_log, recorded
from worlds import policy

from tillgate.guards.errors import ConfigurationError
from tillgate.server.backtest import Block, Reading
from tillgate.server.backtest_counts import MOST_SHOWN, Backtest, Days, as_json
from tillgate.server.backtest_log import Log, Task
from tillgate.server.backtest_page import page
from tillgate.server.backtest_workers import MOST, SMALL, backtest_file, cores, crew, in_order, worth
from tillgate.tools.registry import tools

ALL = Days()
SEEDS = range(5)
SURFACES = tuple(tool.surface for tool in tools())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return recorded(tmp_path_factory.mktemp("recorded"))


def told(made: Backtest) -> tuple[str, str]:
    """Everything that is said of a backtest."""
    return json.dumps(as_json(made)), page(made, "policy.yaml")


def sent(block: Block) -> Block:
    """A block as it comes from another process."""
    again: Block = pickle.loads(pickle.dumps(block))
    return again


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_log_says_the_same_however_it_is_cut(found: list[dict[str, Any]], name: str, seed: int) -> None:
    chance, lines = Random(seed), random_log(seed, found)
    reading = Reading(policy(POLICIES[name]), ALL)
    whole = told(reading.whole([reading.block(lines)]))
    assert told(reading.whole(sent(reading.block([line])) for line in lines)) == whole
    for _ in range(5):
        at = sorted(chance.choices(range(len(lines) + 1), k=chance.randrange(1, 9)))
        pieces = [lines[start:end] for start, end in zip([0, *at], [*at, len(lines)], strict=True)]
        assert told(reading.whole(sent(reading.block(piece)) for piece in pieces)) == whole


def test_the_examples_are_the_first_ones_however_a_log_is_cut(found: list[dict[str, Any]]) -> None:
    lines = random_log(2, found, talks=2) * 70
    reading = Reading(policy(POLICIES["stricter"]), ALL)
    whole = reading.whole([reading.block(lines)])
    assert max(map(len, whole.shown.values())) == len(whole.damage) == MOST_SHOWN
    for size in (97, 1000):
        pieces = [lines[start : start + size] for start in range(0, len(lines), size)]
        assert told(reading.whole(sent(reading.block(piece)) for piece in pieces)) == told(whole)


def test_those_logs_hold_what_order_decides(found: list[dict[str, Any]]) -> None:
    """Otherwise the test above would say nothing."""
    seen: Counter[str] = Counter()
    for name, text in POLICIES.items():
        for seed in SEEDS:
            reading = Reading(policy(text), ALL)
            made = reading.whole([reading.block(random_log(seed, found))])
            seen["damaged"] += made.damaged
            seen["undecided"] += made.undecided[""]
            seen["moved later"] += made.moved_later
            seen["many of one flip"] += max(map(len, made.shown.values()), default=0) >= 10
            if name == "only budgets":
                seen["no room"] += made.calls["completed", "denied"] + made.calls["escalated", "denied"]
    assert len(seen) == 5
    assert min(seen.values()) >= 10, seen


@pytest.mark.parametrize("size", [1, 700, 5000, 10**9])
def test_every_line_is_read_once_wherever_the_cuts_fall(found: list[dict[str, Any]], tmp_path: Path, size: int) -> None:
    lines = random_log(3, found, talks=1)[:5]
    for end in (b"", b"\n", b"{", b"\r\n\n"):
        path = tmp_path / "log.jsonl"
        path.write_bytes(b"".join(lines) + end)
        log = Log.of(path)
        starts = range(0, log.size, size)
        read: list[bytes] = []
        with log.opened(min(size, log.size)) as ranges:
            for start in starts:
                read += map(bytes, ranges.lines(start, min(start + size, log.size)))
        with path.open("rb") as file:
            assert read == [line.removesuffix(b"\n") for line in file]


@pytest.fixture
def path(found: list[dict[str, Any]], tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(random_log(1, found, talks=40)))
    return path


def read(path: Path, name: str, workers: int | None = None, days: Days = ALL, seen: Any = str) -> Backtest:
    return backtest_file(path, (POLICIES[name], "policy.yaml"), SURFACES, days, workers=workers, seen=seen)


def task_of(path: Path, name: str, block: int, days: Days = ALL) -> Task:
    return Task(Log.of(path), (POLICIES[name], "policy.yaml"), SURFACES, days, block)


@pytest.mark.parametrize("name", ["a rule over a budget", "everything to people"])
@pytest.mark.parametrize("workers", [2, 3])
def test_workers_say_what_one_process_says(path: Path, name: str, workers: int) -> None:
    days = Days("2026-06-02", "2026-06-09")
    task = task_of(path, name, 9000, days)
    assert task.blocks > 50
    with crew(task, workers) as started:
        made = task.reading().whole(in_order(task, started))
    assert made.outside > 0
    assert told(made) == told(read(path, name, 1, days)) == told(read(path, name, workers, days))


def test_progress_is_told_to_the_last_byte(path: Path) -> None:
    for workers in (1, 2):
        sizes: list[int] = []
        read(path, "stricter", workers, seen=sizes.append)
        assert sum(sizes) == path.stat().st_size


def test_only_a_large_log_is_worth_workers(path: Path) -> None:
    assert worth(Log.of(path)) == 1
    os.truncate(path, SMALL)
    assert worth(Log.of(path)) == min(cores(), MOST)


def test_what_is_not_a_file_is_read_here(path: Path, tmp_path: Path) -> None:
    pipe, content = tmp_path / "pipe", path.read_bytes()
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    made = read(pipe, "stricter", 2)
    writer.join()
    assert told(made) == told(read(path, "stricter"))


def test_a_worker_that_is_killed_ends_the_reading_with_words(path: Path) -> None:
    task = task_of(path, "stricter", 900)
    with crew(task, 2) as started:
        blocks = in_order(task, started)
        next(blocks)
        started[1].kill()
        with pytest.raises(ConfigurationError, match=r"worker process ended before .* \(killed by SIGKILL\)"):
            list(blocks)
    assert None not in [worker.returncode for worker in started]


def test_a_log_that_was_replaced_before_a_worker_opened_it_is_refused(path: Path, tmp_path: Path) -> None:
    task = task_of(path, "stricter", 900)
    shutil.copy(path, tmp_path / "other")
    (tmp_path / "other").replace(path)
    with crew(task, 2) as started, pytest.raises(ConfigurationError, match="was replaced while it was read"):
        list(in_order(task, started))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_log_that_becomes_shorter_while_it_is_read_is_refused(path: Path, workers: int) -> None:
    def cut_off(_: int) -> None:
        os.truncate(path, 1)

    task = task_of(path, "stricter", 9000)
    with crew(task, workers) as started:
        blocks = in_order(task, started) if workers > 1 else task.share(task.reading())
        with pytest.raises(ConfigurationError, match="became shorter while it was read"):
            task.reading().whole(blocks, cut_off)


_INTERRUPTED = """
import os, signal, sys
from itertools import islice
from pathlib import Path
from tillgate.server.backtest_counts import Days
from tillgate.server.backtest_log import Log, Task
from tillgate.server.backtest_workers import crew, in_order
from tillgate.tools.registry import tools

surfaces = tuple(tool.surface for tool in tools())
task = Task(Log.of(Path(sys.argv[1])), (Path(sys.argv[2]).read_text(), "p"), surfaces, Days(), block=900)
try:
    with crew(task, 2) as started:
        blocks = in_order(task, started)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.killpg(0, signal.SIGINT)
        print(len(list(islice(blocks, task.blocks // 2))) == task.blocks // 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.killpg(0, signal.SIGINT)
except KeyboardInterrupt:
    print([worker.returncode for worker in started])
"""


def test_ctrl_c_is_for_the_parent_alone_which_ends_the_workers(path: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICIES["stricter"])
    command = [sys.executable, "-c", _INTERRUPTED, str(path), str(tmp_path / "policy.yaml")]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as script:
        said, complained = script.communicate(timeout=60)
    assert (said, complained, script.returncode) == ("True\n[-9, -9]\n", "", 0)
