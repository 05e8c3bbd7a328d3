"""References of a file are names; here they become numbers of records, a batch at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore import access, records
from gigacore.entity import EntitySpec, fold
from gigacore.ids import parse_readable
from gigacore.records import Failed

if TYPE_CHECKING:
    from gigacore.context import Context

CHUNK: Final = 400


class References:
    """Finds the records that names stand for, and adds those that are not there where that is allowed.

    What was found is remembered for the length of one import: the same company stands in many rows.
    """

    def __init__(self, target: str, create: bool) -> None:
        self.target = target
        self.create = create
        self.known: dict[str, int] = {}

    def learn(self, ctx: Context, names: Iterable[str]) -> None:
        """Looks up the names of a batch in as few statements as possible; afterwards `get` answers."""
        wanted = {fold(name.strip()): name.strip() for name in names}
        missing = {key: name for key, name in wanted.items() if key and key not in self.known}
        if not missing:
            return
        if self.target == "core.user":
            self.known |= users(ctx, missing)
            return
        spec = ctx.session.registry.entities.get(self.target)
        if spec is None:
            return
        self.known |= by_title(ctx, spec, missing)
        self.known |= by_number(ctx, spec, {key for key in missing if key not in self.known})
        absent = [name for key, name in missing.items() if key not in self.known]
        if absent and self.create and may_create(ctx, spec):
            self.add(ctx, spec, absent)

    def add(self, ctx: Context, spec: EntitySpec, names: list[str]) -> None:
        """Creates records that consist of their title; what is refused stays unknown."""
        results = records.create_many(ctx, spec.name, [{spec.title: name} for name in names])
        for name, result in zip(names, results, strict=True):
            if not isinstance(result, Failed):
                self.known[fold(name)] = result.id

    def get(self, name: str) -> int | None:
        """The number of the record called `name`, None when there is none."""
        return self.known.get(fold(name.strip()))


def may_create(ctx: Context, spec: EntitySpec) -> bool:
    """Whether a record of the entity can be made of its title alone, and by this actor."""
    needed = [
        field for field in spec.fields.values() if field.required and field.default is None and not field.readonly
    ]
    return [field.name for field in needed] == [spec.title] and access.may(ctx, "create", spec.name)


def by_title(ctx: Context, spec: EntitySpec, keys: Collection[str]) -> dict[str, int]:
    """Records that the actor sees, by folded title; of several with one title the oldest."""
    title = spec.title_field
    column = getattr(spec.cls, title.key_column or title.attribute)
    found: dict[str, int] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        rows = ctx.session.execute(sa.select(column, spec.cls.id).where(column.in_(chunk)).order_by(spec.cls.id.desc()))
        found |= {fold(text): number for text, number in rows}
    return by_label(ctx, spec, keys) | found if spec.labels else found


def by_label(ctx: Context, spec: EntitySpec, keys: Collection[str]) -> dict[str, int]:
    """The same by the names that records have in other languages; such entities have few records."""
    labels = getattr(spec.cls, spec.fields[spec.labels or ""].attribute)
    rows = ctx.session.execute(sa.select(labels, spec.cls.id).where(labels.is_not(None)).order_by(spec.cls.id.desc()))
    named = {fold(name): number for found, number in rows for name in found.values()}
    return {key: named[key] for key in keys if key in named}


def by_number(ctx: Context, spec: EntitySpec, keys: Iterable[str]) -> dict[str, int]:
    """Records named by their readable number (`COMP-000012`)."""
    numbers = {key: parsed[1] for key in keys if (parsed := parse_readable(key)) and parsed[0] == spec.id_prefix}
    if not numbers:
        return {}
    rows = ctx.session.execute(sa.select(spec.cls.id).where(spec.cls.id.in_(sorted(numbers.values()))))
    present = set(rows.scalars())
    return {key: number for key, number in numbers.items() if number in present}


def users(ctx: Context, keys: Iterable[str]) -> dict[str, int]:
    """Active users by name or e-mail address."""
    table = sa.table("core_user", sa.column("id"), sa.column("name"), sa.column("email"), sa.column("active"))
    wanted = set(keys)
    found: dict[str, int] = {}
    rows = ctx.session.connection().execute(sa.select(table.c.id, table.c.name, table.c.email).where(table.c.active))
    for number, name, email in rows:
        for text in (fold(name or ""), fold(email or "")):
            if text in wanted:
                found.setdefault(text, number)
    return found
