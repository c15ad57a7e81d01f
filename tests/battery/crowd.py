"""Several processes on one shop that all do something at the same moment, and say what came of it."""

import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from battery.crash import forking
from battery.stage import Place, Shop

Does: TypeAlias = Callable[[Shop, Any], Any]
"""Something a module does in a process of its own: with its shop and what it was given, it gives something back."""


class Crowd:
    """Processes that wait to be asked."""

    def __init__(self, wires: Sequence["Connection[Any, Any]"]) -> None:
        self._wires = wires

    def all(self, does: Does, given: Iterable[Any]) -> list[Any]:
        """Each does the same with something of its own, all at once; what each gave back."""
        for wire, each in zip(self._wires, given, strict=True):
            wire.send((does, each))
        answers = [wire.recv() for wire in self._wires]
        broken = [answer for answer, well in answers if not well]
        assert broken == []
        return [answer for answer, _ in answers]


@contextmanager
def crowd(place: Place, size: int) -> Generator[Crowd]:
    """So many processes on a place, until they are not needed any more."""
    context = forking()
    pairs = [context.Pipe() for _ in range(size)]
    processes = [context.Process(target=_wait, args=(place, theirs), daemon=True) for _, theirs in pairs]
    for process in processes:
        process.start()
    try:
        for _, theirs in pairs:
            theirs.close()
        yield Crowd([ours for ours, _ in pairs])
    finally:
        for (ours, _), process in zip(pairs, processes, strict=True):
            ours.close()
            process.join()
            process.close()


def _wait(place: Place, wire: "Connection[Any, Any]") -> None:
    shop = place.open()
    while True:
        try:
            does, given = wire.recv()
        except EOFError:
            return shop.store.close()
        try:
            wire.send((does(shop, given), True))
        except Exception:  # noqa: BLE001 - whoever asked is told
            wire.send((traceback.format_exc(), False))
