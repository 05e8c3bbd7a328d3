"""Who reads a page: language, formats, time, registry and rights of the request, found once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from flask import g

from gigacore import access
from gigacore.context import Actor, Context
from gigacore.entity import EntitySpec, FieldSpec, Registry
from gigacore.messages import Msg, Translate
from gigacore.text.formats import Formats
from host_app.context import current_crm, host


class Reader:
    """The reader of this request; satisfies `cells.Reading`."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.crm = current_crm()
        self.registry: Registry = self.crm.registry
        self.locale: str = g.locale
        self.translate: Translate = g.translate

    @cached_property
    def formats(self) -> Formats:
        """Dates, numbers and money in the reader's locale and time zone."""
        return host().catalogue.formats(self.locale, self.actor.timezone)

    @cached_property
    def now(self) -> dt.datetime:
        """The time of the request."""
        return self.crm.clock.now()

    @property
    def ctx(self) -> Context:
        """The request's reading."""
        found: Context = g.ctx
        return found

    def t(self, text: Msg | str) -> str:
        """`text` in the reader's language."""
        return text.render(self.translate) if isinstance(text, Msg) else self.translate(text)

    def may(self, verb: str, entity: str) -> bool:
        """Whether the reader may do `verb` with some record of `entity`."""
        return access.may(self.ctx, verb, entity)

    def readable(self, spec: EntitySpec) -> Sequence[FieldSpec]:
        """The fields that the reader may see; worked out once per set of rights."""
        rights = self.crm.guard.rights(self.ctx.session)
        by_rights: WeakKeyDictionary[Any, dict[str, Sequence[FieldSpec]]] = host().cache.setdefault(
            "readable", WeakKeyDictionary()
        )
        known = by_rights.setdefault(rights, {})
        if spec.name not in known:
            known[spec.name] = [one for one in spec.fields.values() if access.may_read(self.ctx, spec, one)]
        return known[spec.name]

    def writable(self, spec: EntitySpec) -> Sequence[FieldSpec]:
        """The fields that the reader may fill in."""
        return [
            field
            for field in spec.fields.values()
            if not field.readonly and access.may_write(self.ctx, spec, field.name)
        ]

    def may_write(self, spec: EntitySpec, field: FieldSpec) -> bool:
        """Whether the reader may fill in a field."""
        return access.may_write(self.ctx, spec, field)

    def entities(self, verb: str) -> list[EntitySpec]:
        """The entities with pages of which the reader may `verb` some record."""
        return [spec for spec in self.registry.entities.values() if not spec.hidden and self.may(verb, spec.name)]


def reader() -> Reader:
    """The reader of this request. Raises Unauthenticated on a public page without sign-in."""
    if "reader" not in g:
        from_request: Actor | None = g.actor
        if from_request is None:
            raise RuntimeError("This page is public and has no reader.")
        g.reader = Reader(from_request)
    found: Reader = g.reader
    return found
