"""The actions of an entity (convert, reopen ...): run at once, or after a form for what they need to know."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import Entity, EntitySpec
from gigacore.errors import GigaError, Invalid
from gigacore.messages import msg
from gigacore.ui import RecordAction
from host_app.api.policies import entity_at, on_action
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import forms
from host_app.pages.addresses import is_local, list_url, record_url
from host_app.pages.answers import refused
from host_app.pages.columns import title_of
from host_app.pages.currencies import currency_codes
from host_app.pages.form import Task, read_typed
from host_app.pages.forms import Filling, Form, Section
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from, raw_of
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/<int:record_id>/actions/<action>"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, RULE, policy=on_action())(ask)
    route(app, RULE, policy=on_action(), methods=["POST"])(run)


def ask(plugin: str, plural: str, record_id: int, action: str) -> ResponseReturnValue:
    """The form of an action that needs to know something."""
    spec, who = entity_at(plugin, plural), reader()
    declared = records.action_of(who.ctx, spec.name, action)
    raw = Raw()
    for field in declared.params:
        value = field.default_value()
        if value is not None:
            raw.update(raw_of(field, field.name, getattr(value, "value", value), who.formats))
    return _show(spec, record_id, declared, Filling(raw, currencies=currency_codes(who)), who)


def run(plugin: str, plural: str, record_id: int, action: str) -> ResponseReturnValue:
    """Run the action; where it gives a record, go there."""
    spec, who = entity_at(plugin, plural), reader()
    declared = records.action_of(who.ctx, spec.name, action)
    raw = raw_from(request.form.to_dict(flat=False))
    if declared.params and "_asked" not in raw:
        return redirect(request.path, 303)
    typed = read_typed(Task(spec, declared.params, who), Raw({k: v for k, v in raw.items() if k != "_asked"}))
    given = {field.name: typed.data.get(field.name) for field in declared.params}
    try:
        if typed.errors:
            raise Invalid(errors=typed.errors)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            result = records.run_action(
                ctx, spec.name, record_id, action, {k: v for k, v in given.items() if v is not None}
            )
            target = _target(result, spec, record_id, raw.text("back"), who)
    except Invalid as error:
        if not declared.params:
            return refused(error, record_url(spec, record_id), who)
        problems = {fault.path: who.t(fault.message) for fault in error.errors} or {"": who.t(error.message)}
        return _show(spec, record_id, declared, Filling(raw, problems, currencies=currency_codes(who)), who, 422)
    except GigaError as error:
        return refused(error, record_url(spec, record_id), who)
    note(who.t(msg("Done: {action}", action=who.t(declared.label))))
    return redirect(target, 303)


def _target(result: Any, spec: EntitySpec, record_id: int, back: str, who: Reader) -> str:
    """Where to go: to the record that the action gives, else back to where it began, its own page unless named."""
    if isinstance(result, Entity):
        return record_url(who.registry.of(result), result.id)
    return back if back and is_local(back) else record_url(spec, record_id)


def _show(
    spec: EntitySpec, record_id: int, action: RecordAction, filling: Filling, who: Reader, status: int = 200
) -> ResponseReturnValue:
    inputs = tuple(forms.make_input(field, field.name, filling, who) for field in action.params)
    form = Form((Section("", inputs),))
    item = records.get(who.ctx, spec.name, record_id)
    return answer(
        "action.html",
        status,
        title=who.t(action.label),
        about=title_of(spec, item),
        confirm=who.t(action.confirm) if action.confirm else "",
        inputs=inputs,
        problems=forms.summary(form, filling.problems, who),
        home=record_url(spec, record_id),
        list_path=list_url(spec),
        list_label=who.t(spec.label_plural),
    )
