"""Stored rules: written with their versions, read as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import access
from gigacore.access.profiles import load_actor
from gigacore.automation import rule as rules
from gigacore.automation.program import Do
from gigacore.automation.rule import MAX_NAME, Definition, Kit, Rule
from gigacore.automation.tables import core_rule, core_rule_version
from gigacore.data import audit
from gigacore.data.generation import bump_generation
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import Msg, msg
from gigacore.records.limits import reader_of
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.automation.declare import Action, Trigger
    from gigacore.context import Context
    from gigacore.entity import Registry

TOOL: Final = "core.rule"
MAX_ACTIVE: Final = 500
R: Final = core_rule.c


@dataclass(frozen=True, slots=True)
class Version:
    """A rule as it once stood."""

    version: int
    name: str
    body: Mapping[str, Any]
    at: datetime
    by_id: int | None


def listing(ctx: Context, kit: Kit) -> list[Rule]:
    """The rules that the actor may see: one's own, or all with the right to edit everybody's. By name."""
    access.require(ctx, "view", TOOL)
    statement = sa.select(core_rule).where(R.org_id == ctx.actor.org_id).order_by(R.name, R.id)
    if not access.permits(ctx, f"{TOOL}.edit"):
        statement = statement.where(R.owner_id == ctx.actor.user_id)
    rows = ctx.session.connection().execute(statement).all()
    return [_rule(row, ctx.session.registry, kit) for row in rows]


def load(ctx: Context, kit: Kit, rule_id: int, *, change: bool = False) -> Rule:
    """One rule. Raises NotFound when it is not among those that the actor may see, Forbidden to change another's."""
    access.require(ctx, "view", TOOL)
    row = ctx.session.connection().execute(sa.select(core_rule).where(R.id == rule_id)).first()
    everything = access.permits(ctx, f"{TOOL}.edit")
    if row is None or row.org_id != ctx.actor.org_id or not (everything or row.owner_id == ctx.actor.user_id):
        raise NotFound
    if change:
        access.require(ctx, "create", TOOL)
    return _rule(row, ctx.session.registry, kit)


def create(ctx: Context, kit: Kit, name: str, body: Mapping[str, Any], *, plugin: str = "") -> Rule:
    """A new rule of the actor's, switched off. Raises Invalid with an error per value at fault, Forbidden."""
    access.require(ctx, "create", TOOL)
    owner = ctx.actor.user_id
    if owner is None:
        raise Forbidden(msg("A rule belongs to a person, with whose rights it acts."))
    check(ctx, kit, name, body)
    values = {
        "uid": uuid7(), "plugin": plugin, "org_id": ctx.actor.org_id, "owner_id": owner, "name": name.strip(),
        "body": dict(body), "version": 1, "active": False, "created_at": ctx.now, "updated_at": ctx.now,
        "updated_by": owner,
    }  # fmt: skip
    number = ctx.session.connection().execute(sa.insert(core_rule).values(**values).returning(R.id)).scalar_one()
    _keep_version(ctx, number, 1, name.strip(), body)
    _record(ctx, number, "created", {"name": name.strip()})
    return load(ctx, kit, number)


def update(ctx: Context, kit: Kit, rule_id: int, *, name: str, body: Mapping[str, Any], version: int) -> Rule:
    """Change a rule; runs that have begun go on by the version they began with. Raises Invalid, Conflict, NotFound."""
    rule = load(ctx, kit, rule_id, change=True)
    if rule.version != version:
        raise Conflict(msg("This rule was changed by somebody else in the meantime."), fix=msg("Reload the page."))
    check(ctx, kit, name, body)
    values = {"name": name.strip(), "body": dict(body), "version": rule.version + 1, "updated_at": ctx.now}
    _write(ctx, rule_id, values | {"updated_by": ctx.actor.user_id})
    _keep_version(ctx, rule_id, rule.version + 1, name.strip(), body)
    _record(ctx, rule_id, "updated", {"name": name.strip(), "version": rule.version + 1})
    return load(ctx, kit, rule_id)


def switch(ctx: Context, kit: Kit, rule_id: int, *, active: bool) -> Rule:
    """Switch a rule on or off. What happened before it is switched on never starts it. Raises Conflict, NotFound."""
    rule = load(ctx, kit, rule_id, change=True)
    if rule.active == active:
        return rule
    if active and rule.definition is None:
        problem = rule.problem[0].message if rule.problem else msg("Something it needs is not there.")
        raise Conflict(msg("The rule cannot be switched on: {problem}", problem=problem), fix=msg("Edit the rule."))
    if active:
        _refuse_too_many(ctx)
    _write(ctx, rule_id, {"active": active, "active_since": ctx.now if active else None, "checked_at": None})
    _record(ctx, rule_id, "switched_on" if active else "switched_off", {"name": rule.name})
    return load(ctx, kit, rule_id)


def hand_over(ctx: Context, kit: Kit, rule_id: int, owner_id: int) -> Rule:
    """Let a rule act with another person's rights; only who may edit everybody's rules. Raises Forbidden, NotFound."""
    access.require(ctx, "edit", TOOL)
    load(ctx, kit, rule_id, change=True)
    try:
        load_actor(ctx.session.connection(), owner_id)
    except NotFound:
        raise Invalid.of("owner_id", msg("This person is not there, or cannot sign in.")) from None
    _write(ctx, rule_id, {"owner_id": owner_id})
    _record(ctx, rule_id, "handed_over", {"owner_id": owner_id})
    return load(ctx, kit, rule_id)


def delete(ctx: Context, kit: Kit, rule_id: int) -> None:
    """Delete a rule; its log stays. Raises NotFound."""
    rule = load(ctx, kit, rule_id, change=True)
    ctx.session.connection().execute(sa.delete(core_rule).where(R.id == rule_id))
    _record(ctx, rule_id, "deleted", {"name": rule.name})


def versions(ctx: Context, kit: Kit, rule_id: int) -> list[Version]:
    """Every version of a rule, newest first. Raises NotFound."""
    load(ctx, kit, rule_id)
    table = core_rule_version
    columns = (table.c.version, table.c.name, table.c.body, table.c.at, table.c.by_id)
    rows = ctx.session.connection().execute(
        sa.select(*columns).where(table.c.rule_id == rule_id).order_by(table.c.version.desc())
    )
    return [Version(*row) for row in rows]


def check(ctx: Context, kit: Kit, name: str, body: Mapping[str, Any]) -> Definition:
    """The definition in a body, judged with the actor's eyes. Raises Invalid, Forbidden."""
    if not name.strip() or len(name) > MAX_NAME:
        raise Invalid.of("name", msg("Give the rule a name of at most {limit} characters.", limit=MAX_NAME), "required")
    definition = rules.read(body, ctx.session.registry, kit, reader_of(ctx.session))
    if definition.entity is not None:
        access.require(ctx, "view", definition.entity.name)
    _require_rights(ctx, kit, definition)
    return definition


def _require_rights(ctx: Context, kit: Kit, definition: Definition) -> None:
    """What some triggers and actions ask of whoever writes a rule with them."""
    parts: list[Trigger | Action] = [definition.trigger]
    parts += [kit.actions[step.action] for step in definition.program if isinstance(step, Do)]
    for part in parts:
        if part.right and not access.permits(ctx, part.right):
            raise Forbidden(msg("You may not write rules with “{part}”.", part=Msg(part.label)))


def active(connection: sa.Connection, registry: Registry, kit: Kit) -> list[Rule]:
    """The rules that are switched on, those without a definition included, in the order of their making."""
    rows = connection.execute(sa.select(core_rule).where(R.active).order_by(R.id))
    return [_rule(row, registry, kit) for row in rows]


def _rule(row: Any, registry: Registry, kit: Kit) -> Rule:
    values = {name: getattr(row, name) for name in Rule.__slots__ if name not in ("definition", "problem")}
    kept = registry.memo.setdefault("giga_rules", {})
    key = (row.id, row.version, id(kit))
    if key not in kept:
        kept[key] = _definition(row.body, registry, kit)
    definition, problem = kept[key]
    return Rule(**values, definition=definition, problem=problem)


def _definition(body: object, registry: Registry, kit: Kit) -> tuple[Definition | None, Any]:
    try:
        return rules.read(body, registry, kit), ()
    except Invalid as error:
        return None, error.errors


def _refuse_too_many(ctx: Context) -> None:
    count = ctx.session.connection().scalar(sa.select(sa.func.count()).where(R.active)) or 0
    if count >= MAX_ACTIVE:
        raise Conflict(msg("At most {limit} rules may be switched on.", limit=MAX_ACTIVE))


def _write(ctx: Context, rule_id: int, values: Mapping[str, Any]) -> None:
    ctx.session.connection().execute(sa.update(core_rule).where(R.id == rule_id).values(**values))


def _keep_version(ctx: Context, rule_id: int, version: int, name: str, body: Mapping[str, Any]) -> None:
    row = {"rule_id": rule_id, "version": version, "name": name, "body": dict(body)}
    row |= {"at": ctx.now, "by_id": ctx.actor.user_id}
    ctx.session.connection().execute(sa.insert(core_rule_version).values(**row))


def _record(ctx: Context, rule_id: int, verb: str, values: Mapping[str, Any]) -> None:
    audit.record(ctx, TOOL, verb, record_id=rule_id, values=dict(values))
    bump_generation(ctx.session.connection())
