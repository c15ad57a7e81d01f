"""The story's provider as Tillgate meets it: an entry point of the group `tillgate.payments`, like any other."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.approved_twice.provider import Books

from tillgate.guards.effects import Answer, Done, Effect

ENTRY_POINT = "[tillgate.payments]\nstory = benchmarks.approved_twice.engines.tillgate_payments:story_payments\n"


@dataclass(frozen=True, slots=True)
class StoryPayments:
    """Implements `tillgate.guards.effects.Provider`. It cannot be asked what became of a key."""

    books: Books

    @property
    def repeatable(self) -> bool:
        return self.books.honours

    def carry_out(self, effect: Effect, key: str) -> Answer:
        amount = int(str(effect.details["amount"]))
        return Done(self.books.refund(str(effect.details["order_id"]), f"{amount // 100}.{amount % 100:02d}", key))

    def find(self, key: str) -> Answer | None:
        return None


def story_payments(rest: str) -> StoryPayments:
    """`PATH?honours` or `PATH?ignores`."""
    path, _, keys = rest.partition("?")
    return StoryPayments(Books(Path(path), honours=keys == "honours"))


def setting(books: Books) -> str:
    """What `--payments` is given."""
    return f"story:{books.path}?{'honours' if books.honours else 'ignores'}"


def install(folder: Path) -> Path:
    """A folder that, on Python's path, is an installed package with the entry point."""
    info = folder / "packages" / "story_payments-1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: story-payments\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINT, "utf-8")
    return info.parent
