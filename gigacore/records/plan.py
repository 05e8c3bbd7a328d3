"""Read plans: which columns a reading needs and how each row becomes a plain value. Worked out once per registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement

from gigacore.entity import EntitySpec, FieldSpec, Money, Registry
from gigacore.errors import Invalid
from gigacore.filter import read_value
from gigacore.ids import readable_id
from gigacore.messages import msg

Row = Sequence[Any]
Reader = Callable[[Row], Any]
REFERENCE: Final = "reference"


@dataclass(frozen=True, slots=True)
class RefField:
    """A reference among the fields read: where its number stands in the row."""

    name: str
    target: str
    index: int


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How to read chosen fields of an entity: columns to select, readers per field, references to label."""

    spec: EntitySpec
    columns: tuple[ColumnElement[Any], ...]
    readers: tuple[tuple[str, Reader], ...]
    nested: tuple[tuple[str, tuple[tuple[str, Reader], ...]], ...]
    refs: tuple[RefField, ...]
    children: tuple[str, ...]
    extensions: tuple[str, ...]

    def read(self, row: Row) -> dict[str, Any]:
        """One record; references are still plain numbers."""
        record = {name: reader(row) for name, reader in self.readers}
        for plugin, readers in self.nested:
            record[plugin] = {name: reader(row) for name, reader in readers}
        return record


def read_plan(registry: Registry, spec: EntitySpec, names: tuple[str, ...]) -> ReadPlan:
    """The plan that reads these fields and children, kept in the registry."""
    key = ("read_plan", spec.name, names)
    plan = registry.memo.get(key)
    if not isinstance(plan, ReadPlan):
        plan = registry.memo[key] = _Builder(spec).build(names)
    return plan


def readable_names(
    spec: EntitySpec, readable: frozenset[str], wanted: Sequence[str] | None, *, whole: bool
) -> tuple[str, ...]:
    """The names to read: those wanted, or by default all that may be read.

    A `whole` record also has its children and the fields of plugins; a list has them only when they are wanted.
    Raises Invalid for a name that does not exist or may not be read.
    """
    if wanted is None:
        readable |= {REFERENCE}
        return tuple(name for name in _all_names(spec) if name in readable and (whole or _plain_field(spec, name)))
    plugins = {plugin: [n for n in spec.fields if n.startswith(f"{plugin}.")] for plugin in spec.extensions}
    chosen: list[str] = []
    for name in wanted:
        chosen += plugins.get(name, [name])
    for name in chosen:
        known = name in spec.fields or name in spec.children or (name == REFERENCE and spec.id_prefix)
        if not known or (name not in readable and name != REFERENCE):
            raise Invalid.of("fields", msg("There is no field {name}.", name=name), "unknown_field")
    return tuple(dict.fromkeys(["id", *chosen]))


def _all_names(spec: EntitySpec) -> Iterable[str]:
    yield "id"
    if spec.id_prefix:
        yield REFERENCE
    yield from (name for name, field in spec.fields.items() if name != "id" and not field.secret)
    yield from spec.children


def _plain_field(spec: EntitySpec, name: str) -> bool:
    return name == REFERENCE or (name in spec.fields and spec.fields[name].extension is None)


class _Builder:
    """Collects columns while readers are made for them."""

    def __init__(self, spec: EntitySpec) -> None:
        self._spec = spec
        self._columns: list[ColumnElement[Any]] = []
        self._places: dict[str, int] = {}
        self._refs: list[RefField] = []

    def build(self, names: tuple[str, ...]) -> ReadPlan:
        flat: list[tuple[str, Reader]] = []
        nested: dict[str, list[tuple[str, Reader]]] = {}
        for name in names:
            field = self._spec.fields.get(name)
            if name == REFERENCE:
                flat.append((name, self._readable_id()))
            elif field is not None and field.extension is not None:
                nested.setdefault(field.plugin, []).append((name.rpartition(".")[2], self._reader(field)))
            elif field is not None:
                flat.append((name, self._reader(field)))
        return ReadPlan(
            spec=self._spec,
            columns=tuple(self._columns),
            readers=tuple(flat),
            nested=tuple((plugin, tuple(readers)) for plugin, readers in nested.items()),
            refs=tuple(self._refs),
            children=tuple(name for name in names if name in self._spec.children),
            extensions=tuple(nested),
        )

    def _place(self, column: ColumnElement[Any], key: str) -> int:
        if key not in self._places:
            self._places[key] = len(self._columns)
            self._columns.append(column)
        return self._places[key]

    def _own(self, column: str) -> int:
        return self._place(self._spec.table.c[column], column)

    def _readable_id(self) -> Reader:
        place, prefix = self._own("id"), self._spec.id_prefix
        return lambda row: readable_id(prefix, row[place])

    def _reader(self, field: FieldSpec) -> Reader:
        if field.custom:
            return self._custom(field)
        table = field.extension.__table__ if field.extension else self._spec.table
        key = f"{table.name}.{field.column}" if field.extension else field.column
        place = self._place(table.c[field.column], key)
        if field.kind == "money":
            return _money(place, self._place(table.c[f"{field.column}_currency"], f"{key}_currency"))
        if field.kind == "enum":
            return lambda row: None if row[place] is None else row[place].value
        if field.kind == "ref" and field.target:
            self._refs.append(RefField(field.name, field.target, place))
        return lambda row: row[place]

    def _custom(self, field: FieldSpec) -> Reader:
        place, name = self._own("custom"), field.name
        if field.kind == "ref" and field.target:
            self._refs.append(RefField(name, field.target, -1))

        def read(row: Row) -> Any:
            stored = row[place].get(name) if row[place] else None
            return None if stored is None else read_value(field, stored)

        return read


def _money(amount: int, currency: int) -> Reader:
    return lambda row: None if row[amount] is None else Money(row[amount], row[currency])
