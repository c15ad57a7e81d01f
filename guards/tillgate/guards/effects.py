"""What a plan does outside the store, and what became of it.

The rule kept: an effect has one key for ever. It is sent again only with that key, only to a provider for which a key
that was seen before is the same act, and only while that remembers it; whatever else has no answer is in doubt, and a
person says how it ended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, TypeAlias

from tillgate.guards.model import Json

REMEMBERED = timedelta(hours=23)
"""How long after it was first sent a key may be sent again: providers that forget keys keep them for a day at least."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One act of a provider: `port` names the kind of provider (`payments`), `act` what is asked of it."""

    port: str
    act: str
    details: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Done:
    """It happened, exactly once. `reference` is the provider's own name for it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not happen and will not. `why` is for operators."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say yet whether it happened. `why` is for operators."""

    why: str


Answer: TypeAlias = Done | Refused | Unknown


class Provider(Protocol):
    """Somebody outside who acts when asked. An exception of either method counts as `Unknown`."""

    @property
    def repeatable(self) -> bool:
        """Whether the same key sent again within `REMEMBERED` is the same act, answered as the first time."""
        ...

    def carry_out(self, effect: Effect, key: str) -> Answer:
        """Do it. Returns within a few seconds, or says Unknown."""
        ...

    def find(self, key: str) -> Answer | None:
        """What became of this key; None from a provider that cannot tell. `Refused` when it never heard of it."""
        ...


How: TypeAlias = Literal["first", "again", "doubt", "look"]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A call whose decision is durable and whose effects are not done yet: what must happen outside a transaction.

    `handle` is its request; `fence` says which claim on it this is, so that a claim that was lost settles nothing.
    `how` is `again` when whoever had it before may still be at it, `doubt` when that one had no answer, and `look` when
    it must only be asked about.
    """

    handle: str
    fence: int
    effects: tuple[Effect, ...]
    how: How = "first"

    def keyed(self) -> Sequence[tuple[str, Effect]]:
        """Each effect with the key it has for ever."""
        return [(f"{self.handle}.{number}", effect) for number, effect in enumerate(self.effects)]


Reach: TypeAlias = Callable[[UnderWay], Answer]
"""Carries out what is under way, in order, and says how it ended. Never raises."""


def reach(providers: Mapping[str, Provider], way: UnderWay) -> Answer:
    """Carry out the effects one after the other, or ask about them. The first that is not done ends it.

    One that is refused after another was done leaves the whole in doubt: half of a plan is nobody's decision.
    """
    done: list[str] = []
    for key, effect in way.keyed():
        answer = _one(providers.get(effect.port), effect, key, way.how)
        if isinstance(answer, Refused) and done:
            return Unknown(f"{', '.join(done)} done, but then refused: {answer.why}")
        if not isinstance(answer, Done):
            return answer
        done.append(answer.reference)
    return Done(", ".join(done))


def _one(provider: Provider | None, effect: Effect, key: str, how: How) -> Answer:
    if provider is None:
        return (Refused if how == "first" else Unknown)(f"there is no provider for {effect.port}")
    found = _find(provider, key) if how != "first" else None
    if isinstance(found, Done):
        return found
    if how == "first" or (how != "look" and provider.repeatable):
        return _carried_out(provider, effect, key)
    if how == "again" or found is None:
        # that it never came is not believed at once: whoever lost the claim may be about to send it
        return Unknown("the answer was lost, and asking again could do it twice")
    return found


def _carried_out(provider: Provider, effect: Effect, key: str) -> Answer:
    try:
        return provider.carry_out(effect, key)
    except Exception as error:  # noqa: BLE001 - whatever broke, it may have happened
        return Unknown(f"{type(error).__name__}: {error}")


def _find(provider: Provider, key: str) -> Answer | None:
    try:
        return provider.find(key)
    except Exception as error:  # noqa: BLE001 - no answer is no news
        return Unknown(f"{type(error).__name__}: {error}")
