"""What an engine under test is asked: take a policy or refuse it, then say whether a call goes through."""

from dataclasses import dataclass
from typing import Protocol

from benchmarks.fail_open.cases import Call, Written


class Refused(Exception):
    """The engine does not take the policy; the text is the engine's own reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the call goes through, and what the engine said of it."""

    open: bool
    why: str


class Engine(Protocol):
    """One engine in one of its modes, with one policy at a time."""

    def load(self, written: Written) -> None:
        """Take a policy. Raises Refused."""
        ...

    def decide(self, call: Call) -> Answer:
        """What becomes of a call under the policy that was loaded last."""
        ...

    def close(self) -> None:
        """Let go of processes and files."""
        ...
