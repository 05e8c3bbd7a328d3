"""Writing a batch of rows: known ones are skipped or updated, new ones created through the service of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, Literal

from gigacore import access, records
from gigacore.entity import ChildSpec, Entity, EntitySpec, fold
from gigacore.errors import GigaError
from gigacore.exchange.keys import Keys
from gigacore.exchange.mapping import Target
from gigacore.exchange.references import References
from gigacore.exchange.rows import Prepared, RowError, RowReader, put
from gigacore.messages import msg
from gigacore.records import Failed
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

Duplicates = Literal["skip", "update"]
USER: Final = "core.user"
NOBODY: Final = msg(
    "No active user has this name or address; the field keeps what it would have without it. Add the person in the "
    "settings and import the file again with “are updated”, or put the column into a new text field to keep the names."
)
NOT_YOURS: Final = msg(
    "Your role may not assign records, so this one stays yours. Ask whoever may assign to import the file, or put the "
    "column into a new text field to keep the names."
)


@dataclass(slots=True)
class Outcome:
    """What became of the rows of a batch."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: list[tuple[int, RowError]] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    noted: set[int] = field(default_factory=set)

    def refuse(self, row: Prepared, errors: Sequence[RowError]) -> None:
        """Notes a row that was not written."""
        self.failed.add(row.number)
        self.errors += [(row.number, one) for one in errors]

    def note(self, row: Prepared) -> None:
        """Keeps what a row that was written lacks of the file."""
        if row.notes:
            self.noted.add(row.number)
            self.errors += [(row.number, one) for one in row.notes]


@dataclass(slots=True)
class Importer:
    """Everything that the batches of one import share."""

    entity: EntitySpec
    reader: RowReader
    keys: Keys
    duplicates: Duplicates = "skip"
    create_references: bool = True
    references: dict[str, References] = field(default_factory=dict)

    def run(self, ctx: Context, rows: Sequence[Prepared]) -> Outcome:
        """Writes the batch within the caller's unit of work. A refused row does not hold back the others."""
        outcome = Outcome()
        self.resolve(ctx, rows)
        good = [row for row in rows if not row.errors]
        for row in rows:
            if row.errors:
                outcome.refuse(row, row.errors)
        present = self.keys.find(ctx, (self.keys.normal(row.key) for row in good))
        fresh, known = self.divide(good, present)
        present |= self.create(ctx, fresh, outcome)
        for row in known:
            self.meet(ctx, row, present.get(self.keys.normal(row.key)), outcome)
        return outcome

    def resolve(self, ctx: Context, rows: Sequence[Prepared]) -> None:
        """Turns the names of other records into their numbers."""
        wanted: dict[str, set[str]] = {}
        for row in rows:
            for target, _, text in row.names:
                wanted.setdefault(target.spec.target or "", set()).add(text)
        for name, texts in wanted.items():
            known = self.references.setdefault(name, References(name, self.create_references))
            known.learn(ctx, sorted(texts))
        for row in rows:
            self.fill_names(ctx, row)

    def fill_names(self, ctx: Context, row: Prepared) -> None:
        """The numbers of one row's references. An unknown owner leaves the record with whoever imports it."""
        self.note_people(ctx, row)
        for target, heading, text in row.names:
            number = self.references[target.spec.target or ""].get(text)
            if number is None and target.spec.target != USER:
                row.errors.append(RowError(heading, msg("There is no record of this name."), text[:200]))
            elif number is not None and self.may_set(ctx, target):
                put(row, target, number)
        self.reader.place_children(row)

    def look_at_people(self, ctx: Context, rows: Sequence[Prepared]) -> None:
        """What a preview can say of the people that the rows name; nothing else is looked up, or added."""
        known = self.references.setdefault(USER, References(USER, create=False))
        known.learn(ctx, sorted({text for row in rows for target, _, text in row.names if target.spec.target == USER}))
        for row in rows:
            self.note_people(ctx, row)

    def note_people(self, ctx: Context, row: Prepared) -> None:
        """Names of people that cannot be taken over are told, with the way to keep them."""
        for target, heading, text in row.names:
            if target.spec.target != USER:
                continue
            if self.references[USER].get(text) is None:
                row.notes.append(RowError(heading, NOBODY, text[:200], refused=False))
            elif not self.may_set(ctx, target):
                row.notes.append(RowError(heading, NOT_YOURS, text[:200], refused=False))

    def may_set(self, ctx: Context, target: Target) -> bool:
        """Whether the actor may fill the field: whom a record belongs to is assigned."""
        return target.path != "owner_id" or access.may(ctx, "assign", self.entity.name)

    def divide(self, rows: Sequence[Prepared], present: Mapping[str, int]) -> tuple[list[Prepared], list[Prepared]]:
        """New rows, and those whose key is known already or stands in this batch for the second time."""
        fresh: list[Prepared] = []
        known: list[Prepared] = []
        seen = set(present)
        for row in rows:
            key = self.keys.normal(row.key)
            (known if key and key in seen else fresh).append(row)
            seen.add(key)
        return fresh, known

    def create(self, ctx: Context, rows: Sequence[Prepared], outcome: Outcome) -> dict[str, int]:
        """Creates records and returns the numbers of the new ones by their keys."""
        results = records.create_many(ctx, self.entity.name, [row.data for row in rows])
        made: dict[str, int] = {}
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, Failed):
                outcome.refuse(row, self.reader.errors_of(row, result.error))
            else:
                outcome.created += 1
                outcome.note(row)
                made[self.keys.normal(row.key)] = result.id
        made.pop("", None)
        self.keys.remember(ctx, made)
        return made

    def meet(self, ctx: Context, row: Prepared, number: int | None, outcome: Outcome) -> None:
        """A row whose record is there already."""
        if self.duplicates == "skip" or number is None:
            outcome.skipped += 1
            return
        savepoint = ctx.session.begin_nested()
        try:
            changed = update(ctx, self.entity, number, row.data)
        except GigaError as error:
            savepoint.rollback()
            outcome.refuse(row, self.reader.errors_of(row, error))
            return
        savepoint.commit()
        outcome.note(row)
        outcome.updated += changed
        outcome.skipped += not changed


def update(ctx: Context, entity: EntitySpec, number: int, data: Mapping[str, Any]) -> bool:
    """Changes a record as a row says; child rows are added, never taken away. False when nothing differed."""
    record = records.load(ctx, entity.name, number, verb="edit")
    before = record.version
    merged = dict(data)
    for name, child in entity.children.items():
        if name in merged:
            merged[name] = with_present(record, child, merged[name])
            if merged[name] is None:
                del merged[name]
    return records.update(ctx, entity.name, number, merged).version != before


def with_present(record: Entity, child: ChildSpec, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """The record's rows and those that it has not yet; None when it has all of them."""
    present = getattr(record, child.name)
    missing = [row for row in rows if not any(same(one, row) for one in present)]
    if not missing:
        return None
    return [as_input(one, child) for one in present] + [dict(row) for row in missing]


def as_input(row: Any, child: ChildSpec) -> dict[str, Any]:
    """A present child row as input that leaves it as it is."""
    names = [name for name, field in child.fields.items() if not field.readonly]
    return {"id": row.id} | {name: value for name in names if (value := getattr(row, name)) is not None}


def same(present: Any, row: Mapping[str, Any]) -> bool:
    """Whether a child row holds what the file says, apart from case and accents."""
    return all(fold(str(getattr(present, name))) == fold(str(value)) for name, value in row.items())
