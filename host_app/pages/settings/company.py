"""The own company's profile and the logo of the installation."""

from __future__ import annotations

from dataclasses import asdict
from typing import BinaryIO, Final, cast
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access, files
from gigacore.data import organisation, settings
from gigacore.errors import GigaError, Invalid, NotFound, TooLarge
from gigacore.files.tables import core_file
from gigacore.messages import msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm, host
from host_app.pages import plain_form
from host_app.pages.frame import branding
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import public_route, route

PATH: Final = "/settings/company"
LOGO: Final = "/brand/logo"
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
LARGEST: Final = 512 * 1024
INERT: Final = "default-src 'none'; sandbox"


def register(app: Flask) -> None:
    """Declare the routes."""
    edit = on_tool(organisation.TOOL, "edit")
    route(app, PATH, policy=on_tool(organisation.TOOL, "view"))(show)
    route(app, PATH, policy=edit, methods=["POST"])(save)
    route(app, "/settings/logo", policy=edit, methods=["POST"])(save_logo)
    public_route(app, LOGO, reason="the sign-in page shows it")(logo)


def show() -> ResponseReturnValue:
    """The profile."""
    who = reader()
    profile = organisation.read(who.ctx.session.connection(), who.actor.org_id)
    return _form(who, plain_form.filled(organisation.FIELDS, asdict(profile), who))


def save() -> ResponseReturnValue:
    """Keep the profile; documents and pages use it at once."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _form(who, raw)
    try:
        data = plain_form.typed(organisation.FIELDS, raw, who)
        with current_crm().unit_of_work(current()) as ctx:
            organisation.change(ctx, data)
    except Invalid as error:
        return _form(who, raw, error)
    note(who.t(msg("Saved.")))
    return redirect(PATH, 303)


def _form(who: Reader, raw: Raw, error: GigaError | None = None) -> ResponseReturnValue:
    wrong = problems(error, who)
    return settings_page(
        "form.html", who, 422 if error else 200, title=who.t(msg("Company profile")),
        help=who.t(msg("Quotes, invoices and messages print it.")), button=who.t(msg("Save")), home="/settings",
        inputs=plain_form.inputs(organisation.FIELDS, raw, who, wrong), trouble=[wrong[""]] if "" in wrong else [],
    )  # fmt: skip


def save_logo() -> ResponseReturnValue:
    """Keep the picture that was sent as the logo, or take the present one away."""
    home = "/settings/general"
    if request.form.get("do") == "remove":
        answer = do(lambda ctx: settings.put(ctx, organisation.LOGO, ""), home)
    else:
        answer = _store(home)
    host().cache.pop("branding", None)
    return answer


def _store(home: str) -> ResponseReturnValue:
    who, sent, crm = reader(), request.files.get("logo"), current_crm()
    if sent is None or not sent.filename:
        note(who.t(msg("Choose a picture first.")), kind="error")
        return redirect(home, 303)
    try:
        stored = crm.storage.write_stream(cast("BinaryIO", sent.stream), limit=LARGEST)
    except TooLarge:
        note(who.t(msg("The picture is larger than {size} KB.", size=LARGEST // 1024)), kind="error")
        return redirect(home, 303)
    try:
        with crm.unit_of_work(current()) as ctx:
            access.require(ctx, "edit", organisation.TOOL)
            found = files.register(ctx, stored, sent.filename)
            if found.mime not in IMAGES:
                raise Invalid(msg("A logo is a PNG, JPEG, WebP or GIF picture."))
            settings.put(ctx, organisation.LOGO, str(found.uid))
    except GigaError as error:
        crm.storage.delete(stored.object_id)
        note(who.t(error.message), kind="error")
    else:
        note(who.t(msg("Saved.")))
    return redirect(home, 303)


def logo() -> ResponseReturnValue:
    """The picture; its address changes with it, so browsers may keep it."""
    uid = branding().get("logo", "").rpartition("?")[2]
    if not uid:
        raise NotFound
    crm = current_crm()
    with crm.database.connect() as connection:
        wanted = sa.select(core_file.c.object_id, core_file.c.mime).where(core_file.c.uid == UUID(uid))
        row = connection.execute(wanted).first()
    if row is None:
        raise NotFound
    response = Response(b"".join(crm.storage.read_range(row.object_id)), content_type=row.mime)
    response.headers["Content-Security-Policy"] = INERT
    response.headers["Cache-Control"] = "public, max-age=86400" if request.query_string else "no-cache"
    return response
