"""The filter language as immutable values. Nothing here knows JSON, SQL or records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gigacore.entity.spec import EntitySpec, FieldSpec
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.filter.relations import ToMany


@dataclass(frozen=True, slots=True)
class Value:
    """A constant, already of the field's Python type (folding is the backends' matter)."""

    value: object


@dataclass(frozen=True, slots=True)
class Many:
    """Several operands: of `in` and `nin`, and the two bounds of `between`."""

    items: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class ActorValue:
    """Something about the actor: `id`, `org`, `team`, or the lists `teams`, `tree`, `subordinates`."""

    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` or `today`, in the actor's time zone."""

    name: Literal["now", "today"]


@dataclass(frozen=True, slots=True)
class Offset:
    """A time before (`sign` -1) or after (+1) now; `text` is the ISO 8601 duration it was written as."""

    sign: Literal[-1, 1]
    text: str
    months: int
    days: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Period:
    """A named span of days in the actor's time zone, such as `this_month`."""

    name: str


@dataclass(frozen=True, slots=True)
class RecordValue:
    """Another field of the record that the whole condition is about."""

    field: FieldSpec


Operand = Value | Many | ActorValue | Moment | Offset | Period | RecordValue


@dataclass(frozen=True, slots=True)
class Hop:
    """One step over a reference to the record it names."""

    field: FieldSpec
    target: EntitySpec


@dataclass(frozen=True, slots=True)
class Path:
    """A field, reached over at most two references. `part` is `kind` of a choice or `currency` of money."""

    hops: tuple[Hop, ...]
    field: FieldSpec
    part: Literal["kind", "currency"] | None = None

    def __str__(self) -> str:
        names = [*(hop.field.name for hop in self.hops), self.field.name]
        return ".".join([*names, self.part] if self.part else names)


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against one operand."""

    path: Path
    op: str
    value: Operand


@dataclass(frozen=True, slots=True)
class Relation:
    """Whether some, or none, of the related rows fulfil `where`."""

    quantifier: Literal["some", "none"]
    relation: ToMany
    where: Condition


@dataclass(frozen=True, slots=True)
class Shared:
    """The record is shared with the actor, or a team of the actor, for `verb`. Only policies contain it."""

    verb: str


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any_:
    """At least one of these."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; in two-valued logic, so exactly the other records."""

    item: Condition


@dataclass(frozen=True, slots=True)
class Everything:
    """No limit."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No record at all."""


Condition = All | Any_ | Not | Compare | Relation | Shared | Everything | Nothing


def all_of(*items: Condition) -> Condition:
    """The conjunction, without needless levels."""
    wanted = tuple(item for item in items if not isinstance(item, Everything))
    if any(isinstance(item, Nothing) for item in wanted):
        return Nothing()
    if len(wanted) < 2:
        return wanted[0] if wanted else Everything()
    return All(wanted)


def any_of(*items: Condition) -> Condition:
    """The disjunction, without needless levels."""
    wanted = tuple(item for item in items if not isinstance(item, Nothing))
    if any(isinstance(item, Everything) for item in wanted):
        return Everything()
    if len(wanted) < 2:
        return wanted[0] if wanted else Nothing()
    return Any_(wanted)


def negated(item: Condition) -> Condition:
    """The opposite, without double negation."""
    match item:
        case Everything():
            return Nothing()
        case Nothing():
            return Everything()
        case Not(inner):
            return inner
    return Not(item)
