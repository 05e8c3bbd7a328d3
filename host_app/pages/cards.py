"""Cards: a record as its title and the facts that speak for themselves, on boards and in grids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from gigacore.entity import EntitySpec
from host_app.pages.addresses import record_url
from host_app.pages.avatars import drawer_of, picture_of
from host_app.pages.cells import Draw, drawer
from host_app.pages.columns import title_of, value_of
from host_app.pages.reader import Reader

MOST_FACTS: Final = 3
BARE: Final = frozenset({"integer", "decimal", "boolean"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What cards show besides the title: fields with the functions that draw them, and the picture."""

    drawn: Sequence[tuple[str, Draw]]
    picture: str = ""
    avatar: Callable[[Mapping[str, Any]], Markup] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One record: its number, title, picture, and facts drawn."""

    id: int
    url: str
    title: str
    facts: tuple[Markup, ...]
    avatar: str = ""


def fact_fields(spec: EntitySpec, who: Reader, *, status: bool = False) -> Facts:
    """What a card tells besides its title: the status if wanted, some key facts, then the owner."""
    readable = {field.name for field in who.readable(spec) if field.kind not in BARE}
    names = [name for name in spec.key_facts if name in readable and name not in (spec.board, "owner_id")]
    first = [spec.board] if status and spec.board in readable else []
    chosen = [*first, *names[:MOST_FACTS], *(["owner_id"] if "owner_id" in readable else [])]
    picture = picture_of(spec, readable)
    drawn = [(name, drawer(spec.fields[name], who)) for name in chosen]
    return Facts(drawn, picture.name if picture else "", drawer_of(spec, picture))


def names_of(spec: EntitySpec, facts: Facts) -> tuple[str, ...]:
    """The fields that cards with these facts need."""
    return ("id", spec.title, *(name for name, _draw in facts.drawn), *([facts.picture] if facts.picture else []))


def card_of(spec: EntitySpec, item: Mapping[str, Any], facts: Facts) -> Card:
    """The card of a record as `records` gives it; empty facts are left out."""
    values = ((draw, value_of(item, name)) for name, draw in facts.drawn)
    drawn = tuple(Markup(draw(value)) for draw, value in values if value not in (None, "", []))  # noqa: S704
    avatar = facts.avatar(item) if facts.avatar else ""
    return Card(item["id"], record_url(spec, item["id"]), title_of(spec, item), drawn, avatar)
