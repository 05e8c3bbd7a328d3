"""Framework-free values that say what a page shows; a host draws them, and nothing here knows HTML.

Labels are English message ids; the host translates them. `policy` says who sees a part: `"<entity>.<verb>"`
(`"crm.lead.view"`), `"signed_in"` or `"super_admin"`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity, FieldSpec
    from gigacore.messages import Msg

SIGNED_IN: Final = "signed_in"
SUPER_ADMIN: Final = "super_admin"


class Slot(enum.StrEnum):
    """The places of the host's pages into which a plugin may put a part."""

    RECORD_SIDE = "record.side"
    RECORD_MAIN = "record.main"
    RECORD_HEAD = "record.head"
    LIST_TOP = "list.top"
    FORM_BOTTOM = "form.bottom"
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value; `help` explains where it comes from."""

    label: str
    value: object
    help: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of labelled values."""

    items: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Meter:
    """A number on a scale from 0 to `maximum`."""

    value: float
    maximum: float = 100
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A small table: column labels and rows of plain values."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the reader."""

    text: str | Msg
    tone: str = "info"


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a record (`entity` and `id`), to a list (`entity`, perhaps with a `filter`) or to an address (`url`).

    `filter` is a tree of the filter language; an address is one of this installation.
    """

    label: str
    entity: str | None = None
    id: int | None = None
    url: str | None = None
    filter: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in a list of records: its label, what it is known by (a date, an amount), and whether it is late.

    `about` names what the record belongs to, where its label alone does not tell.
    """

    label: str
    entity: str
    id: int
    hint: object = None
    late: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Entries:
    """A short list of records; `empty` is the sentence where there are none, `more` leads to all of them."""

    items: tuple[Entry, ...]
    empty: str | Msg = ""
    more: Link | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that matters, what it was in the period before, and where the records behind it are.

    `value` and `before` are numbers or Money; `definition` says in plain words what is counted.
    """

    label: str | Msg
    value: object
    before: object = None
    definition: str | Msg = ""
    link: Link | None = None
    note: str | Msg = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Some figures side by side; changes are told against `since`, for instance "last month"."""

    items: tuple[Figure, ...]
    since: str | Msg = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: how long it is, what is written behind it, its colour, and the records that it stands for.

    A label that is a plain text is shown as it stands: the name of a stage is nobody's to translate.
    """

    label: str | Msg
    value: float
    shown: object = None
    colour: str = ""
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart that is its own table: a row each with its label and its figure."""

    items: tuple[Bar, ...]
    empty: str | Msg = ""
    definition: str | Msg = ""


Content = Facts | Meter | Rows | Note | Link | Entries | Figures | Bars


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """An entry of the main menu: the list of an entity, or an address below the plugin's own prefix."""

    name: str
    label: str
    entity: str | None = None
    url: str | None = None
    icon: str = ""
    group: str = ""
    order: int = 100
    policy: str = ""

    def __post_init__(self) -> None:
        _derive_policy(self, self.entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a record's page; `load` runs in the reader's session and returns what to draw."""

    name: str
    label: str
    entity: str
    load: Callable[[Context, Entity], Sequence[Content]]
    slot: Slot = Slot.RECORD_SIDE
    icon: str = ""
    order: int = 100
    policy: str = ""

    def __post_init__(self) -> None:
        _derive_policy(self, self.entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A tab of a record's page, loaded when it is opened; `count` is asked on every page, so let it be cheap."""

    name: str
    label: str
    entity: str
    load: Callable[[Context, Entity], Sequence[Content]]
    count: Callable[[Context, Entity], int] | None = None
    icon: str = ""
    order: int = 100
    policy: str = ""

    def __post_init__(self) -> None:
        _derive_policy(self, self.entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field that an entity's list shows unless the reader chose otherwise; `field` may be `<plugin>.<field>`."""

    entity: str
    field: str
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """A tile of the home page, up to three columns wide; one that is `late` is asked for once the page is there."""

    name: str
    label: str
    load: Callable[[Context], Sequence[Content]]
    policy: str
    icon: str = ""
    order: int = 100
    width: int = 1
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAction:
    """What a person can do to one record besides editing it; the verb of its policy is its name.

    `run(ctx, record, params)` works inside the caller's unit of work; `params` were checked against `params`.
    `available` says for which records it is offered, `refusal` what people read on the others. `unlocks` lets it
    change a record that its entity's rules lock.
    """

    name: str
    label: str
    entity: str
    run: Callable[[Context, Entity, Mapping[str, object]], object]
    params: tuple[FieldSpec, ...] = ()
    icon: str = ""
    confirm: str = ""
    danger: bool = False
    order: int = 100
    available: Mapping[str, object] | None = None
    refusal: str = ""
    unlocks: bool = False
    policy: str = ""

    def __post_init__(self) -> None:
        _derive_policy(self, self.entity, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction:
    """What a person can do to chosen records at once; above 100 records it runs as a job."""

    name: str
    label: str
    entity: str
    run: Callable[[Context, Sequence[int], Mapping[str, object]], object]
    params: tuple[FieldSpec, ...] = ()
    icon: str = ""
    confirm: str = ""
    danger: bool = False
    order: int = 100
    policy: str = ""

    def __post_init__(self) -> None:
        _derive_policy(self, self.entity, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    """A page of the settings area: the form of the settings `keys`, or an address below the plugin's own prefix."""

    name: str
    label: str
    keys: tuple[str, ...] = ()
    url: str | None = None
    icon: str = ""
    group: str = ""
    order: int = 100
    policy: str = "core.setting.edit"
    help: str = ""


def _derive_policy(part: object, entity: str | None, verb: str = "view") -> None:
    """A part of an entity's page is for those who may use that verb on it, unless it says otherwise."""
    if entity and not getattr(part, "policy", ""):
        object.__setattr__(part, "policy", f"{entity}.{verb}")
