"""The filter box and the column chooser of a list: loaded into a menu, or as pages of their own without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import views as saved
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.records import labels_of
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import filters, listing, views
from host_app.pages.addresses import list_url
from host_app.pages.cells import choices_of
from host_app.pages.columns import default_fields, label_of
from host_app.pages.filter_rows import Scope
from host_app.pages.filter_words import words_of
from host_app.pages.filters import ME, Condition
from host_app.pages.forms import Input, Option
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.listing import Listing
from host_app.pages.parts import columns_of_plugins
from host_app.pages.raw import raw_from
from host_app.pages.reader import Reader, reader
from host_app.routing import route

ICONS: Final = {
    "date": "calendar", "integer": "hash", "ref": "link", "choice": "list", "choices": "tags", "boolean": "check",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition of the list in words."""

    field: str
    op: str
    value: str
    edit: str
    remove: str
    whole: bool = False


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/<plugin>/<plural>/filter", policy=on_entity("view"))(filter_box)
    route(app, "/<plugin>/<plural>/columns", policy=on_entity("view"))(column_box)
    route(app, "/<plugin>/<plural>/columns", policy=on_entity("view"), methods=["POST"])(keep_columns)


def filter_box(plugin: str, plural: str) -> ResponseReturnValue:
    """Which field, then how to compare it; sent with `apply`, it leads to the filtered list."""
    spec, who = entity_at(plugin, plural), reader()
    readable = {field.name: field for field in filters.offered(spec, who.readable(spec))}
    args = request.args.copy()
    sent = raw_from({name: args.poplist(name) for name in ("field", "op", "value", "period", "index", "apply")})
    state = listing.read(spec, args)
    if not sent.text("apply"):
        return _ask(state, sent.text("field"), sent.text("index"), readable, who)
    try:
        return _go(listing.with_box(state, sent, readable, who.locale).url)
    except Invalid as error:
        problem = who.t(error.errors[0].message if error.errors else error.message)
        return _ask(state, sent.text("field"), sent.text("index"), readable, who, problem, sent.text("op"))


def _ask(
    state: Listing,
    name: str,
    index: str,
    readable: Mapping[str, FieldSpec],
    who: Reader,
    problem: str = "",
    op: str = "",
) -> Response:
    field = readable.get(name)
    template = "parts/filter_box.html" if is_partial() else "filter_page.html"
    values: dict[str, Any] = {"title": who.t(msg("Filter")), "path": list_url(state.spec), "problem": problem}
    if field is None:
        fields = [(f, label_of(f, who), ICONS.get(filters.family(f), "typography")) for f in readable.values()]
        return answer(
            template,
            advanced=state.box_url("builder"),
            fields=[(state.box_url("filter", field=f.name), text, icon) for f, text, icon in fields],
            **values,
        )
    at = int(index) if index.isdigit() and int(index) < len(state.filter.conditions) else None
    present = state.filter.conditions[at] if at is not None else Condition(name, op or filters.operators_of(field)[0])
    return answer(template, field=name, index=index, label=label_of(field, who), kept=state.kept(),
                  other=state.box_url("filter"), **_editor(field, present, who), **values)  # fmt: skip


def _editor(field: FieldSpec, present: Condition, who: Reader) -> dict[str, Any]:
    """The inputs of the box for one field, filled with the present condition."""
    family = filters.family(field)
    values = present.value if isinstance(present.value, list) else [present.value]
    period = present.value.get("period", "") if isinstance(present.value, dict) else ""
    texts = ["" if value is None or isinstance(value, dict) else str(value) for value in values]
    return {
        "family": family,
        "ops": [Option(op, who.t(filters.word_of(op, field)), op == present.op) for op in filters.operators_of(field)],
        "options": _options(field, set(texts), who),
        "texts": [*texts, "", ""][:2],
        "periods": [Option(key, who.t(text), key == period) for key, text in filters.PERIODS.items()],
        "picker": _picker(field, texts, who) if family == "ref" else None,
        "is_person": field.target == "core.user",
        "with_me": ME in texts,
    }


def _options(field: FieldSpec, chosen: set[str], who: Reader) -> list[Option]:
    if filters.family(field) == "boolean":
        return [Option("1", who.t(msg("Yes")), "True" in chosen), Option("0", who.t(msg("No")), "False" in chosen)]
    return [Option(key, label, key in chosen) for key, label, _colour, _active in choices_of(field, who)]


def _picker(field: FieldSpec, texts: list[str], who: Reader) -> Input:
    picked = next((text for text in texts if text.isdigit()), "")
    name = labels_of(who.ctx.session, field.target or "", [int(picked)]).get(int(picked), "") if picked else ""
    target = who.registry.entities.get(field.target or "")
    url = f"{list_url(target) if target else f'/pick/{field.target}'}/options"
    return Input("value", label_of(field, who), "pick", picked, extra={"url": url, "text": name, "was": name})


def chips(state: Listing, readable: Mapping[str, FieldSpec], who: Reader) -> list[Chip]:
    """The conditions of the list in words, each with the addresses that edit and remove it."""
    made = []
    for index, condition in enumerate(state.filter.conditions):
        field = readable.get(condition.field)
        base = readable.get(condition.field.partition(".")[0])
        words = (
            label_of(base, who) if base else condition.field,
            who.t(filters.OPERATORS[condition.op]),
            _plainly(condition, who),
        )
        if field is not None:
            words = filters.told(condition, field, _names(condition, field, who), who)
        edit = state.box_url("filter", field=condition.field, index=index)
        made.append(Chip(*words, edit=edit, remove=state.at(filter=state.filter.without(index)).url))
    if state.filter.rest is not None:
        remove = state.at(filter=state.filter.without(len(made))).url
        told = words_of(state.filter.rest, state.spec, Scope(who))
        made.append(Chip(told, "", "", state.box_url("builder"), remove, whole=True))
    return made


def _plainly(condition: Condition, who: Reader) -> str:
    """The value of a condition on a part of a field or on a field of another record."""
    return who.t(condition.value.capitalize()) if isinstance(condition.value, str) else str(condition.value)


def _names(condition: Condition, field: FieldSpec, who: Reader) -> Mapping[str, str]:
    if field.kind != "ref" or field.target is None:
        return {}
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    found = labels_of(who.ctx.session, field.target, [value for value in values if isinstance(value, int)])
    return {str(number): label for number, label in found.items()}


def column_box(plugin: str, plural: str) -> ResponseReturnValue:
    """Which columns the list has."""
    spec, who = entity_at(plugin, plural), reader()
    state = listing.read(spec, request.args)
    readable = [field for field in who.readable(spec) if field.kind not in filters.HIDDEN]
    known = [name for name in views.shown_names(state, who) if name in spec.fields]
    now = known or default_fields(spec, readable, columns_of_plugins(who.crm, spec.name))
    order = {name: place for place, name in enumerate(now)}
    fields = sorted(readable, key=lambda field: order.get(field.name, len(order)))
    options = [Option(f.name, label_of(f, who), f.name in order) for f in fields if f.name != spec.title]
    template = "parts/columns_box.html" if is_partial() else "columns_page.html"
    return answer(
        template, title=who.t(msg("Columns")), path=list_url(spec), options=options, kept=state.kept("fields")
    )


def keep_columns(plugin: str, plural: str) -> ResponseReturnValue:
    """Keep the chosen columns for this reader, and for the view that is shown."""
    spec = entity_at(plugin, plural)
    state = listing.read(spec, request.form, plain=False)
    chosen = [name for name in request.form.getlist("column") if name in spec.fields]
    if request.form.get("apply") == "reset":
        chosen = []
    with current_crm().unit_of_work(current()) as ctx:
        saved.choose(ctx, spec.name, fields=chosen)
    return _go(state.at(fields=tuple(chosen) if state.origin else ()).url)


def _go(target: str) -> Response:
    if is_partial():
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]  # redirect() answers with werkzeug's base class
