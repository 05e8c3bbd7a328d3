"""References in input, child rows and added fields included: they name records that exist and that the actor sees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.data import mark_scoped
from gigacore.entity import SYSTEM_TARGETS, Entity, EntitySpec, FieldSpec, Registry
from gigacore.errors import FieldError, Invalid
from gigacore.files import fields as file_fields
from gigacore.messages import msg
from gigacore.records.kept import Criteria, run
from gigacore.records.labels import system_table
from gigacore.records.limits import visible
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context


@dataclass(frozen=True, slots=True)
class Named:
    """A record that input names, and where."""

    path: str
    target: str
    id: int


@dataclass(frozen=True, slots=True)
class RefFields:
    """The reference fields of an entity, of its child rows by their name, and of extensions by their plugin."""

    own: tuple[FieldSpec, ...]
    rows: tuple[tuple[str, tuple[FieldSpec, ...]], ...]
    added: tuple[tuple[str, tuple[FieldSpec, ...]], ...]

    @classmethod
    def of(cls, registry: Registry, spec: EntitySpec) -> RefFields:
        """Those of `spec`, kept in the registry."""
        key = ("ref_fields", spec.name)
        found = registry.memo.get(key)
        if not isinstance(found, cls):
            found = registry.memo[key] = cls._find(spec)
        return found

    @classmethod
    def _find(cls, spec: EntitySpec) -> RefFields:
        refs = _refs(spec.fields.values())
        rows = ((name, _refs(child.fields.values())) for name, child in spec.children.items())
        added = ((plugin, tuple(f for f in refs if f.extension and f.plugin == plugin)) for plugin in spec.extensions)
        return cls(tuple(f for f in refs if not f.extension), _present(rows), _present(added))

    def named(self, values: Mapping[str, Any], record: Entity | None = None) -> Iterator[Named]:
        """What checked input names; what stands in the stored `record` already is left out: it is not being set."""
        for field in self.own:
            value = values.get(field.name)
            if value is not None and (record is None or _stored(record, field) != value):
                yield Named(field.name, field.target or "", value)
        for plugin, fields in self.added:
            for field in fields:
                value = (values.get(plugin) or {}).get(field.name.rpartition(".")[2])
                if value is not None:
                    yield Named(field.name, field.target or "", value)
        for name, fields in self.rows:
            if values.get(name):
                yield from _in_rows(name, fields, values[name], record)


def _refs(fields: Iterable[FieldSpec]) -> tuple[FieldSpec, ...]:
    return tuple(field for field in fields if field.kind == "ref" and field.target)


def _present(
    groups: Iterable[tuple[str, tuple[FieldSpec, ...]]],
) -> tuple[tuple[str, tuple[FieldSpec, ...]], ...]:
    return tuple((name, fields) for name, fields in groups if fields)


def _stored(record: Entity, field: FieldSpec) -> Any:
    return (record.custom or {}).get(field.name) if field.custom else getattr(record, field.attribute)


def _in_rows(
    name: str, fields: tuple[FieldSpec, ...], rows: Iterable[Mapping[str, Any]], record: Entity | None
) -> Iterator[Named]:
    present = {} if record is None else {row.id: row for row in getattr(record, name)}
    for place, values in enumerate(rows):
        row = present.get(values.get("id"))
        for field in fields:
            value = values.get(field.name)
            if value is not None and (row is None or getattr(row, field.attribute) != value):
                yield Named(f"{name}.{place}.{field.name}", field.target or "", value)


def check_references(ctx: Context, spec: EntitySpec, values: Mapping[str, Any], record: Entity | None = None) -> None:
    """Raise Invalid when a reference names a record or file that does not exist or is out of the actor's sight."""
    known: dict[tuple[str, int], bool] = {}
    errors = file_fields.check(ctx, spec, values)
    for one in RefFields.of(ctx.session.registry, spec).named(values, record):
        key = one.target, one.id
        if key not in known:
            known[key] = _exists(ctx, *key)
        if not known[key]:
            errors.append(unknown_record(one))
    if errors:
        raise Invalid(errors=errors)


def missing_references(ctx: Context, spec: EntitySpec, inputs: Mapping[int, Mapping[str, Any]]) -> dict[int, Invalid]:
    """Which of many inputs name a record that is not there or out of sight: one statement per target."""
    fields = RefFields.of(ctx.session.registry, spec)
    found = {place: list(fields.named(values)) for place, values in inputs.items()}
    wanted: dict[str, set[int]] = defaultdict(set)
    for named in found.values():
        for one in named:
            wanted[one.target].add(one.id)
    missing = {target: numbers - _existing(ctx, target, numbers) for target, numbers in wanted.items()}
    faults = {place: [unknown_record(o) for o in named if o.id in missing[o.target]] for place, named in found.items()}
    return {place: Invalid(errors=errors) for place, errors in faults.items() if errors}


def unknown_record(one: Named) -> FieldError:
    """One and the same answer, whether there is no such record or the actor may not see it."""
    return FieldError(one.path, msg("There is no such record, or you may not see it."), "unknown_record")


def _exists(ctx: Context, target: str, record_id: int) -> bool:
    session = ctx.session
    if target in SYSTEM_TARGETS:
        if target == "core.user" and record_id == ctx.actor.user_id:
            return True
        table: sa.FromClause = system_table(target)
        return run(session, ("exists", target), (), lambda _: _one(table, ()), {"pk": record_id}).first() is not None
    spec = session.registry.entities.get(target)
    if spec is None:
        return True  # the plugin that owns the target is away; a soft reference outlives it
    limit, table = visible(session, spec), spec.table
    where = () if limit is None else (limit,)
    found = run(session, ("exists", target), where, lambda criteria: _one(table, criteria), {"pk": record_id})
    return found.first() is not None


def _one(table: sa.FromClause, where: Criteria) -> sa.Select[Any]:
    return sa.select(table.c.id).where(table.c.id == sa.bindparam("pk"), *where)


def _existing(ctx: Context, target: str, numbers: set[int]) -> set[int]:
    """Those of the records that exist and that the actor may see."""
    session, wanted = ctx.session, sorted(numbers)
    if target in SYSTEM_TARGETS:
        table = system_table(target)
        return set(session.connection().scalars(sa.select(table.c.id).where(table.c.id.in_(wanted))))
    spec = session.registry.entities.get(target)
    if spec is None:
        return numbers  # the plugin that owns the target is away; a soft reference outlives it
    limit = visible(session, spec)
    found = sa.select(spec.table.c.id).where(spec.table.c.id.in_(wanted))
    return set(session.connection().scalars(mark_scoped(found if limit is None else found.where(limit))))
