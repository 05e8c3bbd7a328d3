"""Cross-site request forgery: each state change by cookie carries a token that another site cannot know."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from flask import Response, g, request

from gigacore.errors import Forbidden
from gigacore.messages import msg
from host_app.context import Identity, host

HEADER: Final = "X-CSRFToken"
FORM_FIELD: Final = "csrf_token"


class BadToken(Forbidden):
    """The form is too old or came from another site."""

    code = "csrf"


def visitor_cookie() -> str:
    """The cookie of a visitor's mark; over https no other host of the domain can set it."""
    return "__Host-giga-visitor" if host().secure else "giga_visitor"


def csrf_token() -> str:
    """The token for forms of this page (field `csrf_token`) and for scripts (header `X-CSRFToken`)."""
    identity: Identity | None = g.identity
    proof = identity.proof if identity else _visitor()
    if g.get("csrf_proof") != proof:
        g.csrf_proof, g.csrf_token = proof, _derive(proof)
    return str(g.csrf_token)


def _visitor() -> str:
    """The random mark of a visitor who is not signed in; `remember_visitor` sends a new one as a cookie."""
    if "visitor" not in g:
        g.visitor = request.cookies.get(visitor_cookie()) or secrets.token_urlsafe(24)
    return str(g.visitor)


def remember_visitor(response: Response) -> None:
    """Set the visitor's cookie if this answer holds a form that needs it."""
    visitor = g.get("visitor")
    if visitor and request.cookies.get(visitor_cookie()) != visitor:
        response.set_cookie(visitor_cookie(), visitor, httponly=True, samesite="Lax", secure=host().secure, path="/")


def check_csrf(identity: Identity | None) -> None:
    """Refuse a state change whose cookie may have been sent by another site. Raises Forbidden."""
    if identity is not None and identity.by == "token":
        return  # a bearer token is never attached by the browser on its own
    proof = identity.proof if identity else request.cookies.get(visitor_cookie(), "")
    sent = request.headers.get(HEADER) or request.form.get(FORM_FIELD, "")
    if not proof or not hmac.compare_digest(_derive(proof).encode(), sent.encode("utf-8", "replace")):
        raise BadToken(
            msg("This form is too old or came from another site."), fix=msg("Reload the page and send it again.")
        )


def _derive(proof: str) -> str:
    return hmac.new(host().csrf_key, proof.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
