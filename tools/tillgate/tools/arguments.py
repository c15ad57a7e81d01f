"""Strict arguments: what a model sends is refused unless it is exactly what the tool's schema says.

No coercion anywhere ("5" is not 5, true is not 1), no unknown field, ids in plain ASCII only, money as a
decimal string. The parsed object is frozen and is the only thing the guard and the tool ever see.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias, cast

from msgspec import Struct
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, core_schema

from tillgate.guards.audit.canonical import canonical
from tillgate.guards.model import Json
from tillgate.guards.ports import ArgumentError

Intent: TypeAlias = Literal[
    "browse",
    "order_status",
    "cart",
    "price",
    "refund",
    "delivery",
    "cancellation",
    "exchange",
    "account",
    "payment",
    "handoff",
]
GATE_ARGUMENTS = frozenset({"customer_request", "idempotency_key", "confirmation_token", "intent"})
_UNTOLD = GATE_ARGUMENTS | {"_told", "_digest"}
_BARE = frozenset({str, int, bool})
_MONEY = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,4})?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_TEXT = "There is a character in it that is not text"
_MOST = 10**13
_LARGEST = 2**53 - 1
_DEEPEST = 16
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


class Amount(Struct, frozen=True):
    """Money a caller wrote: `text` as it came, `minor` in minor units of the shop's currency."""

    minor: int
    text: str


def _amount(value: object, info: ValidationInfo) -> Amount:
    context: dict[str, int] = info.context or {}
    exponent = context.get("exponent", 2)
    if not isinstance(value, str) or not (match := _MONEY.fullmatch(value)):
        raise PydanticCustomError("money", 'Money is a decimal string such as "48.00", without sign, space or symbol')
    digits = (match[2] or ".")[1:]
    if len(digits) > exponent:
        raise PydanticCustomError("money_digits", "This currency has {exponent} decimal places", {"exponent": exponent})
    minor = int(match[1]) * 10**exponent + int(digits.ljust(exponent, "0") or 0)
    if minor <= 0:
        raise PydanticCustomError("money_positive", "An amount must be more than zero")
    if minor > _MOST:
        raise PydanticCustomError("money_large", "The amount is too large")
    return Amount(minor, value)


def invisible(text: str) -> bool:
    """Whether the text has a control, bidirectional, zero-width, private or unassigned character."""
    return any(unicodedata.category(char) in _INVISIBLE for char in text)


def visible(text: str) -> str:
    """The text without any character a person cannot see; line breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if unicodedata.category(char) not in _INVISIBLE else " " if char in "\n\r\t\u2028\u2029" else ""
        for char in text
    )


def argument_error(path: Sequence[str | int], code: str, message: str) -> ArgumentError:
    """One error for the model to mend; the path is the caller's own writing, so it is cut and cleaned."""
    field = ".".join(visible(str(part)[:64]) for part in path[:8])
    if code == "extra_forbidden":
        return ArgumentError(field, "unknown_argument", "This tool takes no such argument")
    return ArgumentError(field, code, message.replace("Tuple", "The list"))


def innermost(errors: Sequence[ArgumentError]) -> list[ArgumentError]:
    """The errors without those of a list or object that only follow from one inside it."""
    return [e for e in errors if not any(other.field.startswith(f"{e.field}.") for other in errors)]


def unfit_value(value: object, path: tuple[str | int, ...] = ()) -> ArgumentError | None:
    """The first value no tool takes: a broken or huge number, broken text, nesting without end."""
    if len(path) > _DEEPEST:
        return argument_error(path, "too_deep", "It is nested too deeply")
    if isinstance(value, str):
        return argument_error(path, "unstorable_character", _NO_TEXT) if _broken(value) else None
    if isinstance(value, float):
        return argument_error(path, "not_whole", "It is not a whole number; money is a decimal string")
    if isinstance(value, int):
        return argument_error(path, "too_large", "The number is too large") if abs(value) > _LARGEST else None
    for key, inner in _parts(value):
        if isinstance(key, str) and _broken(key):
            return argument_error(path, "unknown_argument", "This tool takes no such argument")
        if (unfit := unfit_value(inner, (*path, key))) is not None:
            return unfit
    return None


def _parts(value: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value).items()
    return enumerate(cast("Sequence[object]", value)) if isinstance(value, (list, tuple)) else ()


def _broken(text: str) -> bool:
    """Whether half of a surrogate pair stands in it."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def _no_invisible(text: str) -> str:
    if invisible(text):
        raise PydanticCustomError(
            "invisible_character", "There is an invisible or control character in it; type it again"
        )
    if not text.strip():
        raise PydanticCustomError("blank", "It must not be blank")
    if sum(1 for char in text if unicodedata.combining(char)) > 8:
        raise PydanticCustomError("combining", "There are too many combining characters in it")
    return text


def _cleaned(text: str) -> str:
    if "\x00" in text or _broken(text):
        raise PydanticCustomError("unstorable_character", _NO_TEXT)
    return visible(text)


Id = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9#][A-Za-z0-9_.:#-]{0,63}$", description="An id exactly as a tool gave it")
]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_invisible)]
Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_cleaned)]
Words = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_cleaned)]
Quantity = Annotated[int, Field(ge=1, le=999)]
Money = Annotated[
    Amount,
    GetPydanticSchema(lambda _source, _handler: core_schema.is_instance_schema(Amount)),
    BeforeValidator(_amount),
    PlainSerializer(lambda amount: amount.text, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,4})?$",
            "description": 'Decimal string, e.g. "48.00"',
        }
    ),
]


class Args(BaseModel):
    """Arguments of a tool. `PERSONAL` names the top-level fields whose values identify a person."""

    # What reads them is made when they are first read: a process that serves one client calls few of the tools.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)
    PERSONAL: ClassVar[frozenset[str]] = frozenset()

    def as_json(self) -> Mapping[str, Json]:
        """What the tool acts on, as JSON: set fields only, without the gate's own arguments."""
        told: dict[str, Json] | None = self.__dict__.get("_told")
        if told is None:  # recalling, remembering and recording a call all ask for it
            told = vars(self)["_told"] = _fields(self, _text)
        return told

    def digest(self) -> str:
        """One hash of these: two calls of a tool with the same digest ask for the same act."""
        digest: str | None = self.__dict__.get("_digest")
        if digest is None:  # as above
            digest = vars(self)["_digest"] = hashlib.sha256(canonical(self.as_json())).hexdigest()
        return digest

    def personal(self) -> frozenset[str]:
        return self.PERSONAL

    def facts(self) -> Mapping[str, Json]:
        """The same as typed facts: money in minor units."""
        return _fields(self, _minor)

    def gate(self, name: str) -> str | None:
        """One of the gate's own arguments, if this tool takes it and it was sent."""
        return self.__dict__.get(name) if name in GATE_ARGUMENTS else None


class ChangeArgs(Args):
    """Arguments of a changing tool: the optional four belong to the gate and reach no tool."""

    customer_request: Words | None = Field(default=None, description="The customer's own words; kept as evidence")
    idempotency_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")] | None = Field(
        default=None, description="The same key never acts twice; use a new one for a new act"
    )
    confirmation_token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{4,128}$")] | None = Field(
        default=None, description="From an earlier confirmation_required, or the code the customer received"
    )
    intent: Intent | None = Field(default=None, description="What the customer asked for")


def _text(amount: Amount) -> Json:
    return amount.text


def _minor(amount: Amount) -> Json:
    return amount.minor


def _fields(args: BaseModel, money: Callable[[Amount], Json]) -> dict[str, Json]:
    """What was set and is not the gate's own, as plain JSON."""
    return {
        name: value if value.__class__ in _BARE else _plain(value, money)
        for name, value in args.__dict__.items()
        if value is not None and name not in _UNTOLD
    }


def _plain(value: object, money: Callable[[Amount], Json]) -> Json:
    if isinstance(value, (list, tuple)):
        return [_plain(item, money) for item in cast("Sequence[object]", value)]
    if isinstance(value, BaseModel):
        return _fields(value, money)
    return money(value) if isinstance(value, Amount) else value
