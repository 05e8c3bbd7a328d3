"""Actions on records: declared ones, and the operations on many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gigacore import access
from gigacore.data import outbox, trash
from gigacore.data.locks import ACTION
from gigacore.entity import Entity, EntitySpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid, NotFound
from gigacore.filter import matches, parse
from gigacore.messages import Msg, msg
from gigacore.records import write
from gigacore.records.inputs import input_schema, load_input, params_schema
from gigacore.records.limits import readable_fields, record_environment, require, writable_fields
from gigacore.records.read import ListRequest, get, page
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.ui import BulkAction, RecordAction

DIRECT_BULK: Final = 100


@dataclass(frozen=True, slots=True)
class Offered:
    """An action as a reader meets it; `refused` says why it cannot be run now (None = it can)."""

    action: RecordAction
    refused: Msg | None


def action_of(ctx: Context, entity: str, name: str) -> RecordAction:
    """The declared action. Raises NotFound."""
    found = ctx.session.registry.actions.get(entity, {}).get(name)
    if found is None:
        raise NotFound(msg("{entity} has no action {name}.", entity=entity, name=name))
    return found


def run_action(
    ctx: Context, entity: str, record_id: int, name: str, params: Mapping[str, Any], *, version: int | None = None
) -> object:
    """Run a declared action on one record, within the caller's unit of work, and give what it returns.

    Raises NotFound, Forbidden, Invalid (parameters), Conflict when it is not available for the record as it is.
    """
    session = ctx.session
    spec = session.registry.entity(entity)
    action = action_of(ctx, entity, name)
    record = write.load(ctx, entity, record_id)
    write.check_version(record, version)
    verb = verb_of(action)
    require(ctx, verb, spec, record)
    values = load_input(params_schema(session.registry, action.params), params)
    if not _available(ctx, spec, action, record):
        raise Conflict(_not_now(action))
    before, running = ctx.unlocking, ctx.notes.get(ACTION)
    ctx.unlocking, ctx.notes[ACTION] = before or action.unlocks, name
    try:
        with access.acting(ctx, record, verb):
            result = action.run(ctx, record, values)
        session.flush()
        if record in session:
            outbox.emit(ctx, record, name, values)
    finally:
        ctx.unlocking, ctx.notes[ACTION] = before, running
    return result


def verb_of(action: RecordAction) -> str:
    """The verb that running the action takes: the one its policy names on its entity, by default its own name."""
    entity, _, verb = action.policy.rpartition(".")
    return verb if entity == action.entity else action.name


def offered(ctx: Context, entity: str, record: Entity) -> list[Offered]:
    """The actions of a record, in their order, with the reason where one is refused."""
    spec = ctx.session.registry.entity(entity)
    actions = sorted(ctx.session.registry.actions.get(entity, {}).values(), key=lambda a: (a.order, a.name))
    allowed = access.allowed(ctx, entity, record, map(verb_of, actions))
    return [Offered(action, _refusal(ctx, spec, action, record, verb_of(action) in allowed)) for action in actions]


def _refusal(ctx: Context, spec: EntitySpec, action: RecordAction, record: Entity, allowed: bool) -> Msg | None:
    if not allowed:
        return access.why_not(ctx, spec.name, verb_of(action)).message
    return None if _available(ctx, spec, action, record) else _not_now(action)


def _not_now(action: RecordAction) -> Msg:
    """Why an action is not possible for a record as it is."""
    if action.refusal:
        return Msg(action.refusal)
    return msg("“{action}” is not possible for this record as it is now.", action=Msg(action.label))


def lock_of(ctx: Context, entity: str, record: Entity) -> Msg | None:
    """Why a rule of its entity keeps a record as it is; None while it may change."""
    spec = ctx.session.registry.entity(entity)
    for rule in (spec.frozen_when, spec.locked_when):
        if rule is not None and _fulfils(ctx, spec, rule, record):
            return Msg(spec.locked_reason) if spec.locked_reason else msg("This record is locked.")
    return None


def _available(ctx: Context, spec: EntitySpec, action: RecordAction, record: Entity) -> bool:
    return action.available is None or _fulfils(ctx, spec, action.available, record)


def _fulfils(ctx: Context, spec: EntitySpec, rule: Mapping[str, object], record: Entity) -> bool:
    condition = parse(rule, spec, ctx.session.registry)
    reader, environment = record_environment(ctx, record)
    return matches(condition, reader, environment)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What a bulk operation did: numbers of the records changed, and the reason for each that was not."""

    done: tuple[int, ...]
    failed: tuple[tuple[int, GigaError], ...]


def bulk_ids(ctx: Context, entity: str, *, ids: Sequence[int] | None, filter: object, most: int) -> list[int]:
    """The records that `ids` or `filter` name, at most `most`; those out of sight are left out."""
    if (ids is None) == (filter is None):
        raise Invalid.of("ids", msg("Name the records either by ids or by a filter."), "ids")
    tree = filter if ids is None else {"field": "id", "op": "in", "value": list(ids)}
    found: list[int] = []
    cursor: str | None = None
    while len(found) < most:
        result = page(ctx, entity, ListRequest(tree, ("id",), ("id",), 200, cursor, count=False, verb="bulk"))
        found += [item["id"] for item in result.items]
        cursor = result.next
        if cursor is None:
            break
    return found[:most]


def bulk(ctx: Context, entity: str, action: str, ids: Sequence[int], params: Mapping[str, Any]) -> BulkResult:
    """Run an operation on each record; one that fails leaves the others alone.

    `update`, `delete`, `restore` (from the trash), `add` (values to fields with several, `{"tags": ["vip"]}`), or a
    declared action. A `BulkAction` is run once for all of them, and a refusal refuses them all. Raises as `check_bulk`.
    """
    check_bulk(ctx, entity, action, params)
    many = _at_once_action(ctx, entity, action)
    if many is not None:
        return _at_once(ctx, many, ids, params)
    done: list[int] = []
    failed: list[tuple[int, GigaError]] = []
    for number in ids:
        savepoint = ctx.session.begin_nested()
        try:
            _one(ctx, entity, action, number, params)
        except GigaError as error:
            savepoint.rollback()
            failed.append((number, error))
        else:
            savepoint.commit()
            done.append(number)
    return BulkResult(tuple(done), tuple(failed))


def check_bulk(ctx: Context, entity: str, action: str, params: Mapping[str, Any]) -> None:
    """Refuse an operation on many records that can succeed on none of them, before any is touched.

    Raises NotFound for an unknown operation, Forbidden without the right to change in bulk, Invalid (parameters).
    """
    session = ctx.session
    spec = session.registry.entity(entity)
    require(ctx, "bulk", spec)
    if action == "update":
        load_input(
            input_schema(session.registry, spec, partial=True, writable=writable_fields(session, spec)), dict(params)
        )
    elif action == "add":
        _check_added(ctx, spec, params)
    elif action not in ("delete", "restore"):
        declared = _at_once_action(ctx, entity, action) or action_of(ctx, entity, action)
        load_input(params_schema(session.registry, declared.params), params)


def _at_once_action(ctx: Context, entity: str, name: str) -> BulkAction | None:
    known = ctx.session.registry.bulk_actions
    return next((one for one in known if (one.entity, one.name) == (entity, name)), None)


def _check_added(ctx: Context, spec: EntitySpec, params: Mapping[str, Any]) -> None:
    several = {name for name in readable_fields(ctx.session, spec) if name in spec.fields}
    several = {name for name in several if spec.fields[name].kind == "choices"}
    for name, values in params.items():
        if name not in several:
            raise Invalid.of(name, msg("There is no field {name} with several values.", name=name), "unknown_field")
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise Invalid.of(name, msg("This must be a list of values."))


def _at_once(ctx: Context, action: BulkAction, ids: Sequence[int], params: Mapping[str, Any]) -> BulkResult:
    if not access.permits(ctx, action.policy):
        raise Forbidden(msg("Your role does not allow this."))
    values = load_input(params_schema(ctx.session.registry, action.params), params)
    action.run(ctx, ids, values)
    ctx.session.flush()
    return BulkResult(tuple(ids), ())


def _one(ctx: Context, entity: str, action: str, record_id: int, params: Mapping[str, Any]) -> None:
    if action == "update":
        write.update(ctx, entity, record_id, params)
    elif action == "delete":
        write.delete(ctx, entity, record_id)
    elif action == "restore":
        trash.restore_record(ctx, entity, record_id)
    elif action == "add":
        _add(ctx, entity, record_id, params)
    else:
        run_action(ctx, entity, record_id, action, params)


def _add(ctx: Context, entity: str, record_id: int, params: Mapping[str, Any]) -> None:
    """Add to what fields with several values hold; a record that has all of them stays as it is."""
    present = get(ctx, entity, record_id, fields=("id", *params))
    wider = {name: list(dict.fromkeys([*(present.get(name) or ()), *new])) for name, new in params.items()}
    if any(wider[name] != list(present.get(name) or ()) for name in params):
        write.update(ctx, entity, record_id, wider)
