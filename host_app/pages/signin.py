"""Signing in and out; what was typed when a session had ended is carried over."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote

from flask import Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.errors import RateLimited, Unauthenticated
from gigacore.messages import msg
from host_app import auth
from host_app.context import say
from host_app.csrf import FORM_FIELD
from host_app.pages import uploaded
from host_app.pages.addresses import is_local
from host_app.pages.form import AGAIN
from host_app.pages.frame import page as answer
from host_app.routing import public_route

PATH: Final = "/sign-in"
_SETTINGS: Final = (
    "choices_change", "company_save", "currencies_add", "currencies_state_rate", "custom_fields_change",
    "custom_fields_define", "incoming_create", "pipelines_change_pipelines", "pipelines_change_stages",
    "plugins_admit", "roles_change", "roles_create", "roles_rename", "schedules_save", "teams_change", "teams_create",
    "templates_change", "templates_create", "users_change", "users_create", "values_save_general",
    "values_save_of_plugin", "webhooks_create",
)  # fmt: skip
_OTHERS: Final = ("form_create", "form_change", "automations_building_build", "automations_building_build_new")
FORMS: Final = frozenset({*(f"pages_{one}" for one in _OTHERS), *(f"pages_settings_{one}" for one in _SETTINGS)})


def register(app: Flask) -> None:
    """Declare the routes."""
    public_route(app, PATH, reason="nobody is signed in yet")(show)
    public_route(app, PATH, reason="nobody is signed in yet", methods=["POST"])(sign_in)
    public_route(app, "/sign-out", reason="a session may have ended already", methods=["POST"])(sign_out)


def show() -> ResponseReturnValue:
    """The page; who is signed in already goes on."""
    target = _target(request.args.get("next", ""))
    if g.actor is not None:
        return redirect(target, 303)
    return _page(target)


def sign_in() -> ResponseReturnValue:
    """Check e-mail and password; go where the reader wanted to go, with what was typed there."""
    target, typed = _target(request.form.get("next", "")), request.form.get("typed", "")
    try:
        raw = auth.sign_in(request.form.get("email", "").strip(), request.form.get("password", ""))
    except (Unauthenticated, RateLimited) as error:
        return _page(target, typed, say(error.message), error.status)
    if not typed:
        response: ResponseReturnValue = redirect(target, 303)
    else:
        auth.adopt(raw)
        response = resume(target, json.loads(typed))
    auth.keep_cookie(response, raw)  # type: ignore[arg-type]  # redirect() answers with werkzeug's base class
    return response


def sign_out() -> ResponseReturnValue:
    """End the session."""
    if g.identity is not None:
        auth.sign_out()
    response = redirect(PATH, 303)
    auth.drop_cookie(response)  # type: ignore[arg-type]  # see sign_in
    return response


def _target(path: str) -> str:
    return path if is_local(path) and not path.startswith(PATH) else "/"


def _page(target: str, typed: str = "", problem: str = "", status: int = 200) -> Response:
    return answer(
        "sign_in.html", status, title=say(msg("Sign in")), next=target, typed=typed, problem=problem,
        email=request.form.get("email", ""), demo=g.get("demo", ""),
    )  # fmt: skip


def signed_out() -> Response:
    """What a page answers to a visitor who is not signed in: the sign-in page, keeping what a form had sent."""
    if request.method in ("GET", "HEAD"):
        target = request.full_path.rstrip("?")
        onward = f"?next={quote(target, safe='/')}" if target != "/" else ""
        return redirect(f"{PATH}{onward}", 303)  # type: ignore[return-value]
    if request.endpoint not in FORMS:
        return _page("/", "", say(msg("You had been signed out. Nothing was changed.")), 401)
    told = say(msg("You had been signed out. Sign in again: what you typed is kept."))
    return _page(request.full_path.rstrip("?"), json.dumps(_typed()), told, 401)


def _typed() -> dict[str, list[str]]:
    """What a form sent; of its files, which nobody may store now, the names."""
    sent = request.form.to_dict(flat=False) | uploaded.lost()
    return {name: texts for name, texts in sent.items() if name != FORM_FIELD}


def resumable() -> bool:
    """Whether the request came from a form that can be shown again with what was typed."""
    return request.method == "POST" and request.endpoint in FORMS


def resume(target: str, typed: dict[str, list[str]] | None = None) -> Response:
    """A page that leads back to a form with what was typed; it saves nothing."""
    pairs = [(name, text) for name, texts in (typed or _typed()).items() for text in texts if name != AGAIN]
    return answer("resume.html", title=say(msg("Back to your form")), target=target, pairs=[*pairs, (AGAIN, "1")])
