"""An export that was tampered with in any of a dozen ways is never passed: by itself, or held against a kept head."""

import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import orjson
import pytest
from logs import recorded

from tillgate.guards.audit.canonical import canonical
from tillgate.guards.audit.log import export_lines, leaf_hash
from tillgate.guards.audit.verify import Verification, main, verify_lines

Lines = list[bytes]
Harm = Callable[[Random, Lines], Lines]


def flip(chance: Random, lines: Lines) -> Lines:
    """One bit of one byte."""
    at = _any(chance, lines)
    place, bit = chance.randrange(len(lines[at])), 1 << chance.randrange(8)
    line = lines[at]
    return [*lines[:at], line[:place] + bytes([line[place] ^ bit]) + line[place + 1 :], *lines[at + 1 :]]


def replace(chance: Random, lines: Lines) -> Lines:
    """One byte by another."""
    at = _any(chance, lines)
    line, place = lines[at], chance.randrange(len(lines[at]))
    other = bytes([(line[place] + chance.randrange(1, 256)) % 256])
    return [*lines[:at], line[:place] + other + line[place + 1 :], *lines[at + 1 :]]


def swap(chance: Random, lines: Lines) -> Lines:
    """Two rows change places."""
    one, other = chance.sample(range(len(lines)), 2)
    swapped = list(lines)
    swapped[one], swapped[other] = lines[other], lines[one]
    return swapped


def delete(chance: Random, lines: Lines) -> Lines:
    """A run of rows is gone."""
    at = chance.randrange(len(lines))
    return lines[:at] + lines[at + chance.randint(1, 3) :]


def double(chance: Random, lines: Lines) -> Lines:
    """A row is there twice, the second time anywhere."""
    at = chance.randrange(len(lines) + 1)
    return [*lines[:at], chance.choice(lines), *lines[at:]]


def insert(chance: Random, lines: Lines) -> Lines:
    """A row of the forger's own, well formed."""
    at = chance.randrange(len(lines))
    forged = {**orjson.loads(chance.choice(lines[:-1])), "seq": at + 1, "call_id": f"call_{chance.getrandbits(64):x}"}
    return [*lines[:at], canonical(forged) + b"\n", *lines[at:]]


def edit(chance: Random, lines: Lines) -> Lines:
    """A value is another, and the hash beside it fits again."""
    at = chance.randrange(len(lines) - 1)
    content = orjson.loads(lines[at])
    content["at"] = f"2026-06-01T0{chance.randrange(10)}:0{chance.randrange(10)}:09Z"
    record = {name: value for name, value in content.items() if name not in ("hash", "personal")}
    content["hash"] = leaf_hash(canonical(record))
    return [*lines[:at], canonical(content) + b"\n", *lines[at + 1 :]]


def cut(chance: Random, lines: Lines) -> Lines:
    """The end is gone, at any byte."""
    whole = b"".join(lines)
    return io.BytesIO(whole[: chance.randrange(len(whole))]).readlines()


def root(chance: Random, lines: Lines) -> Lines:
    """The checkpoint is another's, or names another root, head or size."""
    checkpoint = orjson.loads(lines[-1])
    name = chance.choice(["root", "head", "size"])
    checkpoint[name] = chance.randrange(99) if name == "size" else f"{chance.getrandbits(256):064x}"
    return [*lines[:-1], canonical(checkpoint) + b"\n"]


def personal(chance: Random, lines: Lines) -> Lines:
    """A value that identifies somebody is somebody else's."""
    at = chance.choice([n for n, line in enumerate(lines) if b'"personal"' in line])
    content = orjson.loads(lines[at])
    entry = content["personal"][chance.choice(list(content["personal"]))]
    entry[chance.choice(["value", "salt"])] = f"{chance.getrandbits(128):032x}"
    return [*lines[:at], canonical(content) + b"\n", *lines[at + 1 :]]


def shorter(chance: Random, lines: Lines) -> Lines:
    """The end is gone, and the checkpoint is made anew by somebody who has this very code: whole, but not the same."""
    kept = lines[: chance.randrange(len(lines) - 1)]
    rows = [(canonical(_record(line)), orjson.loads(line)["hash"], _beside(line)) for line in kept]
    return list(export_lines(rows))


def _record(line: bytes) -> dict[str, object]:
    return {name: value for name, value in orjson.loads(line).items() if name not in ("hash", "personal")}


def _beside(line: bytes) -> bytes | None:
    beside = orjson.loads(line).get("personal")
    return orjson.dumps(beside) if beside else None


def _any(chance: Random, lines: Sequence[bytes]) -> int:
    """A line, longer ones more often."""
    return chance.choices(range(len(lines)), [len(line) for line in lines])[0]


HARMS: Sequence[Harm] = (flip, flip, flip, replace, swap, delete, double, insert, edit, cut, root, personal, shorter)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """What a real gate wrote of one conversation with everything in it."""
    return [canonical(line) + b"\n" for line in recorded(tmp_path_factory.mktemp("recorded"))]


def passed(result: Verification, kept: Verification) -> bool:
    """Whether whoever has kept the head of the log takes this for the log."""
    return result.ok and (result.head, result.records) == (kept.head, kept.records)


def harmed(export: Lines, times: int) -> Iterator[tuple[int, Harm, Lines]]:
    """So many exports that are not the one they were made from."""
    numbers = itertools.count()
    while times:
        seed = next(numbers)
        chance = Random(seed)
        harm = chance.choice(HARMS)
        spoilt = harm(chance, export)
        if spoilt != export:
            times -= 1
            yield seed, harm, spoilt


@pytest.mark.parametrize("times", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_whatever_is_done_to_an_export_is_found(export: Lines, times: int) -> None:
    kept = verify_lines(export)
    assert kept.ok
    missed: list[tuple[int, str]] = []
    for seed, harm, spoilt in harmed(export, times):
        result = verify_lines(spoilt)
        if passed(result, kept) or (result.ok and harm is not shorter):
            missed.append((seed, harm.__name__))
    assert missed == []


def test_the_command_says_broken_for_each_kind_of_harm(export: Lines, tmp_path: Path) -> None:
    for number, harm in enumerate(dict.fromkeys(HARMS)):
        file = tmp_path / f"{harm.__name__}.jsonl"
        file.write_bytes(b"".join(harm(Random(number), export)))
        assert main([str(file)]) == (0 if harm is shorter else 4), harm.__name__
