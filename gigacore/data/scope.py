"""The actor's criteria in every ORM select: built once per session, added for the tables that a statement names."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, event, select
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from gigacore.data.door import SCOPED
from gigacore.data.plan import ChildPlan, EntityPlan, ExtensionPlan
from gigacore.data.session import ActorSession
from gigacore.data.survey import survey, tables_in
from gigacore.entity import EntitySpec
from gigacore.errors import Misuse
from gigacore.messages import msg

CRITERIA: Final = "giga_criteria"
Criterion = tuple[ExecutableOption | None, frozenset[str]]


@event.listens_for(ActorSession, "do_orm_execute")
def scope_statement(state: ORMExecuteState) -> None:
    """Add the criteria of the actor to an ORM statement, and say so in its execution options."""
    session = state.session
    assert isinstance(session, ActorSession)
    if state.is_insert or state.is_update or state.is_delete:
        _refuse_direct_write(session, state)
        return
    if session.unlimited or (SCOPED in state.execution_options and not state.is_relationship_load):
        return
    tables = session.plans.tables.keys()
    if state.is_column_load:  # the row itself was judged when it was loaded
        state.update_execution_options(**{SCOPED: frozenset(tables_in(state.statement) & tables)})
    elif state.is_relationship_load:
        _add(session, state, tables_in(state.statement) & tables)
    else:
        _add(session, state, _covered(session, state.statement))


def _covered(session: ActorSession, statement: Any) -> set[str]:
    """The registered tables to which criteria apply; worked out once per statement object."""
    known = session.plans.surveys
    found = known.get(statement)
    if found is None:
        seen = survey(statement)
        found = known[statement] = (seen.mapped - seen.bare) & session.plans.tables.keys()
    return found


def _add(session: ActorSession, state: ORMExecuteState, named: set[str]) -> None:
    options: list[ExecutableOption] = []
    covered = set(named)
    for table in named:
        if state.is_relationship_load and not isinstance(session.plans.tables[table], EntityPlan):
            continue  # rows of a record that was judged when it was loaded
        option, more = criterion(session, table)
        covered |= more
        if option is not None:
            options.append(option)
    if options:
        state.statement = state.statement.options(*options)
    if covered:
        state.update_execution_options(**{SCOPED: frozenset(covered)})


def criterion(session: ActorSession, table: str) -> Criterion:
    """The loader option for one table and the tables that its expression reads; kept for the session's life."""
    known: dict[str, Criterion] = session.info.setdefault(CRITERIA, {})
    found = known.get(table)
    if found is None:
        found = known[table] = _build(session, table)
    return found


def _build(session: ActorSession, table: str) -> Criterion:
    plan = session.plans.tables[table]
    match plan:
        case EntityPlan():
            cls: Any = plan.spec.cls
            expression = session.guard.criteria(session, plan.spec, "view")
        case ChildPlan():
            cls = plan.spec.cls
            expression = _through_parent(session, plan.parent, cls.parent_id)
        case ExtensionPlan():
            cls = session.plans.class_of(table)
            expression = _through_parent(session, plan.parent, cls.id)
    if expression is None:
        return None, frozenset()
    return (
        with_loader_criteria(cls, expression, include_aliases=True, propagate_to_loaders=False),
        frozenset(tables_in(expression)),
    )


def _through_parent(session: ActorSession, parent: EntitySpec, column: Any) -> ColumnElement[bool] | None:
    expression = session.guard.criteria(session, parent, "view")
    if expression is None:
        return None
    found: ColumnElement[bool] = column.in_(select(parent.cls.id).where(expression))
    return found


def _refuse_direct_write(session: ActorSession, state: ORMExecuteState) -> None:
    mapper = state.bind_mapper
    if mapper is None or mapper.local_table.name not in session.plans.tables:  # type: ignore[attr-defined]
        return
    raise Misuse(
        msg("A direct write to {entity} passes over audit and events.", entity=mapper.class_.__name__),
        fix=msg("Change the loaded records, or use gigacore.data.bulk."),
    )
