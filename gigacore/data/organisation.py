"""The company that this installation belongs to: name, address, legal numbers, ways to reach it.

Documents, signatures and legal notices of any plugin read it from here; administrators keep it in the settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select, update

from gigacore.access.decide import require
from gigacore.data import audit, settings
from gigacore.data.tables import core_org
from gigacore.entity import KINDS, BadValue, FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.setting"
PREFIX: Final = "core.company_"
LOGO: Final = "core.brand_logo_file"
_O: Final = core_org.c
_VAT: Final = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)

FIELDS: Final = (
    FieldSpec("name", "text", label="Company name", required=True, max_length=200),
    FieldSpec("legal_form", "text", label="Legal form and capital", max_length=120),
    FieldSpec("street", "longtext", label="Street", max_length=300),
    FieldSpec("postcode", "text", label="Postcode", max_length=20),
    FieldSpec("city", "text", label="City", max_length=100),
    FieldSpec("country", "text", label="Country", max_length=2, help="Two letters, such as FR."),
    FieldSpec("siren", "text", label="SIREN or SIRET", max_length=17, help="9 or 14 digits, checked."),
    FieldSpec("vat", "text", label="VAT number", max_length=18, help="With its country, such as FR83404833048."),
    FieldSpec("phone", "phone", label="Phone"),
    FieldSpec("email", "email", label="E-mail"),
    FieldSpec("website", "url", label="Website"),
)
"""What the profile holds; `name` and `country` stand on the organisation itself, the rest are its settings."""


@dataclass(frozen=True, slots=True)
class CompanyProfile:
    """One's own company. Empty texts are not known; `logo` is the uid of a stored file."""

    name: str
    legal_form: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    siren: str = ""
    vat: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    logo: str = ""


def read(connection: Connection, org_id: int = 1) -> CompanyProfile:
    """The profile of an organisation, as documents print it."""
    row = connection.execute(select(_O.name, _O.country).where(_O.id == org_id)).first()
    kept = settings.read(connection, org_id=org_id)
    texts = {field.name: str(kept.get(PREFIX + field.name) or "") for field in FIELDS}
    own = {"name": row.name if row else "", "country": (row.country if row else "") or ""}
    return CompanyProfile(**{**texts, **own}, logo=str(kept.get(LOGO) or ""))


def change(ctx: Context, values: Mapping[str, Any]) -> CompanyProfile:
    """Change some of the profile. Takes `core.setting.edit`. Raises Invalid with an error per value at fault."""
    require(ctx, "edit", TOOL)
    checked = _checked(values)
    connection, org_id = ctx.session.connection(), ctx.actor.org_id
    own = {name: checked.pop(name) or None for name in ("name", "country") if name in checked}
    if own:
        connection.execute(update(core_org).where(_O.id == org_id).values(own))
        audit.record(ctx, "core.org", "changed", record_id=org_id, values=own)
    for name, value in checked.items():
        settings.put(ctx, PREFIX + name, value, scope="org")
    return read(connection, org_id)


def _checked(values: Mapping[str, Any]) -> dict[str, str]:
    known = {field.name: field for field in FIELDS}
    found: dict[str, str] = {}
    errors: list[FieldError] = []
    for name, value in values.items():
        if name not in known:
            errors.append(FieldError(name, msg("There is no field {name}.", name=name), "unknown_field"))
            continue
        try:
            found[name] = _parsed(known[name], value)
        except BadValue as error:
            errors.append(FieldError(name, error.message))
    if errors:
        raise Invalid(errors=errors)
    return found


def _parsed(field: FieldSpec, value: Any) -> str:
    if value is None or value == "":
        if field.required:
            raise BadValue(msg("This is required."))
        return ""
    text = str(KINDS[field.kind].parse(value, field))
    return CHECKS[field.name](text) if field.name in CHECKS else text


def check_siren(text: str) -> str:
    """A SIREN (9 digits) or SIRET (14) without its spaces. Raises BadValue when its check digit is wrong.

    INSEE: the digits fulfil Luhn's formula; La Poste's SIRETs (SIREN 356000000) add up to a multiple of five instead.
    """
    digits = re.sub(r"[\s.]", "", text)
    if not digits.isascii() or not digits.isdecimal() or len(digits) not in (9, 14):
        raise BadValue(msg("A SIREN has 9 digits, a SIRET 14."))
    postal = len(digits) == 14 and digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0
    if not (_luhn(digits) and _luhn(digits[:9])) and not postal:
        raise BadValue(msg("This number is not right: its check digit does not fit."))
    return digits


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def check_vat(text: str) -> str:
    """A VAT number of the European form; of French ones also the key. Raises BadValue.

    Key = (12 + 3 x (SIREN mod 97)) mod 97 (Code général des impôts, art. 286 ter, BOFiP BOI-TVA-DECLA-20-10-10-10).
    """
    number = re.sub(r"[\s.-]", "", text).upper()
    if not _VAT.fullmatch(number):
        raise BadValue(msg("A VAT number begins with the two letters of its country."))
    if number.startswith("FR") and number[2:4].isdecimal() and not _french_key_fits(number[2:4], number[4:]):
        raise BadValue(msg("This number is not right: its check digit does not fit."))
    return number


def _french_key_fits(key: str, siren: str) -> bool:
    return siren.isdecimal() and len(siren) == 9 and int(key) == (12 + 3 * (int(siren) % 97)) % 97


def check_country(text: str) -> str:
    """The two letters of a country (ISO 3166-1). Raises BadValue."""
    if not _COUNTRY.fullmatch(text.upper()):
        raise BadValue(msg("A country is given by two letters, such as FR."))
    return text.upper()


CHECKS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"siren": check_siren, "vat": check_vat, "country": check_country}
)
