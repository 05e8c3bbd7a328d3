"""From a JSON tree to a typed condition. Everything that is wrong is reported as Invalid with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal

from gigacore.entity.kinds import BadValue
from gigacore.entity.spec import EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.filter.ast import (
    All,
    Any_,
    Compare,
    Condition,
    Everything,
    Not,
    Nothing,
    Operand,
    Path,
    Relation,
)
from gigacore.filter.operands import operators, parse_operand
from gigacore.filter.paths import PathFinder, Readable, everything_readable
from gigacore.filter.relations import RelationSource, Rows, ToMany, find_relation
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity.registry import Registry

MAX_NODES: Final = 100
MAX_VALUES: Final = 2000
_LEAF: Final = frozenset({"field", "op", "value"})


def parse(
    tree: object,
    entity: EntitySpec,
    registry: Registry,
    *,
    readable: Readable = everything_readable,
    events: bool = False,
    relations: Iterable[RelationSource] | None = None,
    at: str = "filter",
) -> Condition:
    """The condition that `tree` describes, about records of `entity`.

    `readable(entity, field)` tells which fields the reader may know; others do not exist. `events` admits `changed`,
    `changed_from` and `changed_to`, which need the record's old image. `relations` replaces the registry's own sources
    of to-many relations. Raises Invalid, whose paths begin with `at`; never anything else, whatever `tree` is.
    """
    sources = tuple(registry.relation_sources if relations is None else relations)
    parser = _Parser(entity, registry, PathFinder(registry, readable), events, sources)
    return parser.node(tree, entity, at)


def parse_comparison(
    name: str, op: str, raw: object, entity: EntitySpec, registry: Registry, *, readable: Readable = everything_readable
) -> Compare:
    """One comparison, for plain parameters (`?city=Lyon`). Raises Invalid at `name`."""
    parser = _Parser(entity, registry, PathFinder(registry, readable), False, ())
    return parser.compare({"field": name, "op": op, "value": raw}, entity, name, flat=True)


@dataclass(slots=True)
class _Parser:
    root: EntitySpec
    registry: Registry
    paths: PathFinder
    events: bool
    sources: tuple[RelationSource, ...]
    nodes: int = field(default=0)
    values: int = field(default=0)

    def node(self, tree: object, rows: Rows, at: str) -> Condition:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _wrong(at, msg("A filter may have at most {limit} conditions.", limit=MAX_NODES), "too_many")
        if not isinstance(tree, Mapping) or not all(isinstance(key, str) for key in tree):
            raise _wrong(at, msg("A condition must be an object."))
        if "field" in tree:
            return self.compare(tree, rows, at)
        if len(tree) != 1:
            raise _wrong(at, msg("A condition has exactly one of “all”, “any”, “not”, “some”, “none”, “field”."))
        (key, inner), *_ = tree.items()
        return self._branch(key, inner, rows, at)

    def _branch(self, key: str, inner: object, rows: Rows, at: str) -> Condition:
        here = f"{at}.{key[:40]}"
        if key == "all":
            items = self._items(inner, rows, here)
            return All(items) if items else Everything()
        if key == "any":
            items = self._items(inner, rows, here)
            return Any_(items) if items else Nothing()
        if key == "not":
            return Not(self.node(inner, rows, here))
        if key in ("some", "none"):
            return self._relation("some" if key == "some" else "none", inner, rows, here)
        raise _wrong(at, msg("“{word}” is not a word of the filter language.", word=_shown(key)))

    def _items(self, inner: object, rows: Rows, at: str) -> tuple[Condition, ...]:
        if not isinstance(inner, list | tuple):
            raise _wrong(at, msg("This must be a list of conditions."))
        return tuple(self.node(item, rows, f"{at}[{index}]") for index, item in enumerate(inner))

    def compare(self, tree: Mapping[str, object], rows: Rows, at: str, *, flat: bool = False) -> Compare:
        for key in tree.keys() - _LEAF:
            raise _wrong(at, msg("“{word}” is not a word of the filter language.", word=_shown(key)))
        path = self._path(tree["field"], rows, at if flat else f"{at}.field")
        op = tree.get("op", "eq")
        if not isinstance(op, str) or op not in operators(path, events=self.events and rows is self.root):
            raise _wrong(at if flat else f"{at}.op", _unfit_operator(op, path), "operator")
        return Compare(path, op, self._operand(tree.get("value"), op, path, at if flat else f"{at}.value"))

    def _path(self, text: object, rows: Rows, at: str) -> Path:
        path = self.paths.find(text, rows) if isinstance(text, str) else None
        if path is None:
            raise _wrong(at, msg("There is no field {name}.", name=_shown(text)), "unknown_field")
        return path

    def _operand(self, raw: object, op: str, path: Path, at: str) -> Operand:
        try:
            self._count(raw)
            return parse_operand(raw, op, path, self._record_field)
        except BadValue as error:
            raise _wrong(at, error.message) from None

    def _count(self, raw: object) -> None:
        self.values += len(raw) if isinstance(raw, list | tuple) else 1
        if self.values > MAX_VALUES:
            raise BadValue(msg("A filter may have at most {limit} values.", limit=MAX_VALUES))

    def _record_field(self, name: str) -> FieldSpec | None:
        return self.paths.field(name, self.root)

    def _relation(self, quantifier: Literal["some", "none"], inner: object, rows: Rows, at: str) -> Condition:
        if not isinstance(inner, Mapping) or set(inner) - {"relation", "where"} or "relation" not in inner:
            raise _wrong(at, msg("This must name a “relation” and may have a “where”."))
        relation = self._find_relation(inner["relation"], rows, f"{at}.relation")
        where = self.node(inner.get("where", {"all": []}), relation.rows, f"{at}.where")
        return Relation(quantifier, relation, where)

    def _find_relation(self, name: object, rows: Rows, at: str) -> ToMany:
        found = None
        if isinstance(name, str) and isinstance(rows, EntitySpec):
            found = find_relation(name, rows, self.registry, self.sources)
        if found is None or not self._may_know(found, rows):
            raise _wrong(at, msg("There is no relation {name}.", name=_shown(name)), "unknown_relation")
        return found

    def _may_know(self, relation: ToMany, rows: Rows) -> bool:
        """Child rows are read as one field of their record; a reference as a field of the record that holds it."""
        if isinstance(relation.owner, FieldSpec):
            return relation.entity is None or self.paths.readable(relation.entity, relation.owner)
        if isinstance(rows, EntitySpec) and relation.name in rows.children:
            child = rows.children[relation.name]
            return self.paths.readable(rows, FieldSpec(child.name, "json", child.label, entity=rows.name))
        return True


def _wrong(at: str, message: Msg, code: str = "invalid") -> Invalid:
    return Invalid.of(at, message, code)


def _shown(value: object) -> str:
    """A hostile name as it may stand in a message: short and printable."""
    text = value if isinstance(value, str) else type(value).__name__
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:80])


def _unfit_operator(op: object, path: Path) -> Msg:
    return msg(
        "{field} cannot be compared with “{op}”, only with: {known}.",
        field=str(path),
        op=_shown(op),
        known=", ".join(sorted(operators(path))),
    )
