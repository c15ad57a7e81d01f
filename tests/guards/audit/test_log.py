"""Records are sealed into a chain and an RFC 6962 tree."""

import hashlib
from typing import Any

import orjson
import pytest
from exports import bodies, export, rows
from hypothesis import given
from hypothesis import strategies as st

from tillgate.guards.audit.log import GENESIS, Frontier, export_lines, leaf_hash, merkle_root, seal
from tillgate.guards.errors import IntegrityError

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The test vectors of the Certificate Transparency code base."""

ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, written as it is printed there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _by_definition(leaves[:half]) + _by_definition(leaves[half:])).digest()


def test_the_published_test_vectors_hold() -> None:
    for size, root in enumerate(ROOTS, start=1):
        assert merkle_root(map(leaf_hash, LEAVES[:size])) == root


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_frontier_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    assert merkle_root(map(leaf_hash, leaves)) == _by_definition(leaves).hex()


def test_the_frontier_stays_small_and_can_be_put_away_and_taken_up_again() -> None:
    frontier = Frontier()
    for number in range(1000):
        frontier = Frontier(frontier.size, frontier.nodes).append(leaf_hash(b"%d" % number))
        assert len(frontier.nodes) == frontier.size.bit_count() <= 64
    assert frontier.root() == merkle_root(leaf_hash(b"%d" % number) for number in range(1000))


def test_a_frontier_that_lost_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="full subtrees"):
        Frontier(3, ("00" * 32,))


def test_a_record_names_the_one_before_it() -> None:
    first = seal({"kind": "seed"}, seq=1, prev=GENESIS)
    second = seal({"kind": "seed"}, seq=2, prev=first.hash)
    assert orjson.loads(second.record) == {"kind": "seed", "v": 1, "seq": 2, "prev": first.hash}
    assert second.hash == hashlib.sha256(b"\x00" + second.record).hexdigest()


@pytest.mark.parametrize(
    ("body", "seq", "prev"),
    [
        ({"kind": "seed"}, 0, GENESIS),
        ({"kind": "seed"}, 2, GENESIS),
        ({"kind": "seed"}, 1, "ab" * 32),
        ({"kind": "checkpoint"}, 1, GENESIS),
        ({}, 1, GENESIS),
        ({"kind": "seed", "hash": "x"}, 1, GENESIS),
        ({"kind": "seed", "personal": {}}, 1, GENESIS),
        ({"kind": "seed", "seq": 1}, 1, GENESIS),
        ({"kind": "seed", "price": 4.8}, 1, GENESIS),
    ],
)
def test_what_the_log_could_not_stand_by_is_not_sealed(body: dict[str, Any], seq: int, prev: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seal(body, seq=seq, prev=prev)


def test_an_export_ends_with_a_checkpoint_over_all_of_it() -> None:
    stored = rows(bodies())
    checkpoint = orjson.loads(list(export_lines(stored))[-1])
    assert checkpoint == {
        "kind": "checkpoint",
        "v": 1,
        "size": 30,
        "head": stored[-1][1],
        "root": merkle_root(stored_hash for _, stored_hash, _ in stored),
    }


def test_an_export_without_personal_values_holds_none() -> None:
    assert b"Denver" in b"".join(export())
    assert b"Denver" not in b"".join(export(without_personal=True))


def test_a_stored_record_that_cannot_be_read_is_not_exported_as_if_it_could() -> None:
    stored = rows(bodies(8))
    with pytest.raises(IntegrityError, match="record 3"):
        list(export_lines([*stored[:2], (b"{broken", stored[2][1], None)]))
