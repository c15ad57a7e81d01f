"""The cases as data: what goes wrong, how the users of each engine would write it, and the call that must not pass."""

import copy
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import yaml

FOLDER = Path(__file__).parent / "cases"
FAMILIES = ("names", "values", "facts", "numbers", "files", "combining")
LANGUAGES = ("tillgate", "cerbos", "cedar", "agt")

_CHARACTER = re.compile(r"<U\+([0-9A-F]{4})>")
"""How the files write a character that nobody could see or tell from another."""

Call: TypeAlias = dict[str, Any]
"""Groups of facts by name; `tool` and `roles` say what is called and by whom."""


@dataclass(frozen=True, slots=True)
class Written:
    """A policy in one engine's language.

    `added` are rules beside the one that permits every refund, `rules` stand alone below the engine's usual header, and
    `policy` is the whole file. `beside` holds further files by name. `missing` says why the engine cannot express it.
    """

    form: Literal["added", "rules", "policy", "missing"]
    text: str
    beside: Mapping[str, str] = field(default_factory=dict[str, str])

    def whole(self, header: str, permit: str, indent: str) -> str:
        """The text of the main file; rules below a header are indented."""
        if self.form == "policy":
            return self.text
        rules = permit + self.text if self.form == "added" else self.text
        return header + textwrap.indent(rules, indent)


@dataclass(frozen=True, slots=True)
class Case:
    """One situation. `goes` is where the call must end: a case stops it, a control may let it through."""

    id: str
    family: str
    wrong: str
    meant: str
    goes: Literal["stopped", "through"]
    call: Call
    repeat: int
    written: Mapping[str, Written]


def cases() -> tuple[Case, ...]:
    """The sixty situations in which something is wrong, in order."""
    return tuple(case for family in FAMILIES for case in _read(family))


def controls() -> tuple[Case, ...]:
    """Situations in which nothing is wrong: an engine that fails one is not measured by the others."""
    return _read("controls")


def _read(family: str) -> tuple[Case, ...]:
    plain = _load("call")
    return tuple(_case(family, found, plain) for found in _load(family))


def _load(name: str) -> Any:
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    return yaml.safe_load(_CHARACTER.sub(lambda found: chr(int(found[1], 16)), text))


def _case(family: str, found: Mapping[str, Any], plain: Call) -> Case:
    return Case(
        id=found["id"],
        family=family,
        wrong=found["wrong"],
        meant=found["meant"],
        goes=found.get("goes", "stopped"),
        call=_changed(plain, found.get("call", {}), found.get("without", ())),
        repeat=found.get("repeat", 1),
        written={language: _written(found[language]) for language in LANGUAGES},
    )


def _changed(plain: Call, changes: Call, without: tuple[str, ...]) -> Call:
    """The plain call with some facts changed and some taken away (`order.disputed`, or a whole `customer`)."""
    call = copy.deepcopy(plain)
    for group, facts in changes.items():
        call[group] = {**call[group], **facts} if isinstance(facts, dict) else facts
    for path in without:
        group, _, fact = path.partition(".")
        (call[group] if fact else call).pop(fact or group)
    return call


def _written(found: str | Mapping[str, Any]) -> Written:
    if isinstance(found, str):
        return Written("added", found)
    beside = found.get("beside", {})
    (form, text), *_ = [(key, found[key]) for key in ("rules", "policy", "missing") if key in found]
    return Written(cast(Literal["rules", "policy", "missing"], form), text, beside)
