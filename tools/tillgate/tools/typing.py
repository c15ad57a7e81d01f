"""Arguments and results as the policy language sees them: fact types of one, dotted paths of the other."""

from collections.abc import Iterator
from dataclasses import replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tillgate.guards import facts
from tillgate.guards.facts import FactType
from tillgate.tools.arguments import GATE_ARGUMENTS, Amount


def fact_type(model: type[BaseModel]) -> FactType:
    """The record type of a model's fields, without the gate's own arguments."""
    return facts.record(
        {name: _field_type(field) for name, field in model.model_fields.items() if name not in GATE_ARGUMENTS}
    )


def result_paths(result: type[Any]) -> frozenset[str]:
    """Every dotted path a result can have: `lines[].title`, `shipping_address.city`, inner nodes too."""
    return frozenset(_paths(result, ""))


def _field_type(field: FieldInfo) -> FactType:
    inner, optional = _without_none(field.annotation)
    return replace(_type(inner), optional=optional)


def _type(annotation: object) -> FactType:
    origin = get_origin(annotation)
    if origin is Literal:
        return facts.enum(*get_args(annotation))
    if origin in (list, tuple):
        return facts.list_of(_type(_without_none(get_args(annotation)[0])[0]))
    if hasattr(annotation, "__metadata__"):
        return _type(get_args(annotation)[0])
    if annotation is Amount:
        return facts.money()
    if annotation is bool:
        return facts.boolean()
    if annotation is int:
        return facts.integer()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return fact_type(annotation)
    return facts.string()


def _without_none(annotation: object) -> tuple[object, bool]:
    if get_origin(annotation) in (Union, UnionType):
        rest = [inner for inner in get_args(annotation) if inner is not NoneType]
        return rest[0], len(rest) < len(get_args(annotation))
    return annotation, False


def _paths(annotation: object, prefix: str) -> Iterator[str]:
    annotation, _ = _without_none(annotation)
    origin = get_origin(annotation)
    if origin in (list, tuple):
        yield from _paths(get_args(annotation)[0], f"{prefix}[]")
    elif is_typeddict(annotation):
        for name, inner in get_type_hints(annotation).items():
            path = f"{prefix}.{name}" if prefix else name
            yield path
            yield from _paths(inner, path)
