"""One line of an address: what people write on an envelope, and no sentence, link or code."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tillgate.tools.arguments import Line

_LONGEST = 60
_NO_PART = re.compile(r"[<>{}\[\]@=|\\;?*^~`$_]|://|\bwww\.|\.[a-z]{2,}/[a-z]", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[:!]$|[^\W\d]{6,}\.$")
"""A full stop after up to five letters is an abbreviation (Depto.), after a number an ordinal (17. Juni)."""
_PARTICLE = 3
"""Words this short (de, von, the) make no sentence and end none."""
_MOST_WORDS = 4


def _on_an_envelope(line: str) -> str:
    if len(line) > _LONGEST:
        raise PydanticCustomError(
            "address_line", "It is longer than 60 characters; spread a long street address over line1 and line2"
        )
    if _NO_PART.search(line):
        raise PydanticCustomError("address_line", "It has a link or a sign that no address has; write it as on mail")
    if _is_prose(line):
        raise PydanticCustomError(
            "address_line", "It reads as a sentence; write it as on mail: names with capitals, commas between the parts"
        )
    return line


def _is_prose(line: str) -> bool:
    """Whether long words in small letters follow each other, unbroken by a number or a comma, as in a sentence.

    It looks at the shape only, not for words it knows; text that has the shape of an address stays data.
    """
    run, most = 0, _MOST_WORDS
    for word in line.split():
        if not word.islower():
            run = 1
        elif len(word.strip(".,:!")) > _PARTICLE:
            run += 1
        if run > most:
            return True
        if word.endswith(",") or any(char.isdigit() for char in word):
            run = 0
        if _SENTENCE_END.search(word):
            run, most = 0, _MOST_WORDS - 1
    return False


AddressLine = Annotated[Line, AfterValidator(_on_an_envelope), Field(json_schema_extra={"maxLength": _LONGEST})]
