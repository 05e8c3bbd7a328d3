"""The closed table of field kinds: how each is stored, read from JSON and text, and written back."""

from __future__ import annotations

import enum
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

import orjson
from sqlalchemy import Boolean, Date, Integer, String, Text, Uuid
from sqlalchemy.types import TypeEngine

from gigacore.entity import contacts
from gigacore.entity.columns import BigId, EnumText, ExactDecimal, JsonB, UtcDateTime
from gigacore.entity.folding import folded_key
from gigacore.entity.money import Money, quantise
from gigacore.entity.spec import FieldSpec
from gigacore.entity.vocabularies import code_of
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

TEXT_LENGTH: Final = 200
LONG_TEXT_LENGTH: Final = 100_000
_MAX_INTEGER: Final = 2**53 - 1  # the largest that JSON readers keep exactly
_CURRENCY: Final = re.compile(r"^[A-Z]{3}$")
_TRUE: Final = frozenset({"1", "true", "yes", "y", "on", "x", "oui", "o", "vrai"})
_FALSE: Final = frozenset({"0", "false", "no", "n", "off", "", "non", "faux"})
_ISO_DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
_FRENCH_DATE: Final = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")

EQUALITY: Final = frozenset({"eq", "ne", "in", "nin", "empty"})
ORDER: Final = EQUALITY | {"lt", "le", "gt", "ge", "between"}
TEXT: Final = EQUALITY | {"contains", "starts"}


class BadValue(ValueError):
    """A value that a kind does not accept; `message` is for the reader."""

    def __init__(self, message: Msg) -> None:
        self.message = message
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of field behaves.

    `parse` takes a JSON value (never None) and gives the Python value or raises BadValue; `parse_text` the same from
    text typed by a person or found in a file; `dump` gives the JSON value, `text` the neutral text of exports.
    """

    name: str
    python: type
    ops: frozenset[str]
    column: Callable[[FieldSpec], TypeEngine[Any]]
    parse: Callable[[Any, FieldSpec], Any]
    parse_text: Callable[[str, FieldSpec, str], Any]
    dump: Callable[[Any], Any]
    text: Callable[[Any], str]
    key: Callable[[str | None], str | None] = folded_key


def clean_text(value: Any, spec: FieldSpec, limit: int) -> str:
    """A text without NUL bytes or lone surrogates, at most `limit` long, stripped. Raises BadValue."""
    if not isinstance(value, str):
        raise BadValue(msg("This must be a text."))
    if "\x00" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
        raise BadValue(msg("This text holds characters that cannot be stored."))
    stripped = value.strip()
    if len(stripped) > limit:
        raise BadValue(msg("This is too long: at most {limit} characters.", limit=limit))
    return stripped


def _parse_text_kind(value: Any, spec: FieldSpec) -> str:
    if spec.vocabulary and isinstance(value, str):
        value = code_of(spec.vocabulary, value)
    return clean_text(value, spec, spec.max_length or TEXT_LENGTH)


def _parse_long(value: Any, spec: FieldSpec) -> str:
    return clean_text(value, spec, spec.max_length or LONG_TEXT_LENGTH)


def _parse_integer(value: Any, spec: FieldSpec) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue(msg("This must be a whole number."))
    if abs(value) > _MAX_INTEGER:
        raise BadValue(msg("This number is too large."))
    _in_range(value, spec)
    return value


def _in_range(value: Any, spec: FieldSpec) -> Any:
    if spec.minimum is not None and value < spec.minimum:
        raise BadValue(msg("This must be at least {limit}.", limit=spec.minimum))
    if spec.maximum is not None and value > spec.maximum:
        raise BadValue(msg("This must be at most {limit}.", limit=spec.maximum))
    return value


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BadValue(msg("This must be a number."))
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadValue(msg("This must be a number.")) from None
    if number.is_nan():
        raise BadValue(msg("This must be a number."))
    try:
        exact = quantise(number)
    except ValueError:
        raise BadValue(msg("This number is too large.")) from None
    if exact != number:
        raise BadValue(msg("At most four decimal places can be kept."))
    return exact


def _parse_decimal(value: Any, spec: FieldSpec) -> Decimal:
    number: Decimal = _in_range(_decimal(value), spec)
    return number


def _parse_money(value: Any, spec: FieldSpec) -> Money:
    if isinstance(value, Money):
        return value
    if not isinstance(value, Mapping) or set(value) - {"amount", "currency"} or "amount" not in value:
        raise BadValue(msg("This must be an amount with its currency."))
    currency = value.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.match(currency):
        raise BadValue(msg("The currency must be a code of three capital letters, such as EUR."))
    return Money(_in_range(_decimal(value["amount"]), spec), currency)


def _parse_boolean(value: Any, spec: FieldSpec) -> bool:
    if not isinstance(value, bool):
        raise BadValue(msg("This must be yes or no."))
    return value


def _parse_date(value: Any, spec: FieldSpec) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if not isinstance(value, str) or not _ISO_DATE.match(value):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise BadValue(msg("This must be a date such as 2026-01-31.")) from None


def _parse_moment(value: Any, spec: FieldSpec) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_string(value))
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(msg("This must be a date and time with its zone, such as 2026-01-31T09:00:00Z.")) from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _parse_choices(value: Any, spec: FieldSpec) -> list[str]:
    if not isinstance(value, list) or len(value) > 100:
        raise BadValue(msg("This must be a list of values."))
    return list(dict.fromkeys(clean_text(item, spec, TEXT_LENGTH) for item in value))


def _parse_enum(value: Any, spec: FieldSpec) -> enum.Enum:
    members = spec.enum
    if members is None:
        raise BadValue(msg("This is not one of the possible values."))
    try:
        return value if isinstance(value, members) else members(value)
    except ValueError:
        raise BadValue(
            msg("This is not one of the possible values: {values}.", values=", ".join(str(m.value) for m in members))
        ) from None


def _parse_ref(value: Any, spec: FieldSpec) -> int:
    if isinstance(value, Mapping) and isinstance(value.get("id"), int):
        value = value["id"]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_INTEGER:
        raise BadValue(msg("This must be the number of a record."))
    return value


def _parse_uuid(value: Any, spec: FieldSpec) -> uuid.UUID:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(_string(value))
    except ValueError:
        raise BadValue(msg("This must be a UUID.")) from None


def _parse_file(value: Any, spec: FieldSpec) -> uuid.UUID:
    """A file is named by its uid, plainly or as answers of the API show it."""
    try:
        return _parse_uuid(value.get("uid") if isinstance(value, Mapping) else value, spec)
    except BadValue:
        raise BadValue(msg("This must be the uid of a file that was uploaded.")) from None


def _parse_json(value: Any, spec: FieldSpec) -> Any:
    if not isinstance(value, dict | list):
        raise BadValue(msg("This must be an object or a list."))
    return value


def _checked(check: Callable[[str], str]) -> Callable[[Any, FieldSpec], str]:
    def parse(value: Any, spec: FieldSpec) -> str:
        text = clean_text(value, spec, spec.max_length or TEXT_LENGTH)
        try:
            return check(text) if text else text
        except contacts.BadContact as error:
            raise BadValue(error.message) from None

    return parse


# From text, as people type it or as a file holds it ------------------------------------------------------------------


def _number_text(text: str, locale: str) -> str:
    bare = _SPACES.sub("", text)
    if "," in bare and ("." not in bare or locale.startswith("fr")):
        return bare.replace(".", "").replace(",", ".") if bare.count(",") == 1 else bare.replace(",", "")
    return bare.replace(",", "")


def _integer_from_text(text: str, spec: FieldSpec, locale: str) -> int:
    try:
        return _parse_integer(int(_SPACES.sub("", text)), spec)
    except ValueError as error:
        raise error if isinstance(error, BadValue) else BadValue(msg("This must be a whole number.")) from None


def _decimal_from_text(text: str, spec: FieldSpec, locale: str) -> Decimal:
    return _parse_decimal(_number_text(text, locale), spec)


def _money_from_text(text: str, spec: FieldSpec, locale: str) -> Money:
    match = re.fullmatch(r"\s*([A-Z]{3}|[€$£])?\s*(-?[\d.,\s\u00a0\u202f]+?)\s*([A-Z]{3}|[€$£])?\s*", text)
    if not match or not (match[1] or match[3]):
        raise BadValue(msg("This must be an amount with its currency."))
    symbol = match[1] or match[3]
    currency = {"€": "EUR", "$": "USD", "£": "GBP"}.get(symbol, symbol)
    return _parse_money({"amount": _number_text(match[2], locale), "currency": currency}, spec)


def _boolean_from_text(text: str, spec: FieldSpec, locale: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise BadValue(msg("This must be yes or no."))


def _date_from_text(text: str, spec: FieldSpec, locale: str) -> date:
    bare = text.strip()
    if match := _FRENCH_DATE.match(bare):
        day, month = (int(match[1]), int(match[2])) if locale.startswith("fr") else (int(match[2]), int(match[1]))
        bare = f"{match[3]}-{month:02d}-{day:02d}"
    return _parse_date(bare[:10], spec)


def _moment_from_text(text: str, spec: FieldSpec, locale: str) -> datetime:
    bare = text.strip().replace("Z", "+00:00")
    if len(bare) == 10:
        return datetime.combine(_date_from_text(bare, spec, locale), datetime.min.time(), UTC)
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        raise BadValue(msg("This must be a date and time with its zone, such as 2026-01-31T09:00:00Z.")) from None
    return _parse_moment(moment if moment.tzinfo else moment.replace(tzinfo=UTC), spec)


def _choices_from_text(text: str, spec: FieldSpec, locale: str) -> list[str]:
    return _parse_choices([part for part in (p.strip() for p in re.split(r"[;,|]", text)) if part], spec)


def _ref_from_text(text: str, spec: FieldSpec, locale: str) -> int:
    return _parse_ref(_integer_from_text(text, spec, locale), spec)


def _plain(parse: Callable[[Any, FieldSpec], Any]) -> Callable[[str, FieldSpec, str], Any]:
    return lambda text, spec, locale: parse(text, spec)


def _json_from_text(text: str, spec: FieldSpec, locale: str) -> Any:
    try:
        return _parse_json(orjson.loads(text), spec)
    except orjson.JSONDecodeError:
        raise BadValue(msg("This must be an object or a list.")) from None


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


# To JSON and to text --------------------------------------------------------------------------------------------------


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decimal_text(amount: Decimal) -> str:
    """The number with at least two and at most four decimal places: `12.50`, `0.0375`."""
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")


def _dump_money(value: Money) -> dict[str, str]:
    return {"amount": decimal_text(value.amount), "currency": value.currency}


def _same(value: Any) -> Any:
    return value


def _text_column(spec: FieldSpec) -> TypeEngine[Any]:
    return String(spec.max_length or TEXT_LENGTH)


def _enum_column(spec: FieldSpec) -> TypeEngine[Any]:
    return EnumText(spec.enum) if spec.enum else String(40)


def _table() -> dict[str, Kind]:
    text = (_text_column, _parse_text_kind, _plain(_parse_text_kind), _same, str)
    json = (lambda s: JsonB(), _parse_json, _json_from_text, _same, _json_text)
    ref_like = (_parse_ref, _ref_from_text, _same, str)
    return {
        "text": Kind("text", str, TEXT, *text),
        "longtext": Kind(
            "longtext", str, TEXT, lambda s: Text(), _parse_long, _plain(_parse_long), _same, str
        ),
        "url": _contact_kind("url", contacts.check_url),
        "email": _contact_kind("email", contacts.check_email),
        "phone": _contact_kind("phone", contacts.check_phone, contacts.phone_key),
        "integer": Kind(
            "integer", int, ORDER, lambda s: BigId, _parse_integer, _integer_from_text, _same, str
        ),
        "decimal": Kind(
            "decimal", Decimal, ORDER, lambda s: ExactDecimal(), _parse_decimal, _decimal_from_text, decimal_text,
            decimal_text,
        ),
        "money": Kind(
            "money", Money, ORDER, lambda s: ExactDecimal(), _parse_money, _money_from_text, _dump_money,
            lambda v: f"{decimal_text(v.amount)} {v.currency}",
        ),
        "boolean": Kind(
            "boolean", bool, EQUALITY, lambda s: Boolean(), _parse_boolean, _boolean_from_text, _same,
            lambda v: "true" if v else "false",
        ),
        "date": Kind(
            "date", date, ORDER, lambda s: Date(), _parse_date, _date_from_text, date.isoformat, date.isoformat
        ),
        "datetime": Kind(
            "datetime", datetime, ORDER, lambda s: UtcDateTime(), _parse_moment, _moment_from_text, iso, iso
        ),
        "choice": Kind("choice", str, EQUALITY, lambda s: String(60), *text[1:]),
        "choices": Kind(
            "choices", list, frozenset({"contains", "empty"}), lambda s: JsonB(), _parse_choices, _choices_from_text,
            list, "; ".join,
        ),
        "enum": Kind(
            "enum", enum.Enum, EQUALITY, _enum_column, _parse_enum, _plain(_parse_enum), lambda v: v.value,
            lambda v: str(v.value),
        ),
        "ref": Kind("ref", int, EQUALITY, lambda s: BigId, *ref_like),
        "file": Kind(
            "file", uuid.UUID, frozenset({"empty"}), lambda s: Uuid(), _parse_file, _plain(_parse_file), str, str
        ),
        "uuid": Kind("uuid", uuid.UUID, EQUALITY, lambda s: Uuid(), _parse_uuid, _plain(_parse_uuid), str, str),
        "json": Kind("json", dict, frozenset({"empty"}), *json),
    }  # fmt: skip


def _contact_kind(name: str, check: Callable[[str], str], key: Callable[[str | None], str | None] = folded_key) -> Kind:
    parse = _checked(check)
    return Kind(name, str, TEXT, _text_column, parse, _plain(parse), _same, str, key)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(_table())
PYTHON_KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {
        str: "text", int: "integer", Decimal: "decimal", Money: "money", bool: "boolean", date: "date",
        datetime: "datetime", uuid.UUID: "uuid", dict: "json", list: "choices", Integer: "integer",
    }
)  # fmt: skip
