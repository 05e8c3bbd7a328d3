"""The SQL backend: a condition as one WHERE expression with bound values and two-valued logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, not_, or_, select, true
from sqlalchemy.sql.expression import Alias
from sqlalchemy.sql.util import ClauseAdapter

from gigacore.context import Actor
from gigacore.entity.spec import EntitySpec, FieldSpec
from gigacore.errors import Misuse
from gigacore.filter.ast import (
    All,
    Any_,
    Compare,
    Condition,
    Everything,
    Hop,
    Not,
    Nothing,
    Path,
    Relation,
    Shared,
)
from gigacore.filter.evaluation import Surroundings, prepare
from gigacore.filter.expressions import field_expression
from gigacore.filter.leaves import Values, compare_values, compared_values, test_field
from gigacore.filter.relations import ToMany, Via, Visible
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity.declare import Extension
    from gigacore.entity.registry import Registry

Bool = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class SqlEnv:
    """Where a condition is compiled for, and on whose behalf.

    `table` is the entity's table or an alias of it. `visible(entity)` gives the criterion, on the entity's own table,
    of the records that paths and relations may see; None means all. `shared(table, verb)` gives the criterion of
    `Shared`. `joined` names extension tables that the statement has joined already, by class.
    """

    table: FromClause
    registry: Registry
    actor: Actor
    now: datetime
    visible: Visible
    shared: Callable[[FromClause, str], Bool] | None = None
    joined: Mapping[type[Extension], FromClause] = field(default_factory=dict)


def to_sql(condition: Condition, env: SqlEnv) -> Bool:
    """The criterion of `condition`. It is never NULL, so it may be negated and combined at will."""
    return _compiler(env, strict=True).node(condition)


def to_where(condition: Condition, env: SqlEnv) -> Bool:
    """The same for the end of a WHERE only: shorter, but possibly NULL where it is not true. Never negate it."""
    return _compiler(env, strict=False).node(condition)


def _compiler(env: SqlEnv, *, strict: bool) -> _Compiler:
    base = env.table.element if isinstance(env.table, Alias) else env.table
    return _Compiler(env, Surroundings(env.registry, env.actor, env.now), _Scope(env.table, frozenset({base})), strict)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The table whose row is looked at, and the tables that enclosing statements use already.

    `extension` is set where the row is one of an extension table.
    """

    table: FromClause
    used: frozenset[FromClause]
    extension: type[Extension] | None = None

    def enter(self, table: FromClause, extension: type[Extension] | None = None) -> _Scope:
        """The scope of a subquery on `table`, under another name where that one is taken."""
        return _Scope(table.alias() if table in self.used else table, self.used | {table}, extension)


@dataclass(frozen=True, slots=True)
class _Compiler:
    env: SqlEnv
    around: Surroundings
    scope: _Scope
    strict: bool

    def node(self, node: Condition) -> Bool:
        match node:
            case Compare():
                return self._compare(node)
            case All(items):
                return and_(*(self.node(item) for item in items)) if items else true()
            case Any_(items):
                return or_(*(self.node(item) for item in items)) if items else false()
            case Not(item):
                return not_(self._within(self.scope, strict=True).node(item))
            case Relation():
                return self._relation(node)
            case Shared(verb):
                return self._shared(verb)
            case Everything():
                return true()
            case Nothing():
                return false()

    def _within(self, scope: _Scope, *, strict: bool) -> _Compiler:
        return _Compiler(self.env, self.around, scope, strict)

    def _shared(self, verb: str) -> Bool:
        if self.env.shared is None:
            raise Misuse("this condition asks who a record is shared with, which only policies can tell")
        return self.env.shared(self.scope.table, verb)

    # Fields -----------------------------------------------------------------------------------------------------------

    def _compare(self, node: Compare) -> Bool:
        check, path = prepare(node, self.around), node.path
        if isinstance(check.value, FieldSpec):
            root = _compiler(self.env, strict=self.strict)
            return compare_values(check.op, self._values(path.hops, path), root._values((), Path((), check.value)))
        if check.op == "never" or (not path.hops and self._table_of(path.field) is not None):
            return test_field(check, path, self._table(path.field), strict=self.strict)
        positive = replace(check, negate=False)
        found = self._within(self.scope, strict=self.strict or check.negate)._along(
            path.hops, path, lambda table: test_field(positive, path, table, strict=False)
        )
        return not_(found) if check.negate else found

    def _table_of(self, spec: FieldSpec) -> FromClause | None:
        """The table at hand that holds the field; None for a field of an extension that is not joined."""
        if spec.extension is None or spec.extension is self.scope.extension:
            return self.scope.table
        return self.env.joined.get(spec.extension) if self.scope.table is self.env.table else None

    def _table(self, spec: FieldSpec) -> FromClause:
        return self._table_of(spec) if self._table_of(spec) is not None else self.scope.table  # type: ignore[return-value]

    def _along(self, hops: tuple[Hop, ...], path: Path, leaf: Callable[[FromClause], Bool]) -> Bool:
        """`leaf` on the row at the end of the path; false where a record on the way is missing or hidden."""
        spec = hops[0].field if hops else path.field
        table = self._table_of(spec)
        if table is None:
            scope = self._extension(spec)
            found = self._within(scope, strict=False)._along(hops, path, leaf)
            return self.scope.table.c.id.in_(_subselect(scope.table.c.id, scope.table, found))
        if not hops:
            return leaf(table)
        target = hops[0].target
        scope = self.scope.enter(target.table)
        found = self._within(scope, strict=False)._along(hops[1:], path, leaf)
        column = field_expression(spec, table)
        member = column.in_(_subselect(scope.table.c.id, scope.table, *self._visible(target, scope), found))
        return and_(column.is_not(None), member) if self.strict else member

    def _values(self, hops: tuple[Hop, ...], path: Path) -> Values:
        """The field at the end of the path as values to compare, null where a record is missing or hidden."""
        spec = hops[0].field if hops else path.field
        table = self._table_of(spec)
        if table is None:
            scope = self._extension(spec)
            inner = self._within(scope, strict=False)._values(hops, path)
            return tuple(_scalar(value, scope.table, scope.table.c.id == self.scope.table.c.id) for value in inner)
        if not hops:
            return compared_values(spec, table)
        target = hops[0].target
        scope = self.scope.enter(target.table)
        inner = self._within(scope, strict=False)._values(hops[1:], path)
        where = (scope.table.c.id == field_expression(spec, table), *self._visible(target, scope))
        return tuple(_scalar(value, scope.table, *where) for value in inner)

    def _extension(self, spec: FieldSpec) -> _Scope:
        if spec.extension is None:
            raise Misuse(f"{spec.name} is no field of an extension")
        return self.scope.enter(spec.extension.__table__, spec.extension)

    def _visible(self, entity: EntitySpec, scope: _Scope) -> tuple[Bool, ...]:
        return _adapted(self.env.visible(entity), scope.table)

    # To-many relations ------------------------------------------------------------------------------------------------

    def _relation(self, node: Relation) -> Bool:
        relation = node.relation
        scope = self.scope.enter(relation.rows.table)
        where = [*_adapted(relation.seen(self.env.registry, self.env.visible), scope.table)]
        where.append(self._within(scope, strict=False).node(node.where))
        found = self._has_rows(relation, scope, where)
        return not_(found) if node.quantifier == "none" else found

    def _has_rows(self, relation: ToMany, scope: _Scope, where: list[Bool]) -> Bool:
        own, rows = self.scope.table.c.id, scope.table
        if relation.owner is None:
            ids = _subselect(rows.c.id, rows, *where)
            return or_(false(), *(own.in_(_pairs(via, ids)) for via in relation.via))
        owner = relation.owner
        column = rows.c[owner] if isinstance(owner, str) else field_expression(owner, rows)
        return own.in_(_subselect(column, rows, column.is_not(None), *where))


def _adapted(criterion: Bool | None, table: FromClause) -> tuple[Bool, ...]:
    """A criterion on a table, brought to the alias in which the table is read here."""
    if criterion is None:
        return ()
    return (ClauseAdapter(table).traverse(criterion) if isinstance(table, Alias) else criterion,)


def _pairs(via: Via, ids: Select[Any]) -> Select[Any]:
    table = via.table
    fixed = (table.c[name] == value for name, value in via.fixed)
    return _subselect(table.c[via.owner], table, table.c[via.owner].is_not(None), *fixed, table.c[via.row].in_(ids))


def _subselect(column: ColumnElement[Any], table: FromClause, *where: Bool) -> Select[Any]:
    return select(column).select_from(table).where(*where).correlate_except(table)


def _scalar(column: ColumnElement[Any], table: FromClause, *where: Bool) -> ColumnElement[Any]:
    return _subselect(column, table, *where).scalar_subquery()
