"""The hooks that a plugin may implement, each with the policy that applies when an implementation fails.

Implement one with `@hookimpl` in the plugin's `hooks` module, taking only the arguments that are needed::

    from gigacore import hookimpl


    @hookimpl
    def validate_record(entity, record):
        if entity.name == "crm.lead" and record.amount and not record.company_name:
            raise Abort(msg("A lead with an amount needs a company."))

Hooks in a write run inside its transaction and may not call the network, send mail or touch files: jobs and consumers
of events do that, and they are declared in the manifest (`Plugin(jobs=, consumers=)`), where a failure is retried and
ends among the dead letters.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.entity import Entity, EntitySpec, Registry
    from gigacore.filter import Condition
    from gigacore.messages import Msg
    from gigacore.ui import Column, Content, NavItem, Panel, Slot, Tab, Widget

    Verifier = Callable[[Context], Iterable[Msg]]
    Part = NavItem | Tab | Panel | Column | Widget

PROJECT: Final = "giga"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


class Failure(enum.Enum):
    """What happens when an implementation raises something that is no typed error."""

    QUARANTINE = "quarantine"
    REFUSE = "refuse"
    LEAVE_OUT = "leave out"


class DeclareHooks:
    """Asked once, while the application starts."""

    @hookspec
    def declare_parts(self, registry: Registry) -> Iterable[Part]:  # type: ignore[empty-body]
        """Parts of pages that depend on which entities there are, for instance a map tab where there are addresses."""

    @hookspec
    def declare_verifiers(self) -> Mapping[str, Verifier]:  # type: ignore[empty-body]
        """Checks that `giga verify` runs, by name; each yields one message per fault that it finds."""


class DataHooks:
    """Called in the flush of a write. Whatever they raise refuses the write, and nothing of it is committed.

    `Abort` is the veto meant for the person: its message is shown. Any other error is reported as the plugin's fault.
    """

    @hookspec
    def validate_record(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Refuses a record by raising `Abort` or `Invalid`. `changed` names its changed fields, all of them if new."""

    @hookspec
    def before_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """May set fields of the record, of its extensions or child rows, before it is validated and written."""

    @hookspec
    def after_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """May add further records, now that the record has its key; they are written in the same transaction."""

    @hookspec
    def before_delete(self, ctx: Context, entity: EntitySpec, record: Entity) -> None:
        """Refuses a deletion by raising `Abort`."""

    @hookspec
    def activity_logged(self, ctx: Context, kind: str, at: datetime, records: Sequence[tuple[str, int]]) -> None:
        """Told of a call, a mail, a meeting or the like with the records that it concerns (entity and number)."""


class PermissionHooks:
    """Asked when a session's criteria are built. A failure hides the entity from everyone: fail closed."""

    @hookspec
    def narrow_policy(self, actor: Actor, entity: EntitySpec, verb: str) -> Condition | None:
        """A condition that records must meet besides the actor's rights. A plugin can narrow, never widen."""


class PageHooks:
    """Asked while a page is drawn. A failure leaves the part out, and administrators see that it is missing."""

    @hookspec
    def fill_slot(  # type: ignore[empty-body]
        self, ctx: Context, slot: Slot, entity: EntitySpec | None, record: Entity | None
    ) -> Sequence[Content]:
        """Content for a place of a page; `record` is None where the page shows no single record."""


SPECS: Final[Mapping[type, Failure]] = {
    DeclareHooks: Failure.QUARANTINE,
    DataHooks: Failure.REFUSE,
    PermissionHooks: Failure.REFUSE,
    PageHooks: Failure.LEAVE_OUT,
}
