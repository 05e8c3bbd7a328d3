"""Records as policies' filters look at them in Python: the draft in memory, everything else as stored.

References are followed to records that the actor may not see: a forbid must not end where sight ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm.util import identity_key

from gigacore.data.door import mark_scoped
from gigacore.entity import FieldSpec, Money
from gigacore.filter import ObjectReader, RecordSource, ToMany, field_expression
from gigacore.filter.expressions import currency_expression
from gigacore.filter.relations import Rows
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession
    from gigacore.entity import Child, Entity, Extension

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class StoredReader:
    """Reads one stored row by its id, field by field."""

    session: ActorSession
    rows: Rows
    id: int

    def get(self, field: FieldSpec) -> Any:
        """The Python value of a field, None when missing."""
        table = field.extension.__table__ if field.extension is not None else self.rows.table
        columns: list[sa.ColumnElement[Any]] = [field_expression(field, table)]
        if field.kind == "money":
            columns.append(currency_expression(field, table))
        row: Any = self._run(sa.select(*columns).where(table.c.id == self.id)).first()
        if row is None or row[0] is None:
            return None
        return Money(row[0], row[1]) if field.kind == "money" else row[0]

    def follow(self, field: FieldSpec) -> StoredReader | None:
        """The record that a reference names."""
        return follow(self.session, field, self.get(field))

    def related(self, relation: ToMany) -> Iterable[StoredReader]:
        """The related rows."""
        return related(self.session, self.id, relation)

    def shared(self, verb: str) -> bool:
        """Filters do not ask about shares."""
        return False

    def _run(self, statement: sa.Select[Any]) -> sa.Result[Any]:
        return self.session.connection().execute(mark_scoped(statement))


@dataclass(frozen=True, slots=True)
class DraftReader:
    """Reads a record as it would be written; fields in `kept` are read as these values instead."""

    session: ActorSession
    record: Entity
    kept: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def get(self, field: FieldSpec) -> Any:
        """The Python value of a field, None when missing."""
        if field.name in self.kept:
            return self.kept[field.name]
        return ObjectReader(self.record, RecordSource(extension=self._extension)).get(field)

    def follow(self, field: FieldSpec) -> StoredReader | None:
        """The record that a reference names."""
        return follow(self.session, field, self.get(field))

    def related(self, relation: ToMany) -> Iterable[Any]:
        """Child rows as they would be written, other rows as stored."""
        if relation.owner == "parent_id":
            return ObjectReader(self.record).related(relation)
        return related(self.session, self.record.id, relation)

    def shared(self, verb: str) -> bool:
        """Filters do not ask about shares."""
        return False

    def _extension(self, record: Entity | Child, extension: type[Extension]) -> Extension | None:
        if not record.__dict__.get("id"):
            return None
        with self.session.no_autoflush:
            known: Extension | None = self.session.identity_map.get(identity_key(extension, record.id))
            return known or self.session.get(extension, record.id)


def follow(session: ActorSession, field: FieldSpec, key: Any) -> StoredReader | None:
    """The record of another entity with that key, if its entity is there."""
    target = session.registry.entities.get(field.target or "")
    return None if key is None or target is None else StoredReader(session, target, key)


def related(session: ActorSession, record_id: int | None, relation: ToMany) -> list[StoredReader]:
    """The stored rows of a relation."""
    if record_id is None:
        return []
    table = relation.rows.table
    if relation.owner is not None:
        owner = table.c[relation.owner] if isinstance(relation.owner, str) else field_expression(relation.owner, table)
        statements = [sa.select(table.c.id).where(owner == record_id)]
    else:
        statements = [
            sa.select(via.table.c[via.row]).where(
                via.table.c[via.owner] == record_id, *(via.table.c[name] == value for name, value in via.fixed)
            )
            for via in relation.via
        ]
    connection = session.connection()
    ids = {key for statement in statements for key in connection.scalars(mark_scoped(statement))}
    return [StoredReader(session, relation.rows, key) for key in sorted(ids)]
