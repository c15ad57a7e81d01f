"""What the process that speaks HTTP and the one that has the gate and the store say to each other, over a socket.

Values only, each of a declared type: whoever should get into the one that reads the network can ask the other for no
more than is listed here. A frame holds all that one side has to say at a time.
"""

import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Raw, Struct
from msgspec.msgpack import Decoder, Encoder

from tillgate.guards.desk import Received
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Ask
from tillgate.server.cards import Card

AT_ONCE = 1 << 18
"""Bytes read at a time."""
_LENGTH = struct.Struct("<I")


class Call(Struct, frozen=True, tag=True):
    """A call for the gate; ended by an `Ended`, after any number of `Question`s."""

    received: Received


class Said(Struct, frozen=True, tag=True):
    """What the client's user said to the question that was put for the call of this number."""

    yes: bool | None


class Running(Struct, frozen=True, tag=True):
    """Which conversation this principal is having, unless it has been silent since then."""

    principal: str
    since: datetime


class Refusal(Struct, frozen=True, tag=True):
    """So many requests were refused before there was a call in them."""

    why: str
    count: int


class Open(Struct, frozen=True, tag=True):
    """Whether a code can still answer this question."""

    question: str


class Code(Struct, frozen=True, tag=True):
    """A code that was entered on the customer's page; whether it was right."""

    question: str
    code: str


class Health(Struct, frozen=True, tag=True):
    """What is served, and whether anything is wrong with it."""


class Words(Struct, frozen=True, tag=True):
    """The policy as a customer may read it."""


Request: TypeAlias = Call | Said | Running | Refusal | Open | Code | Health | Words


class Ended(Struct, frozen=True, tag=True):
    """The answer to a call."""

    outcome: Outcome


class Question(Struct, frozen=True, tag=True):
    """Something to ask the client's user meanwhile; a `Said` goes back."""

    ask: Ask


class Plain(Struct, frozen=True, tag=True):
    """The answer to any other request."""

    value: Any


class Failed(Struct, frozen=True, tag=True):
    """There is no answer. `busy` when another moment might have one."""

    why: str
    busy: bool = False


Answer: TypeAlias = Ended | Question | Plain | Failed


class Hello(Struct, frozen=True):
    """What the process that speaks HTTP begins with: never where the store is."""

    settings: Mapping[str, Any]
    cards: Sequence[Card]
    state_key: bytes
    since: datetime


class Ready(Struct, frozen=True):
    """It serves: where the customer's page is. Or `fault`, why it cannot."""

    pages: str = ""
    fault: str | None = None


Requests: TypeAlias = list[tuple[int, Request]]
"""Each with the number that its answer will have."""
Answers: TypeAlias = list[tuple[int, Answer]]

_encoder = Encoder()
requests = Decoder(Requests)
answers = Decoder(Answers)
hello = Decoder(Hello)
ready = Decoder(Ready)


def part(number: int, content: Request | Answer) -> Raw:
    """One request or answer, ready to go with others: what cannot be said (ValueError) is in nobody else's way."""
    try:
        return Raw(_encoder.encode((number, content)))
    except (TypeError, OverflowError) as error:
        raise ValueError(f"it holds something that no message can: {error}") from error


def frame(content: Hello | Ready | Sequence[Raw]) -> bytes:
    """One frame, ready to send."""
    body = _encoder.encode(content)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Puts together what comes in pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, piece: bytes) -> Iterator[bytes]:
        """The frames that are whole now."""
        self._held += piece
        while len(self._held) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._held)[0]
            if len(self._held) < end:
                return
            whole = bytes(self._held[_LENGTH.size : end])
            del self._held[:end]
            yield whole


def receive(line: socket.socket) -> bytes | None:
    """Wait for one frame, and read no more than that; None when the other side has gone."""
    head = _exactly(line, _LENGTH.size)
    return _exactly(line, _LENGTH.unpack(head)[0]) if head else None


def _exactly(line: socket.socket, size: int) -> bytes | None:
    held = bytearray()
    while len(held) < size:
        try:
            piece = line.recv(size - len(held))
        except OSError:
            return None
        if not piece:
            return None
        held += piece
    return bytes(held)
