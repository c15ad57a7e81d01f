"""What must hold of a shop at any instant, found out from outside: from its rows, its log and the provider's books.

Each finding is a sentence; none means that nothing happened that is not written down, nothing is written down that did
not happen, nothing happened twice, and nothing that was answered is lost.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from battery.acts import ABOUT
from battery.shown import Row, Shown, entities, shown
from battery.stage import Place, Shop
from battery.story import Story

from tillgate.server.store.log import unrecorded


class Provides(Protocol):
    """Whoever pays out, as its own books show it."""

    def acts(self) -> Mapping[str, int]:
        """How often each key was carried out."""
        ...


@dataclass
class Watch:
    """Looks at a shop again and again; `answers` is all that was said by its processes since the last look."""

    provider: Provides
    shop: Shop
    story: Story
    answers: list[Any] = field(default_factory=list[Any])

    def findings(self) -> list[str]:
        """Everything that does not hold now."""
        acts = self.provider.acts()  # before the look: whatever is in it was set out before
        seen = shown(self.shop, self.story.size)
        for line in seen.lines:
            self.story.read(line)
        found = [f"broken log: {problem.reason}" for problem in self.story.checked.problems]
        found += [*_unexplained(self.story, seen), *_misplaced(self.story, seen), *_misbooked(self.story, seen)]
        found += [*_lost(self.answers, self.story, seen), *_twice(acts, self.story, seen)]
        self.answers.clear()
        return found

    def findings_at_rest(self) -> list[str]:
        """Everything that does not hold once nothing is under way any more."""
        found = self.findings()
        with self.shop.store.reading() as desk:
            found += unrecorded(desk.sql)
        return found + list(_unpaid(self.provider.acts(), self.story, shown(self.shop, self.story.size)))


@contextmanager
def watching(place: Place) -> Generator[Watch]:
    """Watch a shop that has just opened."""
    shop = place.open()
    try:
        with shop.store.reading() as desk:
            opening = entities(desk.sql)
        yield Watch(place.provider, shop, Story(opening))
    finally:
        shop.store.close()


def _unexplained(story: Story, seen: Shown) -> Iterator[str]:
    """Changes without a record, and records without their change. Stock follows the moves of it, by a trigger."""
    for entity in sorted(story.shop.keys() | seen.entities.keys()):
        there, told = seen.entities.get(entity), story.shop.get(entity)
        if there != told and not entity.startswith("variant:"):
            yield f"unaudited: {entity} is {there}, the log tells of {told}"


def _misplaced(story: Story, seen: Shown) -> Iterator[str]:
    """Requests that stand otherwise than their records say."""
    for handle in sorted(story.stands.keys() | seen.requests.keys()):
        there, told = _standing(seen, handle), story.stands.get(handle)
        if there != told:
            yield f"unaudited: {handle} is {there}, the log tells of {told}"


def _standing(seen: Shown, handle: str) -> str | None:
    return seen.requests[handle]["status"] if handle in seen.requests else None


def _misbooked(story: Story, seen: Shown) -> Iterator[str]:
    """Budgets, of calls that neither wait nor are under way, against what the log says moved."""
    booked: Counter[str] = Counter()
    for row in seen.uses:
        booked[row["call_id"]] += row["amount"]
    open_calls = {row["call_id"] for row in seen.requests.values() if row["status"] not in ("executed", "denied")}
    for call_id in (booked.keys() | story.moved.keys()) - open_calls:
        if booked[call_id] != story.moved[call_id] and not _given_up(call_id, seen):
            yield f"unaudited: {story.moved[call_id]} moved by {call_id}, {booked[call_id]} booked"


def _given_up(call_id: str, seen: Shown) -> bool:
    """A request that people denied keeps its reservation, which counts no more."""
    return any(row["call_id"] == call_id and row["status"] == "denied" for row in seen.requests.values())


def _lost(answers: list[Any], story: Story, seen: Shown) -> Iterator[str]:
    """Answers that were given and of which the store knows nothing."""
    for kind, number, answer in answers:
        if kind == "broken" or (kind == "act" and answer["status"] == "failed"):
            yield f"broken: act {number}: {answer}"
        elif kind == "act" and (answer["call_id"], answer["status"]) not in story.said:
            yield f"lost answer: act {number}, {answer['call_id']}, was answered {answer['status']}"
        elif kind == "review":
            handle, status = answer
            there = _standing(seen, handle)
            if there != status and (status in ("denied", "stale", "executed") or there in (None, "pending")):
                yield f"lost answer: {handle} was said to be {status} and is {there}"


def _twice(acts: Mapping[str, int], story: Story, seen: Shown) -> Iterator[str]:
    """What was done more than once, in the ledger or at the provider, and what nobody had set out before."""
    for reason, count in seen.refunds.items():
        if count > 1 and str(reason).startswith(ABOUT):
            yield f"twice: {reason} stands {count} times in the ledger"
    paid: Counter[str] = Counter()
    for key, done in acts.items():
        if key not in story.intents:
            yield f"not set out: the provider was asked for {key}, which no record names"
        if done and (request := seen.requests.get(key.partition(".")[0])):
            paid[_reason(request)] += 1
    yield from (f"twice: {reason} was paid out {count} times" for reason, count in paid.items() if count > 1)


def _reason(request: Row) -> str:
    return str(orjson.loads(request["arguments"])["reason"])


def _unpaid(acts: Mapping[str, int], story: Story, seen: Shown) -> Iterator[str]:
    """What the ledger says and the provider's books do not, or the other way round."""
    for key, handle in story.intents.items():
        done, entered = bool(acts.get(key)), _standing(seen, handle) == "executed"
        if done != entered:
            yield f"unpaid: {key} was {'' if done else 'not '}done outside, its request is {_standing(seen, handle)}"
