"""Taking one recorded change of a record back, through the same write path as any other change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from gigacore.data import audit
from gigacore.data.changes import HIDDEN, image
from gigacore.data.journal import encode
from gigacore.entity import Entity, EntitySpec, FieldSpec
from gigacore.errors import Conflict, NotFound
from gigacore.messages import Msg, msg
from gigacore.records import ties, write
from gigacore.records.limits import readable_fields

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession

Rows = Sequence[Mapping[str, Any]]
UNDONE: Final = frozenset({"updated", *ties.VERBS})


def undo(ctx: Context, entity: str, record_id: int, change: UUID) -> tuple[Msg, ...]:
    """Take one change (an audit id of the record) back; gives the labels of what was changed again since.

    Fields and rows get the values that they had before, a link or share that was made is taken away, one that was taken
    away is made again. It is itself a change, within the caller's unit of work and rights. What was changed again since
    stays as it is. Raises NotFound for what is no such change of the record, Conflict when nothing of it can be taken
    back, and as `update`, `links.link` and `shares.add`.
    """
    record = write.load(ctx, entity, record_id)
    row = audit.entry(ctx.session.connection(), change)
    if row is None or (row.entity, row.record_id) != (entity, record_id) or row.verb not in UNDONE:
        raise NotFound
    if not isinstance(row.values, dict):
        raise Conflict(msg("What this change replaced is no longer kept."))
    if row.verb != "updated":
        ties.take_back(ctx, record, row.verb, row.values)
        return ()
    data, left = before(ctx, record, row.values)
    if not data and left:
        raise _changed_since(left)
    if not data:
        raise Conflict(msg("Nothing of this change can be undone: its values follow from others."))
    write.update(ctx, entity, record_id, data)
    return left


def before(ctx: Context, record: Entity, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Msg, ...]]:
    """Input that takes the change back, and the labels of what was changed again since. Raises Conflict."""
    session = ctx.session
    spec = session.registry.of(record)
    readable = readable_fields(session, spec)
    data: dict[str, Any] = {}
    left: list[Msg] = []
    for name, (old, new) in values.items():
        field, child = spec.fields.get(name), spec.children.get(name)
        if child is not None and (child.readonly or old == new):
            continue  # a new order only, of which nothing more is recorded
        if child is not None:
            rows = _rows_before(session, record, name, old, new)
            if rows is None:
                left.append(Msg(child.label))
            else:
                data[name] = rows
        elif field is None or name not in readable or HIDDEN in (old, new):
            raise Conflict(msg("This change cannot be undone: it concerns a field that is gone or out of your sight."))
        elif not (field.readonly or field.computed):
            if _now(session, spec, record, field) == new:
                _put(data, field, old)
            else:
                left.append(_label(field))
    return data, tuple(left)


def _changed_since(labels: Sequence[Msg]) -> Conflict:
    text = msg("“{field}” was changed again since.", field=labels[0])
    if len(labels) > 1:
        text = msg("“{field}” and {count} more were changed again since.", field=labels[0], count=len(labels) - 1)
    return Conflict(text, fix=msg("Undo the later change first, or edit the record."))


def _label(field: FieldSpec) -> Msg:
    return Msg(field.label)


def _put(data: dict[str, Any], field: FieldSpec, value: Any) -> None:
    if field.extension is None:
        data[field.name] = value
    else:
        data.setdefault(field.plugin, {})[field.name.rpartition(".")[2]] = value


def _now(session: ActorSession, spec: EntitySpec, record: Entity, field: FieldSpec) -> Any:
    """The value of a field as the audit would record it."""
    if field.extension is None:
        return _recorded(session.plans.entities[type(record)].plan.read(record, field.name))
    row = session.get(field.extension, record.id)
    return None if row is None else _recorded(session.plans.extensions[field.extension].plan.read(row, field.name))


def _recorded(value: Any) -> Any:
    return orjson.loads(encode(value))


def _rows_before(session: ActorSession, record: Entity, name: str, old: Rows, new: Rows) -> list[dict[str, Any]] | None:
    """The child rows as input, with those of the change as they were; None when one of them is no longer so.

    Rows are known by their values, for a change records no more of them.
    """
    now = rows_as_input(session, record, name)
    places: list[int] = []
    for after in new:
        wanted = _writable(session, record, name, after)
        same = (at for at, row in enumerate(now) if at not in places and wanted.items() <= row.items())
        place = next(same, None)
        if place is None:
            return None
        places.append(place)
    back = [_writable(session, record, name, one) for one in old]
    mended = dict(zip(places, back, strict=False))
    kept = [row | mended.get(at, {}) for at, row in enumerate(now) if at in mended or at not in places]
    return kept + back[len(mended) :]


def rows_as_input(session: ActorSession, record: Entity, name: str) -> list[dict[str, Any]]:
    """The child rows of a record as `update` takes them, each with its id."""
    rows: Sequence[Any] = getattr(record, name)
    return [
        {"id": row.id} | _writable(session, record, name, _recorded(image(row, session.plans.children[type(row)].plan)))
        for row in rows
    ]


def _writable(session: ActorSession, record: Entity, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    fields = session.registry.of(record).children[name].fields
    return {key: value for key, value in values.items() if key in fields and not fields[key].readonly}
