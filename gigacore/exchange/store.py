"""The rows of imports: how far each came, and what went wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore import access
from gigacore.context import Context
from gigacore.errors import Conflict, NotFound
from gigacore.exchange.batches import Outcome
from gigacore.exchange.rows import RowError
from gigacore.exchange.tables import core_import, core_import_error
from gigacore.jobs import core_job, tables
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

KEPT_ERRORS: Final = 10_000
DRAFT, QUEUED, RUNNING, DONE, FAILED, CANCELLED = "draft", "queued", "running", "done", "failed", "cancelled"
I: Final = core_import.c  # noqa: E741 - the table's columns, as elsewhere
E: Final = core_import_error.c


@dataclass(frozen=True, slots=True)
class Import:
    """One import as it stands."""

    id: int
    uid: UUID
    entity: str
    file_id: int | None
    file_name: str
    state: str
    dialect: Mapping[str, Any]
    mapping: Mapping[str, str]
    options: Mapping[str, Any]
    total: int | None
    cursor: int
    created: int
    updated: int
    skipped: int
    failed: int
    noted: int
    job_id: int | None
    error: str | None
    created_at: datetime
    created_by: int | None
    finished_at: datetime | None

    @property
    def ignored(self) -> list[str]:
        """Columns of the file that go nowhere."""
        return [heading for heading, target in self.mapping.items() if not target]


COLUMNS: Final = tuple(I[name] for name in Import.__slots__)


# What became of its job decides where the import itself could not say so: cancelled while it waited, or a dead letter.
OPEN: Final = I.state.in_((QUEUED, RUNNING))
STATE: Final = sa.case(
    (sa.and_(OPEN, core_job.c.state == tables.CANCELLED), CANCELLED),
    (sa.and_(OPEN, core_job.c.state == tables.DEAD), FAILED),
    else_=I.state,
)
PRESENT: Final = sa.select(*[STATE if name == "state" else I[name] for name in Import.__slots__]).select_from(
    core_import.outerjoin(core_job, core_job.c.id == I.job_id)
)


def get(ctx: Context, import_id: int) -> Import:
    """An import of the actor's own; whoever may see all jobs sees every import. Raises NotFound."""
    row = ctx.session.connection().execute(PRESENT.where(I.id == import_id)).one_or_none()
    if row is None:
        raise NotFound
    found = Import(*row)
    mine = found.created_by is not None and found.created_by == ctx.actor.user_id
    if not mine and not ctx.actor.is_system and not access.may(ctx, "view", "core.job"):
        raise NotFound
    return found


def recent(ctx: Context, limit: int = 20) -> list[Import]:
    """The actor's latest imports, newest first."""
    mine = PRESENT.where(I.created_by == ctx.actor.user_id).order_by(I.id.desc()).limit(limit)
    return [Import(*row) for row in ctx.session.connection().execute(mine)]


def require_state(found: Import, *states: str) -> None:
    """Raises Conflict unless the import is in one of these states."""
    if found.state not in states:
        raise Conflict(msg("This import has already begun."))


def note(ctx: Context, import_id: int, outcome: Outcome, cursor: int, total: int) -> None:
    """Moves the cursor and the counters on and keeps the errors, up to a limit."""
    connection = ctx.session.connection()
    values: dict[str, Any] = {
        "state": RUNNING,
        "cursor": cursor,
        "total": total,
        "created": I.created + outcome.created,
        "updated": I.updated + outcome.updated,
        "skipped": I.skipped + outcome.skipped,
        "failed": I.failed + len(outcome.failed),
        "noted": I.noted + len(outcome.noted),
    }
    statement = sa.update(core_import).where(I.id == import_id).values(**values).returning(I.failed + I.noted)
    if connection.execute(statement).scalar_one() <= KEPT_ERRORS and outcome.errors:
        connection.execute(sa.insert(core_import_error), list(error_rows(import_id, outcome)))


def error_rows(import_id: int, outcome: Outcome) -> Iterator[dict[str, Any]]:
    """The rows of the error table; several errors of one row are numbered."""
    positions: dict[int, int] = {}
    for number, error in outcome.errors:
        positions[number] = positions.get(number, -1) + 1
        yield {
            "import_id": import_id,
            "row_no": number,
            "position": positions[number],
            "column": error.column[:200],
            "message": {"text": error.message.text, "params": plain(error.message.params)},
            "value": error.value[:200],
            "refused": error.refused,
        }


def plain(params: Mapping[str, object]) -> dict[str, object]:
    """Parameters as JSON keeps them; messages inside messages keep their own text and parameters."""
    return {
        name: {"text": value.text, "params": plain(value.params)} if isinstance(value, Msg) else str(value)
        for name, value in params.items()
    }


def message(stored: Mapping[str, Any]) -> Msg:
    """The message of a stored error, translatable again."""
    params = {name: message(value) if isinstance(value, dict) else value for name, value in stored["params"].items()}
    return Msg(str(stored["text"]), params)


def finish(ctx: Context, import_id: int, state: str, error: str | None = None) -> Import:
    """Ends an import."""
    change(ctx, import_id, {"state": state, "finished_at": ctx.now, "error": error})
    return get(ctx, import_id)


def change(ctx: Context, import_id: int, values: Mapping[str, Any]) -> None:
    """Sets columns of an import."""
    if values:
        ctx.session.connection().execute(sa.update(core_import).where(I.id == import_id).values(**values))


def errors(
    ctx: Context, import_id: int, limit: int = KEPT_ERRORS, *, refused: bool | None = None
) -> list[tuple[int, RowError]]:
    """What went wrong, by row: in those that were `refused`, in those that went in without a value, or (None) in both.

    Raises NotFound.
    """
    get(ctx, import_id)
    which = sa.true() if refused is None else E.refused == refused
    rows = ctx.session.connection().execute(
        sa.select(E.row_no, E.column, E.message, E.value, E.refused)
        .where(E.import_id == import_id, which)
        .order_by(E.row_no, E.position)
        .limit(limit)
    )
    return [(row_no, RowError(column, message(text), value, bad)) for row_no, column, text, value, bad in rows]
