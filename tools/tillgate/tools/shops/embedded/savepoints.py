"""All or nothing inside a transaction, at no cost to whoever only reads: a savepoint is taken before the first write.

Blocks that nothing was written in before share one savepoint, that of the outermost: to go back to where one of them
began is to go back to where they all did.
"""

from collections.abc import Callable
from types import TracebackType

from tillgate.guards.errors import Unavailable


class Savepoints:
    """The open blocks of one transaction, outermost first.

    `say` executes a statement. `ready` is asked where a block has failed: whether the transaction can go on from a
    savepoint.
    """

    __slots__ = ("_blocks", "_ready", "_say", "_untaken", "early")

    def __init__(self, say: Callable[[str], None], ready: Callable[[], bool]) -> None:
        self._say = say
        self._ready = ready
        self._blocks: list[Block] = []
        self._untaken = 0
        self.early = False
        """Whether a savepoint is taken as a block begins: where a read that fails ends the transaction too."""

    def block(self, name: str) -> "Block":
        """A block under the name of its savepoint."""
        return Block(self, name)

    def take(self) -> None:
        """Something is about to be written: from here on there is a place to go back to."""
        if self._untaken:
            since = self._blocks[-self._untaken :]
            self._say(f"SAVEPOINT {since[0].name}")
            for block in since:
                block.taken = since[0]
            self._untaken = 0

    def begin(self, block: "Block") -> None:
        self._blocks.append(block)
        self._untaken += 1
        if self.early:
            self.take()

    def end(self, block: "Block", error: BaseException | None) -> None:
        self._blocks.pop()
        if block.taken is None:
            self._untaken -= 1
        if error is not None:
            if not isinstance(error, Unavailable):  # after which nothing of the transaction goes on
                self._go_back(block)
        elif block.taken is block:
            try:
                self._say(f"RELEASE {block.name}")
            except Exception:  # something in it that nobody had waited for
                self._go_back(block)
                raise

    def _go_back(self, block: "Block") -> None:
        if not self._ready() or block.taken is None:
            return  # the whole of it has ended already, or there is nothing to undo
        self._say(f"ROLLBACK TO {block.taken.name}")
        if block.taken is block:
            self._say(f"RELEASE {block.name}")


class Block:
    """What is written inside is undone when an exception leaves it, which goes on."""

    __slots__ = ("_all", "name", "taken")

    def __init__(self, within: Savepoints, name: str) -> None:
        self._all = within
        self.name = name
        self.taken: Block | None = None
        """The block whose savepoint this one goes back to; None while nothing was written in it."""

    def __enter__(self) -> None:
        self._all.begin(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._all.end(self, error)
