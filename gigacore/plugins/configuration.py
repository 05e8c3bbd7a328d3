"""What a change of the configuration would do, before it is done: it is tried in a transaction that is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from gigacore import access, customfields, records
from gigacore.access import modules, roles
from gigacore.customfields import Definition
from gigacore.data import settings
from gigacore.errors import Forbidden, GigaError, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins import choice_uses, choices
from gigacore.plugins.plan import ADD, KEEP, REMOVE, Change, Refusal

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.context import Actor, Context

QUIET: Final = frozenset({"uid", "position", "labels"})


class Wish(Protocol):
    """A change that somebody thinks of."""

    def changes(self, ctx: Context) -> Iterator[Change]:
        """What it would do, counted before it is done."""

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
            changes = tuple(wish.changes(ctx))
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

    def changes(self, ctx: Context) -> Iterator[Change]:
        """Properties, the index, and how many records hold a value."""
        before = customfields.find(ctx, self.entity, self.key)
        for name, value in self.data.items():
            if name not in QUIET and name in _PROPERTIES and getattr(before, name) != value:
                yield Change(ADD, msg("{name} of {place}: {value}", name=name, place=self._place, value=str(value)))
        yield from self._index(before)
        yield _values(ctx, self.entity, self.key, KEEP)

    @property
    def _place(self) -> str:
        return f"{self.entity}.{self.key}"

    def _index(self, before: Definition) -> Iterator[Change]:
        was = before.unique or before.indexed
        wanted = bool(self.data.get("unique", before.unique) or self.data.get("indexed", before.indexed))
        if was != wanted:
            yield Change(ADD if wanted else REMOVE, msg("index on {place}", place=self._place))

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        customfields.change(ctx, self.entity, self.key, self.data)


_PROPERTIES: Final = frozenset(one.name for one in fields(Definition))


@dataclass(frozen=True, slots=True)
class FieldRemoval:
    """A custom field goes, with `purge` its values as well."""

    entity: str
    key: str
    purge: bool = False

    def changes(self, ctx: Context) -> Iterator[Change]:
        """The field, its index, its values."""
        before = customfields.find(ctx, self.entity, self.key)
        yield Change(REMOVE, msg("custom field {place}", place=f"{self.entity}.{self.key}"))
        if self.purge and (before.unique or before.indexed):
            yield Change(REMOVE, msg("index on {place}", place=f"{self.entity}.{self.key}"))
        yield _values(ctx, self.entity, self.key, REMOVE if self.purge else KEEP)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        customfields.remove(ctx, self.entity, self.key, purge=self.purge)


def _values(ctx: Context, entity: str, key: str, sign: str) -> Change:
    return Change(sign, msg("{count} records hold a value", count=customfields.count_values(ctx, entity, key)))


@dataclass(frozen=True, slots=True)
class ChoiceRemoval:
    """A choice of a list goes; `into` another one takes its place in every record."""

    list: str
    key: str
    into: str = ""

    def changes(self, ctx: Context) -> Iterator[Change]:
        """The choice, and how many records hold it, by field."""
        yield Change(REMOVE, msg("choice {key} of {list}", key=self.key, list=self.list))
        for use in choice_uses.uses_of(ctx, self.list):
            if count := use.count(ctx, self.key):
                place = f"{use.spec.name}.{use.child.name + '.' if use.child else ''}{use.field.name}"
                text = msg("{count} records hold it in {place}", count=count, place=place)
                yield Change(ADD if self.into else REMOVE, text)

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        if self.into:
            choices.merge(ctx, self.list, self.key, self.into)
        else:
            choices.remove(ctx, self.list, self.key)


@dataclass(frozen=True, slots=True)
class RoleLevels:
    """A role reaches further or less far; levels by `entity.verb`, None for no grant of its own."""

    role: str
    levels: Mapping[str, Any] = field(default_factory=dict)

    def changes(self, ctx: Context) -> Iterator[Change]:
        """The levels, and how many people have the role."""
        for name, level in self.levels.items():
            text = msg("role {role}: {right} ({level})", role=self.role, right=name, level=level or "-")
            yield Change(ADD if level not in (None, "none") else REMOVE, text)
        people = roles.holders(ctx).get(self.role, 0)
        yield Change(KEEP, msg("{count} people have this role", count=people))

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        pairs = {(name.rpartition(".")[0], name.rpartition(".")[2]): level for name, level in self.levels.items()}
        roles.set_levels(ctx, self.role, pairs)


@dataclass(frozen=True, slots=True)
class ModuleAccess:
    """A module is for these roles and people only; for nobody named, it is open again."""

    module: str
    roles: tuple[int, ...] = ()
    people: tuple[int, ...] = ()

    def changes(self, ctx: Context) -> Iterator[Change]:
        """Who is named."""
        before = modules.read(ctx.session.connection()).get(self.module)
        if before is not None:
            named = len(before.role_ids) + len(before.user_ids)
            yield Change(REMOVE, msg("{count} roles and people are named now", count=named))
        if self.roles or self.people:
            named = len(self.roles) + len(self.people)
            yield Change(ADD, msg("{count} roles and people would be named", count=named))

    def run(self, ctx: Context) -> None:
        """See `Wish`."""
        admitted = modules.Admitted(tuple(self.roles), tuple(self.people))
        roles.limit_module(ctx, self.module, admitted if self.roles or self.people else None)


@dataclass(frozen=True, slots=True)
class SwitchChange:
    """A setting that switches fields on or off gets another value; what records hold in the fields stays."""

    setting: str
    value: bool

    def changes(self, ctx: Context) -> Iterator[Change]:
        """Each field that forms ask for from then on, or no more, and how many records hold a value there."""
        for entity, name in self._fields(ctx):
            place = f"{entity}.{name}"
            on, off = msg("forms ask for {place}", place=place), msg("no form asks for {place}", place=place)
            yield Change(ADD, on) if self.value else Change(REMOVE, off)
            if count := records.count(ctx, entity, {"not": {"field": name, "op": "empty"}}):
                yield Change(KEEP, msg("{count} records hold it in {place}", count=count, place=place))

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


WISHES: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "field.change": FieldChange,
        "field.remove": FieldRemoval,
        "choice.remove": ChoiceRemoval,
        "role.levels": RoleLevels,
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
    return isinstance(value, {"str": str, "bool": bool}.get(kind, Mapping))
