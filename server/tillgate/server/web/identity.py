"""Who a token speaks for: its claims, read strictly. A claim that says nothing clear refuses the token."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import orjson

from tillgate.guards.desk import Caller, Way
from tillgate.guards.model import Agent, Assurance, Json
from tillgate.server.door import is_plain

LEEWAY_SECONDS = 10
"""How far the clocks of the issuer and of this machine may be apart."""


class Unclear(ValueError):
    """A claim that is missing, of another type, or contradicts another; in words for the operator."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Which claims say what. `customer` names the one that is the customer's id, `acr` what an issuer's levels mean."""

    customer: str = "customer_id"
    acr: Mapping[str, Assurance] = field(default_factory=dict[str, Assurance])


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls. `principal` stands for subject, client and customer of one issuer, and says nothing of them."""

    principal: str
    agent: str
    customer_id: str | None
    assurance: Assurance
    since: datetime
    conversation: str | None
    scopes: frozenset[str]
    expires_at: float

    def caller(self, conversation: str, asks: frozenset[Way]) -> Caller:
        """The same as the gate knows it."""
        return Caller(
            agent=Agent(self.agent, "http"),
            principal=self.principal,
            conversation=conversation,
            customer_id=self.customer_id,
            assurance=self.assurance,
            since=self.since,
            asks=asks,
            scopes=self.scopes,
        )


def identity_of(claims: Mapping[str, Json], reading: Reading, now: datetime) -> Identity:
    """Raises Unclear for a token that is not valid now, or that says nothing clear. The signature is checked before."""
    expires_at = _valid(claims, now)
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    agent = _id(claims, "client_id" if "client_id" in claims else "azp")
    customer = _id(claims, reading.customer) if reading.customer in claims else None
    assurance = _assurance(claims, customer, reading)
    return Identity(
        principal=_principal(issuer, subject, agent, customer),
        agent=agent,
        customer_id=customer,
        assurance=assurance,
        since=_since(claims, now),
        conversation=_id(claims, "sid") if "sid" in claims else None,
        scopes=_scopes(claims),
        expires_at=expires_at,
    )


def _valid(claims: Mapping[str, Json], now: datetime) -> float:
    """When it ends to be valid."""
    moment, expires_at = now.timestamp(), _seconds(claims, "exp")
    if moment >= expires_at + LEEWAY_SECONDS:
        raise Unclear("it has expired")
    for name in ("nbf", "iat"):
        if name in claims and _seconds(claims, name) > moment + LEEWAY_SECONDS:
            raise Unclear(f"{name} is in the future")
    return expires_at


def _since(claims: Mapping[str, Json], now: datetime) -> datetime:
    """When the customer proved who they are; without a word of it, when the token was made, or long ago."""
    name = "auth_time" if "auth_time" in claims else "iat"
    at = _seconds(claims, name) if name in claims else 0.0
    if at > now.timestamp() + LEEWAY_SECONDS:
        raise Unclear(f"{name} is in the future")
    return datetime.fromtimestamp(at, UTC)


def _assurance(claims: Mapping[str, Json], customer: str | None, reading: Reading) -> Assurance:
    """What the issuer says of it; a customer of whom it says nothing has signed in."""
    said = claims.get("tillgate_assurance")
    if said is not None:
        level = {each.name.lower(): each for each in Assurance}.get(said) if isinstance(said, str) else None
        if level is None:
            raise Unclear("tillgate_assurance is none of the levels")
    else:
        level = reading.acr.get(str(claims.get("acr")), Assurance.AUTHENTICATED if customer else Assurance.ANONYMOUS)
    if (customer is None) != (level is Assurance.ANONYMOUS):
        raise Unclear("a level without a customer, or a customer who is nobody")
    return level


def _scopes(claims: Mapping[str, Json]) -> frozenset[str]:
    said = claims.get("scope", claims.get("scp", ""))
    try:
        return frozenset(said.split() if isinstance(said, str) else msgspec.convert(said, list[str]))
    except msgspec.ValidationError as error:
        raise Unclear("scope is neither text nor a list of texts") from error


def _principal(*parts: str | None) -> str:
    return "http:" + hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


def _seconds(claims: Mapping[str, Json], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise Unclear(f"{name} is not a time")
    return float(value)


def _text(claims: Mapping[str, Json], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise Unclear(f"{name} is missing")
    return value


def _id(claims: Mapping[str, Json], name: str) -> str:
    value = _text(claims, name)
    if not is_plain(value):
        raise Unclear(f"{name} is not a plain name")
    return value
