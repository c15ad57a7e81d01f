"""Postal addresses as arguments: every field visible text, the country one of ISO 3166."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tillgate.tools.arguments import Args, Line
from tillgate.tools.commerce.model import Address

_ASSIGNED = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""

COUNTRIES = frozenset(_ASSIGNED.split())
"""ISO 3166-1 alpha-2, officially assigned."""


def _assigned(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError("country", 'A country is its two-letter ISO 3166 code, such as "US"')
    return code


PostalCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{0,11}$")]
Country = Annotated[
    str,
    Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 alpha-2, upper case"),
    AfterValidator(_assigned),
]


class AddressArgs(Args):
    line1: Line = Field(description="Street and number")
    line2: Line | None = None
    city: Line
    region: Line | None = Field(default=None, description="State, province or county, where there is one")
    postal_code: PostalCode
    country: Country

    def address(self) -> Address:
        """The address as the record keeps it."""
        return Address(self.line1, self.line2, self.city, self.region, self.postal_code, self.country)
