"""Roles: made, copied, named, and edited as a matrix of records and verbs, with tools and closed fields below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import roles
from gigacore.access.grants import GrantSet
from gigacore.access.profiles import SUPER_ADMIN
from gigacore.access.roles import Role
from gigacore.access.verbs import LEVEL_WORDS, LEVELS, VERBS, Level, Permission
from gigacore.data.choices import choice_key
from gigacore.entity import FieldSpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins.right_changes import (
    FIELD_STATES,
    RoleField,
    RoleLevels,
    RoleRemoval,
    RuleRemoval,
    rule_in_words,
)
from gigacore.values import dataclass
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.columns import label_of
from host_app.pages.form import AGAIN
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.asking import asked, asked_if_lost
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import route

TOOL: Final = "core.role"
ROLES: Final = "/settings/roles"
ONE: Final = f"{ROLES}/<key>"
NAME: Final = FieldSpec("label", "text", label="Name", required=True, max_length=120)
FRENCH: Final = FieldSpec("label_fr", "text", label="Name in French", max_length=120)
LIKE: Final = FieldSpec("like", "enum", label="With the rights of", required=True, default="user")
YES_NO: Final[Mapping[str, Msg]] = {"none": msg("no"), "all": msg("yes"), "forbidden": msg("forbidden")}
INHERIT: Final = ""
LONGEST_NUMBER: Final = 15
Levels = Mapping[tuple[str, str], Level | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """One right of a role: the `name` of its input, what it comes to, its own and the general level, and the choice."""

    name: str
    label: str
    effect: str
    shown: str
    own: str
    general: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The rights on one kind of record or one tool."""

    label: str
    cells: tuple[Cell | None, ...]
    actions: tuple[Cell, ...] = ()


def register(app: Flask) -> None:
    """Declare the routes."""
    edit = on_tool(TOOL, "edit")
    route(app, ROLES, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{ROLES}/new", policy=edit)(new)
    route(app, f"{ROLES}/new", policy=edit, methods=["POST"])(create)
    route(app, ONE, policy=on_tool(TOOL, "view"))(one)
    route(app, ONE, policy=edit, methods=["POST"])(change)
    route(app, f"{ONE}/name", policy=edit, methods=["POST"])(rename)
    route(app, f"{ONE}/fields", policy=edit, methods=["POST"])(close_field)
    route(app, f"{ONE}/rules", policy=edit, methods=["POST"])(drop_rule)
    route(app, f"{ONE}/remove", policy=edit, methods=["POST"])(remove)


def show() -> ResponseReturnValue:
    """Every role with how many people have it."""
    who = reader()
    counts = roles.holders(who.ctx)
    rows = [
        (role.key, role.label(who.locale), role.builtin, counts.get(role.key, 0)) for role in roles.all_roles(who.ctx)
    ]
    may_edit = access.may(who.ctx, "edit", TOOL)
    return settings_page("roles.html", who, title=who.t(msg("Roles")), rows=rows, may_edit=may_edit)


def new() -> ResponseReturnValue:
    """The form of a new role, with the rights of another one to begin with."""
    who, like = reader(), request.args.get("like", "user")
    return _new_form(who, Raw({"like": [like]}))


def _new_fields(who: Reader) -> list[FieldSpec]:
    known = tuple((role.key, role.label(who.locale)) for role in roles.all_roles(who.ctx) if role.key != SUPER_ADMIN)
    return [NAME, FRENCH, replace(LIKE, choices=known)]


def create() -> ResponseReturnValue:
    """Add the role."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _new_form(who, raw)
    try:
        data = plain_form.typed(_new_fields(who), raw, who)
        key = choice_key(data["label"])
        with current_crm().unit_of_work(current()) as ctx:
            roles.create(ctx, key if key[0].isalpha() else f"role_{key}", _labels(data), like=data["like"])
    except (Invalid, Conflict, Forbidden) as error:
        return _new_form(who, raw, error)
    return redirect(f"{ROLES}/{key}", 303)


def _labels(data: Mapping[str, Any]) -> dict[str, str]:
    return {"en": data["label"], **({"fr": data["label_fr"]} if data.get("label_fr") else {})}


def _new_form(who: Reader, raw: Raw, error: GigaError | None = None) -> ResponseReturnValue:
    wrong = problems(error, who)
    inputs = plain_form.inputs(_new_fields(who), raw, who, wrong)
    return settings_page(
        "form.html", who, error.status if error else 200, title=who.t(msg("New role")), inputs=inputs, home=ROLES,
        crumb=who.t(msg("Roles")), trouble=[wrong[""]] if "" in wrong else [], button=who.t(msg("Create role")),
    )  # fmt: skip


def one(key: str) -> ResponseReturnValue:
    """The rights of one role."""
    return _shown(reader(), key, {})


def _shown(who: Reader, key: str, typed: Levels, names: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """The matrix with the levels, or the role with the names, that were typed and not kept yet."""
    role, grants = roles.get(who.ctx, key), roles.with_levels(roles.grants_of(who.ctx, key), typed)
    lines, tools = _lines(who, grants)
    return settings_page(
        "role.html", who, title=role.label(who.locale), role=role, home=ROLES, fixed=_fixed(role, who),
        verbs=[who.t(label) for label in VERBS.values()], groups=lines, tools=tools, rules=_rules(who, grants),
        filtered=_filtered(who, grants), fields=_field_options(who), words=LEVEL_WORDS,
        label_en=(names or role.labels).get("en", ""), label_fr=(names or role.labels).get("fr", ""),
        holders=roles.holders(who.ctx).get(key, 0), restored=AGAIN in request.form,
    )  # fmt: skip


def _fixed(role: Role, who: Reader) -> str:
    """Why the reader cannot change the role; empty when it is open."""
    if not access.may(who.ctx, "edit", TOOL):
        return who.t(msg("You may look at roles, but not change them."))
    if role.key == SUPER_ADMIN:
        return who.t(msg("A Super Admin may do everything; this role cannot be changed."))
    if role.id in who.actor.role_ids and not who.actor.super_admin:
        return who.t(msg("You cannot change the rights of a role that you have yourself."))
    return ""


def _lines(who: Reader, grants: GrantSet) -> tuple[list[tuple[str, list[Line]]], list[Line]]:
    """The lines of records by plugin, and those of tools."""
    by_subject: dict[str, list[Permission]] = {}
    for permission in roles.permissions(who.registry):
        by_subject.setdefault(permission.subject, []).append(permission)
    groups: dict[str, list[Line]] = {}
    tools: list[Line] = []
    plugins = {plugin.name: who.t(plugin.label) for plugin in who.crm.plugins.enabled}
    for subject, found in by_subject.items():
        if subject in who.registry.entities:
            group = plugins.get(found[0].group, found[0].group)
            groups.setdefault(group, []).append(_line(found, grants, who))
        else:
            cells = tuple(_cell(one, grants, who) for one in found)
            tools.append(Line(who.t(found[0].label), (), cells))
    return list(groups.items()), tools


def _line(found: list[Permission], grants: GrantSet, who: Reader) -> Line:
    by_verb = {one.verb: one for one in found}
    cells = tuple(_cell(by_verb[verb], grants, who) if verb in by_verb else None for verb in VERBS)
    actions = tuple(_cell(one, grants, who) for verb, one in by_verb.items() if verb not in VERBS)
    return Line(who.t(found[0].label), cells, actions)


def _cell(permission: Permission, grants: GrantSet, who: Reader) -> Cell:
    words = LEVEL_WORDS if len(permission.levels) > 2 else YES_NO
    effect = roles.describe(grants, who.registry, permission) or "none"
    shown = who.t(words[effect]) if effect in words else effect
    own = next((g.level for g in grants.grants if roles.is_plain(g, permission)), INHERIT)
    general = roles.describe(roles.without_plain(grants, permission), who.registry, permission) or "none"
    as_general = who.t(words.get(general, Msg(general)))
    levels = permission.levels or ("none", "all")
    options = tuple((level, who.t(words.get(level, Msg(level)))) for level in levels)
    name = f"{permission.subject}:{permission.verb}"
    return Cell(name, who.t(permission.verb_label), effect.split(" ")[0].strip(","), shown, own, as_general, options)


def _rules(who: Reader, grants: GrantSet) -> list[tuple[str, str, str, str]]:
    """Entity, field, what it is called and how far it is closed, of each field rule."""
    found = []
    for rule in grants.field_rules:
        spec = who.registry.entities.get(rule.entity)
        field = spec.fields.get(rule.field) if spec else None
        place = who.t(spec.label_plural) if spec else rule.entity
        name = label_of(field, who) if field else rule.field
        state = msg("open") if rule.write else msg("read only") if rule.read else msg("hidden")
        found.append((rule.entity, rule.field, f"{place}{who.t(msg(':'))} {name}", who.t(state)))
    return found


def _filtered(who: Reader, grants: GrantSet) -> list[tuple[int, str]]:
    """Grants with a condition and forbids, by number: shown and taken away, not edited in the matrix."""
    found = (one for one in grants.grants if one.filter is not None or one.forbid)
    return [(one.id, who.t(rule_in_words(who.ctx, one))) for one in found]


def _field_options(who: Reader) -> list[tuple[str, list[tuple[str, str]]]]:
    groups = []
    for spec in who.entities("view"):
        named = sorted(
            (
                (f"{spec.name}:{f.name}", label_of(f, who))
                for f in spec.fields.values()
                if not f.secret and f.name != "id"
            ),
            key=lambda pair: pair[1].lower(),
        )
        groups.append((who.t(spec.label_plural), named))
    return groups


def change(key: str) -> ResponseReturnValue:
    """Keep the matrix; only what differs from before is written. Rights that are taken away are asked for first."""
    known = {f"{one.subject}:{one.verb}": (one.subject, one.verb) for one in roles.permissions(reader().registry)}
    levels, home = dict(_chosen(known)), f"{ROLES}/{key}"
    if AGAIN in request.form:
        return _shown(reader(), key, levels)
    wish = RoleLevels(key, {f"{entity}.{verb}": level for (entity, verb), level in levels.items()})
    if (page := asked_if_lost(wish, msg("Change the role “{name}”?", name=_name(key)), msg("Save"), home)) is not None:
        return page
    return do(lambda ctx: roles.set_levels(ctx, key, levels), home)


def _chosen(known: Mapping[str, tuple[str, str]]) -> Iterator[tuple[tuple[str, str], Level | None]]:
    for name, pair in known.items():
        if name in request.form:
            text = request.form[name]
            if text != INHERIT and text not in LEVELS:
                raise Invalid.of(name, msg("This is not one of the possible values."))
            yield pair, cast("Level", text) if text else None


def rename(key: str) -> ResponseReturnValue:
    """Give the role other names."""
    data = {"label": request.form.get("label", ""), "label_fr": request.form.get("label_fr", "")}
    if AGAIN in request.form:
        return _shown(reader(), key, {}, _labels(data))
    return do(lambda ctx: roles.rename(ctx, key, _labels(data)), f"{ROLES}/{key}")


def close_field(key: str) -> ResponseReturnValue:
    """Hide a field from the role, make it read only, or leave it to the general rule again; a loss is asked for."""
    entity, colon, field = request.form.get("field", "").partition(":")
    state, home = request.form.get("state", ""), f"{ROLES}/{key}#closed"
    if not colon or state not in FIELD_STATES:
        raise NotFound
    wish = RoleField(key, entity, field, state)
    title = msg("Change the role “{name}”?", name=_name(key))
    if (page := asked_if_lost(wish, title, msg("Close this field"), home)) is not None:
        return page
    return do(wish.run, home)


def _name(key: str) -> str:
    who = reader()
    return roles.get(who.ctx, key).label(who.locale)


def drop_rule(key: str) -> ResponseReturnValue:
    """Take a right with a condition, or a rule that closes, from the role."""
    text, home = request.form.get("grant", ""), f"{ROLES}/{key}"
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise NotFound
    wish = RuleRemoval(key, int(text))
    page = asked(wish, msg("Change the role “{name}”?", name=_name(key)), msg("Take the rule away"), home)
    return page if page is not None else do(wish.run, home)


def remove(key: str) -> ResponseReturnValue:
    """Remove a role that nobody has; what goes with it is shown first."""
    wish, title = RoleRemoval(key), msg("Remove the role “{name}”?", name=_name(key))
    page = asked(wish, title, msg("Remove the role"), f"{ROLES}/{key}")
    return page if page is not None else do(wish.run, ROLES, msg("The role is gone."))
