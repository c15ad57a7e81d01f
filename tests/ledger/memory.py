"""Which call is the same as one before: it is answered with its first outcome and never acts twice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ledger.model import Deed, Model, Put

_ENDED = ("denied", "stale", "withdrawn", "expired")


@dataclass(frozen=True)
class Remembered:
    """A call that acted or waits, and the versions it left behind."""

    who: int
    tool: str
    key: str | None
    arguments: Mapping[str, Any]
    call_id: str
    handle: str | None
    roots: tuple[str, ...]
    left: tuple[Any, ...]


class Memory:
    """The calls of one shop that acted or wait, oldest first."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._calls: list[Remembered] = []

    def keep(
        self, who: int, tool: str, arguments: Mapping[str, Any], call_id: str, handle: str | None, deed: Deed
    ) -> None:
        """Remember a call, after it acted."""
        key, plain = _split(arguments)
        roots = (*deed.roots, *_made(deed))
        left = self._model.versions(roots)
        self._calls.append(Remembered(who, tool, key, plain, call_id, handle, roots, left))

    def settle(self, handle: str, deed: Deed) -> None:
        """A request was carried out: its first call now has what it left behind."""
        left = self._model.versions(roots := (*deed.roots, *_made(deed)))
        self._calls = [replace(each, roots=roots, left=left) if each.handle == handle else each for each in self._calls]

    def recalled(self, who: int, tool: str, arguments: Mapping[str, Any]) -> Remembered | Literal["conflict"] | None:
        """The call that this one repeats, if it repeats one; a conflict when its key was used for another."""
        key, plain = _split(arguments)
        mine = [each for each in reversed(self._calls) if each.who == who]
        if key is not None:
            same = [each for each in mine if each.key == key]
        else:
            same = [
                each for each in mine if (each.tool, each.arguments) == (tool, plain) and not self._undone(each.call_id)
            ]
        if not same:
            return None
        first = same[0]
        if (first.tool, first.arguments) != (tool, plain):
            return "conflict"
        if self._over(first) or (key is None and self._model.versions(first.roots) != first.left):
            return None
        return first

    def _undone(self, call_id: str) -> bool:
        done = self._model.done.get(call_id)
        return done is not None and done.undone

    def _over(self, first: Remembered) -> bool:
        """Whether it neither acted nor waits."""
        if first.handle is None:
            return False
        status = self._model.get("request", first.handle)
        waits = self._model.waiting.get(first.handle)
        expired = status == "pending" and waits is not None and self._model.now >= waits.expires
        return expired or status in _ENDED or (status == "executed" and not first.left)


def _split(arguments: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    rest = {name: value for name, value in arguments.items() if name != "idempotency_key"}
    return arguments.get("idempotency_key"), rest


def _made(deed: Deed) -> tuple[str, ...]:
    """The records with a version that a deed makes."""
    kinds = {"cart": "cart", "method": "payment_method"}
    puts = [step for step in deed.steps if isinstance(step, Put) and step.kind in kinds and step.after is not None]
    return tuple(f"{kinds[step.kind]}:{step.key}" for step in puts)
