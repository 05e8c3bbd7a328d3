"""Which registered tables a statement reads as mapped classes, to which criteria apply, and which as bare tables.

SQLAlchemy adds loader criteria, select by select, to mapped classes only. So each select of a statement is looked at
by itself: a table that is named there without its class is not covered, even if its class stands elsewhere, unless its
columns only tie the select to the row of a surrounding one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field
from typing import Any, Final

from sqlalchemy import Select, Table
from sqlalchemy.orm.context import FromStatement
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import FromClause

from gigacore.values import dataclass

WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_SKIPPED: Final = ("_correlate", "_correlate_except", "_memoized_select_entities", "_setup_joins")


@dataclass(slots=True)
class Survey:
    """`mapped` = tables named through their class, `bare` = tables named past it in at least one select."""

    mapped: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)


def survey(statement: Any) -> Survey:
    """Look at every select of a statement."""
    found, seen = Survey(), set()
    if isinstance(statement, FromStatement):
        return found  # a text, or a statement of which criteria know nothing
    scopes = [_Scope(statement, None)]
    while scopes:
        scope = scopes.pop()
        if id(scope.select) in seen:
            continue
        seen.add(id(scope.select))
        scopes += scope.look()
        found.mapped |= scope.mapped
        found.bare |= scope.uncovered()
    return found


def tables_in(clause: Any) -> set[str]:
    """The names of all tables that an expression mentions, at any depth."""
    return {str(one.name) for one in visitors.iterate(clause) if isinstance(one, Table)}


class _Scope:
    """One select with what it names itself."""

    def __init__(self, select: Any, outer: _Scope | None) -> None:
        self.select = select
        self.outer = outer
        self.mapped: set[str] = set()
        self.sources: set[Any] = set()  # tables and aliases that stand for a class
        self.froms: set[str] = set()  # bare tables that are read here
        self.hidden: set[str] = set()  # aliases of bare tables, and every word of a text
        self.columns: set[tuple[Any, str]] = set()  # (table or alias, table's name) of bare columns

    def look(self) -> list[_Scope]:
        """Sort the elements; give the selects inside."""
        inner: list[_Scope] = []
        stack = [*_children(self.select), *self._joined()]
        while stack:
            element = stack.pop()
            if isinstance(element, Select):
                inner.append(_Scope(element, self))
            elif entity := getattr(element, "_annotations", {}).get("parententity"):
                self._note_mapped(entity)
            else:
                stack += self._note_bare(element)
        return inner

    def uncovered(self) -> set[str]:
        """Tables that are read here past their class."""
        bare = (self.froms - self.mapped) | self.hidden
        return bare | {name for source, name in self.columns if not self._stands_for_class(source)}

    def _joined(self) -> list[Any]:
        """Targets and conditions of `join()`; a relationship names its class."""
        parts: list[Any] = []
        for target, condition, left, _ in getattr(self.select, "_setup_joins", ()):
            for part in (target, condition, left):
                relationship = getattr(part, "property", None)
                if relationship is not None and hasattr(relationship, "mapper"):
                    self._note_mapped(relationship.mapper)
                elif part is not None:
                    parts.append(part)
        return parts

    def _note_mapped(self, entity: Any) -> None:
        self.mapped.add(entity.mapper.local_table.name)
        self.sources.add(entity.selectable)

    def _note_bare(self, element: Any) -> Iterable[Any]:
        """File an element that stands for no class; give what to look at next."""
        kind = element.__visit_name__
        if kind == "table":
            self.froms.add(element.name)
        elif kind == "alias" and isinstance(element.element, Table):
            self.hidden.add(element.element.name)
            return ()
        elif kind == "textclause" or getattr(element, "is_literal", False):
            self.hidden.update(WORD.findall(str(element)))
        elif kind == "column" and isinstance(source := getattr(element, "table", None), FromClause):
            base = getattr(source, "element", source)
            if not isinstance(base, Table):
                return [base]  # a column of a subquery
            self.columns.add((source, base.name))
        return _children(element)

    def _stands_for_class(self, source: Any) -> bool:
        if source in self.sources:
            return True
        scope, outer = self, self.outer
        while outer is not None and scope.sources and _correlates(scope.select, source):
            if source in outer.sources:
                return True
            scope, outer = outer, outer.outer
        return False


def _correlates(select: Any, source: Any) -> bool:
    """Whether a source of the surrounding select is that one's row here, rather than read again."""
    if select._correlate_except is not None:
        return source not in select._correlate_except
    return source in select._correlate if select._correlate else bool(select._auto_correlate)


def _children(element: Any) -> Iterable[Any]:
    if isinstance(element, Select):  # without the FROMs that follow from columns: those come without their class
        return super(Select, element).get_children(omit_attrs=_SKIPPED)
    found: Iterable[Any] = element.get_children()
    return found
