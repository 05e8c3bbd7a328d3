"""Who reads a page: language, formats, time, registry and rights of the request, found once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from flask import g

from gigacore import access
from gigacore.context import Actor, Context
from gigacore.entity import EntitySpec, FieldSpec, Registry
from gigacore.messages import Msg, Translate
from gigacore.text.formats import Formats
from host_app.context import current_crm, host

T = TypeVar("T")


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

    @cached_property
    def _kept(self) -> dict[object, Any]:
        """What was worked out for the reader's rights, until these or the registry change."""
        by_rights: WeakKeyDictionary[Any, dict[object, Any]] = host().cache.setdefault("kept", WeakKeyDictionary())
        return by_rights.setdefault(self.crm.guard.rights(self.ctx.session), {})

    def kept(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """What `make` gives for these rights (and scopes of a token), made once."""
        # The rights may be newer than the registry from which a request took its entity.
        whole = (*key, self.actor.scopes, self.registry.generation)
        found = self._kept
        if whole not in found:
            found[whole] = make()
        kept: T = found[whole]
        return kept

    @property
    def closed_modules(self) -> frozenset[str]:
        """The plugins that are open to others only."""
        return self.crm.guard.rights(self.ctx.session).closed_modules

    def may(self, verb: str, entity: str) -> bool:
        """Whether the reader may do `verb` with some record of `entity`."""
        return access.may(self.ctx, verb, entity)

    def readable(self, spec: EntitySpec) -> Sequence[FieldSpec]:
        """The fields that the reader may see."""
        return self.kept(
            ("readable", spec.name), lambda: [f for f in spec.fields.values() if access.may_read(self.ctx, spec, f)]
        )

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
