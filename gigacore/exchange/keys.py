"""Finding the records that earlier rows or earlier imports became, so that importing a file twice creates nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.entity import KINDS, EntitySpec
from gigacore.errors import Invalid
from gigacore.exchange.mapping import OWN_KEY, Target, normal
from gigacore.exchange.tables import core_import_key
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

WHOLE_ROW: Final = "#row"
CHUNK: Final = 400
K: Final = core_import_key.c


class Keys(Protocol):
    """Which record a key stands for."""

    def normal(self, text: str) -> str:
        """The key for comparing."""

    def find(self, ctx: Context, keys: Iterable[str]) -> dict[str, int]:
        """The records of these keys, as far as the actor sees them."""

    def remember(self, ctx: Context, found: Mapping[str, int]) -> None:
        """Notes which records new keys became."""


def keys_for(entity: EntitySpec, heading: str | None, target: Target | None) -> Keys:
    """By the field into which the key column goes, by the column's own name, or by the whole row.

    Raises Invalid for a field that cannot tell records apart.
    """
    if heading is None:
        return NotedKeys(entity, WHOLE_ROW)
    if target is None and normal(heading) == OWN_KEY:
        return OwnKeys(entity)
    if target is None:
        return NotedKeys(entity, normal(heading)[:100])
    if target.spec.custom or target.spec.extension is not None or target.spec.kind in ("ref", "longtext", "money"):
        raise Invalid.of("key", msg("Records cannot be found again by {field}.", field=target.path))
    return FieldKeys(entity, target)


class FieldKeys:
    """Keys that are the value of a field of the record, or of one of its child rows."""

    def __init__(self, entity: EntitySpec, target: Target) -> None:
        self.entity = entity
        self.spec = target.spec
        self.owner: Any = entity.children[target.child].cls if target.child else entity.cls
        self.column: Any = getattr(self.owner, self.spec.key_column or self.spec.attribute)
        self.number: Any = getattr(self.owner, "parent_id" if target.child else "id")

    def normal(self, text: str) -> str:
        """Folded as the field's key column is."""
        return KINDS[self.spec.kind].key(text) or "" if self.spec.key_column else text

    def find(self, ctx: Context, keys: Iterable[str]) -> dict[str, int]:
        """One statement per few hundred keys; of several records with one value the oldest."""
        found: dict[str, int] = {}
        for chunk in chunks(keys):
            values = [self.value(key) for key in chunk]
            query = sa.select(self.column, self.number).where(self.column.in_(values)).order_by(self.number.desc())
            if self.owner is not self.entity.cls:
                query = query.join(self.entity.cls, self.entity.cls.id == self.owner.parent_id)
            found |= {str(value): number for value, number in ctx.session.execute(query)}
        return found

    def value(self, key: str) -> Any:
        """The key as the column holds it."""
        return key if self.spec.is_text else KINDS[self.spec.kind].parse_text(key, self.spec, "en")

    def remember(self, ctx: Context, found: Mapping[str, int]) -> None:
        """Nothing to do: the record itself holds the key."""


class NotedKeys:
    """Keys that no field holds: they are kept beside the record, per heading of the file."""

    def __init__(self, entity: EntitySpec, source: str) -> None:
        self.entity = entity
        self.source = source

    def normal(self, text: str) -> str:
        """As it is."""
        return text

    def find(self, ctx: Context, keys: Iterable[str]) -> dict[str, int]:
        """Noted keys whose record is still there."""
        mine = sa.and_(K.org_id == ctx.actor.org_id, K.entity == self.entity.name, K.source == self.source)
        found: dict[str, int] = {}
        for chunk in chunks(keys):
            rows = ctx.session.connection().execute(sa.select(K.key, K.record_id).where(mine, K.key.in_(chunk)))
            noted = {row.key: row.record_id for row in rows}
            numbers = sa.select(self.entity.cls.id).where(self.entity.cls.id.in_(sorted(noted.values())))
            present = set(ctx.session.execute(numbers).scalars()) if noted else set()
            found |= {key: number for key, number in noted.items() if number in present}
        return found

    def remember(self, ctx: Context, found: Mapping[str, int]) -> None:
        """Notes the keys; one whose record is gone now stands for the new one."""
        if not found:
            return
        connection = ctx.session.connection()
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = make(core_import_key)
        renewed = {"record_id": statement.excluded.record_id}
        unique = [K.org_id, K.entity, K.source, K.key]
        statement = statement.on_conflict_do_update(index_elements=unique, set_=renewed)
        same = {"org_id": ctx.actor.org_id, "entity": self.entity.name, "source": self.source}
        connection.execute(statement, [same | {"key": key, "record_id": number} for key, number in found.items()])


class OwnKeys(NotedKeys):
    """The uid of our own export: of the record itself, or, in another installation, of the one that it became."""

    def __init__(self, entity: EntitySpec) -> None:
        super().__init__(entity, OWN_KEY)

    def find(self, ctx: Context, keys: Iterable[str]) -> dict[str, int]:
        """Records with these uids, and those that were made of rows with them."""
        wanted = {key: uid for key in keys if (uid := as_uuid(key)) is not None}
        found = super().find(ctx, wanted)
        for chunk in chunks(wanted):
            column = self.entity.cls.uid
            query = sa.select(column, self.entity.cls.id).where(column.in_([wanted[key] for key in chunk]))
            found |= {str(uid): number for uid, number in ctx.session.execute(query)}
        return found


def as_uuid(text: str) -> UUID | None:
    """The UUID that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def chunks(keys: Iterable[str]) -> Iterable[list[str]]:
    """Distinct keys, a few hundred at a time."""
    wanted = sorted({key for key in keys if key})
    return [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
