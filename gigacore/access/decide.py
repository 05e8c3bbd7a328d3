"""The questions that services, pages and routes ask: may this actor do that, here or to this record?"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from gigacore.access.grants import scope_allows
from gigacore.access.guard import AccessGuard, no_right, not_this
from gigacore.access.judge import Image, Judge
from gigacore.access.verbs import tool_label, verb_label
from gigacore.errors import Forbidden, Misuse, NotFound, Unavailable
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity, EntitySpec, FieldSpec


def guard_of(ctx: Context) -> AccessGuard:
    """The guard behind a context. Raises Misuse when the session was opened with another one."""
    guard = ctx.session.guard
    if not isinstance(guard, AccessGuard):
        raise Misuse(msg("This session has no access guard."))
    return guard


def may(ctx: Context, verb: str, entity: str, record: Entity | None = None) -> bool:
    """Whether the actor may do `verb` with some record of `entity` (or use the tool of that name), or with `record`."""
    if ctx.actor.is_system:
        return True
    spec = ctx.session.registry.entities.get(entity)
    if spec is None:
        return _may_use_tool(ctx, verb, entity)
    guard = guard_of(ctx)
    if record is None:
        return _may_some(ctx, guard, verb, spec)
    if guard.policy(ctx.session, spec, verb).nothing:
        return False
    return Judge(guard, ctx.session, Image(spec, record, {})).old(verb)


def _may_some(ctx: Context, guard: AccessGuard, verb: str, spec: EntitySpec) -> bool:
    """While the plugin that narrows an entity is out of order, its roles decide: whoever looks is told the reason."""
    try:
        return not guard.policy(ctx.session, spec, verb).nothing
    except Unavailable:
        return not guard.rights(ctx.session).policy(spec, verb).nothing


def allowed(ctx: Context, entity: str, record: Entity, verbs: Iterable[str]) -> frozenset[str]:
    """Those of the verbs that the actor may do with `record`, found with one statement at most."""
    if ctx.actor.is_system:
        return frozenset(verbs)
    image = Image(ctx.session.registry.entity(entity), record, {})
    return Judge(guard_of(ctx), ctx.session, image).which(verbs)


def why_not(ctx: Context, entity: str, verb: str) -> Forbidden:
    """What `require` raises for a verb that the actor may not do with a record that it sees."""
    spec = ctx.session.registry.entity(entity)
    known = not guard_of(ctx).policy(ctx.session, spec, verb).nothing
    return not_this(verb) if known else no_right(spec, verb)


def _may_use_tool(ctx: Context, verb: str, tool: str) -> bool:
    if ctx.actor.kind == "link" or not scope_allows(ctx.actor.scopes, tool, verb, "@tool"):
        return False
    return guard_of(ctx).rights(ctx.session).tool(tool, verb)


def require(ctx: Context, verb: str, entity: str, record: Entity | None = None) -> None:
    """Raise Forbidden when no role of the actor knows the verb, NotFound when `record` is hidden from the actor."""
    if not may(ctx, verb, entity):
        spec = ctx.session.registry.entities.get(entity)
        raise no_right(spec, verb) if spec else _no_tool(verb, entity)
    if record is None or may(ctx, verb, entity, record):
        return
    if verb != "view" and may(ctx, "view", entity, record):
        raise not_this(verb)
    raise NotFound(sought=(entity, record.id))


def _no_tool(verb: str, tool: str) -> Forbidden:
    return Forbidden(
        msg("Your roles do not include “{verb}” on {entity}.", verb=verb_label(verb), entity=tool_label(tool)),
        fix=msg("Ask an administrator for this right."),
    )


def acting(ctx: Context, record: Entity, verb: str) -> AbstractContextManager[None]:
    """Judge changes of `record` inside the block by `verb`, an action of its own, instead of `edit`.

    The caller has required that verb. Other records that the action touches need the usual rights.
    """
    return guard_of(ctx).acting(ctx.session, record, verb) if not ctx.actor.is_system else nullcontext()


def permits(ctx: Context, policy: str) -> bool:
    """Whether the actor fulfils a part's policy: `crm.lead.view`, `core.setting.edit`, `signed_in`, `super_admin`."""
    if policy == "signed_in":
        return ctx.actor.is_system or ctx.actor.kind in ("user", "token")
    if policy == "super_admin":
        return ctx.actor.is_system or (ctx.actor.super_admin and ctx.actor.kind == "user")
    entity, _, verb = policy.rpartition(".")
    return may(ctx, verb, entity)


def require_super_admin(ctx: Context) -> None:
    """Raise Forbidden unless the actor is a Super Admin, signed in as a person."""
    if not permits(ctx, "super_admin"):
        raise Forbidden(msg("Only a Super Admin may do this."))


def may_read(ctx: Context, entity: EntitySpec, field: FieldSpec | str) -> bool:
    """Whether the actor may read a field of the records it sees. What may not be read is unknown."""
    spec = entity.fields.get(field) if isinstance(field, str) else field
    return spec is not None and guard_of(ctx).readable(ctx.session, entity, spec)


def may_write(ctx: Context, entity: EntitySpec, field: FieldSpec | str) -> bool:
    """Whether a field may stand in the actor's input."""
    spec = entity.fields.get(field) if isinstance(field, str) else field
    return spec is not None and guard_of(ctx).writable(ctx.session, entity, spec)
