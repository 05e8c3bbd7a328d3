"""Read plans: which columns a reading needs and how each row becomes a plain value. Worked out once per registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement

from gigacore.entity import EntitySpec, FieldSpec, Money, Registry
from gigacore.entity.spec import EMPTY
from gigacore.errors import Invalid
from gigacore.filter.stored import converter
from gigacore.ids import readable_id
from gigacore.messages import msg
from gigacore.values import dataclass

Row = Sequence[Any]
Reader = Callable[[Row], Any]
REFERENCE: Final = "reference"
LABEL: Final = "label"


@dataclass(frozen=True, slots=True)
class RefField:
    """A reference among the fields read."""

    name: str
    target: str


@dataclass(frozen=True, slots=True, eq=False)
class ReadPlan:
    """How to read chosen fields of an entity: columns to select, readers per field, references to label.

    The first columns are those of `plain` fields, whose values are taken as they come. Where titles have translations,
    these stand under `label` until the reader's language is known.
    """

    spec: EntitySpec
    columns: tuple[ColumnElement[Any], ...]
    plain: tuple[str, ...]
    readers: tuple[tuple[str, Reader], ...]
    custom: CustomReader | None
    nested: tuple[tuple[str, tuple[tuple[str, Reader], ...]], ...]
    refs: tuple[RefField, ...]
    files: tuple[str, ...]
    children: tuple[str, ...]
    extensions: tuple[str, ...]

    def read(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The records; references are still plain numbers. Field by field, so that what a field needs is found once."""
        records = [dict(zip(self.plain, row, strict=False)) for row in rows]
        for name, reader in self.readers:
            for row, record in zip(rows, records, strict=True):
                record[name] = reader(row)
        if self.custom is not None:
            self.custom.read(rows, records)
        for plugin, readers in self.nested:
            for row, record in zip(rows, records, strict=True):
                record[plugin] = {name: reader(row) for name, reader in readers}
        return records


@dataclass(frozen=True, slots=True)
class CustomReader:
    """Reads the custom fields of a record from their one column; `index` is its place in the row."""

    index: int
    fields: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    """Each field's name, and what makes its value of the stored form where that is not the value itself."""

    def read(self, rows: Sequence[Row], records: Sequence[dict[str, Any]]) -> None:
        """Add the fields to `records`."""
        stored = [row[self.index] or EMPTY for row in rows]
        for name, convert in self.fields:
            for values, record in zip(stored, records, strict=True):
                value = values.get(name)
                record[name] = value if convert is None or value is None else convert(value)


def read_plan(
    registry: Registry, spec: EntitySpec, readable: frozenset[str], wanted: Sequence[str] | None, *, whole: bool
) -> ReadPlan:
    """The plan that reads the fields and children wanted, or by default all that may be read; kept in the registry.

    A `whole` record also has its children and the fields of plugins; a list has them only when they are wanted.
    Raises Invalid for a name that does not exist or may not be read; a title that may not be read is left out, for
    whoever shows records asks for it.
    """
    key = ("read_plan", spec.name, readable, None if wanted is None else tuple(wanted), whole)
    return registry.kept(key, lambda: _Builder(spec).build(_names(spec, readable, wanted, whole)))


def _names(spec: EntitySpec, readable: frozenset[str], wanted: Sequence[str] | None, whole: bool) -> tuple[str, ...]:
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
            if name == spec.title:
                continue
            raise Invalid.of("fields", msg("There is no field {name}.", name=name), "unknown_field")
    return tuple(name for name in dict.fromkeys(["id", *chosen]) if name != spec.title or name in readable)


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
        fields = [self._spec.fields[name] for name in names if name in self._spec.fields]
        plain = [field for field in fields if _is_plain(field)]
        for field in plain:
            self._own(field.column)
            self._note_reference(field)
        flat = [(field.name, self._reader(field)) for field in fields if _is_own(field) and not _is_plain(field)]
        if REFERENCE in names:
            flat.insert(0, (REFERENCE, self._readable_id()))
        if self._spec.labels and self._spec.title in names:
            flat.append((LABEL, self._reader(self._spec.fields[self._spec.labels])))
        nested: dict[str, list[tuple[str, Reader]]] = {}
        for field in fields:
            if field.extension is not None:
                nested.setdefault(field.plugin, []).append((field.name.rpartition(".")[2], self._reader(field)))
        custom = self._custom([field for field in fields if field.custom])
        return ReadPlan(
            spec=self._spec,
            columns=tuple(self._columns),
            plain=tuple(field.name for field in plain),
            readers=tuple(flat),
            custom=custom,
            nested=tuple((plugin, tuple(readers)) for plugin, readers in nested.items()),
            refs=tuple(self._refs),
            files=tuple(field.name for field in fields if field.kind == "file"),
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

    def _note_reference(self, field: FieldSpec) -> None:
        if field.kind == "ref" and field.target:
            self._refs.append(RefField(field.name, field.target))

    def _readable_id(self) -> Reader:
        place, prefix = self._own("id"), self._spec.id_prefix
        return lambda row: readable_id(prefix, row[place])

    def _reader(self, field: FieldSpec) -> Reader:
        table: Any = field.extension.__table__ if field.extension else self._spec.table
        key = f"{table.name}.{field.column}" if field.extension else field.column
        place = self._place(table.c[field.column], key)
        if field.kind == "money":
            return _money(place, self._place(table.c[f"{field.column}_currency"], f"{key}_currency"))
        if field.kind == "enum":
            return lambda row: None if row[place] is None else row[place].value
        self._note_reference(field)
        return lambda row: row[place]

    def _custom(self, fields: Sequence[FieldSpec]) -> CustomReader | None:
        for field in fields:
            self._note_reference(field)
        if not fields:
            return None
        return CustomReader(self._own("custom"), tuple((field.name, converter(field)) for field in fields))


def _is_own(field: FieldSpec) -> bool:
    return not field.custom and field.extension is None


def _is_plain(field: FieldSpec) -> bool:
    return _is_own(field) and field.kind not in ("money", "enum")


def _money(amount: int, currency: int) -> Reader:
    return lambda row: None if row[amount] is None else Money(row[amount], row[currency])
