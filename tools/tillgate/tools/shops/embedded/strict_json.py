"""JSON read strictly: repeated keys and bytes that are not UTF-8 are findings with their place."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

Loc: TypeAlias = tuple[str | int, ...]
Finding: TypeAlias = tuple[Loc, str]
MOST_BYTES = 64 * 1024 * 1024


def read_strict(text: bytes | str) -> tuple[Any, list[Finding]]:
    """The JSON value and what is wrong with how it is written; None and one finding if it cannot be read."""
    repeated: dict[int, tuple[object, list[str]]] = {}

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            repeated[id(found)] = (found, [key for key, count in counts.items() if count > 1])
        return found

    encoded = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if len(encoded) > MOST_BYTES:
        return None, [((), f"is larger than {MOST_BYTES // 1024 // 1024} MiB")]
    try:
        value = json.loads(encoded.decode("utf-8-sig"), object_pairs_hook=mapping)
    except UnicodeDecodeError as error:
        return None, [((), f"is not UTF-8 at byte {error.start}")]
    except json.JSONDecodeError as error:
        return None, [((), f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg}")]
    except RecursionError:
        return None, [((), "is nested too deeply")]
    except ValueError:
        return None, [((), "has a number that is too long")]
    return value, list(_repeats(value, repeated)) if repeated else []


def _repeats(value: object, repeated: Mapping[int, tuple[object, Sequence[str]]]) -> Iterator[Finding]:
    waiting: list[tuple[Loc, Any]] = [((), value)]
    while waiting:
        loc, node = waiting.pop()
        yield from (((*loc, key), "is written more than once") for key in repeated.get(id(node), (None, ()))[1])
        waiting.extend(((*loc, step), inner) for step, inner in parts(node))


def parts(node: object) -> Iterator[tuple[str | int, Any]]:
    """The inner values of an object or a list with their keys or places; nothing for anything else."""
    if isinstance(node, dict):
        yield from cast("dict[str, Any]", node).items()
    elif isinstance(node, list):
        yield from enumerate(cast("list[object]", node))


def lines(findings: Sequence[Finding]) -> list[str]:
    """`orders[3].lines[0].quantity: what is wrong`, in the order of the file's places, each once."""
    placed = sorted(set(findings), key=lambda finding: ([_rank(step) for step in finding[0]], finding[1]))
    return [f"{path(loc)}: {message}" for loc, message in placed]


def path(loc: Loc) -> str:
    """The place in words a person can search for; `$` is the whole file."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() and step.isascii() and len(step) <= 64:
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step[:64])}]"
    return text or "$"


def _rank(step: str | int) -> tuple[int, int, str]:
    return (0, step, "") if isinstance(step, int) else (1, 0, step)
