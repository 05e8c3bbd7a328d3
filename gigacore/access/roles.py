"""Roles with their grants, forbids and field rules: made, changed, compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

import sqlalchemy as sa

from gigacore.access import modules
from gigacore.access.changes import note
from gigacore.access.decide import require, require_super_admin
from gigacore.access.grants import Grant, GrantSet
from gigacore.access.profiles import SUPER_ADMIN, bump, read_grants
from gigacore.access.tables import core_field_rule, core_grant, core_role, core_user, core_user_role
from gigacore.access.verbs import Level, Permission, catalogue, class_pattern
from gigacore.data import settings
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound
from gigacore.filter import parse
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Registry

TOOL: Final = "core.role"
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,60}")
_ENTITY: Final = re.compile(r"\*|@owned|@reference|@parent|@tool|[a-z][a-z0-9_]*\.(\*|[a-z][a-z0-9_]*)")
_VERB: Final = re.compile(r"\*|@action|[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Role:
    """A role as people see it; its label is kept per language."""

    id: int
    uid: str
    key: str
    labels: Mapping[str, str]
    builtin: bool
    plugin: str | None

    def label(self, locale: str) -> str:
        """What it is called in a language, else in English, else its key."""
        return self.labels.get(locale) or self.labels.get(locale[:2]) or self.labels.get("en") or self.key


@dataclass(frozen=True, slots=True)
class Difference:
    """One permission in which two roles differ; each side as text such as `own`, `all (filtered)`, `forbidden`, ``."""

    permission: Permission
    left: str
    right: str


def create(ctx: Context, key: str, labels: Mapping[str, str], *, like: str | None = None) -> int:
    """A new role, perhaps with the rights of another one; returns its id. Takes `core.role.edit`."""
    require(ctx, "edit", TOOL)
    if not _KEY.fullmatch(key):
        raise Invalid.of("key", msg("Use small letters, digits and underscores."))
    if _find(ctx, key) is not None:
        raise Conflict(msg("There is a role with this key already."))
    row = {
        "uid": uuid7(),
        "key": key,
        "labels": _labels(labels) if labels else {},
        "builtin": False,
        "created_at": ctx.now,
    }
    connection = ctx.session.connection()
    role_id = int(connection.execute(sa.insert(core_role).values(row).returning(core_role.c.id)).scalar_one())
    if like is not None:
        source = get(ctx, like).id
        refuse_more_than_own(ctx, read_grants(connection, (source,)).grants)
        _copy(connection, source, role_id)
    note(ctx, TOOL, role_id, row["uid"], "created", {"key": key, "like": like})  # type: ignore[arg-type]
    return role_id


def _copy(connection: sa.Connection, source: int, target: int) -> None:
    for table in (core_grant, core_field_rule):
        rows = connection.execute(sa.select(table).where(table.c.role_id == source)).mappings().all()
        fresh = [{**row, "id": None, "uid": uuid7(), "role_id": target, "plugin": None} for row in rows]
        for row in fresh:
            row.pop("id")
        if fresh:
            connection.execute(sa.insert(table), fresh)


def grant(
    ctx: Context,
    role: str,
    entity: str,
    verb: str,
    level: Level = "all",
    *,
    filter: Mapping[str, Any] | None = None,
    forbid: bool = False,
) -> int:
    """Add a grant, or with `forbid` a rule that closes; returns its id. Takes `core.role.edit`.

    Within a role the grant that names entity and verb most closely decides, so `none` on one entity takes back what
    `*` gave. Raises Invalid for a malformed pattern or filter.
    """
    row = _checked(ctx, entity, verb, level, filter) | {"forbid": forbid, "uid": uuid7()}
    target = _changeable(ctx, role)
    refuse_more_than_own(ctx, [Grant(0, target.id, entity, verb, level, filter, forbid)])
    connection = ctx.session.connection()
    statement = sa.insert(core_grant).values(row | {"role_id": target.id}).returning(core_grant.c.id)
    grant_id = int(connection.execute(statement).scalar_one())
    shown = {"entity": entity, "verb": verb, "level": level, "filter": filter, "forbid": forbid}
    note(ctx, TOOL, target.id, target.uid, "granted", shown)
    return grant_id


def refuse_more_than_own(ctx: Context, given: Iterable[Grant]) -> None:
    """Raise Forbidden when somebody hands on rights beyond their own, to a role or with a role."""
    actor = ctx.actor
    if actor.is_system or actor.super_admin:
        return
    own = read_grants(ctx.session.connection(), actor.role_ids)
    for one in given:
        if not own.covers(one):
            right = f"{one.entity}.{one.verb}"
            raise Forbidden(msg("You cannot hand on more rights than you have: {right}.", right=right))


def _checked(ctx: Context, entity: str, verb: str, level: str, filter: Mapping[str, Any] | None) -> dict[str, Any]:
    if not _ENTITY.fullmatch(entity):
        raise Invalid.of("entity", msg("{name} is no entity or pattern of entities.", name=entity))
    if not _VERB.fullmatch(verb):
        raise Invalid.of("verb", msg("{name} is no verb.", name=verb))
    if level not in get_args(Level):
        raise Invalid.of("level", msg("This is not one of the possible values."))
    if filter is not None:
        spec = ctx.session.registry.entities.get(entity)
        if spec is None:
            raise Invalid.of("filter", msg("A filter needs one entity, not a pattern."))
        parse(filter, spec, ctx.session.registry)
    return {"entity": entity, "verb": verb, "level": level, "filter": filter}


def _changeable(ctx: Context, key: str) -> Role:
    require(ctx, "edit", TOOL)
    role = get(ctx, key)
    if role.key == SUPER_ADMIN:
        raise Forbidden(msg("A Super Admin may do everything; this role cannot be changed."))
    if not (ctx.actor.is_system or ctx.actor.super_admin) and role.id in ctx.actor.role_ids:
        raise Forbidden(msg("You cannot change the rights of a role that you have yourself."))
    return role


def rename(ctx: Context, role: str, labels: Mapping[str, str]) -> None:
    """Give a role other names, by language. Takes `core.role.edit`. Raises Invalid without an English one."""
    target = _changeable(ctx, role)
    kept = _labels(labels)
    ctx.session.connection().execute(sa.update(core_role).where(core_role.c.id == target.id).values(labels=kept))
    note(ctx, TOOL, target.id, target.uid, "renamed", {"labels": kept})


def limit_module(ctx: Context, module: str, admitted: modules.Admitted | None) -> None:
    """Let only these roles and people use a plugin; None opens it to everybody whose roles allow it.

    Takes a Super Admin. Raises Invalid for an unknown role or person, Conflict for the CRM itself.
    """
    require_super_admin(ctx)
    connection = ctx.session.connection()
    limited = {name: one for name, one in modules.read(connection).items() if name != module}
    if admitted is not None:
        modules.check(connection, module, admitted)
        limited[module] = admitted
    settings.put(ctx, modules.SETTING, modules.as_setting(limited))
    bump(connection)


def admitted_people(ctx: Context, admitted: modules.Admitted | None) -> frozenset[int]:
    """Everybody active who may use a module that admits these; None is open to everybody."""
    u, held, role = core_user.c, core_user_role.c, core_role.c
    query = sa.select(u.id).where(u.active)
    if admitted is not None:
        may = sa.or_(role.id.in_(admitted.role_ids), role.key == SUPER_ADMIN)
        holding = sa.select(held.user_id).join(core_role, role.id == held.role_id).where(may)
        query = query.where(sa.or_(u.id.in_(admitted.user_ids), u.id.in_(holding)))
    return frozenset(ctx.session.connection().scalars(query))


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    kept = {language: " ".join(text.split())[:120] for language, text in labels.items() if text.strip()}
    if "en" not in kept:
        raise Invalid.of("label", msg("A role needs a name."), "required")
    return kept


def set_levels(ctx: Context, role: str, levels: Mapping[tuple[str, str], Level | None]) -> int:
    """Say how far a role reaches, by (entity or tool, verb); None leaves it to the role's more general grants.

    Replaces the role's plain grants of exactly these pairs; grants with a filter and forbids stay. Gives the number of
    pairs that changed. Takes `core.role.edit`. Raises Invalid, or Forbidden when the role would come to more than the
    actor has.
    """
    target, connection = _changeable(ctx, role), ctx.session.connection()
    present = {
        (one.entity, one.verb): one.level
        for one in read_grants(connection, (target.id,)).grants
        if one.filter is None and not one.forbid
    }
    changed = {pair: level for pair, level in levels.items() if present.get(pair) != level}
    for (entity, verb), level in changed.items():
        row = _checked(ctx, entity, verb, level or "none", None)
        g = core_grant.c
        same = (g.role_id == target.id, g.entity == entity, g.verb == verb, g.filter.is_(None), g.forbid.is_(False))
        connection.execute(sa.delete(core_grant).where(*same))
        if level is not None:
            fresh = {"uid": uuid7(), "role_id": target.id, "forbid": False}
            connection.execute(sa.insert(core_grant).values(row | fresh))
    if changed:
        shown = {f"{entity}.{verb}": level for (entity, verb), level in changed.items()}
        _refuse_wider(ctx, target.id, changed)
        note(ctx, TOOL, target.id, target.uid, "levels_changed", shown)
    return len(changed)


def _refuse_wider(ctx: Context, role_id: int, pairs: Iterable[tuple[str, str]]) -> None:
    """What now decides about these pairs must not go beyond the actor's own rights: taking a limit away widens."""
    found, registry = read_grants(ctx.session.connection(), (role_id,)), ctx.session.registry
    for entity, verb in pairs:
        spec = registry.entities.get(entity)
        refuse_more_than_own(ctx, found.allowing(entity, class_pattern(spec) if spec else "@tool", verb))


def withdraw(ctx: Context, role: str, grant_id: int) -> None:
    """Remove a grant or forbid from a role. Takes `core.role.edit`. Raises NotFound.

    Taking away what limits the role (a forbid, a level of none) takes all the rights that the role then has.
    """
    target, connection = _changeable(ctx, role), ctx.session.connection()
    which = sa.and_(core_grant.c.id == grant_id, core_grant.c.role_id == target.id)
    gone = connection.execute(sa.delete(core_grant).where(which).returning(core_grant.c.forbid, core_grant.c.level))
    row = gone.first()
    if row is None:
        raise NotFound
    if row.forbid or row.level == "none":
        refuse_more_than_own(ctx, read_grants(connection, (target.id,)).grants)
    note(ctx, TOOL, target.id, target.uid, "withdrawn", {"grant": grant_id})


def set_field_rule(ctx: Context, role: str, entity: str, field: str, *, read: bool, write: bool) -> None:
    """Say whether a role may read and write a field (`*` = every field) of an entity. Takes `core.role.edit`."""
    if not _ENTITY.fullmatch(entity):
        raise Invalid.of("entity", msg("{name} is no entity or pattern of entities.", name=entity))
    spec = ctx.session.registry.entities.get(entity)
    if spec is not None and field != "*":
        spec.field(field)
    target = _changeable(ctx, role)
    connection, r = ctx.session.connection(), core_field_rule.c
    connection.execute(sa.delete(core_field_rule).where(r.role_id == target.id, r.entity == entity, r.field == field))
    row = {"uid": uuid7(), "role_id": target.id, "entity": entity, "field": field}
    connection.execute(sa.insert(core_field_rule).values(row | {"can_read": read, "can_write": read and write}))
    note(
        ctx,
        TOOL,
        target.id,
        target.uid,
        "field_rule_set",
        {"entity": entity, "field": field, "read": read, "write": write},
    )


def drop_field_rule(ctx: Context, role: str, entity: str, field: str) -> None:
    """Leave a field to the role's more general rules again. Takes `core.role.edit`. Raises NotFound."""
    target, r = _changeable(ctx, role), core_field_rule.c
    which = (r.role_id == target.id, r.entity == entity, r.field == field)
    if not ctx.session.connection().execute(sa.delete(core_field_rule).where(*which)).rowcount:
        raise NotFound
    note(ctx, TOOL, target.id, target.uid, "field_rule_dropped", {"entity": entity, "field": field})


def remove(ctx: Context, key: str) -> None:
    """Remove a role nobody has. Takes `core.role.edit`. Raises Conflict for a built-in role or one in use."""
    role = _changeable(ctx, key)
    if role.builtin:
        raise Conflict(msg("A built-in role cannot be removed."))
    connection = ctx.session.connection()
    if connection.scalar(sa.select(core_user_role.c.user_id).where(core_user_role.c.role_id == role.id).limit(1)):
        raise Conflict(msg("There are users with this role."), fix=msg("Give them another role first."))
    connection.execute(sa.delete(core_role).where(core_role.c.id == role.id))
    note(ctx, TOOL, role.id, role.uid, "removed", {"key": key})


def get(ctx: Context, key: str) -> Role:
    """The role with a key. Raises NotFound."""
    role = _find(ctx, key)
    if role is None:
        raise NotFound(msg("There is no role {name}.", name=key))
    return role


def _find(ctx: Context, key: str) -> Role | None:
    return next((role for role in all_roles(ctx) if role.key == key), None)


def all_roles(ctx: Context) -> list[Role]:
    """Every role, the built-in ones first."""
    query = sa.select(core_role).order_by(core_role.c.builtin.desc(), core_role.c.id)
    return [
        Role(row.id, str(row.uid), row.key, row.labels, row.builtin, row.plugin)
        for row in ctx.session.connection().execute(query)
    ]


def holders(ctx: Context) -> Mapping[str, int]:
    """How many users have each role, by its key. Takes `core.role.view`."""
    require(ctx, "view", TOOL)
    u = core_user_role.c
    counted = sa.select(core_role.c.key, sa.func.count(u.user_id)).join(core_user_role, u.role_id == core_role.c.id)
    rows = ctx.session.connection().execute(counted.group_by(core_role.c.key)).all()
    return {row[0]: row[1] for row in rows}


def grants_of(ctx: Context, key: str) -> GrantSet:
    """The grants and field rules of one role. Takes `core.role.view`."""
    require(ctx, "view", TOOL)
    return read_grants(ctx.session.connection(), (get(ctx, key).id,))


def compare(ctx: Context, left: str, right: str) -> list[Difference]:
    """Where two roles differ, over the whole catalogue. Takes `core.role.view`."""
    sides = grants_of(ctx, left), grants_of(ctx, right)
    registry = ctx.session.registry
    actions = [action for named in registry.actions.values() for action in named.values()]
    left_grants, right_grants = sides
    rows = [
        Difference(line, describe(left_grants, registry, line), describe(right_grants, registry, line))
        for line in catalogue(registry, actions)
    ]
    return [row for row in rows if row.left != row.right]


def describe(grants: GrantSet, registry: Registry, permission: Permission) -> str:
    """What a role has of one permission, as a short text."""
    spec = registry.entities.get(permission.subject)
    class_ = f"@{spec.access}" if spec else "@tool"
    allowed = grants.allowing(permission.subject, class_, permission.verb)
    forbidden = grants.forbidding(permission.subject, class_, permission.verb)
    if any(rule.level == "all" and rule.filter is None for rule in forbidden):
        return "forbidden"
    texts = sorted({g.level + (" (filtered)" if g.filter else "") for g in allowed}, key=str)
    return ", ".join(texts + ["partly forbidden"] * bool(forbidden))


def is_plain(grant: Grant, permission: Permission) -> bool:
    """Whether a grant is a role's own level for exactly this permission, without a condition."""
    same = grant.entity == permission.subject and grant.verb == permission.verb
    return same and grant.filter is None and not grant.forbid


def without_plain(grants: GrantSet, permission: Permission) -> GrantSet:
    """What is left to decide about a permission when the role has no level of its own for it."""
    return replace(grants, grants=tuple(one for one in grants.grants if not is_plain(one, permission)))


def with_levels(grants: GrantSet, levels: Mapping[tuple[str, str], Level | None]) -> GrantSet:
    """The grants as they would be with other levels of a role's own, by (entity or tool, verb)."""
    kept = (
        one for one in grants.grants if one.filter is not None or one.forbid or (one.entity, one.verb) not in levels
    )
    fresh = (Grant(0, 0, entity, verb, level) for (entity, verb), level in levels.items() if level is not None)
    return replace(grants, grants=(*kept, *fresh))


def permissions(registry: Registry) -> tuple[Permission, ...]:
    """The catalogue of this installation."""
    return catalogue(registry, [action for named in registry.actions.values() for action in named.values()])


def keys(roles: Iterable[Role]) -> tuple[str, ...]:
    """The keys of some roles."""
    return tuple(role.key for role in roles)
