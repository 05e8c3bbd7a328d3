"""Parameters of steps: checked when a rule is saved, filled with the record's values when it runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gigacore.entity import Money
from gigacore.entity.kinds import iso
from gigacore.errors import FieldError, Invalid
from gigacore.filter.moments import parse_duration, shifted
from gigacore.messages import Msg, msg
from gigacore.records.inputs import load_input, params_schema
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, FieldSpec, Registry

DYNAMIC: Final = frozenset({"ref", "ago", "ahead"})
MAX_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Data:
    """What parameters may refer to: `record`, `before`, `actor`, `rule` as plain values; the moment and the zone."""

    values: Mapping[str, Any]
    now: datetime
    locale: str
    timezone: str


def is_dynamic(value: object) -> bool:
    """Whether a value is worked out when the rule runs."""
    if isinstance(value, str):
        return is_template(value)
    return isinstance(value, Mapping) and len(value) == 1 and bool(value.keys() & DYNAMIC)


def with_defaults(specs: Sequence[FieldSpec], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the declared defaults of those that were not given."""
    return {spec.name: spec.default for spec in specs if spec.default is not None} | dict(params)


def is_template(text: str) -> bool:
    """Whether a text holds template marks."""
    return "{{" in text or "{%" in text


Known = Mapping[str, Collection[str] | None]
"""The names that templates may use, by their root; None = any."""


def known_names(entity: EntitySpec | None) -> Known:
    """What texts of a rule about that kind of record may name."""
    record = {*entity.fields, *entity.children} if entity is not None else None
    return {"record": record, "before": None, "event": None, "actor": {"id", "name", "team"}, "rule": {"name"}}


def check_params(
    registry: Registry,
    specs: Sequence[FieldSpec],
    params: Mapping[str, Any],
    at: str,
    *,
    dynamic: bool,
    known: Known | None = None,
) -> None:
    """Refuse parameters that are unknown, missing or of the wrong kind. Raises Invalid, with paths below `at`.

    Templates are held against the names that are `known`; None = any.
    """
    static: dict[str, Any] = {}
    errors: list[FieldError] = []
    by_name = {spec.name: spec for spec in specs}
    judged = dict(by_name)
    for name, value in params.items():
        if name in by_name and value is not None and by_name[name].kind == "json":
            judged.pop(name)  # any JSON value; the trigger or action checks it
            errors += _nested(value, f"{at}.{name}", known)
        elif dynamic and is_dynamic(value) and name in by_name:
            judged.pop(name)
            errors += _fault(value, f"{at}.{name}", known)
        else:
            static[name] = value
    try:
        load_input(params_schema(registry, judged.values()), static)
    except Invalid as error:
        errors += [FieldError(f"{at}.{one.path}", one.message, one.code) for one in error.errors]
    if errors:
        raise Invalid(errors=errors)


def _nested(value: object, at: str, known: Known | None) -> list[FieldError]:
    if isinstance(value, Mapping) and not is_dynamic(value):
        return [fault for key, inner in value.items() for fault in _nested(inner, f"{at}.{key}", known)]
    if isinstance(value, list):
        return [fault for place, inner in enumerate(value) for fault in _nested(inner, f"{at}[{place}]", known)]
    return _fault(value, at, known) if is_dynamic(value) else []


def _fault(value: object, at: str, known: Known | None) -> list[FieldError]:
    problem: Msg | None = None
    if isinstance(value, str):
        problem = template_fault(value, known)
    elif isinstance(value, Mapping):
        ((word, inner),) = value.items()
        if not isinstance(inner, str):
            problem = msg("This must be a text.")
        elif word != "ref" and parse_duration(inner, 1) is None:
            problem = msg("This must be a duration such as P7D or PT2H.")
    return [] if problem is None else [FieldError(at, problem, "invalid")]


def template_fault(text: str, known: Known | None = None) -> Msg | None:
    """What is wrong with the form of a template, or with its names where these are known; None = nothing."""
    if len(text) > MAX_TEXT:
        return msg("At most {limit} characters.", limit=MAX_TEXT)
    from gigacore.text import sandbox  # here, so that jinja2 is loaded by who uses templates
    from gigacore.text.names import unknown_name
    from gigacore.text.templates import explain

    try:
        if known is not None:
            return unknown_name(text, known)
        sandbox.parse(text, sandbox.SandboxEnvironment(False, {}))
    except sandbox.Refusal as refusal:
        return explain(refusal)
    return None


def fill(value: Any, data: Data) -> Any:
    """The value with templates rendered and references and moments worked out. Raises Invalid."""
    if isinstance(value, str):
        return _rendered(value, data) if is_template(value) else value
    if isinstance(value, Mapping):
        return _dynamic(value, data) if is_dynamic(value) else {key: fill(inner, data) for key, inner in value.items()}
    return [fill(inner, data) for inner in value] if isinstance(value, list) else value


def _rendered(text: str, data: Data) -> str:
    from gigacore.text import render

    return render(text, data.values, locale=data.locale, timezone=data.timezone)


def _dynamic(value: Mapping[str, Any], data: Data) -> Any:
    ((word, inner),) = value.items()
    if word == "ref":
        return _referred(str(inner), data)
    offset = parse_duration(str(inner), -1 if word == "ago" else 1)
    if offset is None:
        raise Invalid.of(word, msg("This must be a duration such as P7D or PT2H."))
    return iso(shifted(data.now, offset, ZoneInfo(data.timezone)))


def _referred(path: str, data: Data) -> Any:
    if path == "now":
        return iso(data.now)
    if path == "today":
        return data.now.astimezone(ZoneInfo(data.timezone)).date().isoformat()
    value: Any = data.values
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value["id"] if isinstance(value, Mapping) and "id" in value else value


def storable(value: Any) -> Any:
    """A value in the form that JSON columns take."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, Money):
        return {"amount": str(value.amount), "currency": value.currency}
    if isinstance(value, Mapping):
        return {str(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [storable(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def fitting(spec: FieldSpec | None, value: Any, zone: str) -> Any:
    """A filled value in the form that the field takes: of a moment, the day in `zone` for a date."""
    if spec is not None and spec.kind == "date" and isinstance(value, str) and "T" in value:
        return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).date().isoformat()
    return value
