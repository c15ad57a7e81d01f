"""Records sealed into a chain and a Merkle tree (RFC 6962), and the export that carries both; no storage.

The rule kept: a sealed record's bytes are final. Its hash is over exactly those bytes, the next record names
that hash, and the checkpoint at the end of an export names how many there are and the root over all of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from tillgate.guards.audit.canonical import canonical, vet, written
from tillgate.guards.audit.personal import Personal, withhold
from tillgate.guards.errors import IntegrityError
from tillgate.guards.model import Json

GENESIS = "0" * 64
"""The `prev` of the first record, and the head of an empty log."""

FIRST = 1
"""The `seq` of the first record, so that the last one's `seq` is the size of the log."""

_RESERVED = frozenset({"v", "seq", "prev", "hash", "personal"})

Row: TypeAlias = tuple[bytes, str, str | bytes | None]
"""A stored record: its bytes, its hash, and the JSON of its personal values if any are kept."""


class Sealed(Struct, frozen=True):
    """A record as it is stored: canonical bytes, the hex leaf hash over them, and the values withheld from them."""

    record: bytes
    hash: str
    personal: Personal


def leaf_hash(record: bytes) -> str:
    """Hex RFC 6962 leaf hash of a record's bytes."""
    return hashlib.sha256(b"\x00" + record).hexdigest()


def seal(
    body: Mapping[str, Json], *, seq: int, prev: str, personal: Iterable[str] = (), salt: Callable[[], bytes] = bytes
) -> Sealed:
    """Number a record body, link it to the hash before it, withhold what is personal and fix its bytes.

    `seq` counts from `FIRST`; `prev` is `GENESIS` for the first record only. What stands at the dotted `personal` paths
    is committed to, each under a fresh `salt`; without salts nothing can be withheld. Raises ValueError for a body
    that is not canonical JSON, that uses a field of the log itself, or that is no kind of record.
    """
    if not body.keys().isdisjoint(_RESERVED):
        raise ValueError(f"{', '.join(sorted(_RESERVED & body.keys()))}: written by the log, not by the body")
    if not isinstance(body.get("kind"), str) or body["kind"] == "checkpoint":
        raise ValueError("a record body has a kind, and it is not 'checkpoint'")
    if seq < FIRST or (seq == FIRST) is not (prev == GENESIS):
        raise ValueError(f"record {seq} cannot follow {prev[:12]}: the first record is {FIRST} and follows zeros")
    entry = {**body, "v": 1, "seq": seq, "prev": prev}
    vet(entry)
    beside = withhold(entry, personal, salt)
    record = written(entry)
    return Sealed(record, leaf_hash(record), beside)


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of the tree: hex roots of the full subtrees, largest first, one a set bit of `size`.

    At most 64 hashes whatever the size of the log, so it fits into the row that is locked to append.
    """

    size: int = 0
    nodes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} records does not have {len(self.nodes)} full subtrees")

    def append(self, leaf: str) -> "Frontier":
        """The frontier with one more hex leaf hash."""
        nodes, node, size = list(self.nodes), leaf, self.size
        while size & 1:
            node = _node_hash(nodes.pop(), node)
            size >>= 1
        return Frontier(self.size + 1, (*nodes, node))

    def root(self) -> str:
        """Hex Merkle tree hash; of an empty log the hash of nothing."""
        if not self.nodes:
            return hashlib.sha256().hexdigest()
        *larger, root = self.nodes
        for node in reversed(larger):
            root = _node_hash(node, root)
        return root


def merkle_root(leaf_hashes: Iterable[str]) -> str:
    """Hex RFC 6962 tree hash over hex leaf hashes, in constant memory."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier = frontier.append(leaf)
    return frontier.root()


def export_lines(rows: Iterable[Row], *, without_personal: bool = False) -> Iterator[bytes]:
    """One canonical JSON line (with its newline) for each stored record in order, then the checkpoint.

    `without_personal` leaves the personal values out; the commitments stay, so the evidence still verifies.
    Raises IntegrityError for a stored record that cannot be read.
    """
    frontier, head = Frontier(), GENESIS
    for record, stored_hash, personal in rows:
        yield _line(record, stored_hash, None if without_personal else personal, frontier.size + FIRST)
        frontier, head = frontier.append(stored_hash), stored_hash
    checkpoint = {"kind": "checkpoint", "v": 1, "size": frontier.size, "head": head, "root": frontier.root()}
    yield canonical(checkpoint) + b"\n"


def _line(record: bytes, stored_hash: str, personal: str | bytes | None, seq: int) -> bytes:
    try:
        fields: dict[str, Any] = {**orjson.loads(record), "hash": stored_hash}
        beside = orjson.loads(personal) if personal else None
        return canonical({**fields, "personal": beside} if beside else fields) + b"\n"
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"stored record {seq} cannot be read: {error}") from error


def _node_hash(left: str, right: str) -> str:
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()
