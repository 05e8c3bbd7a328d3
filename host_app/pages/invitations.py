"""The page behind a one-time link, on which somebody chooses a password."""

from __future__ import annotations

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.access import invitations
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.context import current_crm, say
from host_app.one_time import CHOOSE
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.routing import public_route


def register(app: Flask) -> None:
    """Declare the routes."""
    public_route(app, CHOOSE, reason="the link is the proof")(show)
    public_route(app, CHOOSE, reason="the link is the proof", methods=["POST"])(choose)


def show(token: str) -> ResponseReturnValue:
    """The form, as long as the link is good."""
    return _page(_email(token))


def choose(token: str) -> ResponseReturnValue:
    """Keep the password; then the person signs in with it."""
    crm, password = current_crm(), request.form.get("password", "")
    with crm.database.connect() as connection:
        actor, email = invitations.invited(connection, token, crm.clock.now())
    if password != request.form.get("again", ""):
        return _page(email, say(msg("The two passwords differ.")), 422)
    try:
        with crm.unit_of_work(actor) as ctx:
            invitations.redeem(ctx, token, password)
    except Invalid as error:
        return _page(email, say(error.message), 422)
    note(say(msg("Your password is kept. Sign in with it.")))
    return redirect("/sign-in", 303)


def _email(token: str) -> str:
    crm = current_crm()
    with crm.database.connect() as connection:
        return invitations.invited(connection, token, crm.clock.now())[1]


def _page(email: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    return answer("choose_password.html", status, title=say(msg("Choose a password")), email=email, problem=problem)
