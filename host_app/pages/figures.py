"""Figures, bars and plain values of parts of pages, as the texts and addresses that templates draw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from gigacore.entity import Money
from gigacore.messages import Msg, msg
from gigacore.ui import Bar, Bars, Figure, Figures, Link
from host_app.pages.addresses import is_local, list_url, record_url, with_query
from host_app.pages.cells import Nearness
from host_app.pages.colours import pill_class

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec
    from host_app.pages.reader import Reader


def drawn(content: Figures | Bars, who: Reader) -> Mapping[str, Any]:
    """The content as plain values for the templates."""
    if isinstance(content, Figures):
        return {"shape": "figures", "items": [_figure(one, content, who) for one in content.items]}
    longest = max((bar.value for bar in content.items), default=0) or 1
    return {
        "shape": "bars", "bars": [_bar(bar, longest, who) for bar in content.items],
        "empty": who.t(content.empty or msg("None yet")), "help": who.t(content.definition),
    }  # fmt: skip


def age(at: dt.datetime | None, who: Reader) -> str:
    """A quiet word about figures that were counted some time ago; empty for those of now."""
    return who.t(msg("Counted {when}", when=Nearness(who).moment(at))) if at else ""


def _figure(figure: Figure, among: Figures, who: Reader) -> Mapping[str, Any]:
    return {
        "label": who.t(figure.label), "value": _short(figure.value, who), "help": who.t(figure.definition),
        "url": link_url(figure.link, who) if figure.link else "", "note": who.t(figure.note),
        **_change(figure, who.t(among.since), who),
    }  # fmt: skip


def _change(figure: Figure, since: str, who: Reader) -> Mapping[str, Any]:
    """The change since the period before, its sign in words as well."""
    if figure.before is None:
        return {"change": "", "trend": ""}
    now, before = _number(figure.value), _number(figure.before)
    was = _short(figure.before, who)
    if now == before:
        return {"change": who.t(msg("As {since} ({value})", since=since, value=was)), "trend": "same"}
    if now > before:
        return {"change": who.t(msg("Up from {value} {since}", since=since, value=was)), "trend": "up"}
    return {"change": who.t(msg("Down from {value} {since}", since=since, value=was)), "trend": "down"}


def _bar(bar: Bar, longest: float, who: Reader) -> Mapping[str, Any]:
    return {
        "label": who.t(bar.label) if isinstance(bar.label, Msg) else bar.label, "value": _short(bar.shown, who),
        "width": max(round(100 * bar.value / longest, 1), 0.6) if bar.value > 0 else 0,
        "colour": pill_class(bar.colour or "primary"), "url": link_url(bar.link, who) if bar.link else "",
    }  # fmt: skip


def _number(value: object) -> Decimal:
    return value.amount if isinstance(value, Money) else Decimal(str(value))


def _short(value: object, who: Reader) -> str:
    """A value as text; amounts of money in whole units."""
    if isinstance(value, Money):
        return who.formats.money(value.amount, value.currency, whole=True)
    return shown(value, who)


def hint(value: object, who: Reader) -> Mapping[str, str]:
    """What stands beside an entry: days near today in words, with the date itself on hover; money in whole units."""
    exact = _short(value, who)
    near = Nearness(who).day(value) if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else ""
    return {"hint": near or exact, "exact": exact if near else ""}


def link_url(content: Link, who: Reader) -> str:
    """The address of a link; one that leaves this installation is not followed."""
    spec = who.registry.entities.get(content.entity or "")
    if spec is not None:
        return record_url(spec, content.id) if content.id else _list(spec, content.filter)
    return content.url if content.url and is_local(content.url) else "/"


def shown(value: object, who: Reader) -> str:
    """A plain value as text for the reader."""
    match value:
        case None:
            return ""
        case Msg():
            return who.t(value)
        case bool():
            return who.t("Yes") if value else who.t("No")
        case Money():
            return who.formats.money(value.amount, value.currency)
        case int() | float() | Decimal():
            return who.formats.number(value)
        case dt.datetime():
            return who.formats.datetime(value)
        case dt.date():
            return who.formats.date(value)
    return str(value)


def _list(spec: EntitySpec, filter: Mapping[str, object] | None) -> str:
    return with_query(list_url(spec), [("filter", orjson.dumps(filter).decode())] if filter else [])
