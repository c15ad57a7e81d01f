"""Postal addresses as arguments: lines as on an envelope, a region and a postal code that the country has."""

from typing import Annotated, LiteralString

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from tillgate.tools.address_lines import AddressLine
from tillgate.tools.arguments import Args
from tillgate.tools.commerce.model import Address
from tillgate.tools.places import Places, places

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
    """A whole address. The country comes first, as the other fields are checked against it."""

    country: Country
    line1: AddressLine = Field(description="Street and number")
    line2: AddressLine | None = None
    city: AddressLine
    region: AddressLine | None = Field(default=None, description="State, province or county, where there is one")
    postal_code: PostalCode

    @field_validator("region")
    @classmethod
    def _region(cls, region: str | None, info: ValidationInfo) -> str | None:
        """The region as its country spells it: CO for Colorado."""
        known = _country_of(info)
        return _region_of(known, region, info.data["country"]) if known else region

    @field_validator("postal_code")
    @classmethod
    def _postal_code(cls, postal_code: str, info: ValidationInfo) -> str:
        known = _country_of(info)
        if known and not known.has_postal_code(postal_code):
            like = f"; one looks like {known.postal_example}" if known.postal_example else ""
            raise _unfit("postal_code_unknown", f"It is not a postal code of {info.data['country']}{like}")
        return postal_code

    def address(self) -> Address:
        """The address as the record keeps it."""
        return Address(self.line1, self.line2, self.city, self.region, self.postal_code, self.country)


def _country_of(info: ValidationInfo) -> Places | None:
    """What is known of the address's country; None when the country itself was refused."""
    return places(info.data["country"]) if "country" in info.data else None


def _region_of(known: Places, region: str | None, country: str) -> str | None:
    # many leave the region out, and the postal code finds the place all the same
    if region is None or not known.regions:
        return region
    mend = f", such as {known.region_example}" if known.region_example else ""
    if (kept := known.region(region)) is None:
        raise _unfit("region_unknown", f"It is not a {known.kind} of {country}; use its code or name{mend}")
    return kept


def _unfit(code: LiteralString, message: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{message}", {"message": message})
