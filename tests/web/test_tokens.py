"""Tokens against the keys of their issuer: what is verified, what cannot be chosen by a token, and keys that change."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from web.issuer import AT, AUDIENCE, CLAIMS, ISSUER, Pair, ec_pair, ed_pair, forged, published, publishing, rsa_pair
from worlds import TestClock

from tillgate.guards.errors import ConfigurationError
from tillgate.server.web.identity import Reading
from tillgate.server.web.keys import READ_AGAIN_SECONDS, SHORTEST_SECONDS, Keys, keys_from, keys_in
from tillgate.server.web.tokens import Tokens


@dataclass
class Watch:
    """Seconds that the test lets pass."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


class Stand:
    """Tokens of one issuer, whose set of keys the test holds."""

    def __init__(self, body: bytes) -> None:
        self.body, self.read = body, 0
        self.watch, self.clock = Watch(), TestClock(AT)
        self.keys = Keys(self._read, self.watch)
        self.tokens = Tokens(self.keys, ISSUER, AUDIENCE, Reading(), self.clock, self.watch)

    async def _read(self) -> bytes:
        self.read += 1
        return self.body

    async def takes(self, token: str) -> bool:
        return await self.tokens.identity(token) is not None


@pytest.fixture(scope="module")
def rsa() -> Pair:
    return rsa_pair()


@pytest.mark.parametrize("make", [rsa_pair, ec_pair, ed_pair])
async def test_a_key_of_every_kind_verifies_its_own_tokens_and_no_others(make: Callable[[str], Pair]) -> None:
    pair, other = make("one"), make("one")
    stand = Stand(published(pair))
    assert await stand.takes(pair.token())
    assert not await stand.takes(other.token())
    head, body, signature = pair.token().split(".")
    assert not await stand.takes(f"{head}.{body}.{signature[:-4]}AAAA")
    assert not await stand.takes(f"{head}.{body}.")


async def test_no_token_chooses_what_it_is_verified_with(rsa: Pair) -> None:
    stand = Stand(published(rsa))
    public = json.dumps(rsa.public).encode()
    pem = rsa.private.public_key().public_bytes(*_pem())
    for secret in (public, pem, b""):
        unsigned = forged({"alg": "HS256", "kid": "rsa"}, CLAIMS).rstrip(".")
        mac = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
        assert not await stand.takes(forged({"alg": "HS256", "kid": "rsa"}, CLAIMS, mac))
    for algorithm in ("none", "None", "nOnE", "", "RS256", "HS256", "ES256", 256, None):
        assert not await stand.takes(forged({"alg": algorithm, "kid": "rsa"}, CLAIMS))
    assert not await stand.takes(forged({"kid": "rsa"}, CLAIMS))
    assert not await stand.takes(rsa.token(header={"crit": ["exp2"], "exp2": 1}))
    embedded = rsa_pair("rsa")
    assert not await stand.takes(embedded.token(header={"jwk": embedded.public}))


async def test_keys_are_used_for_what_they_were_published_for(rsa: Pair) -> None:
    assert await Stand(published(rsa)).takes(rsa.token(algorithm="PS256"))
    assert not await Stand(published(rsa, alg="RS512")).takes(rsa.token())
    with pytest.raises(ValueError, match="no key"):
        keys_in(published(rsa, use="enc"))
    with pytest.raises(ValueError, match="no key"):
        keys_in(
            json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "rsa", "alg": "HS256"}, {"kty": 7}]}).encode()
        )


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_weak_key_is_none() -> None:
    weak = rsa_pair("weak", 1024)
    assert not await Stand(published(weak)).takes(weak.token())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b'{"keys": [7]}', b"<html>", b"\xff"]
)
def test_a_set_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="it"):
        keys_in(body)


@pytest.mark.parametrize(
    "wrong",
    [
        "", ".", "..", "...", "a.b.c", "é.é.é", "x" * 10_000,
        forged({"alg": "RS256", "kid": ["rsa"]}, CLAIMS), forged({"alg": "RS256", "kid": {"a": 1}}, CLAIMS),
        forged({"alg": "RS256", "kid": "../../etc/passwd"}, CLAIMS),
    ],
)  # fmt: skip
async def test_nonsense_is_no_token(rsa: Pair, wrong: str) -> None:
    assert not await Stand(published(rsa)).takes(wrong)


async def test_a_key_without_a_name_is_found_when_it_is_the_only_one_that_fits() -> None:
    one, two = ec_pair(), ed_pair()
    stand = Stand(published(one, two))
    nameless = [pair.token(header={"kid": None}) for pair in (one, two)]
    assert [await stand.takes(token) for token in nameless] == [True, True]
    stand = Stand(published(one, ec_pair("other")))
    assert not await stand.takes(one.token(header={"kid": None}))


async def test_a_new_key_is_taken_up_when_a_token_names_it_but_not_at_every_token() -> None:
    old, new = ec_pair("old"), ec_pair("new")
    stand = Stand(published(old))
    assert await stand.takes(old.token())
    stand.body = published(old, new)
    assert not await stand.takes(new.token())
    stand.watch.at += SHORTEST_SECONDS
    assert await stand.takes(new.token())
    assert stand.read == 2
    for n in range(50):
        assert not await stand.takes(new.token(header={"kid": f"made-up-{n}"}))
    assert stand.read == 2
    stand.watch.at += SHORTEST_SECONDS
    for n in range(50):
        assert not await stand.takes(new.token(header={"kid": f"made-up-{n}"}))
    assert stand.read == 3


async def test_a_key_that_was_withdrawn_counts_no_more_for_tokens_that_were_taken_before() -> None:
    old, new = ec_pair("old"), ec_pair("new")
    stand = Stand(published(old))
    token = old.token(exp=AT.timestamp() + 99_999)
    assert await stand.takes(token)
    stand.body = published(new)
    stand.watch.at += READ_AGAIN_SECONDS + 1
    assert await stand.takes(token)  # the one that finds the set old does not wait for it
    await stand.keys._background  # type: ignore[misc]
    assert not await stand.takes(token)


async def test_an_issuer_that_cannot_be_reached_leaves_its_keys_and_is_said_to_be_trouble() -> None:
    pair = ec_pair()
    stand = Stand(published(pair))
    assert stand.keys.trouble is not None
    assert await stand.takes(pair.token())
    assert stand.keys.trouble is None
    stand.body = b"<html>502</html>"
    stand.watch.at += READ_AGAIN_SECONDS + 1
    assert await stand.takes(pair.token())
    await stand.keys._background
    assert await stand.takes(pair.token())
    assert "cannot be read" in (stand.keys.trouble or "")


async def test_a_token_that_was_taken_is_not_taken_when_its_time_is_over() -> None:
    pair = ec_pair()
    stand = Stand(published(pair))
    token = pair.token()
    assert await stand.takes(token)
    stand.clock.at += timedelta(seconds=609)
    assert await stand.takes(token), "clocks may differ a little"
    stand.clock.at += timedelta(seconds=1)
    assert not await stand.takes(token)


async def test_the_principal_tells_people_clients_and_customers_apart_and_says_nothing_of_them() -> None:
    pair = ec_pair()
    stand = Stand(published(pair))
    other: list[dict[str, Any]] = [
        {},
        {"sub": "person-2"},
        {"client_id": "b"},
        {"customer_id": "cus_2"},
        {"customer_id": None},
    ]
    found = {(await stand.tokens.identity(pair.token(**claims))).principal for claims in other}  # type: ignore[union-attr]
    assert len(found) == 5
    assert not any(word in principal for principal in found for word in ("person", "cus", "agent", "/"))


async def test_keys_come_over_http_and_nothing_but_a_whole_answer_is_one(rsa: Pair) -> None:
    with publishing(published(rsa)) as publisher:
        keys = Keys(keys_from(publisher.url), Watch())
        assert await keys.find("rsa", "RS256") is not None
        assert (await keys.find("other", "RS256"), publisher.asked) == (None, 1)
        for status, headers, body in [
            (404, {}, publisher.body),
            (302, {"location": publisher.url}, b""),
            (200, {}, b'{"keys": [' + b" " * 300_000 + b"]}"),
        ]:
            publisher.status, publisher.headers, publisher.body = status, headers, body
            keys = Keys(keys_from(publisher.url), Watch())
            assert await keys.find("rsa", "RS256") is None
            assert keys.trouble is not None
    keys = Keys(keys_from(publisher.url), Watch())
    assert await keys.find("rsa", "RS256") is None


def test_keys_are_not_fetched_in_the_open() -> None:
    with pytest.raises(ConfigurationError, match="https"):
        keys_from("http://id.example/keys")


def _pem() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
