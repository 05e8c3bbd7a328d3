"""Custom fields: which there are on each entity; define, change, hide, bring back, erase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access, customfields
from gigacore.customfields import KINDS_OFFERED, Definition
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins.configuration import FieldChange, FieldRemoval
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.answers import parts
from host_app.pages.frame import is_partial, part
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings import formulas
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.asking import asked, asked_if_lost
from host_app.pages.settings.defaults import NO_DEFAULT, shown_default, typed_default
from host_app.pages.settings.doing import again, do
from host_app.routing import route

TOOL: Final = "core.custom_field"
LIST: Final = "/settings/fields"
NEW: Final = f"{LIST}/<entity>/new"
ONE: Final = f"{LIST}/<entity>/<key>"
KIND_LABELS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "text": msg("Text"), "longtext": msg("Long text"), "integer": msg("Whole number"), "decimal": msg("Decimal"),
        "money": msg("Money"), "date": msg("Date"), "datetime": msg("Date and time"), "choice": msg("List"),
        "choices": msg("Multiple list"), "boolean": msg("Checkbox"), "url": msg("Web address"),
        "email": msg("E-mail"), "phone": msg("Phone"), "ref": msg("Link to another record"),
        "file": msg("File"), formulas.KIND: msg("Formula"),
    }
)  # fmt: skip
LABEL: Final = FieldSpec("label", "text", label="Name", required=True, max_length=120)
FRENCH: Final = FieldSpec("label_fr", "text", label="Name in French", max_length=120)
KIND: Final = FieldSpec("kind", "enum", label="Kind", required=True, default="text")
TARGET: Final = FieldSpec("target", "enum", label="Links to", help="Only for links.")
CHOICES: Final = FieldSpec("choices", "longtext", label="Values", help="Only for lists: one value per line.")
DEFAULT: Final = FieldSpec(
    "default", "text", label="Default", max_length=300, help="As one would type it; several values with commas."
)
HELP: Final = FieldSpec("help", "text", label="Help under the field", max_length=300)
FLAGS: Final = (
    FieldSpec("required", "boolean", label="Required"),
    FieldSpec("unique", "boolean", label="Each value only once"),
    FieldSpec("indexed", "boolean", label="Fast to filter and sort by"),
    FieldSpec("listed", "boolean", label="Shown in the list"),
)


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    route(app, NEW, policy=on_tool(TOOL, "edit"))(new)
    route(app, NEW, policy=on_tool(TOOL, "edit"), methods=["POST"])(define)
    route(app, ONE, policy=on_tool(TOOL, "edit"))(edit)
    route(app, ONE, policy=on_tool(TOOL, "edit"), methods=["POST"])(change)
    route(app, f"{ONE}/state", policy=on_tool(TOOL, "edit"), methods=["POST"])(state)
    route(app, f"{LIST}/<entity>/try", policy=on_tool(TOOL, "edit"), methods=["POST"])(attempt)
    route(app, f"{LIST}/<entity>/order", policy=on_tool(TOOL, "edit"), methods=["POST"])(order)


def show() -> ResponseReturnValue:
    """The fields of every entity."""
    who = reader()
    found: dict[str, list[Definition]] = {}
    for definition in customfields.read_definitions(who.ctx.session.connection()):
        found.setdefault(definition.entity, []).append(definition)
    kinds = {kind: who.t(label) for kind, label in KIND_LABELS.items()}
    faults = {(one.entity, one.key): who.t(fault) for one in chain(*found.values())
              if (fault := customfields.fault_of(one, who.registry))}  # fmt: skip
    groups = [(spec.name, who.t(spec.label_plural), found.get(spec.name, [])) for spec in who.entities("view")]
    may_edit = access.may(who.ctx, "edit", TOOL)
    return settings_page(
        "fields.html",
        who,
        title=who.t(msg("Custom fields")),
        groups=groups,
        kinds=kinds,
        may_edit=may_edit,
        faults=faults,
    )


def _fields(who: Reader, *, present: Definition | None = None) -> list[FieldSpec]:
    """The inputs of the form; kind and target of a present field never change."""
    if present is not None and present.formula:
        return [LABEL, FRENCH, formulas.FORMULA, HELP, *(flag for flag in FLAGS if flag.name in ("indexed", "listed"))]
    kinds = tuple((kind, str(KIND_LABELS[kind])) for kind in (*KINDS_OFFERED, formulas.KIND) if kind in KIND_LABELS)
    targets = (*((spec.name, spec.label) for spec in who.entities("view")), ("core.user", "User"))
    fixed = [] if present else [replace(KIND, choices=kinds), replace(TARGET, choices=targets)]
    listed = [CHOICES] if present is None or present.kind in ("choice", "choices") else []
    default = [] if present and present.kind in NO_DEFAULT else [DEFAULT]
    computed = [] if present else [formulas.RESULT, formulas.FORMULA]
    return [LABEL, FRENCH, *fixed, *listed, *computed, *default, HELP, *FLAGS]


def new(entity: str) -> ResponseReturnValue:
    """The form of a new field."""
    who = reader()
    return _form(who, who.registry.entity(entity), Raw({"kind": ["text"]}))


def define(entity: str) -> ResponseReturnValue:
    """Add the field; it is there at once."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    spec = who.registry.entity(entity)
    if again(raw):
        return _form(who, spec, raw)
    try:
        data = _data(plain_form.typed(_fields(who), raw, who), who)
        with current_crm().unit_of_work(current()) as ctx:
            made = customfields.define(ctx, {"entity": spec.name, **data})
    except (Invalid, Conflict) as error:
        return _form(who, spec, raw, error=error)
    current_crm().refresh()
    note(who.t(msg("The field “{label}” was added.", label=made.label)))
    return redirect(LIST, 303)


def edit(entity: str, key: str) -> ResponseReturnValue:
    """The form of a present field."""
    who = reader()
    present = customfields.find(who.ctx, entity, key)
    values = {"label": present.label, "label_fr": present.labels.get("fr"), "help": present.help}
    values |= {flag.name: getattr(present, flag.name) for flag in FLAGS}
    values["choices"] = "\n".join(choice.label for choice in present.choices if choice.active)
    values["default"] = shown_default(present)
    values["formula"] = present.formula
    raw = plain_form.filled(_fields(who, present=present), values, who)
    return _form(who, who.registry.entity(entity), raw, present)


def change(entity: str, key: str) -> ResponseReturnValue:
    """Change the field."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    present = customfields.find(who.ctx, entity, key)
    if again(raw):
        return _form(who, who.registry.entity(entity), raw, present)
    try:
        data = _data(plain_form.typed(_fields(who, present=present), raw, who), who, present)
        wish, title = FieldChange(entity, key, data), msg("Change the field “{label}”?", label=present.label)
        if (page := asked_if_lost(wish, title, msg("Save"), f"{LIST}/{entity}/{key}")) is not None:
            return page
        with current_crm().unit_of_work(current()) as ctx:
            customfields.change(ctx, entity, key, data)
    except (Invalid, Conflict) as error:
        return _form(who, who.registry.entity(entity), raw, present, error)
    current_crm().refresh()
    note(who.t(msg("Saved.")))
    return redirect(LIST, 303)


def state(entity: str, key: str) -> ResponseReturnValue:
    """Hide a field, bring it back, or erase it with all its values; what would go is shown and asked for first."""
    who, wish = reader(), request.values.get("wish", "")
    if wish != "show" and (page := _ask_to_remove(entity, key, purge=wish == "purge")) is not None:
        return page
    with current_crm().unit_of_work(current()) as ctx:
        if wish == "show":
            customfields.change(ctx, entity, key, {"active": True})
        else:
            customfields.remove(ctx, entity, key, purge=wish == "purge")
    current_crm().refresh()
    undo = f"{LIST}/{entity}/{key}/state?wish=show" if wish == "hide" else ""
    texts = {"show": msg("The field is back."), "purge": msg("The field and its values are gone.")}
    note(who.t(texts.get(wish, msg("The field is hidden; its values are kept."))), undo=undo)
    return redirect(LIST, 303)


def _ask_to_remove(entity: str, key: str, *, purge: bool) -> ResponseReturnValue | None:
    label = customfields.find(reader().ctx, entity, key).label
    if purge:
        title = msg("Erase the field “{label}” for good?", label=label)
        return asked(FieldRemoval(entity, key, purge=True), title, msg("Erase the field and its values"), LIST)
    return asked(FieldRemoval(entity, key), msg("Hide the field “{label}”?", label=label), msg("Hide"), LIST)


def order(entity: str) -> ResponseReturnValue:
    """Put the fields of an entity into the order of the page, or move one by a place."""
    keys, moved = request.form.getlist("keys"), request.form.get("key", "")
    if moved:
        known = customfields.read_definitions(reader().ctx.session.connection(), entity)
        keys = [definition.key for definition in known]
        if moved not in keys:
            raise NotFound
        at = keys.index(moved)
        keys.insert(max(0, at + (-1 if request.form.get("do") == "up" else 1)), keys.pop(at))
    return do(lambda ctx: customfields.arrange(ctx, entity, keys), f"{LIST}#g-{entity}")


def _data(typed: Mapping[str, Any], who: Reader, present: Definition | None = None) -> dict[str, Any]:
    """What was typed, as the definition of a field."""
    apart = ("label_fr", "choices", "result", "formula")
    data = {name: value for name, value in typed.items() if name not in apart and value is not None}
    data["labels"] = {"fr": typed["label_fr"]} if typed.get("label_fr") else {}
    kind = present.kind if present else typed.get("kind")
    if kind == formulas.KIND or (present and present.formula):
        return _formula(data, typed, present)
    if kind in ("choice", "choices"):
        known = {choice.label: choice.key for choice in present.choices} if present else {}
        labels = [line.strip() for line in (typed.get("choices") or "").splitlines() if line.strip()]
        data["choices"] = [{"label": label, **({"key": known[label]} if label in known else {})} for label in labels]
    if kind != "ref":
        data.pop("target", None)
    data.pop("default", None)
    if "default" in typed and kind not in NO_DEFAULT:
        data["default"] = typed_default(typed["default"] or "", str(kind), data.get("choices", ()), who)
    return data


def _formula(data: dict[str, Any], typed: Mapping[str, Any], present: Definition | None) -> dict[str, Any]:
    """A formula takes its kind from its result, and no value from anywhere else."""
    if not typed.get("formula"):
        raise Invalid.of("formula", msg("This is required."), "required")
    kind = {} if present else {"kind": typed.get("result") or "decimal"}
    others = {name: value for name, value in data.items() if name not in ("target", "default")}
    return {**others, **kind, "formula": typed["formula"]}


def attempt(entity: str) -> ResponseReturnValue:
    """What the formula that is typed gives for a record; without scripts in the form as it was typed."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    spec = who.registry.entity(entity)
    present = customfields.find(who.ctx, entity, raw.text("_key")) if raw.text("_key") else None
    if not is_partial():
        return _form(who, spec, raw, present)
    return parts([part("formula_trial", trial=formulas.tried(spec, raw, present, who))])


def _form(
    who: Reader,
    spec: EntitySpec,
    raw: Raw,
    present: Definition | None = None,
    error: Invalid | Conflict | None = None,
) -> ResponseReturnValue:
    problems = plain_form.problems_of(error, who) if isinstance(error, Invalid) else {}
    inputs = plain_form.inputs(_fields(who, present=present), raw, who, problems)
    known = {made.name for made in inputs}
    trouble = [text for name, text in problems.items() if name not in known]
    if error is not None and not problems:
        trouble.append(who.t(error.message))
    label = who.t(spec.label_plural)
    title = msg("Edit the field “{name}”", name=present.label) if present else msg("New field: {things}", things=label)
    return settings_page(
        "custom_field.html", who, error.status if error else 200, title=who.t(title), inputs=inputs, home=LIST,
        trouble=trouble,
        button=who.t(msg("Save")) if present else who.t(msg("Add field")),
        trial=formulas.tried(spec, raw, present, who),
        **({} if present and not present.formula else formulas.around(spec, raw, present, who)),
    )  # fmt: skip
