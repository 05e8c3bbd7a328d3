"""Readers of records for the Python backend: of mapped objects, and of plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, cast

from gigacore.entity.declare import Child, Entity, Extension
from gigacore.entity.money import Money
from gigacore.entity.spec import FieldSpec
from gigacore.errors import Misuse
from gigacore.filter.python import RecordReader
from gigacore.filter.relations import ToMany
from gigacore.filter.stored import read_value
from gigacore.values import dataclass


def nothing_to_load(target: str, record_id: int) -> Entity | None:
    """For records whose references need not, or must not, be followed."""
    return None


def nothing_related(record: Entity | Child | Extension, relation: ToMany) -> Iterable[Entity | Child]:
    """For records that nothing can refer to yet. Raises Misuse for others: no answer is better than a wrong one."""
    if record.__dict__.get("id") is not None:
        raise Misuse(f"a reader without `related` was asked for {relation.name} of a stored record")
    return ()


def no_extension(record: Entity | Child, extension: type[Extension]) -> Extension | None:
    """For records without fields of other plugins."""
    return None


def not_shared(record: Entity | Child, verb: str) -> bool:
    """For new records."""
    return False


@dataclass(frozen=True, slots=True)
class RecordSource:
    """What a reader of mapped objects asks for beyond the object itself.

    `load(entity, id)` gives the record a reference names, None where the actor may not see it; `related(record,
    relation)` the rows of a relation other than child rows; `extension(record, class)` the row of another plugin's
    fields; `shared(record, verb)` whether the record is shared with the actor.
    """

    load: Callable[[str, int], Entity | None] = nothing_to_load
    related: Callable[[Any, ToMany], Iterable[Entity | Child]] = nothing_related
    extension: Callable[[Any, type[Extension]], Extension | None] = no_extension
    shared: Callable[[Any, str], bool] = not_shared


@dataclass(frozen=True, slots=True)
class ObjectReader:
    """Reads a mapped record, child row or new object. Missing values of a new object are read as null."""

    record: Entity | Child
    source: RecordSource = field(default_factory=RecordSource)

    def get(self, field: FieldSpec) -> Any:
        """The Python value of a field, None when missing."""
        if field.custom:
            return read_value(field, (getattr(self.record, field.attribute) or {}).get(field.name))
        holder: Any = self.record
        if field.extension is not None:
            holder = self.source.extension(self.record, field.extension)
        value = getattr(holder, field.attribute, None)
        if field.kind == "money" and value is not None:
            return Money(value, getattr(holder, field.currency_attribute))
        return value

    def follow(self, field: FieldSpec) -> RecordReader | None:
        """The record that a reference names; None when it names none or the reader may not see it."""
        key = self.get(field)
        target = self.source.load(field.target, key) if key is not None and field.target else None
        return None if target is None else ObjectReader(target, self.source)

    def related(self, relation: ToMany) -> Iterable[RecordReader]:
        """The related rows that the reader may see."""
        if relation.owner == "parent_id":
            rows = cast(Iterable[Child], getattr(self.record, relation.name))
        else:
            rows = cast(Iterable[Child], self.source.related(self.record, relation))
        return [ObjectReader(row, self.source) for row in rows]

    def shared(self, verb: str) -> bool:
        """Whether the record is shared with the reader for `verb`."""
        return self.source.shared(self.record, verb)


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Reads Python values by field name: old images, input that is no record yet, tests.

    `targets` are the records that references name, `rows` those of relations, both by name.
    """

    values: Mapping[str, Any]
    targets: Mapping[str, RecordReader] = field(default_factory=dict)
    rows: Mapping[str, Iterable[RecordReader]] = field(default_factory=dict)
    shares: frozenset[str] = frozenset()

    def get(self, field: FieldSpec) -> Any:
        """The Python value of a field, None when missing."""
        return self.values.get(field.name)

    def follow(self, field: FieldSpec) -> RecordReader | None:
        """The record that a reference names."""
        return self.targets.get(field.name)

    def related(self, relation: ToMany) -> Iterable[RecordReader]:
        """The rows of a relation."""
        return self.rows.get(relation.name, ())

    def shared(self, verb: str) -> bool:
        """Whether the record is shared with the reader for `verb`."""
        return verb in self.shares
