"""Routes and their policies: every route declares who may use it, or the application does not start."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from werkzeug.routing import IntegerConverter, Map, Rule

from gigacore.context import Actor
from gigacore.errors import ConfigurationError, NotFound, Unauthenticated
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.auth import current
from host_app.context import SAFE_METHODS, host
from host_app.csrf import check_csrf

View = Callable[..., ResponseReturnValue]
V = TypeVar("V", bound=View)
Check = Callable[[Actor, Mapping[str, Any]], None]

MOST_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may use a route.

    `check(actor, view arguments)` raises Forbidden or NotFound; `anonymous` admits visitors who are not signed in.
    """

    name: str
    check: Check | None = None
    anonymous: bool = False


signed_in: Final = Policy("signed in")


class RecordNumber(IntegerConverter):
    """`<int:id>` in a rule: a number that a key can be; a larger one is an address that nothing has."""

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int | None = MOST_NUMBER) -> None:
        super().__init__(map, fixed_digits, min, max)


class LateRule(Rule):
    """A rule whose functions that write addresses, which Werkzeug compiles, are made at their first use.

    For all rules together that takes a twentieth of the start, and most are never asked.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(super(LateRule, self)._compile_builder(append_unknown))
            return made[0](rule, **values)

        return build


def route(
    app: Flask,
    rule: str,
    *,
    policy: Policy,
    methods: Iterable[str] = ("GET",),
    endpoint: str | None = None,
    csrf: bool = True,
    body: int | None = None,
) -> Callable[[V], V]:
    """Declare a view with its policy; the decorated function itself stays as it is.

    The endpoint is the module's and the function's name (`pages_list_show` for `host_app.pages.list.show`) unless
    given. `csrf=False` is for inbound calls that carry their own proof, such as a signature. `body` is the most bytes
    that a form with files may have: it holds before the form's token is read from it.
    """

    def declare(view: V) -> V:
        name = endpoint or f"{view.__module__.removeprefix('host_app.')}_{view.__name__}".replace(".", "_")
        guarded = _guard(view, policy, csrf, body)
        app.add_url_rule(rule, name, guarded, methods=list(methods), provide_automatic_options=False)
        host(app).policies[name] = policy
        return view

    return declare


def public_route(
    app: Flask,
    rule: str,
    *,
    reason: str,
    methods: Iterable[str] = ("GET",),
    endpoint: str | None = None,
    csrf: bool = True,
) -> Callable[[V], V]:
    """Declare a view for everybody, signed in or not; `reason` says why that is right."""
    policy = Policy(f"public: {reason}", anonymous=True)
    return route(app, rule, policy=policy, methods=methods, endpoint=endpoint, csrf=csrf)


def _guard(view: View, policy: Policy, csrf: bool, body: int | None) -> View:
    @functools.wraps(view)
    def guarded(**arguments: Any) -> ResponseReturnValue:
        with g.exit_stack:  # the reading sees the error that ends it: it records what was denied
            if not policy.anonymous and g.identity is None:
                raise Unauthenticated(msg("Please sign in."))
            if body is not None and request.mimetype == "multipart/form-data":  # files are streamed, other forms not
                request.max_content_length = body
            if csrf and request.method not in SAFE_METHODS:
                check_csrf(g.identity)
            if policy.check is not None:
                policy.check(current(), arguments)
            return view(**arguments)

    return guarded


def refuse_double_slashes(app: Flask) -> None:
    """Answer 404 for addresses that begin with two slashes, which would otherwise be read as one."""

    def check() -> None:
        if request.environ.get("PATH_INFO", "").startswith("//"):
            raise NotFound

    app.before_request(check)


def require_policies(app: Flask) -> None:
    """Stop the start if a route was added past `route`. Raises ConfigurationError."""
    declared = host(app).policies
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in declared:
            raise ConfigurationError(
                msg("Route {rule} declares no policy.", rule=rule.rule),
                fix=msg("Declare it with host_app.routing.route(..., policy=...) or public_route(..., reason=...)."),
            )
