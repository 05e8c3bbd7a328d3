"""One record as its reader sees it: the values, and why something cannot be done with it. Every part starts here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass  # noqa: TID251 - cached properties need more than slots
from functools import cached_property
from typing import Any, Final

from markupsafe import Markup

from gigacore import access, records
from gigacore.entity import ChildSpec, Entity, EntitySpec, FieldSpec
from host_app.api.policies import entity_at
from host_app.context import look_again
from host_app.pages.addresses import record_url
from host_app.pages.cells import drawer
from host_app.pages.columns import value_of
from host_app.pages.form import with_labels
from host_app.pages.forms import row_fields
from host_app.pages.raw import NO_INPUT
from host_app.pages.reader import Reader, reader

RULE: Final = "/<plugin>/<plural>/<int:record_id>"
VERBS: Final = ("edit", "delete", "assign", "share")
OWNERSHIP: Final = frozenset({"owner_id", "team_id"})


@dataclass(frozen=True)
class RecordView:
    """A record on its way into a page."""

    spec: EntitySpec
    record: Entity
    item: Mapping[str, Any]
    who: Reader

    @property
    def record_id(self) -> int:
        """Its number."""
        number: int = self.item["id"]
        return number

    @property
    def path(self) -> str:
        """The address of its page."""
        return record_url(self.spec, self.record_id)

    @cached_property
    def rights(self) -> frozenset[str]:
        """What the reader's rights reach, whether or not a rule keeps the record as it is."""
        return access.allowed(self.who.ctx, self.spec.name, self.record, VERBS)

    @cached_property
    def lock(self) -> str:
        """Why a rule keeps the record as it is; empty while it may change."""
        found = records.lock_of(self.who.ctx, self.spec.name, self.record)
        return self.who.t(found) if found else ""

    def refusal(self, verb: str) -> str:
        """Why the reader cannot do that with this record now; empty when it is possible."""
        if verb not in self.rights:
            return self.who.t(access.why_not(self.who.ctx, self.spec.name, verb).message)
        return self.lock

    @property
    def may_edit(self) -> bool:
        """Whether the reader may change it now."""
        return "edit" in self.rights and not self.lock

    def may_change(self, field: FieldSpec) -> bool:
        """Whether the reader may change a field now: ownership is assigned, visibility shared, the rest edited."""
        if field.readonly or field.computed or field.kind in NO_INPUT or not self.who.may_write(self.spec, field):
            return False
        verb = "assign" if field.name in OWNERSHIP else "share" if field.name == "visibility" else "edit"
        return verb in self.rights and not self.lock

    def may_change_rows(self, child: ChildSpec) -> bool:
        """Whether the reader may change child rows of it now."""
        writable = records.writable_fields(self.who.ctx.session, self.spec)
        return self.may_edit and bool(row_fields(child)) and (writable is None or child.name in writable)

    def drawn(self, name: str, *, short: bool = True) -> Markup:
        """The drawn value of a field; empty where the record has none or the reader may not see it."""
        field, value = self.spec.fields.get(name), value_of(self.item, name)
        if field is None or value is None or value in ("", []):
            return Markup()
        return Markup(drawer(field, self.who, short=short)(value))  # noqa: S704 - drawers escape what they are given


def seen_again(view: RecordView) -> RecordView:
    """The same record as it stands after this request has written."""
    look_again()
    return view_of(view.spec.plugin, view.spec.plural, view.record_id)


def view_of(plugin: str, plural: str, record_id: int) -> RecordView:
    """The record at an address. Raises NotFound when it is unknown or hidden."""
    spec, who = entity_at(plugin, plural), reader()
    item = with_labels(spec, records.get(who.ctx, spec.name, record_id), who)
    return RecordView(spec, records.load(who.ctx, spec.name, record_id), item, who)
