"""The state of a list: what its address says, and the addresses of neighbouring states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages import filters
from host_app.pages.addresses import list_url, with_query
from host_app.pages.columns import Column
from host_app.pages.filters import Condition, Filter, condition_from
from host_app.pages.raw import Raw

OWN: Final = frozenset(
    {
        "q", "filter", "sort", "fields", "cursor", "field", "op", "value", "period", "index", "limit", "as", "from",
        "view", "group", "job",
    }
)  # fmt: skip
BOARD: Final = "board"
KINDS: Final = ("cards", "status", BOARD)
MOST_WORDS: Final = 6
PAGE: Final = 50
NO_FILTER: Final = Filter()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows: search, filter, order, columns, kind of view and where the page begins.

    `origin` is the saved view from which it began, `group` the chosen set of columns of a board.
    """

    spec: EntitySpec
    q: str = ""
    filter: Filter = NO_FILTER
    sort: str = ""
    fields: tuple[str, ...] = ()
    cursor: str = ""
    kind: str = ""
    origin: str = ""
    group: str = ""

    @property
    def path(self) -> str:
        """The page that shows this kind of view."""
        return f"{list_url(self.spec)}/{BOARD}" if self.kind == BOARD else list_url(self.spec)

    @property
    def url(self) -> str:
        """The address of this state."""
        return with_query(self.path, [pair for pair in self.pairs() if pair != ("as", BOARD)])

    def whole(self, readable: Mapping[str, FieldSpec]) -> Any:
        """Filter and search as one tree of the filter language; None for no condition."""
        tree = self.filter.tree()
        names = [f.name for f in readable.values() if f.search and f.key_column and not f.custom and not f.extension]
        words = [
            {"any": [{"field": name, "op": "contains", "value": word} for name in names]}
            for word in self.q.split()[:MOST_WORDS]
        ]
        parts = [*words, *([tree] if tree is not None else [])]
        return {"all": parts} if len(parts) > 1 else parts[0] if parts else None

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the address."""
        return [
            ("q", self.q),
            ("filter", self.filter.text),
            ("sort", self.sort),
            ("fields", ",".join(self.fields)),
            ("as", self.kind),
            ("from", self.origin),
            ("group", self.group),
            ("cursor", self.cursor),
        ]

    def at(self, **changes: Any) -> Listing:
        """The list with some of its state changed, from its first page."""
        return replace(self, **{"cursor": "", **changes})

    def box_url(self, name: str, **more: object) -> str:
        """The address of the filter box or column chooser for this state."""
        return with_query(f"{list_url(self.spec)}/{name}", [*self.at().pairs(), *more.items()])

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """The parameters to keep in a form that changes `without`."""
        return [(name, value) for name, value in self.at().pairs() if value and name not in without]


def read(spec: EntitySpec, args: MultiDict[str, str], *, plain: bool = True) -> Listing:
    """The state that an address holds; with `plain`, `?city=Lyon` is a condition like those of the filter box."""
    found = filters.load(args.get("filter", ""))
    equal = tuple(
        Condition(
            name, "in" if spec.fields[name].kind in ("choice", "enum") else "eq", _plain(spec.fields[name], texts)
        )
        for name, texts in args.lists()
        if plain and name not in OWN and name in spec.fields
    )
    return Listing(
        spec,
        args.get("q", "").strip()[:200],
        Filter((*found.conditions, *equal), found.rest),
        args.get("sort", ""),
        tuple(name for name in args.get("fields", "").split(",") if name in spec.fields),
        args.get("cursor", ""),
        args.get("as", "") if args.get("as") in KINDS else "",
        args.get("from", "")[:20],
        args.get("group", "")[:20],
    )


def _plain(field: FieldSpec, texts: Sequence[str]) -> Any:
    if field.kind in ("choice", "enum"):
        return list(texts)
    if field.kind in ("integer", "ref") and texts[0].lstrip("-").isdigit():
        return int(texts[0])
    return texts[0] in ("1", "true") if field.kind == "boolean" else texts[0]


def with_box(listing: Listing, raw: Raw, readable: Mapping[str, FieldSpec], locale: str) -> Listing:
    """The list after the filter box was sent. Raises Invalid."""
    field = readable.get(raw.text("field"))
    if field is None:
        raise Invalid.of("field", msg("Choose a field."))
    index = int(raw.text("index")) if raw.text("index").isdigit() else None
    return listing.at(filter=listing.filter.putting(condition_from(raw, field, locale), index))


@dataclass(frozen=True, slots=True)
class Head:
    """The heading of a column, with the address that sorts by it."""

    label: str
    classes: str = ""
    url: str = ""
    sorted: str = ""
    edit: str = ""


def heads(listing: Listing, columns: Sequence[Column], sort: str, editable: frozenset[str] = frozenset()) -> list[Head]:
    """The headings; a click sorts, another one turns the order round. `editable` fields are edited in their cells."""
    base = listing.at(sort="").url
    start = f"{base}{'&' if '?' in base else '?'}sort="
    made = (_head(start, column, sort) for column in columns)
    return [replace(one, edit=c.name) if c.name in editable else one for one, c in zip(made, columns, strict=True)]


def _head(start: str, column: Column, sort: str) -> Head:
    if not column.sortable:
        return Head(column.label, column.classes)
    up = sort == column.name
    now = "ascending" if up else "descending" if sort == f"-{column.name}" else ""
    first = "-" if column.classes == "n" or column.field.kind in ("date", "datetime") else ""
    turned = f"-{column.name}" if up else column.name
    return Head(column.label, column.classes, start + (turned if now else f"{first}{column.name}"), now)
