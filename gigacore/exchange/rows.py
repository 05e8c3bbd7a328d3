"""From the cells of one line to the input of one record, with what is wrong told by column."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from gigacore.entity import BadValue, Registry
from gigacore.errors import GigaError, Invalid
from gigacore.exchange.cells import Converter, Reading, converter, unprotect
from gigacore.exchange.mapping import Target
from gigacore.exchange.reading import Row
from gigacore.messages import Msg, msg
from gigacore.values import dataclass


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell, or with the whole row (`column` empty).

    Unless the row is `refused` for it, it goes in without that value.
    """

    column: str
    message: Msg
    value: str = ""
    refused: bool = True


NAMED: Final = 3


def summed(faults: Iterable[RowError]) -> list[Msg]:
    """Many rows of the same fault as one text for each column and reason, with the first values."""
    found: dict[tuple[str, str], tuple[Msg, list[str]]] = {}
    for one in faults:
        found.setdefault((one.column, str(one.message)), (one.message, []))[1].append(one.value)
    return [
        msg(
            "{column}: {count} values were not taken over ({values}). {reason}",
            column=column,
            count=len(values),
            values=", ".join([*dict.fromkeys(values)][:NAMED]),
            reason=reason,
        )
        for (column, _), (reason, values) in found.items()
    ]


@dataclass(slots=True)
class Prepared:
    """One row on its way: its input as far as it is understood, names of other records, faults."""

    number: int
    data: dict[str, Any] = field(default_factory=dict)
    names: list[tuple[Target, str, str]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[RowError] = field(default_factory=list)
    key: str = ""
    paths: dict[str, str] = field(default_factory=dict)
    children: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One mapped column: where it stands, what it becomes, and how."""

    index: int
    heading: str
    target: Target
    convert: Converter | None


class RowReader:
    """Reads the lines of one file by its mapping."""

    def __init__(
        self,
        headings: Sequence[str],
        targets: Mapping[str, Target],
        key: str | None,
        registry: Registry,
        reading: Reading,
    ) -> None:
        self.headings = headings
        self.key_index = headings.index(key) if key in headings else None
        self.columns = [
            Column(index, heading, targets[heading], converter(heading, targets[heading].spec, registry, reading))
            for index, heading in enumerate(headings)
            if heading in targets
        ]
        self.by_path = {column.target.path: column.heading for column in self.columns}

    def read(self, row: Row) -> Prepared:
        """The row's input; conversion faults are noted, not raised."""
        prepared = Prepared(row.number)
        cells = row.cells
        if len(cells) > len(self.headings) and any(cells[len(self.headings) :]):
            prepared.errors.append(RowError("", msg("The row has more cells than the heading has columns.")))
            return prepared
        for column in self.columns:
            text = unprotect(cells[column.index].strip()) if column.index < len(cells) else ""
            if text:
                self.take(prepared, column, text)
        prepared.key = self.key_of(cells)
        return prepared

    def take(self, prepared: Prepared, column: Column, text: str) -> None:
        """Puts one cell's value into its place."""
        target = column.target
        if column.convert is None:
            prepared.names.append((target, column.heading, text))
            return
        try:
            value = column.convert(text)
        except BadValue as error:
            prepared.errors.append(RowError(column.heading, error.message, text[:200]))
            return
        put(prepared, target, value)

    def place_children(self, prepared: Prepared) -> None:
        """Child rows without gaps; remembers from which column each came. Called when all values are known."""
        for name, rows in prepared.children.items():
            prepared.data[name] = [rows[position] for position in sorted(rows)]
            for place, position in enumerate(sorted(rows)):
                for inner in rows[position]:
                    prepared.paths[f"{name}.{place}.{inner}"] = f"{name}.{position}.{inner}"

    def key_of(self, cells: Sequence[str]) -> str:
        """What tells this row from others: its key column, or a digest of all mapped cells."""
        if self.key_index is not None:
            return unprotect(cells[self.key_index].strip())[:200] if self.key_index < len(cells) else ""
        parts = [cells[column.index].strip() if column.index < len(cells) else "" for column in self.columns]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def errors_of(self, prepared: Prepared, error: GigaError) -> list[RowError]:
        """A refusal of the record, by column."""
        if not isinstance(error, Invalid) or not error.errors:
            return [RowError("", error.message)]
        found = []
        for one in error.errors:
            heading = self.by_path.get(prepared.paths.get(one.path, one.path), "")
            text = one.message if heading else msg("{field}: {message}", field=one.path, message=one.message)
            found.append(RowError(heading, text, str(prepared.data.get(one.path, ""))[:200]))
        return found


def put(prepared: Prepared, target: Target, value: object) -> None:
    """Sets one value of a row's input; a plugin's fields stand in an object under its name."""
    spec = target.spec
    if target.child:
        rows = prepared.children.setdefault(target.child, {})
        rows.setdefault(target.position, {})[spec.name] = value
    elif spec.extension is not None:
        plugin, _, name = spec.name.partition(".")
        prepared.data.setdefault(plugin, {})[name] = value
    else:
        prepared.data[spec.name] = value
