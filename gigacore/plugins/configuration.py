"""What a change of the configuration would do, before it is done: it is tried in a transaction that is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from gigacore import access, customfields, records
from gigacore.customfields import Definition
from gigacore.data import settings
from gigacore.data.choices import choice_key
from gigacore.errors import Forbidden, GigaError, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins import choice_uses, choices, field_choices, usage
from gigacore.plugins.plan import ADD, KEEP, REMOVE, TOUCH, Change, Refusal
from gigacore.plugins.right_changes import ModuleAccess, RoleField, RoleLevels, RoleRemoval, RuleRemoval
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.automation.rule import Kit
    from gigacore.context import Actor, Context


class Wish(Protocol):
    """A change that somebody thinks of."""

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """What it would do, counted before it is done; `kit` is what rules are made of."""

    def run(self, ctx: Context) -> None:
        """Does it, in the caller's unit of work."""


@dataclass(frozen=True, slots=True)
class ConfigurationPlan:
    """What would come, go and stay, with counts; `refusal` says why it would not be done."""

    changes: tuple[Change, ...]
    refusal: Refusal | None = None


class _TakenBack(Exception):
    """Ends the trial."""


def plan_change(crm: Crm, actor: Actor, wish: Wish) -> ConfigurationPlan:
    """What a change would do, and whether it would be refused; nothing is changed.

    The change is made with the actor's rights in a unit of work of its own, which is rolled back: it takes as long, and
    on SQLite the write lock, as the change itself. Raises NotFound and Forbidden as the change does.
    """
    changes: tuple[Change, ...] = ()
    try:
        with crm.unit_of_work(actor) as ctx:
            changes = tuple(wish.changes(ctx, crm.automation.kit))
            wish.run(ctx)
            ctx.session.flush()
            raise _TakenBack
    except _TakenBack:
        return ConfigurationPlan(changes)
    except (NotFound, Forbidden):
        raise
    except GigaError as error:
        return ConfigurationPlan(changes, Refusal(_reason(error), error.fix))


def _reason(error: GigaError) -> Msg:
    return error.errors[0].message if isinstance(error, Invalid) and error.errors else error.message


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A custom field gets other properties, `unique` or `indexed` among them."""

    entity: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """Properties, the index, choices that go, who would miss them, and how many records hold a value."""
        before = customfields.find(ctx, self.entity, self.key)
        place = _place(ctx, before)
        for name, value in self.data.items():
            if name in PROPERTIES and getattr(before, name) != value:
                yield Change(
                    ADD, msg("{name} of {place}: {value}", name=PROPERTIES[name], place=place, value=_said(value))
                )
        yield from self._index(before, place)
        yield from self._choices(ctx, before)
        if before.active and self.data.get("active") is False:
            yield from _users_of_field(ctx, kit, self.entity, self.key)
        yield _values(ctx, self.entity, self.key, KEEP)

    def _choices(self, ctx: Context, before: Definition) -> Iterator[Change]:
        """Those that are offered now and would not be any more."""
        if not before.choices or "choices" not in self.data:
            return
        name = f"{field_choices.PREFIX}{self.entity}.{self.key}"
        kept = {one.get("key") or choice_key(str(one.get("label"))) for one in map(_as_mapping, self.data["choices"])}
        for choice in before.choices:
            if choice.active and choice.key not in kept:
                count = choice_uses.count(ctx, name, choice.key)
                text = msg(
                    "“{label}” is no longer on offer; records that keep it: {count}", label=choice.label, count=count
                )
                yield Change(REMOVE, text)
                yield from _users_of_choice(ctx, name, choice.key)

    def _index(self, before: Definition, place: Msg) -> Iterator[Change]:
        was = before.unique or before.indexed
        wanted = bool(self.data.get("unique", before.unique) or self.data.get("indexed", before.indexed))
        if was != wanted:
            yield Change(ADD if wanted else REMOVE, msg("index on {place}", place=place))

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        customfields.change(ctx, self.entity, self.key, self.data)


PROPERTIES: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "label": msg("Name"), "help": msg("Help under the field"), "section": msg("Section"),
        "required": msg("Required"), "unique": msg("Each value only once"),
        "indexed": msg("Fast to filter and sort by"), "listed": msg("Shown in the list"), "default": msg("Default"),
        "formula": msg("Formula"), "active": msg("In use"),
    }
)  # fmt: skip


def _place(ctx: Context, definition: Definition) -> Msg:
    """A custom field as people know it."""
    spec = ctx.session.registry.entities.get(definition.entity)
    things = Msg(spec.label_plural) if spec else definition.entity
    return msg("“{field}” ({things})", field=definition.label, things=things)


def _said(value: object) -> object:
    """A property's value in words."""
    if isinstance(value, bool):
        return msg("yes") if value else msg("no")
    return msg("none") if value in (None, "") else str(value)


def _as_mapping(choice: object) -> Mapping[str, Any]:
    return choice if isinstance(choice, Mapping) else {"label": choice}


@dataclass(frozen=True, slots=True)
class FieldRemoval:
    """A custom field goes, with `purge` its values as well."""

    entity: str
    key: str
    purge: bool = False

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """The field, its index, its values, and what names it."""
        before = customfields.find(ctx, self.entity, self.key)
        place = _place(ctx, before)
        yield Change(REMOVE, msg("the field {place}", place=place))
        if self.purge and (before.unique or before.indexed):
            yield Change(REMOVE, msg("index on {place}", place=place))
        yield _values(ctx, self.entity, self.key, REMOVE if self.purge else KEEP)
        if before.active:
            yield from _users_of_field(ctx, kit, self.entity, self.key)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        customfields.remove(ctx, self.entity, self.key, purge=self.purge)


def _values(ctx: Context, entity: str, key: str, sign: str) -> Change:
    return Change(sign, msg("records that hold a value: {count}", count=customfields.count_values(ctx, entity, key)))


def _users_of_field(ctx: Context, kit: Kit, entity: str, key: str) -> Iterator[Change]:
    """Views, automations, formulas and rights that would name a field that is not there."""
    world = usage.World(ctx.session.registry, kit)
    for text in usage.stranded(ctx.session.connection(), world, world.without_field(entity, key)):
        yield Change(TOUCH, text)


def _users_of_choice(ctx: Context, list_name: str, key: str) -> Iterator[Change]:
    for text in usage.naming_choice(ctx.session.connection(), ctx.session.registry, list_name, key):
        yield Change(TOUCH, text)


@dataclass(frozen=True, slots=True)
class ChoiceRemoval:
    """A choice of a list goes; `into` another one takes its place in every record."""

    list: str
    key: str
    into: str = ""

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """The choice, how many records hold it, by field, and what names it."""
        known = ctx.session.registry.choice_lists.get(self.list)
        choice = known.get(self.key) if known else None
        yield Change(REMOVE, msg("the value “{label}”", label=Msg(choice.label) if choice else self.key))
        for use in choice_uses.uses_of(ctx, self.list):
            if count := use.count(ctx, self.key):
                place = msg("“{field}” ({things})", field=Msg(use.field.label), things=Msg(use.spec.label_plural))
                text = msg("records that hold it in {place}: {count}", count=count, place=place)
                yield Change(ADD if self.into else REMOVE, text)
        yield from _users_of_choice(ctx, self.list, self.key)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        kept_with = field_choices if field_choices.is_custom(self.list) else choices
        if self.into:
            kept_with.merge(ctx, self.list, self.key, self.into)
        else:
            kept_with.remove(ctx, self.list, self.key)


@dataclass(frozen=True, slots=True)
class SwitchChange:
    """A setting that switches fields on or off gets another value; what records hold in the fields stays."""

    setting: str
    value: bool

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """Each field that forms ask for from then on, or no more, and how many records hold a value there."""
        for entity, name in self._fields(ctx):
            place = self._place(ctx, entity, name)
            on, off = msg("forms ask for {place}", place=place), msg("no form asks for {place}", place=place)
            yield Change(ADD, on) if self.value else Change(TOUCH, off)
            if count := records.count(ctx, entity, {"not": {"field": name, "op": "empty"}}):
                yield Change(KEEP, msg("records that hold it in {place}: {count}", count=count, place=place))

    def _place(self, ctx: Context, entity: str, name: str) -> Msg:
        spec = ctx.session.registry.entity(entity)
        return msg("“{field}” ({things})", field=Msg(spec.fields[name].label), things=Msg(spec.label_plural))

    def _fields(self, ctx: Context) -> list[tuple[str, str]]:
        specs = ctx.session.registry.entities.values()
        found = [(spec.name, one.name) for spec in specs for one in spec.fields.values() if one.switch == self.setting]
        if not found:
            raise Invalid.of("setting", msg("No setting {name} switches fields.", name=self.setting), "unknown")
        return found

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        access.require(ctx, "edit", "core.setting")
        settings.put(ctx, self.setting, self.value, plugin=self.setting.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Several:
    """Changes that are made together: what all of them would do."""

    wishes: tuple[Wish, ...]

    def changes(self, ctx: Context, kit: Kit) -> Iterator[Change]:
        """What each of them would do, in their order."""
        for wish in self.wishes:
            yield from wish.changes(ctx, kit)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        for wish in self.wishes:
            wish.run(ctx)


WISHES: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "field.change": FieldChange,
        "field.remove": FieldRemoval,
        "choice.remove": ChoiceRemoval,
        "role.levels": RoleLevels,
        "role.field": RoleField,
        "role.rule": RuleRemoval,
        "role.remove": RoleRemoval,
        "module.access": ModuleAccess,
        "setting.switch": SwitchChange,
    }
)


def read_wish(name: str, given: Mapping[str, Any]) -> Wish:
    """A change by its name, with what it takes by name. Raises Invalid."""
    kind = WISHES.get(name)
    if kind is None:
        known = ", ".join(WISHES)
        raise Invalid.of("change", msg("There is no change {name}; there are: {names}.", name=name, names=known))
    declared = {one.name: one for one in fields(kind)}
    if unknown := sorted(set(given) - set(declared)):
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    for name_, one in declared.items():
        value = given.get(name_, "" if one.type == "str" else None)
        if not _fits(str(one.type), value, name_ in given):
            raise Invalid.of(name_, msg("This is not a value of its kind."))
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    try:
        wish: Wish = kind(**values)
    except TypeError:
        raise Invalid.of(next(iter(declared)), msg("This is required."), "required") from None
    return wish


def _fits(kind: str, value: Any, is_given: bool) -> bool:
    if not is_given:
        return True
    if kind.startswith("tuple"):
        return isinstance(value, list) and all(type(one) is int for one in value)
    if kind == "int":
        return type(value) is int
    return isinstance(value, {"str": str, "bool": bool}.get(kind, Mapping))
