"""What the CRM keeps right about tasks and notes, and what they tell the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import select

from gigacore.crm.choosing import kind_of
from gigacore.crm.past import pending, was
from gigacore.crm.work import Note, Task
from gigacore.data import activities, mark_scoped
from gigacore.entity import Visibility

if TYPE_CHECKING:
    from gigacore.context import Context

DONE: Final = "done"
TITLE_LENGTH: Final = 80
ENDS: Final = (
    ("crm.lead", "lead_id"),
    ("crm.contact", "contact_id"),
    ("crm.company", "company_id"),
    ("crm.opportunity", "opportunity_id"),
)
"""The records that tasks and notes may be about, with the field that names them."""
_CLOSED: Final = "crm.tasks_closed"


def about(record: Any) -> list[tuple[str, int]]:
    """The records that a task or note is about."""
    ends = [(entity, getattr(record, name)) for entity, name in ENDS]
    return [(entity, number) for entity, number in ends if number is not None]


def before_save_task(ctx: Context, task: Task, changed: frozenset[str]) -> None:
    """Closing date of a task."""
    if "status" not in changed:
        return
    registry = ctx.session.registry
    done = kind_of(registry, "task_status", task.status) == DONE
    before = kind_of(registry, "task_status", was(ctx, task, "status")) == DONE
    if done and not before:
        task.closed_at = ctx.now
        pending(ctx, _CLOSED)[task] = True
    elif not done:
        task.closed_at = None


def after_save_task(ctx: Context, task: Task) -> None:
    """A task that was done is part of the history of the records that it is about."""
    if pending(ctx, _CLOSED).pop(task, None) and (ends := about(task)):
        activities.log(ctx, "crm.task", task.title, ends, source=task)


def before_save_note(ctx: Context, note: Note) -> None:
    """Title and moment of a note that was jotted down; it is no more open than what it is about."""
    owned: Any = note
    if owned.visibility is not Visibility.private and is_private(ctx, note):
        owned.visibility = Visibility.private
    title: str | None = note.title
    if not title:
        lines = (note.text or "").strip().splitlines() or [""]
        note.title = lines[0] if len(lines[0]) <= TITLE_LENGTH else f"{lines[0][: TITLE_LENGTH - 1]}…"
    if note.__dict__.get("happened_at") is None:
        note.happened_at = ctx.now


def is_private(ctx: Context, record: Any) -> bool:
    """Whether one of the records that a note is about is private."""
    for entity, number in about(record):
        cls: Any = ctx.session.registry.entity(entity).cls
        statement = mark_scoped(select(cls.visibility).where(cls.id == number))
        if ctx.session.connection().execute(statement).scalar() is Visibility.private:
            return True
    return False


def notes_about(ctx: Context, entity: str, number: int) -> Sequence[Note]:
    """The notes about a record that the actor may see."""
    name = next(field for known, field in ENDS if known == entity)
    return ctx.session.scalars(select(Note).where(getattr(Note, name) == number).order_by(Note.id)).all()


def after_save_note(ctx: Context, note: Note) -> None:
    """Put the note, call or meeting onto the timelines of the records that it is about."""
    if note.version > 1:
        activities.forget(ctx, note)
    if ends := about(note):
        kind, direction = activity_of(ctx, note.category)
        activities.log(
            ctx, kind, note.title, ends, source=note, direction=direction, at=note.happened_at, summary=note.text
        )


def before_delete_note(ctx: Context, note: Note) -> None:
    """What is in the trash did not happen, until it is restored."""
    activities.forget(ctx, note)


def activity_of(ctx: Context, category: str) -> tuple[str, Literal["", "in", "out"]]:
    """The kind and direction of an activity that a category of history stands for."""
    kind = kind_of(ctx.session.registry, "activity_kind", category) or "note"
    if category.endswith("_in"):
        return f"crm.{kind}", "in"
    return f"crm.{kind}", "out" if category.endswith("_out") else ""
