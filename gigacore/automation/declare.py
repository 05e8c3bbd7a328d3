"""What rules are made of, declared by the core and by plugins: triggers and actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from gigacore.errors import Misuse
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from gigacore.context import Context
    from gigacore.entity import Entity, EntitySpec, FieldSpec, Registry

Params = Mapping[str, Any]
NOTHING: Final[Params] = MappingProxyType({})
NAME: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Happened:
    """What a trigger is shown of an event: its name, what changed, and the values before (field -> Python value)."""

    event: str
    entity: str
    record_id: int
    fields: frozenset[str]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    told: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What the event says besides what changed, as it was emitted; rules see it as `event`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one run, as an action sees it. `record` is None when the rule is about no record, or it is gone.

    `params` are checked and filled: templates rendered, relative moments worked out. `key` is the same at every
    attempt of this step and at no other step: an effect outside the database takes it as its idempotency key. `run`
    numbers the run.
    """

    ctx: Context
    registry: Registry
    entity: EntitySpec | None
    record: Entity | None
    params: Params
    key: str
    run: int
    rule: str
    owner_id: int


class Check(Protocol):
    """Refuses parameters that cannot work. `entity` is None for rules about no record. Raises Invalid."""

    def __call__(self, registry: Registry, entity: EntitySpec | None, params: Params) -> None:
        """Refuse or return."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a rule can do.

    `name` is `<plugin>.<name>`; `run(step)` works inside the run's unit of work, with the rights of the rule's owner,
    and returns what it did as plain values for the log. Effects outside the database (mail, telephone, web) are jobs
    that it enqueues. `params` describe its parameters; `check(registry, entity, params)` refuses those that their
    kinds cannot. `needs_record` actions are not offered for rules about no record; `entities` limits them further
    (empty = all). Whoever writes a rule with it needs the `right`, if it names one. `help`
    explains it in a sentence, `icon` is a Tabler icon's name.
    """

    name: str
    label: str
    run: Callable[[Step], Mapping[str, Any] | None]
    params: Sequence[FieldSpec] = ()
    check: Check | None = None
    needs_record: bool = True
    entities: Sequence[str] = ()
    right: str = ""
    help: str = ""
    icon: str = "bolt"
    plugin: str = field(default="", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plugin", _plugin(self.name, "an action of rules"))
        object.__setattr__(self, "params", tuple(self.params))


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """A rule that people open in the builder with one click, complete it and switch it on.

    `name` is `<plugin>.<name>`, `label` the rule's name and `help` what it is good for, both translated. Texts in
    `body` that are `Msg` are put in the language of whoever opens it. Declared by `Plugin(declares=[...])`.
    """

    name: str
    label: str
    help: str
    body: Params
    icon: str = "bolt"

    def __post_init__(self) -> None:
        _plugin(self.name, "a ready-made rule")


Events = Callable[[str, Params], Sequence[str]]
"""(entity, parameters) -> the names of the events that may start the rule."""


def no_events(entity: str, params: Params) -> Sequence[str]:
    """For triggers that follow the clock."""
    return ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that starts a rule. `name` is `<plugin>.<name>`.

    `events(entity, params)` names the events it listens to, and `fires(params, happened)` judges one of them.
    `clock(...)` instead gives, at each tick, a filter for the records whose time has come (see `gigacore.automation.
    clock`). `needs_entity` is False for triggers about no particular kind of record, `for_entity` for those that are
    never about one. Whoever writes a rule with it needs the `right`, if it names one. `help` explains it in a sentence.
    """

    name: str
    label: str
    events: Events = no_events
    params: Sequence[FieldSpec] = ()
    fires: Callable[[Params, Happened], bool] = lambda params, happened: True
    check: Check | None = None
    clock: Callable[[Tick], Due | None] | None = None
    needs_entity: bool = True
    for_entity: bool = True
    entities: Sequence[str] = ()
    right: str = ""
    help: str = ""
    icon: str = "bolt"
    plugin: str = field(default="", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plugin", _plugin(self.name, "a trigger of rules"))
        object.__setattr__(self, "params", tuple(self.params))


@dataclass(frozen=True, slots=True)
class Tick:
    """One look at the clock: entity and parameters of the trigger, the moments of the last look and of this one.

    The first look is counted from when the rule was switched on; `zone` is the time zone of the rule's owner.
    """

    entity: EntitySpec | None
    params: Params
    since: datetime
    now: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Due:
    """What a tick found: the records that `filter` matches (None = no record), each once per `key(record's value)`.

    `field` names the field whose value tells one occasion from the next; without one `occasion` does.
    """

    filter: Mapping[str, Any] | None
    field: str = ""
    occasion: str = ""


def _plugin(name: str, what: str) -> str:
    if not NAME.fullmatch(name):
        raise Misuse(msg("“{name}” is no name of {what}; it must look like plugin.name.", name=name, what=what))
    return name.partition(".")[0]
