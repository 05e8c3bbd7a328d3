"""Whether an event starts a rule for its record, and why: the trace that the log shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from gigacore.automation.declare import Happened
from gigacore.data.tables import core_audit_value
from gigacore.entity import KINDS, BadValue
from gigacore.filter import PyEnv, RecordReader, ValueReader, matches, parse

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, Registry
    from gigacore.jobs import Event


def happened(connection: sa.Connection, event: Event) -> Happened:
    """What the event changed, from the audit; values that were erased count as unchanged."""
    body = connection.scalar(sa.select(core_audit_value.c.body).where(core_audit_value.c.audit_id == event.audit_id))
    values: Any = orjson.loads(bytes(body)) if body is not None else {}
    pairs = {name: pair for name, pair in values.items() if isinstance(pair, list) and len(pair) == 2}
    return Happened(
        event.name,
        event.entity,
        event.record_id or 0,
        frozenset(event.fields),
        {name: pair[0] for name, pair in pairs.items()},
        {name: pair[1] for name, pair in pairs.items()},
        {name: value for name, value in values.items() if name not in pairs},
    )


def python_values(spec: EntitySpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded values as Python values; one that its field no longer accepts counts as missing."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        field = spec.fields.get(name)
        if field is None or value is None:
            found[name] = None
            continue
        try:
            found[name] = KINDS[field.kind].parse(value, field)
        except BadValue:
            found[name] = None
    return found


def before_reader(spec: EntitySpec, now: RecordReader, was: Mapping[str, Any]) -> RecordReader:
    """The record as it was: recorded old values where there are any, the present ones elsewhere."""
    return Overlay(now, python_values(spec, was))


class Overlay:
    """A record read through some other values."""

    def __init__(self, record: RecordReader, values: Mapping[str, Any]) -> None:
        self.record = record
        self.values = values

    def get(self, field: Any) -> Any:
        """The overlaid value, else the record's."""
        return self.values[field.name] if field.name in self.values else self.record.get(field)

    def follow(self, field: Any) -> RecordReader | None:
        """As the record."""
        return self.record.follow(field)

    def related(self, relation: Any) -> Any:
        """As the record."""
        return self.record.related(relation)

    def shared(self, verb: str) -> bool:
        """As the record."""
        return self.record.shared(verb)


def trace(tree: Any, spec: EntitySpec, registry: Registry, record: RecordReader, env: PyEnv) -> dict[str, Any]:
    """The condition tree with, at each node, whether it held: `{"is": bool, "all" | "any" | "not" | "test": ...}`."""
    if not tree:
        return {"is": True, "all": []}
    for word, quantify in (("all", all), ("any", any)):
        if word in tree:
            parts = [trace(part, spec, registry, record, env) for part in tree[word]]
            return {"is": quantify(part["is"] for part in parts), word: parts}
    if "not" in tree:
        inner = trace(tree["not"], spec, registry, record, env)
        return {"is": not inner["is"], "not": inner}
    condition = parse(tree, spec, registry, events=True)
    return {"is": matches(condition, record, env), "test": dict(tree)}


def gone(spec: EntitySpec, values: Mapping[str, Any]) -> RecordReader:
    """A deleted record, read from what the audit kept of it."""
    return ValueReader(python_values(spec, values))
