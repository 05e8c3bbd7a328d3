"""Templates of mails and other texts, per language: edited with a preview on a record, faults told by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.context import Context
from gigacore.entity import FieldSpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid, NotFound
from gigacore.messages import msg
from gigacore.text import stored
from gigacore.text.stored import Template
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm, host
from host_app.pages import plain_form
from host_app.pages.columns import label_of
from host_app.pages.forms import Input
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems, told
from host_app.routing import route

LIST: Final = "/settings/templates"
ONE: Final = f"{LIST}/<int:number>"
LANGUAGES: Final = {"en": "English", "fr": "Français"}
RECORD: Final = FieldSpec("record", "ref", label="Preview with")


def register(app: Flask) -> None:
    """Declare the routes."""
    policy = on_tool(stored.TOOL, "edit")
    route(app, LIST, policy=policy)(show)
    route(app, f"{LIST}/new", policy=policy)(new)
    route(app, f"{LIST}/new", policy=policy, methods=["POST"])(create)
    route(app, f"{LIST}/preview", policy=policy, methods=["POST"])(preview)
    route(app, f"{LIST}/around", policy=policy, methods=["POST"])(around)
    route(app, ONE, policy=policy)(one)
    route(app, ONE, policy=policy, methods=["POST"])(change)
    route(app, f"{ONE}/remove", policy=policy, methods=["POST"])(remove)


def show() -> ResponseReturnValue:
    """Every template with the languages that it has and those that it lacks."""
    who = reader()
    groups: dict[tuple[str, str], list[Template]] = {}
    for found in stored.listing(who.ctx):
        groups.setdefault((found.kind, found.key), []).append(found)
    rows = [_row(group, who) for group in groups.values()]
    return settings_page("templates.html", who, title=who.t(msg("Templates")), rows=rows)


def _row(group: Sequence[Template], who: Reader) -> dict[str, Any]:
    first, present = group[0], {found.language for found in group}
    spec = who.registry.entities.get(first.entity)
    return {
        "name": first.name, "key": first.key, "kind": dict(_kinds(who)).get(first.kind, first.kind),
        "entity": who.t(spec.label) if spec else first.entity, "from": first.id,
        "languages": [(found.id, LANGUAGES.get(found.language, found.language)) for found in group],
        "missing": [(code, LANGUAGES.get(code, code)) for code in _languages() if code not in present],
    }  # fmt: skip


def _kinds(who: Reader) -> list[tuple[str, str]]:
    return [(kind.name, who.t(kind.label)) for kind in who.crm.template_kinds]


def _languages() -> tuple[str, ...]:
    return host().catalogue.locales


def _fields(who: Reader, made: Template | None = None) -> list[FieldSpec]:
    entities = sorted(((one.name, who.t(one.label)) for one in who.entities("view")), key=lambda found: found[1])
    key_help = msg("By which automations and plugins name it: lower-case letters, digits and underscores.").text
    languages = tuple((code, LANGUAGES.get(code, code)) for code in _languages())
    fixed = [
        FieldSpec("kind", "enum", label="Kind", required=True, choices=tuple(_kinds(who))),
        FieldSpec("key", "text", label="Key", required=True, max_length=80, help=key_help),
        FieldSpec("language", "enum", label="Language", required=True, choices=languages),
    ]
    return [
        FieldSpec("name", "text", label="Name", required=True, max_length=200),
        *(fixed if made is None else []),
        FieldSpec("entity", "enum", label="Filled from", choices=tuple(entities)),
        FieldSpec("subject", "text", label="Subject", max_length=300),
        FieldSpec("body", "longtext", label="Text", required=True),
    ]


def new() -> ResponseReturnValue:
    """The form of a new template; `?from=7&language=fr` begins with the texts of another language."""
    who, source = reader(), request.args.get("from", type=int)
    if source is None:
        return _form(who, Raw({"kind": [stored.MAIL.name], "language": [who.locale]}))
    found = stored.load(who.ctx, source)
    raw = plain_form.filled(_fields(who), _values(found), who)
    raw["language"] = [request.args.get("language", "")]
    return _form(who, raw)


def _values(found: Template) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("kind", "key", "name", "language", "entity", "subject", "body")}


def create() -> ResponseReturnValue:
    """Add the template; one that is there in that language already is not written over."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _form(who, raw)
    try:
        data = plain_form.typed(_fields(who), raw, who)
        with current_crm().unit_of_work(current(), source="page") as ctx:
            found = _create(ctx, data)
    except (Invalid, Conflict, Forbidden) as error:
        return _form(who, raw, error=error)
    note(who.t(msg("Saved.")))
    return redirect(f"{LIST}/{found.id}", 303)


def _create(ctx: Context, data: dict[str, Any]) -> Template:
    same = (data["key"], data["language"])
    if any((one.key, one.language) == same for one in stored.listing(ctx, data["kind"])):
        raise Invalid.of("key", msg("There is a template with this key in this language already."))
    return stored.save(ctx, **_texts(data), version=0, kinds=current_crm().template_kinds)


def _texts(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value or "" for name, value in data.items()}


def one(number: int) -> ResponseReturnValue:
    """The editor of a template in one language."""
    who = reader()
    found = stored.load(who.ctx, number)
    raw = plain_form.filled(_fields(who, found), _values(found), who)
    raw["_version"] = [str(found.version)]
    return _form(who, raw, found)


def change(number: int) -> ResponseReturnValue:
    """Keep what was changed, unless somebody else changed it in the meantime."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    found = stored.load(who.ctx, number)
    if again(raw):
        return _form(who, raw, found)
    try:
        data = plain_form.typed(_fields(who, found), raw, who)
        version = int(raw.text("_version")) if raw.text("_version").isdecimal() else 0
        kept = {"kind": found.kind, "key": found.key, "language": found.language}
        with current_crm().unit_of_work(current(), source="page") as ctx:
            stored.save(ctx, **_texts(data), **kept, version=version, kinds=who.crm.template_kinds)
    except (Invalid, Conflict, Forbidden) as error:
        return _form(who, raw, found, error)
    note(who.t(msg("Saved.")))
    return redirect(f"{LIST}/{number}", 303)


def remove(number: int) -> ResponseReturnValue:
    """Delete one language of a template."""
    return do(lambda ctx: stored.delete(ctx, number), LIST, msg("The template is gone."))


def _form(who: Reader, raw: Raw, found: Template | None = None, error: GigaError | None = None) -> ResponseReturnValue:
    wrong, fields = problems(error, who), _fields(who, found)
    others = [each for each in stored.listing(who.ctx, found.kind) if each.key == found.key] if found else []
    return settings_page(
        "template.html", who, error.status if error else 200, title=found.name if found else who.t(msg("New template")),
        inputs=plain_form.inputs(fields, raw, who, wrong), home=LIST, crumb=who.t(msg("Templates")),
        trouble=[wrong[""]] if "" in wrong else [], button=who.t(msg("Save")), version=raw.text("_version"),
        row=_row(others, who) if others else None, number=found.id if found else 0,
        language=found.language if found else "", danger=f"{LIST}/{found.id}/remove" if found else "",
        danger_label=who.t(msg("Delete")), sure=who.t(msg("Delete this language of the template?")),
        **_around(who, raw),
    )  # fmt: skip


def _around(who: Reader, raw: Raw) -> dict[str, Any]:
    """The names that the text may use, and the input that chooses the record of the preview."""
    spec = who.registry.entities.get(raw.text("entity"))
    common = [("actor.name", who.t(msg("Who sends it"))), ("today | date", who.t(msg("Today")))]
    if spec is None or not who.may("view", spec.name):
        return {"names": common, "record": None}
    own = [(f"record.{field.name}", label_of(field, who)) for field in who.readable(spec)]
    kept = {name: raw[name] for name in ("record", "record.text", "record.was") if name in raw}
    picked: Input = plain_form.inputs([replace(RECORD, target=spec.name)], Raw(kept), who)[0]
    return {"names": [*own, *common], "record": picked}


def around() -> ResponseReturnValue:
    """The names and the picker anew, after another entity was chosen."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    raw.pop("record", None)
    return answer("settings/template_around.html", **_around(who, raw))


def preview() -> ResponseReturnValue:
    """What the texts that stand in the form become for the chosen record, or what is wrong with them."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    number = raw.text("record")
    draft = Template(
        0, raw.text("kind"), "", "", raw.text("entity"), raw.text("language") or who.locale, raw.text("subject"),
        raw.text("body"), 0, who.now,
    )  # fmt: skip
    try:
        kind = stored.kind_named(draft.kind or stored.MAIL.name, who.crm.template_kinds)
        entity, record = kind.entity or draft.entity, int(number) if number.isdecimal() else None
        subject, body = stored.rendered(who.ctx, draft, entity, record, html=kind.html)
    except NotFound:
        return answer("settings/template_preview.html", fault=who.t(msg("There is no such record.")))
    except (Invalid, Forbidden) as error:
        hint = not number and _names_a_record(error)
        return answer("settings/template_preview.html", fault=told(error, who), hint=hint)
    return answer("settings/template_preview.html", subject=subject, body=body)


def _names_a_record(error: GigaError) -> bool:
    """Whether a text fails only because it wants a record."""
    return isinstance(error, Invalid) and any(fault.code == "template_undefined" for fault in error.errors)
