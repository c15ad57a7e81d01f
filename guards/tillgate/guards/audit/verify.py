"""Checks an audit export with the standard library alone: `python verify.py EXPORT`, exit 0 ok, 4 broken.

The rule kept: nothing is taken on trust. Every line must be exactly the bytes its content has (RFC 8785),
every record must hash to what its line and its successor say, the checkpoint must name the Merkle root (RFC
6962) over all of them, every personal value must open its commitment, and nothing may have happened without a
decision or approval before it.
"""

import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

GENESIS = "0" * 64
BOUND = 2**53 - 1
MAX_PROBLEMS = 100
SALT = re.compile("[0-9a-f]{32}")
CHECKPOINT_FIELDS = {"kind", "v", "size", "head", "root"}
ENDINGS = frozenset({"denial", "withdrawal", "expiry", "stale"})

Object = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the line (from 1), the record's own number if it has one, and why."""

    line: int
    seq: int | None
    reason: str


@dataclass(frozen=True)
class Verification:
    """What an export proved. `head` and `root` are computed, not copied; at most `MAX_PROBLEMS` are kept."""

    ok: bool
    records: int
    head: str
    root: str
    problems: list[Problem]


def verify_lines(lines: Iterable[bytes]) -> Verification:
    """Verify the lines of an export, each with its newline, as reading a file in binary mode yields them."""
    log = _Log()
    number = 0
    for number, line in enumerate(lines, start=1):
        log.read(number, line)
    if not log.closed:
        log.note(number + 1, None, "incomplete: the export ends without its checkpoint line")
    return Verification(not log.problems, log.size, log.head, log.root(), log.problems)


@dataclass
class _Log:
    """The export so far: its records, the hash of the last, the tree's right edge, the requests under way."""

    size: int = 0
    head: str = GENESIS
    next_seq: int = 1
    closed: bool = False
    edge: list[bytes] = field(default_factory=list[bytes])
    problems: list[Problem] = field(default_factory=list[Problem])
    approved: set[str] = field(default_factory=set[str])
    executed: set[str] = field(default_factory=set[str])
    under_way: set[str] = field(default_factory=set[str])

    def note(self, line: int, seq: int | None, *reasons: str) -> None:
        room = MAX_PROBLEMS - len(self.problems)
        self.problems += [Problem(line, seq, reason) for reason in reasons[:room]]

    def read(self, number: int, line: bytes) -> None:
        if self.closed:
            return self.note(number, None, "something follows the checkpoint, which must be the last line")
        try:
            content = parse(line)
        except (ValueError, RecursionError) as error:
            return self.note(number, None, str(error) or "nested too deeply")
        if content.get("kind") == "checkpoint":
            self.closed = True
            return self.note(number, None, *self._checkpoint(content))
        seq = content.get("seq") if _is_int(content.get("seq")) else None
        record = {key: value for key, value in content.items() if key not in ("hash", "personal")}
        found = leaf_hash(canonical(record))
        self.note(number, seq, *self._chain(content, found), *_personal(content), *self._story(record))
        self._append(found, self.next_seq if seq is None else seq)
        return None

    def root(self) -> str:
        if not self.edge:
            return hashlib.sha256().hexdigest()
        root = self.edge[-1]
        for node in reversed(self.edge[:-1]):
            root = _node(node, root)
        return root.hex()

    def _append(self, leaf: str, seq: int) -> None:
        node, size = bytes.fromhex(leaf), self.size
        while size & 1:
            node = _node(self.edge.pop(), node)
            size >>= 1
        self.edge.append(node)
        self.size, self.head, self.next_seq = self.size + 1, leaf, seq + 1

    def _chain(self, content: Object, found: str) -> Iterator[str]:
        if content.get("v") != 1 or not _is_int(content.get("v")):
            yield f"record format {content.get('v')!r} is not 1"
        if not isinstance(content.get("kind"), str):
            yield "the record has no kind"
        seq = content.get("seq")
        if not _is_int(seq) or seq != self.next_seq:
            yield f"record number {seq!r} where {self.next_seq} belongs: removed, added or moved"
        if content.get("prev") != self.head:
            yield "it does not name the hash of the record before it"
        if content.get("hash") != found:
            yield "its content does not have the hash written beside it"

    def _checkpoint(self, content: Object) -> Iterator[str]:
        if set(content) != CHECKPOINT_FIELDS or content["v"] != 1 or not _is_int(content["v"]):
            yield "the checkpoint does not have exactly the fields kind, v, size, head and root of format 1"
        if content.get("size") != self.size or not _is_int(content.get("size")):
            yield f"the checkpoint counts {content.get('size')!r} records, here are {self.size}"
        if content.get("head") != self.head:
            yield "the checkpoint names another last hash"
        if content.get("root") != self.root():
            yield "the checkpoint names another Merkle root"

    def _story(self, record: Object) -> Iterator[str]:
        """What no honest gate writes, however well it is hashed."""
        kind, names = record.get("kind"), _request_names(record)
        if kind == "approval":
            self.approved |= names
        elif kind in ENDINGS:
            self.approved -= names
        elif kind == "execution":
            if not names & self.approved:
                yield "an execution without an approval of the same request before it"
            if _executed(record):
                if names & self.executed:
                    yield "the same request was executed twice"
                self.executed |= names
        elif kind == "outcome" and _executed(record):
            if not names & self.under_way:
                yield "an outcome without a decision that set it out before it"
            if names & self.executed:
                yield "the same request was executed twice"
            self.executed |= names
        if kind in ("call", "execution") and record.get("under_way"):
            self.under_way |= names
            if _verdict(record) != "permit":
                yield f"something was set out although the decision was {_verdict(record) or 'never made'}"
        if kind in ("call", "execution") and _changed_something(record) and _verdict(record) != "permit":
            yield f"something was changed although the decision was {_verdict(record) or 'never made'}"


def parse(line: bytes) -> Object:
    """The object of one line. Raises ValueError unless the bytes are its canonical form and a newline."""
    if not line.endswith(b"\n"):
        raise ValueError("the line does not end with a newline: cut off, or something is missing after it")
    try:
        content = json.loads(
            line[:-1].decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    if canonical(cast("Object", content)) + b"\n" != line:
        raise ValueError("not written in canonical form: spaces, key order, escapes or numbers differ")
    return cast("Object", content)


def canonical(value: object) -> bytes:
    """RFC 8785 bytes of a value without floats and with ASCII keys."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a string holds half a surrogate pair") from error


def leaf_hash(record: bytes) -> str:
    """Hex RFC 6962 leaf hash."""
    return hashlib.sha256(b"\x00" + record).hexdigest()


def _object(pairs: list[tuple[str, Any]]) -> Object:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key appears twice")
    if not all(key.isascii() for key in content):
        raise ValueError("a key is not ASCII")
    return content


def _whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > BOUND:
        raise ValueError("a whole number beyond what every reader holds exactly")
    return int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text[:20]} is not a whole number")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _personal(content: Object) -> Iterator[str]:
    """Every personal value must open the commitment that stands at its path."""
    if "personal" not in content:
        return
    entries: Any = content["personal"]
    if not isinstance(entries, dict) or not entries:
        yield "personal values must be an object that is not empty"
        return
    for path, entry in cast("Object", entries).items():
        held = _at(content, path)
        if not isinstance(held, dict) or list(cast("Object", held)) != ["commitment"]:
            yield f"a personal value for {path!r}, where the record commits to nothing"
        elif not _opens(cast("Object", held)["commitment"], path, entry):
            yield f"the personal value for {path!r} is not what the record committed to"


def _opens(commitment: object, path: str, entry: object) -> bool:
    if not isinstance(entry, dict) or set(cast("Object", entry)) != {"salt", "value"}:
        return False
    fields = cast("Object", entry)
    salt = fields["salt"]
    if not isinstance(salt, str) or SALT.fullmatch(salt) is None:
        return False
    message = path.encode("ascii") + b"\0" + canonical(fields["value"])
    return hmac.new(bytes.fromhex(salt), message, hashlib.sha256).hexdigest() == commitment


def _at(content: Object, path: str) -> object:
    """What stands at a dotted path of the record; a key that itself holds dots is tried whole first."""
    node: Object = {key: value for key, value in content.items() if key not in ("hash", "personal")}
    while path not in node:
        head, _, path = path.partition(".")
        node = _part(node, head)
        if not node:
            return None
    return node[path]


def _part(record: Object, name: str) -> Object:
    part = record.get(name)
    return cast("Object", part) if isinstance(part, dict) else {}


def _request_names(record: Object) -> set[str]:
    """What identifies the request a record is about: its handle, and the call that opened it."""
    names = (record.get("request"), record.get("call_id"))
    return {name for name in names if isinstance(name, str)}


def _executed(record: Object) -> bool:
    return _part(record, "outcome").get("executed") is True


def _changed_something(record: Object) -> bool:
    first = record.get("replayed") is not True
    return first and _executed(record) and bool(_part(record, "plan").get("changes"))


def _verdict(record: Object) -> object:
    return _part(record, "decision").get("verdict")


def main(arguments: list[str]) -> int:
    """Verify one file and say so; 0 ok, 4 broken, 2 when there is no file to read."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python verify.py EXPORT\n")
        return 2
    try:
        with Path(arguments[0]).open("rb") as export:
            result = verify_lines(export)
    except OSError as error:
        sys.stderr.write(f"cannot read {arguments[0]}: {error.strerror}\n")
        return 2
    for problem in result.problems:
        record = "" if problem.seq is None else f", record {problem.seq}"
        sys.stdout.write(f"line {problem.line}{record}: {problem.reason}\n")
    verdict = "ok" if result.ok else "BROKEN"
    sys.stdout.write(f"{verdict}: {result.records} records, head {result.head}, root {result.root}\n")
    return 0 if result.ok else 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
