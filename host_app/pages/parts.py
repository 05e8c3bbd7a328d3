"""What plugins put into pages: which parts there are, who may see them, and their content as plain values to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gigacore.measures import take_age
from gigacore.messages import msg
from gigacore.plugins.dispatch import Contribution
from gigacore.ui import (
    SIGNED_IN,
    SUPER_ADMIN,
    Bars,
    Column,
    Content,
    Entries,
    Facts,
    Figures,
    Link,
    Meter,
    NavItem,
    Note,
    Panel,
    Rows,
    Slot,
    Tab,
    Widget,
)
from gigacore.values import dataclass
from host_app.pages import figures

if TYPE_CHECKING:
    from gigacore import Crm
    from gigacore.context import Context
    from gigacore.entity import Entity, EntitySpec
    from host_app.pages.reader import Reader

BROKEN: Final[Mapping[str, Any]] = MappingProxyType({"shape": "broken"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """A part with its content, ready for the templates."""

    name: str
    label: str
    icon: str
    contents: tuple[Mapping[str, Any], ...]
    as_of: str = ""


def nav_items(crm: Crm) -> Sequence[NavItem]:
    """The menu entries of all plugins."""
    return crm.plugins.declared(NavItem)


def panels_of(crm: Crm, entity: str) -> list[Panel]:
    """The panels of an entity's page, in order."""
    return sorted((p for p in crm.plugins.declared(Panel) if p.entity == entity), key=lambda panel: panel.order)


def tabs_of(crm: Crm, entity: str) -> list[Tab]:
    """The tabs of an entity's page, in order."""
    return sorted((tab for tab in crm.plugins.declared(Tab) if tab.entity == entity), key=lambda tab: tab.order)


def widgets_of(crm: Crm) -> list[Widget]:
    """The tiles of the start page, in order."""
    return sorted(crm.plugins.declared(Widget), key=lambda widget: widget.order)


def columns_of_plugins(crm: Crm, entity: str) -> list[str]:
    """The fields that plugins want to see in an entity's list."""
    found = (column for column in crm.plugins.declared(Column) if column.entity == entity)
    return [column.field for column in sorted(found, key=lambda column: column.order)]


def may_see(policy: str, who: Reader, name: str = "") -> bool:
    """Whether the reader may see a part with this policy; `name` tells its plugin, which may be closed to others."""
    if any(name.startswith((f"{module}.", f"{module}_")) for module in who.closed_modules):
        return False
    if policy in ("", SIGNED_IN):
        return True
    if policy == SUPER_ADMIN:
        return who.actor.super_admin
    entity, _, verb = policy.rpartition(".")
    return who.may(verb, entity)


def draw_part(part: Panel | Tab | Widget, who: Reader, *about: Entity) -> Drawn:
    """A part with what it shows (about a record); one that fails is left out with a word about it."""
    take_age(who.ctx)
    found = who.crm.hooks.guard(part.name.partition(".")[0], part.load, who.ctx, *about)
    as_of = figures.age(take_age(who.ctx), who)
    return Drawn(part.name, who.t(part.label), part.icon, _contents(found, who), as_of)


def count_of(tab: Tab, who: Reader, record: Entity) -> str:
    """How much a tab holds; empty where it does not say, or its plugin failed."""
    count = tab.count
    if count is None:
        return ""

    def counted(ctx: Context, about: Entity) -> tuple[Note]:
        return (Note(who.formats.number(count(ctx, about))),)

    found = who.crm.hooks.guard(tab.name.partition(".")[0], counted, who.ctx, record)
    return next((str(note.text) for note in found.content if isinstance(note, Note)), "")


def _contents(found: Contribution, who: Reader) -> tuple[Mapping[str, Any], ...]:
    if found.fault:
        return (BROKEN,)
    drawn = who.crm.hooks.guard(found.plugin, values, found.content, who)
    return (BROKEN,) if drawn.fault else drawn.content  # type: ignore[return-value]  # plain values by now


def fill(
    slot: Slot, who: Reader, entity: EntitySpec | None = None, record: Entity | None = None
) -> list[Mapping[str, Any]]:
    """What plugins put into a place of this page by their hook `fill_slot`."""
    found = who.crm.hooks.fill_slot(who.ctx, slot, entity, record)
    return [content for contribution in found for content in _contents(contribution, who)]


def values(contents: Iterable[Content], who: Reader) -> list[Mapping[str, Any]]:
    """Contents as plain values for the templates."""
    return [_value(content, who) for content in contents]


def _value(content: Content, who: Reader) -> Mapping[str, Any]:
    match content:
        case Meter():
            return _meter(content, who)
        case Facts():
            lines = [
                {"label": who.t(f.label), "value": figures.shown(f.value, who), "help": who.t(f.help) if f.help else ""}
                for f in content.items
            ]
            return {"shape": "facts", "lines": lines}
        case Rows():
            rows = [[figures.shown(value, who) for value in row] for row in content.rows]
            return {"shape": "rows", "heads": [who.t(head) for head in content.columns], "rows": rows}
        case Note():
            return {"shape": "note", "text": who.t(content.text), "tone": content.tone}
        case Entries():
            return _entries(content, who)
        case Figures() | Bars():
            return figures.drawn(content, who)
        case Link():
            return {"shape": "link", "label": who.t(content.label), "url": figures.link_url(content, who)}
    raise TypeError(f"{type(content).__name__} cannot be drawn")


def _entries(content: Entries, who: Reader) -> Mapping[str, Any]:
    items = [
        {"label": one.label, "about": one.about, "late": one.late,
         "url": figures.link_url(Link("", one.entity, one.id), who), **figures.hint(one.hint, who)}
        for one in content.items
    ]  # fmt: skip
    more = _value(content.more, who) if content.more else None
    return {"shape": "entries", "items": items, "more": more, "empty": who.t(content.empty or msg("None yet"))}


def _meter(content: Meter, who: Reader) -> Mapping[str, Any]:
    number = who.formats.number
    return {
        "shape": "meter", "value": number(content.value), "maximum": number(content.maximum),
        "amount": content.value, "most": content.maximum, "label": who.t(content.label) if content.label else "",
    }  # fmt: skip
