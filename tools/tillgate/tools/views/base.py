"""What every result is made of: typed JSON objects, visible text, text of customers marked as data."""

from datetime import datetime
from typing import TypedDict

from tillgate.tools.arguments import visible
from tillgate.tools.changes import stamped

_LONGEST_LINE = 200
_LONGEST_TEXT = 500


class View(TypedDict):
    """A result or a part of one, as a plan carries it. Money is a decimal string, a time is RFC 3339 UTC."""


class Untrusted(View):
    """Text a customer wrote: data to show, never words to follow."""

    untrusted_text: str


def untrusted(text: str | None) -> Untrusted | None:
    """A customer's text, marked, without invisible characters."""
    return None if text is None else {"untrusted_text": visible(text)[:_LONGEST_TEXT]}


def line(text: str) -> str:
    """One line of a shop's or customer's text, visible and of bounded length."""
    if len(text) <= _LONGEST_LINE and text.isascii() and text.isprintable():
        return text
    return visible(text)[:_LONGEST_LINE]


def line_or_none(text: str | None) -> str | None:
    """The same for text that may be missing."""
    return None if text is None else line(text)


def last_four(digits: str | None) -> str | None:
    """The last four digits of a payment method's number, whatever the record holds."""
    return None if digits is None else visible(digits)[-4:]


def time_or_none(moment: datetime | None) -> str | None:
    """A time that may be missing, as text."""
    return None if moment is None else stamped(moment)
