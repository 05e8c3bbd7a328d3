"""Cards: a record as its title and the facts that speak for themselves, on boards and in grids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from markupsafe import Markup

from gigacore.entity import EntitySpec
from gigacore.values import dataclass
from host_app.pages.addresses import record_url
from host_app.pages.avatars import drawer_of, picture_of
from host_app.pages.cells import Draw, drawer
from host_app.pages.columns import title_of, value_of
from host_app.pages.reader import Reader

MOST_FACTS: Final = 3
BARE: Final = frozenset({"integer", "decimal", "boolean"})
PLACES: Final[Mapping[str, str]] = MappingProxyType(
    {"money": "sum", "date": "day", "datetime": "day", "choice": "kind", "enum": "kind"}
)
"""How kinds of facts are placed on a card; facts of other kinds have a line of their own."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What cards show besides the title: fields with the functions that draw them, and the picture."""

    drawn: Sequence[tuple[str, str, Draw]]
    picture: str = ""
    avatar: Callable[[Mapping[str, Any]], Markup] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One record: its number, title, picture, and facts drawn, each with the class that places it on the card."""

    id: int
    url: str
    title: str
    facts: tuple[tuple[str, Markup], ...]
    avatar: str = ""


def fact_fields(spec: EntitySpec, who: Reader, *, status: bool = False) -> Facts:
    """What a card tells besides its title: the status if wanted, some key facts, then the owner."""
    readable = {field.name for field in who.readable(spec) if field.kind not in BARE}
    names = [name for name in spec.key_facts if name in readable and name not in (spec.board, "owner_id")]
    first = [spec.board] if status and spec.board in readable else []
    chosen = [*first, *names[:MOST_FACTS], *(["owner_id"] if "owner_id" in readable else [])]
    picture = picture_of(spec, readable)
    drawn = [(name, PLACES.get(spec.fields[name].kind, ""), drawer(spec.fields[name], who)) for name in chosen]
    return Facts(drawn, picture.name if picture else "", drawer_of(spec, picture))


def names_of(spec: EntitySpec, facts: Facts) -> tuple[str, ...]:
    """The fields that cards with these facts need."""
    return (
        "id",
        spec.title,
        *(name for name, _place, _draw in facts.drawn),
        *([facts.picture] if facts.picture else []),
    )


def card_of(spec: EntitySpec, item: Mapping[str, Any], facts: Facts) -> Card:
    """The card of a record as `records` gives it; empty facts and those that repeat the title are left out."""
    title = title_of(spec, item)
    values = ((place, draw, value_of(item, name)) for name, place, draw in facts.drawn)
    drawn = tuple(
        (place, Markup(draw(value)))  # noqa: S704 - drawn values are escaped
        for place, draw, value in values
        if value not in (None, "", []) and not _repeats(value, title)
    )
    avatar = facts.avatar(item) if facts.avatar else ""
    return Card(item["id"], record_url(spec, item["id"]), title, drawn, avatar)


def _repeats(value: Any, title: str) -> bool:
    return (value.get("label") if isinstance(value, Mapping) else value) == title
