"""What a person may see and do, kind by kind, and why a single record is open or closed to that person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import roles, users
from gigacore.access.explain import MOST_COUNTED, Explanation, count_seen, explain
from gigacore.access.verbs import LEVEL_WORDS, VERBS
from gigacore.context import Actor
from gigacore.entity import EntitySpec
from gigacore.errors import NotFound
from gigacore.messages import msg
from gigacore.records.write import load
from host_app.api.policies import on_tool
from host_app.pages.columns import label_of
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.routing import route

RIGHTS: Final = "/settings/users/<int:user_id>/rights"


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, RIGHTS, policy=on_tool("core.role", "view"))(show)


def show(user_id: int) -> ResponseReturnValue:
    """The rights of a person over all kinds of records; with `?entity=&id=&verb=` the verdict on one record."""
    who = reader()
    user, connection = users.get(who.ctx, user_id), who.ctx.session.connection()
    try:
        actor = access.load_actor(connection, user_id)
    except NotFound:
        actor = None
    specs = [spec for spec in who.entities("view") if spec.access != "parent"]
    labels = {role.key: role.label(who.locale) for role in roles.all_roles(who.ctx)}
    verdict, problem = _asked(who, actor)
    return settings_page(
        "rights.html", who, title=who.t(msg("What {name} may see", name=user.name)), user=user, problem=problem,
        verbs=[(verb, who.t(label)) for verb, label in VERBS.items()], verdict=verdict, active=actor is not None,
        rows=[_row(spec, actor, who) for spec in specs] if actor else [],
        entities=[(spec.name, who.t(spec.label)) for spec in specs],
        roles=[labels.get(key, key) for key in user.roles], home="/settings/users", asked=request.args,
    )  # fmt: skip


def _row(spec: EntitySpec, actor: Actor, who: Reader) -> dict[str, Any]:
    """How far each verb reaches, how many records the person sees, and which fields are closed."""
    session, guard = who.ctx.session, who.crm.guard
    seen = count_seen(who.ctx, actor, spec)
    closed = [
        field for field in spec.fields.values() if not field.secret and not _readable(field.name, spec, actor, who)
    ]
    levels = []
    for verb in VERBS:
        policy = guard.policy_for(session, actor, spec, verb)
        reach = {arm.source.grant.level for arm in policy.allow if arm.source.grant is not None}
        level = "none" if policy.nothing else "all" if policy.unlimited else _widest(reach)
        levels.append((level, who.t(LEVEL_WORDS[level])))
    count = f"{who.formats.number(seen)}{'+' if seen >= MOST_COUNTED else ''}"
    return {
        "label": who.t(spec.label_plural),
        "levels": levels,
        "seen": count,
        "closed": [label_of(f, who) for f in closed],
    }


def _readable(name: str, spec: EntitySpec, actor: Actor, who: Reader) -> bool:
    crm, session = who.crm, who.ctx.session
    rights = crm.guard.cache.rights(session.connection, actor, crm.registry, actor.access_generation)
    return name in rights.readable_names(spec)


def _widest(levels: Iterable[str]) -> str:
    return max(levels, key=access.verbs.LEVELS.index, default="none")


def _asked(who: Reader, actor: Actor | None) -> tuple[dict[str, Any] | None, str]:
    """The verdict on the record that the address names, or why there is none."""
    entity, number, verb = (request.args.get(name, "").strip() for name in ("entity", "id", "verb"))
    if not number or actor is None:
        return None, ""
    spec = who.registry.entities.get(entity)
    digits = number.rpartition("-")[2]
    if spec is None or not digits.isdecimal() or len(digits) > 15:
        return None, who.t(msg("There is no such record, or you may not see it."))
    try:
        record = load(who.ctx, spec.name, int(digits))
    except NotFound:
        return None, who.t(msg("There is no such record, or you may not see it."))
    return _told(explain(who.ctx, actor, verb if verb in VERBS else "view", record), who), ""


def _told(found: Explanation, who: Reader) -> dict[str, Any]:
    return {
        "allowed": found.allowed,
        "reason": who.t(found.decided_by.text),
        "others": [(who.t(one.text), one.holds) for one in found.considered if one is not found.decided_by],
    }
