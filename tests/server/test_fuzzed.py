"""What the fuzzer looks for holds of the inputs that were found by hand, and it notices when it does not."""

import json
import random

import pytest
from benchmarks import fuzz_requests
from benchmarks.fuzz_requests import CALL, META, SEEDS, Broken, damaged, holds, rebuilt
from e2e.bad_inputs import BAD, GARBAGE
from e2e.worse_inputs import ANSWERED, NAMES, PROTOCOL, cancel

from tillgate.server import screen


def bodies() -> list[bytes]:
    spoilt = [spoil(cancel(1, META)) for spoil in {**ANSWERED, **NAMES, **PROTOCOL}.values()]
    texts = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in spoilt]
    head = json.dumps(CALL).encode().partition(b'"arguments": ')[0]
    return [*SEEDS, *GARBAGE, *texts, *[head + b'"arguments":' + arguments + b"}}" for _, _, arguments in BAD]]


def test_it_holds_of_what_was_found_by_hand() -> None:
    assert {holds(body) for body in bodies()} == {
        "refused", "refused as a call", "let through", "a call", "a plain call", "a call, refused by the SDK"
    }  # fmt: skip


def test_it_holds_of_a_thousand_damaged_requests() -> None:
    chance = random.Random(7)
    ends = {holds(damaged(rebuilt(chance), chance)) for _ in range(500)} | {holds(rebuilt(chance)) for _ in range(500)}
    assert {"refused", "a call", "a plain call", "a call, refused by the SDK"} <= ends


def test_a_screen_that_lets_two_keys_through_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_DECODER", json.JSONDecoder(object_pairs_hook=lambda pairs: dict(reversed(pairs))))
    with pytest.raises(Broken):
        holds(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}')


def test_a_short_way_that_takes_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_requests, "plain_call", lambda message, head: message)
    with pytest.raises(Broken):
        holds(json.dumps({**CALL, "id": 1.5, "params": {**CALL["params"], "_meta": META}}).encode())
