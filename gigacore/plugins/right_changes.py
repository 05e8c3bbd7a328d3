"""Changes of roles and of who may use a module, planned before they are made (see `configuration`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gigacore.access import modules, roles, users
from gigacore.access.verbs import LEVELS, level_word, verb_label
from gigacore.errors import Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins.plan import ADD, KEEP, REMOVE, TOUCH, Change
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.access.grants import Grant, GrantSet
    from gigacore.access.verbs import Level, Permission
    from gigacore.automation.rule import Kit
    from gigacore.context import Context

FIELD_STATES: Final[Mapping[str, Msg]] = MappingProxyType(
    {"open": msg("open"), "read": msg("read only"), "hidden": msg("hidden")}
)


@dataclass(frozen=True, slots=True)
class RoleLevels:
    """A role reaches further or less far; levels by `entity.verb`, None for no grant of its own."""

    role: str
    levels: Mapping[str, Any] = field(default_factory=dict)

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """Each right that changes, as it is and as it would be, and how many people have the role."""
        grants = roles.grants_of(ctx, self.role)
        for permission in roles.permissions(ctx.session.registry):
            if permission.key in self.levels:
                yield from _right(ctx, grants, permission, self.levels[permission.key])
        yield _people(ctx, self.role)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        pairs = {(name.rpartition(".")[0], name.rpartition(".")[2]): level for name, level in self.levels.items()}
        roles.set_levels(ctx, self.role, pairs)


def _right(ctx: Context, grants: GrantSet, permission: Permission, level: Level | None) -> Iterator[Change]:
    """A right before and after; nothing when it comes to the same."""
    registry = ctx.session.registry
    before = roles.describe(grants, registry, permission)
    after = level or roles.describe(roles.without_plain(grants, permission), registry, permission)
    if (before or "none") != (after or "none"):
        text = msg(
            "{things}, {verb}: {before} → {after}",
            things=permission.label, verb=permission.verb_label, before=level_word(before), after=level_word(after),
        )  # fmt: skip
        yield Change(ADD if _reach(after) > _reach(before) else REMOVE, text)


def _reach(level: str) -> int:
    """How far a level goes, -1 for none at all; one that depends on a condition stands before the plain ones."""
    return LEVELS.index(level) if level in LEVELS else -1 if level in ("", "forbidden") else 0


def _people(ctx: Context, role: str) -> Change:
    return Change(KEEP, msg("people who have this role: {count}", count=roles.holders(ctx).get(role, 0)))


@dataclass(frozen=True, slots=True)
class RoleField:
    """A field is closed for a role (`hidden`), may only be read (`read`), or is left to its general rule (`open`)."""

    role: str
    entity: str
    field: str
    state: str

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """The field as it is and as it would be for the role, and how many people have the role."""
        if self.state not in FIELD_STATES:
            raise Invalid.of("state", msg("This is not one of the possible values."))
        before, order = self._now(ctx), [*FIELD_STATES]
        if before != self.state:
            text = msg(
                "{place}: {before} → {after}",
                place=self._place(ctx), before=FIELD_STATES[before], after=FIELD_STATES[self.state],
            )  # fmt: skip
            yield Change(REMOVE if order.index(self.state) > order.index(before) else ADD, text)
        yield _people(ctx, self.role)

    def _now(self, ctx: Context) -> str:
        rules = roles.grants_of(ctx, self.role).field_rules
        rule = next((one for one in rules if (one.entity, one.field) == (self.entity, self.field)), None)
        return "open" if rule is None or rule.write else "read" if rule.read else "hidden"

    def _place(self, ctx: Context) -> Msg | str:
        spec = ctx.session.registry.entities.get(self.entity)
        known = spec.fields.get(self.field) if spec else None
        if spec is None or known is None:
            return f"{self.entity}.{self.field}"
        return msg("“{field}” ({things})", field=Msg(known.label), things=Msg(spec.label_plural))

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        if self.state == "open":
            roles.drop_field_rule(ctx, self.role, self.entity, self.field)
        else:
            roles.set_field_rule(ctx, self.role, self.entity, self.field, read=self.state == "read", write=False)


@dataclass(frozen=True, slots=True)
class RuleRemoval:
    """A right with a condition, or a rule that closes, is taken from a role; `grant` is its number."""

    role: str
    grant: int

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """The rule, and how many people have the role."""
        found = next((one for one in roles.grants_of(ctx, self.role).grants if one.id == self.grant), None)
        if found is None:
            raise NotFound
        yield Change(REMOVE, rule_in_words(ctx, found))
        yield _people(ctx, self.role)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        roles.withdraw(ctx, self.role, self.grant)


def rule_in_words(ctx: Context, grant: Grant) -> Msg:
    """A right with a condition or a rule that closes, as people read it."""
    spec = ctx.session.registry.entities.get(grant.entity)
    values = {
        "things": Msg(spec.label_plural) if spec else grant.entity,
        "verb": verb_label(grant.verb),
        "level": level_word("forbidden" if grant.forbid else grant.level),
    }
    if grant.filter is None:
        return msg("{things}, {verb}: {level}", **values)
    return msg("{things}, {verb}: {level} (with a filter)", **values)


@dataclass(frozen=True, slots=True)
class RoleRemoval:
    """A role that nobody has goes."""

    role: str

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """The role, its rights and rules, and the modules that it opens."""
        role, grants = roles.get(ctx, self.role), roles.grants_of(ctx, self.role)
        yield Change(REMOVE, msg("the role “{name}”", name=role.label(ctx.actor.locale)))
        yield Change(REMOVE, msg("its rights: {count}", count=len(grants.grants)))
        if grants.field_rules:
            yield Change(REMOVE, msg("its closed fields: {count}", count=len(grants.field_rules)))
        for module, admitted in modules.read(ctx.session.connection()).items():
            if role.id in admitted.role_ids:
                yield Change(TOUCH, msg("the module {name} names it among those who may use it", name=module))

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        roles.remove(ctx, self.role)


@dataclass(frozen=True, slots=True)
class ModuleAccess:
    """A module is for these roles and people only; for nobody named, it is open again."""

    module: str
    roles: tuple[int, ...] = ()
    people: tuple[int, ...] = ()

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """How many people may use it before and after, and which roles and people come or go."""
        before = modules.read(ctx.session.connection()).get(self.module)
        was, now = roles.admitted_people(ctx, before), roles.admitted_people(ctx, self._wanted)
        if was != now:
            text = msg("people who may use it: {before} → {after}", before=len(was), after=len(now))
            yield Change(REMOVE if was - now else ADD, text)
        if self._wanted is None:
            return
        old = before or modules.Admitted()
        for sign, found in ((REMOVE, _less(old, self._named)), (ADD, _less(self._named, old))):
            for name in _names(ctx, found):
                yield Change(sign, msg("among those who may use it: {name}", name=name))

    @property
    def _named(self) -> modules.Admitted:
        return modules.Admitted(tuple(self.roles), tuple(self.people))

    @property
    def _wanted(self) -> modules.Admitted | None:
        return self._named if self.roles or self.people else None

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        roles.limit_module(ctx, self.module, self._wanted)


def _less(one: modules.Admitted, other: modules.Admitted) -> modules.Admitted:
    """Whom only the first of them names."""
    return modules.Admitted(
        tuple(number for number in one.role_ids if number not in other.role_ids),
        tuple(number for number in one.user_ids if number not in other.user_ids),
    )


def _names(ctx: Context, admitted: modules.Admitted) -> Iterator[str]:
    for role in roles.all_roles(ctx):
        if role.id in admitted.role_ids:
            yield role.label(ctx.actor.locale)
    for number, name in users.names(ctx):
        if number in admitted.user_ids:
            yield name
