"""Currencies and their smallest units: decimal text in, whole minor units out, and never a float.

An amount is read only when it is written exactly (`"48.00"`): no sign, no grouping, no spaces, no more digits than
the currency has. The list of currencies is closed, so a misspelt code can never choose the wrong exponent.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

_BY_EXPONENT: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
        "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
        "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
        "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
        "VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""ISO 4217 alphabetic codes by number of minor digits; codes without a minor unit (metals, test codes) are left out."""

_EXAMPLES = {0: "1250", 2: "48.00", 3: "48.000", 4: "48.0000"}


@dataclass(frozen=True)
class Currency:
    """One currency: its ISO 4217 code and how many digits its minor unit has."""

    code: str
    exponent: int

    def parse(self, text: str) -> int:
        """Minor units of a decimal text, at most ten digits before the point. Raises ValueError with a sentence."""
        match = _pattern(self.exponent).fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an amount of {self.code}; write it like {_EXAMPLES[self.exponent]!r}")
        whole, fraction = match.group(1), match.group(2) or ""
        return int(whole + fraction.ljust(self.exponent, "0"))

    def format(self, minor: int) -> str:
        """Decimal text of minor units with every digit of the currency: `4800` is `"48.00"`, `-5` is `"-0.05"`."""
        return _written(minor, self.exponent)


@lru_cache(maxsize=4096)
def _written(minor: int, places: int) -> str:
    """The same few amounts stand in every answer: a price, a total, and what is left of it."""
    digits = str(abs(minor)).rjust(places + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


@cache
def currencies() -> tuple[str, ...]:
    """Every code that `currency` accepts, sorted."""
    return tuple(sorted(code for codes in _BY_EXPONENT.values() for code in codes.split()))


@cache
def currency(code: str) -> Currency:
    """The currency of an ISO 4217 alphabetic code. Raises ValueError for anything else."""
    for exponent, codes in _BY_EXPONENT.items():
        if code in codes.split():
            return Currency(code, exponent)
    raise ValueError(f"{code!r} is not a current ISO 4217 currency code, like 'USD'")


@cache
def _pattern(exponent: int) -> re.Pattern[str]:
    fraction = rf"(?:\.([0-9]{{1,{exponent}}}))?" if exponent else "()"
    return re.compile(rf"(0|[1-9][0-9]{{0,9}}){fraction}")
