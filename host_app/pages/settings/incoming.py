"""Web hooks in: sources with their secret and address, and the inbox of what they sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from gigacore import access, records
from gigacore.access import users
from gigacore.entity import FieldSpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid
from gigacore.messages import msg
from gigacore.records import labels_of
from gigacore.webhooks import Arrival, Source
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.one_time import base_url
from host_app.pages import plain_form
from host_app.pages.addresses import record_url, with_query
from host_app.pages.columns import label_of
from host_app.pages.forms import Option
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import route

LIST: Final = "/settings/incoming"
INBOX: Final = f"{LIST}/inbox"
TOOL: Final = "core.hook"
PAGE: Final = 50
FEWEST, MOST = 4, 40
INPUTS: Final = {"mapping.entity": "entity", "mapping.version": "version"}
STATES: Final = {
    "waiting": (msg("waiting"), "blue"),
    "done": (msg("done"), "green"),
    "failed": (msg("failed"), "red"),
}


def register(app: Flask) -> None:
    """Declare the routes."""
    policy = on_tool(TOOL, "edit")
    number = "<int:number>"
    route(app, LIST, policy=policy)(show)
    route(app, f"{LIST}/new", policy=policy)(new)
    route(app, f"{LIST}/new", policy=policy, methods=["POST"])(create)
    route(app, f"{LIST}/{number}/remove", policy=policy, methods=["POST"])(remove)
    route(app, INBOX, policy=policy)(inbox)
    route(app, f"{INBOX}/{number}/again", policy=policy, methods=["POST"])(try_again)


def show() -> ResponseReturnValue:
    """The sources set up here."""
    return _list(reader())


def _list(who: Reader, secret: str = "", made: str = "") -> Response:
    with current_crm().read(current()) as ctx:
        found = who.crm.webhooks.sources(ctx)
        people = dict(users.names(ctx, active_only=False))
    rows = [_row(one, people, who) for one in found]
    return settings_page(
        "incoming.html", who, title=who.t(msg("Incoming web hooks")), rows=rows, secret=secret, made=made
    )  # fmt: skip


def _row(one: Source, people: Mapping[int, str], who: Reader) -> dict[str, Any]:
    spec = who.registry.entities.get(str(one.mapping.get("entity", "")))
    becomes = (
        who.t(spec.label) if spec else str(one.mapping.get("entity", "")) or who.t(msg("an event for automations"))
    )
    return {
        "id": one.id, "name": one.name, "key": one.key, "url": address(one.key), "becomes": becomes,
        "by": people.get(one.user_id, ""),
        "values": [(name, str(value)) for name, value in one.mapping.get("values", {}).items()],
        "match": ", ".join(one.mapping.get("match", ())), "version": one.mapping.get("version", ""),
    }  # fmt: skip


def address(key: str) -> str:
    """Where the other system sends its messages."""
    return f"{base_url()}/hooks/in/{key}"


def _fields(who: Reader) -> list[FieldSpec]:
    entities = tuple(sorted(((one.name, who.t(one.label)) for one in who.entities("create")), key=lambda one: one[1]))
    schemes = (
        ("standard", who.t(msg("Standard Webhooks"))),
        ("hmac_sha256", who.t(msg("HMAC-SHA256 of the body in a header"))),
    )
    key_help = msg("Part of the address: lower-case letters, digits and underscores.").text
    header_help = msg("Only for HMAC-SHA256, for example x-hub-signature-256.").text
    entity_help = msg("Empty: the message becomes an event that automations may listen to.").text
    secret_help = msg("Empty: one is made for you.").text
    version_help = msg(
        "Where a message says how new it is: a number or a time, for example body.updated_at. A message that comes "
        "late changes nothing. Empty: by the time that is signed."
    ).text
    return [
        FieldSpec("name", "text", label="Name", required=True, max_length=200),
        FieldSpec("key", "text", label="Key", required=True, max_length=40, help=key_help),
        FieldSpec("scheme", "enum", label="Signature", required=True, choices=schemes),
        FieldSpec("header", "text", label="Header of the signature", max_length=80, help=header_help),
        FieldSpec("secret", "text", label="Secret", max_length=200, help=secret_help),
        FieldSpec("entity", "enum", label="Becomes a record of", choices=entities, help=entity_help),
        FieldSpec("version", "text", label="Version of a message", max_length=200, help=version_help),
    ]


def new() -> ResponseReturnValue:
    """The form of a new source."""
    return _form(reader(), Raw({"scheme": ["standard"]}))


def create() -> ResponseReturnValue:
    """Set the source up; `_rows` only shows more rows for the fields of the chosen entity."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if "_rows" in request.form or again(raw):
        return _form(who, raw)
    try:
        data = plain_form.typed(_fields(who), raw, who)
        given = {name: data[name] or "" for name in ("key", "name", "scheme", "header", "secret")}
        mapping = _mapping(data["entity"], data["version"], raw)
        with current_crm().unit_of_work(current(), source="page") as ctx:
            source, secret = who.crm.webhooks.add_source(ctx, mapping=mapping, **given)
    except (Invalid, Conflict, Forbidden) as error:
        return _form(who, raw, error)
    return _list(who, secret, source.key)


def _mapping(entity: str | None, version: str | None, raw: Raw) -> dict[str, Any]:
    if not entity:
        return {}
    rows = [row for row in _typed_rows(raw) if row[0]]
    return {
        "entity": entity, "values": {field: text for field, text, _match in rows},
        "match": [field for field, _text, match in rows if match], **({"version": version} if version else {}),
    }  # fmt: skip


def _typed_rows(raw: Raw) -> list[tuple[str, str, bool]]:
    found = []
    for place in range(MOST):
        if f"field.{place}" not in raw:
            break
        found.append((raw.text(f"field.{place}"), raw.text(f"value.{place}"), bool(raw.text(f"match.{place}"))))
    return found


def _form(who: Reader, raw: Raw, error: GigaError | None = None) -> ResponseReturnValue:
    wrong = {INPUTS.get(path, path): text for path, text in problems(error, who).items()}
    fields = _fields(who)
    known = {one.name for one in fields}
    told = dict.fromkeys(_told(path, text, who, raw) for path, text in wrong.items() if path not in known)
    return settings_page(
        "incoming_new.html", who, error.status if error else 200, title=who.t(msg("New incoming web hook")), home=LIST,
        crumb=who.t(msg("Incoming web hooks")), button=who.t(msg("Create")), trouble=list(told),
        inputs=plain_form.inputs(fields, raw, who, wrong),
        help=who.t(msg("Another system sends messages here; they act with your rights.")), rows=_rows(who, raw),
    )  # fmt: skip


def _told(path: str, text: str, who: Reader, raw: Raw) -> str:
    """A fault of the mapping with the field that it concerns."""
    name = path.rpartition(".")[2] if path.startswith("mapping.values.") else ""
    spec = who.registry.entities.get(raw.text("entity"))
    label = label_of(spec.fields[name], who) if spec and name in spec.fields else name
    return f"{label}{who.t(':')} {text}" if label else text


def _rows(who: Reader, raw: Raw) -> list[dict[str, Any]]:
    """The mapping's rows, a few empty ones at their end; none without an entity."""
    spec = who.registry.entities.get(raw.text("entity"))
    if spec is None:
        return []
    known = records.input_schema(who.registry, spec, partial=True).fields
    fields = [(one.name, label_of(one, who)) for one in who.writable(spec) if one.name in known]
    typed = [row for row in _typed_rows(raw) if row[0] in dict(fields)]
    empty = [("", "", False)] * min(FEWEST, MOST - len(typed))
    return [
        {
            "options": [Option(key, label, key == field) for key, label in fields], "value": text, "match": match,
            "place": place,
        }
        for place, (field, text, match) in enumerate([*typed, *empty])
    ]  # fmt: skip


def remove(number: int) -> ResponseReturnValue:
    """Remove a source; what arrived stays."""
    return do(lambda ctx: current_crm().webhooks.remove_source(ctx, number), LIST, msg("The source is gone."))


def inbox() -> ResponseReturnValue:
    """What arrived, newest first."""
    who = reader()
    state = request.args.get("state", "") if request.args.get("state") in STATES else ""
    before = request.args.get("before", type=int)
    found = who.crm.webhooks.inbox(who.ctx, state=state, before=before, limit=PAGE)
    more: list[tuple[str, object]] = [*([("state", state)] if state else []), ("before", found[-1].id if found else 0)]
    return settings_page(
        "inbox.html", who, title=who.t(msg("Inbox")), rows=[_arrival(one, who) for one in found],
        older=with_query(INBOX, more) if len(found) == PAGE else "", chips=_chips(state, who),
    )  # fmt: skip


def _chips(chosen: str, who: Reader) -> list[dict[str, Any]]:
    every = [("", msg("All"), ""), *((state, label, colour) for state, (label, colour) in STATES.items())]
    return [
        {"label": who.t(label), "url": f"{INBOX}?state={state}" if state else INBOX, "colour": colour,
         "current": state == chosen}
        for state, label, colour in every
    ]  # fmt: skip


def _arrival(one: Arrival, who: Reader) -> dict[str, Any]:
    label, colour = STATES[one.state]
    url, title = _record(one.result, who)
    return {
        "id": one.id, "source": one.account or one.source, "event": one.event_id, "state": who.t(label),
        "colour": colour, "error": _note(one, who),
        "at": who.formats.datetime(one.at), "url": url, "title": title,
        "may_try": one.state == "failed",
    }  # fmt: skip


def _note(one: Arrival, who: Reader) -> str:
    """Why a message failed, or why it changed nothing."""
    if one.error:
        return who.t(one.error)
    return who.t(msg("It came after a newer one, and changed nothing.")) if (one.result or {}).get("late") else ""


def _record(result: Mapping[str, Any] | None, who: Reader) -> tuple[str, str]:
    """Address and title of the record that a message became; empty when the reader may not see it."""
    spec = who.registry.entities.get(str((result or {}).get("entity", "")))
    if spec is None or result is None or not result["id"] or not access.may(who.ctx, "view", spec.name):
        return "", ""
    title = labels_of(who.ctx.session, spec.name, [result["id"]]).get(result["id"])
    return (record_url(spec, result["id"]), title) if title else ("", "")


def try_again(number: int) -> ResponseReturnValue:
    """Work on a message that failed once more."""
    done = msg("It is worked on again.")
    return do(lambda ctx: current_crm().webhooks.try_again(ctx, number), INBOX, done)
