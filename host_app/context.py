"""What one Flask application and one request carry; there is no module-level state."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from flask import Flask, current_app, g, has_request_context, request
from flask.ctx import _AppCtxGlobals
from werkzeug.datastructures import LanguageAccept

from gigacore.ids import uuid7
from gigacore.messages import Msg, Translate
from gigacore.values import dataclass
from host_app.meter import Meter

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gigacore import Crm
    from gigacore.access.sessions import WebSession
    from gigacore.context import Actor, Context
    from gigacore.settings import Settings
    from gigacore.text import Catalogue
    from host_app.live import Live
    from host_app.routing import Policy

EXTENSION: Final = "giga"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, and by which proof; CSRF tokens derive from `proof`, a secret of the session or the token."""

    actor: Actor
    by: Literal["session", "token"]
    proof: str
    session: WebSession | None = None


@dataclass(slots=True)
class Host:
    """The application's own state: the CRM, its settings, the policy of each endpoint, derived keys and caches.

    `restart` ends the process so that another one takes its place, None where nobody would start one.
    """

    crm: Crm
    settings: Settings
    csrf_key: bytes
    identify: Callable[[], Identity | None]
    catalogue: Catalogue
    live: Live
    policies: dict[str, Policy] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    restart: Callable[[], None] | None = None

    @property
    def secure(self) -> bool:
        """Whether the installation is reached over https."""
        return self.settings.public_url.startswith("https://")

    @property
    def cookie_name(self) -> str:
        """`__Host-giga` over https; browsers refuse that prefix on plain http."""
        return "__Host-giga" if self.secure else "giga"


def host(app: Flask | None = None) -> Host:
    """The state of `app`, or of the application that serves this request."""
    return cast(Host, (app or current_app).extensions[EXTENSION])


def current_crm() -> Crm:
    """The CRM behind this application."""
    return host().crm


class Globals(_AppCtxGlobals):
    """`flask.g`: who calls, in which language, and a reading that opens on first use and closes with the request.

    Who calls is found out on first use, so that a public route (a style sheet) costs no statement.
    """

    def __init__(self) -> None:
        self.begun = time.perf_counter()

    @cached_property
    def request_id(self) -> str:
        """What logs, audit, events, jobs and web hooks name this request by: the caller's X-Request-ID, or a new id."""
        given = request.headers.get("X-Request-ID", "")
        return given if REQUEST_ID.fullmatch(given) else uuid7().hex

    @cached_property
    def identity(self) -> Identity | None:
        """Who calls. Raises Unauthenticated for a bad bearer token."""
        return host().identify()

    @property
    def known_identity(self) -> Identity | None:
        """Who calls, as far as this request has asked already."""
        return cast("Identity | None", self.get("identity"))

    @property
    def actor(self) -> Actor | None:
        """Who acts, or None."""
        return self.identity.actor if self.identity else None

    @cached_property
    def exit_stack(self) -> ExitStack:
        """What must be closed when the request ends."""
        return ExitStack()

    @cached_property
    def connection(self) -> Connection:
        """What the request reads by: first who calls, then all the rest."""
        return self.exit_stack.enter_context(current_crm().database.connect())

    @cached_property
    def ctx(self) -> Context:
        """The request's reading, bound to the caller."""
        if self.actor is None:
            raise RuntimeError("A reading needs a caller, and this route is public.")
        return self.exit_stack.enter_context(current_crm().read(self.actor, on=self.connection))

    @property
    def locale(self) -> str:
        """The reader's language: the user's own once it is known who calls, else the browser's, else English."""
        if self.known_identity is not None:
            return self.known_identity.actor.locale
        return best_locale(host().catalogue, request.accept_languages)

    @property
    def translate(self) -> Translate:
        """The translator into the reader's language."""
        return host().catalogue.translator(self.locale)


def best_locale(catalogue: Catalogue, accepted: LanguageAccept) -> str:
    """The language of the catalogue that a browser likes best, else English."""
    return accepted.best_match(catalogue.locales, default="en")


def correlation() -> str | None:
    """The correlation id of a transaction in this request: the request's id, and a part of its own.

    A caller may send one X-Request-ID many times, and a rule runs once per correlation: the own part keeps them apart.
    """
    return f"{g.request_id}.{uuid7().hex[-12:]}" if has_request_context() else None


def give_back(_error: BaseException | None = None) -> None:
    """Close what the request has open still: an address that nothing has was read for outside any view."""
    if "exit_stack" in g:
        g.exit_stack.close()


def look_again() -> None:
    """End the request's reading, so that the next look sees what this request has written."""
    g.exit_stack.close()
    for name in ("ctx", "connection"):
        g.pop(name, None)


def say(text: Msg | str) -> str:
    """`text` in the reader's language."""
    translate: Translate = g.translate
    return text.render(translate) if isinstance(text, Msg) else translate(text)
