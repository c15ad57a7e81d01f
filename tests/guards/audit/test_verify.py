"""The verifier finds whatever was done to an export, with nothing but the standard library."""

import ast
import copy
import io
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from exports import BODIES, bodies, call, export, request, rows
from hypothesis import given
from hypothesis import strategies as st

from tillgate.guards.audit import verify
from tillgate.guards.audit.log import GENESIS, export_lines, seal
from tillgate.guards.audit.verify import Verification, verify_lines

EXPORT = export()
WHOLE = b"".join(EXPORT)


def checked(content: bytes) -> Verification:
    return verify_lines(io.BytesIO(content))


def reasons(lines: list[bytes]) -> str:
    return "\n".join(f"{bad.line} {bad.seq} {bad.reason}" for bad in verify_lines(lines).problems)


def test_an_export_as_written_is_whole() -> None:
    result = checked(WHOLE)
    checkpoint = orjson.loads(EXPORT[-1])
    assert result == Verification(True, 30, checkpoint["head"], checkpoint["root"], [])


def test_an_export_without_personal_values_is_whole() -> None:
    assert checked(b"".join(export(without_personal=True))).ok


def test_an_empty_log_is_whole() -> None:
    assert verify_lines(export([])) == Verification(True, 0, GENESIS, orjson.loads(export([])[0])["root"], [])


def _missed(bits: Callable[[int], Iterable[int]]) -> list[tuple[int, int]]:
    """Positions and flips that would go unseen. Up to the line before, the untouched export is read only once."""
    missed: list[tuple[int, int]] = []
    read, start = verify._Log(), 0
    for number, line in enumerate(EXPORT, start=1):
        for offset in range(len(line)):
            for flip in bits(start + offset):
                changed = line[:offset] + bytes([line[offset] ^ flip]) + line[offset + 1 :]
                rest = itertools.chain([changed], EXPORT[number:])
                if _is_whole(copy.deepcopy(read), number, io.BytesIO(b"".join(rest))):
                    missed.append((start + offset, flip))
        read.read(number, line)
        start += len(line)
    assert start == len(WHOLE)
    return missed


def _is_whole(log: verify._Log, number: int, lines: Iterable[bytes]) -> bool:
    for later, line in enumerate(lines, start=number):
        log.read(later, line)
        if log.problems:
            return False
    return log.closed


def test_no_byte_can_be_changed_anywhere() -> None:
    assert _missed(lambda position: [1 << position % 8]) == []


@pytest.mark.long
def test_no_bit_can_be_changed_anywhere() -> None:
    assert _missed(lambda position: [1 << bit for bit in range(8)]) == []


@given(st.data())
def test_no_byte_can_be_replaced_put_in_or_taken_out(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(WHOLE) - 1))
    value = data.draw(st.binary(min_size=1, max_size=3))
    for content in (
        WHOLE[:position] + value[:1] + WHOLE[position + 1 :],
        WHOLE[:position] + value + WHOLE[position:],
        WHOLE[:position] + WHOLE[position + 1 :],
        WHOLE[:position],
        WHOLE[position + 1 :],
        WHOLE + value,
    ):
        assert content == WHOLE or not checked(content).ok


def test_no_line_can_be_removed_doubled_or_moved() -> None:
    for index in range(len(EXPORT)):
        assert not verify_lines(EXPORT[:index] + EXPORT[index + 1 :]).ok
        assert not verify_lines(EXPORT[: index + 1] + EXPORT[index:]).ok
        if index:
            assert not verify_lines([*EXPORT[: index - 1], EXPORT[index], EXPORT[index - 1], *EXPORT[index + 1 :]]).ok


def test_no_line_can_be_put_in() -> None:
    forged = [b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\n", b"[" * 100_000 + b"\n", export([call(1)])[0]]
    for line in forged:
        for index in range(len(EXPORT) + 1):
            assert not verify_lines([*EXPORT[:index], line, *EXPORT[index:]]).ok


def test_a_cut_export_is_called_incomplete() -> None:
    assert "incomplete" in reasons(EXPORT[:-1])
    assert "incomplete" in reasons([])
    assert "newline" in reasons([*EXPORT[:-1], EXPORT[-1][:-1]])


def test_the_first_bad_line_is_named_in_words() -> None:
    line = EXPORT[4].replace(b'"tool":"update_address"', b'"tool":"cancel_order"')
    assert reasons([*EXPORT[:4], line, *EXPORT[5:]]).splitlines()[0] == (
        "5 5 its content does not have the hash written beside it"
    )
    assert reasons(EXPORT[:4] + EXPORT[5:]).splitlines()[0] == (
        "5 6 record number 6 where 5 belongs: removed, added or moved"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v": 1'),
        (b'"v":1', b'"v":1,"v":1'),
        (b'"v":1', b'"v":1.0'),
        (b'"v":1', b'"v":true'),
        (b'"replayed":false', b'"replayed":-0'),
        ("Größe".encode(), b"Gr\\u00f6\\u00dfe"),
        (b'"seq":3', b'"seq":03'),
        (b'"seq":3', b'"seq":9007199254740993'),
        (b'"seq":3', b'"seq":NaN'),
        (b'"seq":3', b'"seq":' + b"9" * 5000),
        (b'"tool"', '"tööl"'.encode()),
        (b"Denver", b"\\ud800"),
    ],
)
def test_another_way_to_write_the_same_or_nearly_the_same_is_found(old: bytes, new: bytes) -> None:
    assert old in EXPORT[2]
    assert not verify_lines([*EXPORT[:2], EXPORT[2].replace(old, new), *EXPORT[3:]]).ok


def _with(line: bytes, **fields: Any) -> bytes:
    return orjson.dumps({**orjson.loads(line), **fields}, option=orjson.OPT_SORT_KEYS) + b"\n"


def test_a_personal_value_must_open_its_commitment() -> None:
    entry = orjson.loads(EXPORT[2])["personal"]["arguments.address"]
    forged: list[Any] = [
        {"arguments.address": {**entry, "value": "elsewhere"}},
        {"arguments.address": {**entry, "salt": "00" * 16}},
        {"arguments.address": {**entry, "salt": entry["salt"].upper()}},
        {"arguments.address": {**entry, "salt": entry["salt"] + "00"}},
        {"arguments.address": {**entry, "more": 1}},
        {"arguments.address": entry["value"]},
        {"tool": entry},
        {"arguments.nothing": entry},
        {"hash": entry},
        {},
        [],
    ]
    for beside in forged:
        assert "personal value" in reasons([*EXPORT[:2], _with(EXPORT[2], personal=beside), *EXPORT[3:]])


def test_some_personal_values_may_be_gone() -> None:
    entries = orjson.loads(EXPORT[2])["personal"]
    del entries["arguments.address"]
    assert verify_lines([*EXPORT[:2], _with(EXPORT[2], personal=entries), *EXPORT[3:]]).ok


@pytest.mark.parametrize(
    "change",
    [{"size": 29}, {"size": "30"}, {"head": GENESIS}, {"root": GENESIS}, {"v": 2}, {"v": True}, {"signed": 1}],
)
def test_a_checkpoint_must_be_exactly_right(change: dict[str, Any]) -> None:
    assert "checkpoint" in reasons([*EXPORT[:-1], _with(EXPORT[-1], **change)])


def test_an_execution_needs_an_approval_of_the_same_request_before_it() -> None:
    opened, approval, execution = request(1)
    assert verify_lines(export([opened, approval, execution])).ok
    for made in (
        [opened, execution],
        [opened, execution, approval],
        [opened, {**approval, "request": "esc_2", "call_id": "call_2"}, execution],
        [opened, approval, {**approval, "kind": "denial"}, execution],
    ):
        assert "without an approval" in reasons(export(made))


def test_a_request_is_executed_once() -> None:
    assert "executed twice" in reasons(export([*request(1), request(1)[-1]]))


@pytest.mark.parametrize("verdict", ["deny", "verify", "confirm", "escalate", None])
def test_nothing_is_changed_without_a_permit(verdict: str | None) -> None:
    decision = {"verdict": verdict} if verdict else None
    told = reasons(export([call(1, decision=decision)]))
    assert (verdict or "never made") in told
    assert verify_lines(export([call(1, decision=decision, plan=None)])).ok
    assert verify_lines(export([call(1, decision=decision, replayed=True)])).ok


@given(st.lists(BODIES, max_size=6))
def test_writer_and_verifier_agree_on_whatever_can_be_written(made: list[dict[str, Any]]) -> None:
    lines = export(made)
    result = checked(b"".join(lines))
    assert (result.ok, result.records, result.problems) == (True, len(made), [])


def test_a_hostile_export_is_answered_and_its_problems_are_not_endless() -> None:
    assert len(verify_lines([b"x\n"] * 100_000).problems) == verify.MAX_PROBLEMS


def test_a_forger_who_hashes_everything_anew_still_needs_a_chain() -> None:
    """Each record, the head and the root fit; but the second record does not follow the first."""
    first = seal({"kind": "seed"}, seq=1, prev=GENESIS)
    second = seal({"kind": "seed"}, seq=2, prev="ab" * 32)
    rows = [(sealed.record, sealed.hash, None) for sealed in (first, second)]
    assert reasons(list(export_lines(rows))) == "2 2 it does not name the hash of the record before it"
    third = seal({"kind": "seed"}, seq=3, prev=first.hash)
    rows[1] = (third.record, third.hash, None)
    assert reasons(list(export_lines(rows))) == "2 3 record number 3 where 2 belongs: removed, added or moved"


def test_a_record_of_another_format_is_not_passed() -> None:
    sealed = seal({"kind": "seed"}, seq=1, prev=GENESIS)
    record = sealed.record.replace(b'"v":1', b'"v":2')
    line = next(iter(export_lines([(record, verify.leaf_hash(record), None)])))
    assert "format 2" in reasons([line])


def test_the_file_runs_alone(tmp_path: Path) -> None:
    copy, whole, cut = tmp_path / "verify.py", tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    copy.write_bytes(Path(verify.__file__).read_bytes())
    whole.write_bytes(WHOLE)
    cut.write_bytes(WHOLE[:-1])
    runs = [
        subprocess.run([sys.executable, "-I", "-S", copy, *files], capture_output=True, text=True, check=False)
        for files in ([whole], [cut], [tmp_path / "none"], [])
    ]
    assert [run.returncode for run in runs] == [0, 4, 2, 2]
    assert runs[0].stdout.startswith("ok: 30 records")
    assert "line 31: the line does not end with a newline" in runs[1].stdout


def test_the_file_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(verify.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_personal_values_in_the_export_are_those_of_the_bodies() -> None:
    assert len(rows(bodies())) == 30
    assert b"commitment" in WHOLE
