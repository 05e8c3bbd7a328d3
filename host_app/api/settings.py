"""Company profile, settings, choice lists, currencies, and the order of pipelines over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final

from flask import Flask, Response, g, request

from gigacore.context import Context
from gigacore.crm import pipeline_changes
from gigacore.data import money_settings, organisation, settings
from gigacore.entity import KINDS, BadValue, FieldSpec
from gigacore.errors import FieldError, Invalid, NotFound
from gigacore.messages import msg
from gigacore.plugins import choices
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object
from host_app.api.fields import many, of_kind, read
from host_app.api.once import write
from host_app.api.policies import on_tool
from host_app.api.query import only
from host_app.branding import GENERAL
from host_app.branding import check as check_values
from host_app.context import current_crm, host
from host_app.routing import route

BASE: Final = "/api/v1/core"
LIST: Final = f"{BASE}/choice-lists/<name>"
TOOL: Final = organisation.TOOL
CURRENCY: Final = {
    "code": of_kind("text", max_length=3), "name": of_kind("text", max_length=80), "symbol": of_kind("text"),
    "digits": of_kind("integer"),
}  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, edit, lists = on_tool(TOOL, "view"), on_tool(TOOL, "edit"), on_tool(choices.TOOL, "edit")
    route(app, f"{BASE}/company", policy=seen)(company)
    route(app, f"{BASE}/company", policy=edit, methods=["PATCH"])(change_company)
    route(app, f"{BASE}/settings", policy=seen)(show_settings)
    route(app, f"{BASE}/settings", policy=edit, methods=["PATCH"])(change_settings)
    route(app, f"{BASE}/currencies", policy=edit, methods=["POST"])(add_currency)
    route(app, f"{BASE}/currencies/<code>", policy=edit, methods=["PATCH"])(change_currency)
    route(app, f"{LIST}/choices", policy=lists, methods=["POST"])(add_choice)
    route(app, f"{LIST}/choices/<key>", policy=lists, methods=["PATCH"])(change_choice)
    route(app, f"{LIST}/choices/<key>", policy=lists, methods=["DELETE"])(remove_choice)
    route(app, f"{LIST}/actions/arrange", policy=lists, methods=["POST"])(arrange_choices)
    for plural, entity in (("pipelines", pipeline_changes.PIPELINE), ("stages", pipeline_changes.STAGE)):
        ordering = route(
            app,
            f"{BASE}/{plural}/actions/arrange",
            policy=on_tool(entity, "edit"),
            methods=["POST"],
            endpoint=f"api_arrange_{plural}",
        )
        ordering(_arranging(entity))
        removing = route(
            app,
            f"{BASE}/{plural}/<int:id>/actions/remove",
            policy=on_tool(entity, "delete"),
            methods=["POST"],
            endpoint=f"api_remove_{plural}",
        )
        removing(_removing(entity))


def company() -> Response:
    """The own company's profile."""
    only()
    return answer(asdict(organisation.read(g.ctx.session.connection(), g.ctx.actor.org_id)))


def change_company() -> Response:
    """Change some of the profile."""
    only()
    data = read_object()
    return write(lambda ctx: answer(asdict(organisation.change(ctx, data))))


def _fields() -> dict[str, tuple[FieldSpec, str]]:
    """Every typed setting with the plugin that it belongs to."""
    own = {field.name: (field, "") for field in GENERAL}
    plugins = current_crm().plugins.enabled
    return own | {field.name: (field, plugin.name) for plugin in plugins for field in plugin.settings}


def show_settings() -> Response:
    """Every setting: its value, kind and what it is called."""
    only()
    kept = settings.read(g.ctx.session.connection(), org_id=g.ctx.actor.org_id)
    return answer({"items": [_setting(field, kept) for field, _plugin in _fields().values()]})


def _setting(field: FieldSpec, kept: Any) -> dict[str, Any]:
    default = field.default_value()
    plain = KINDS[field.kind].dump(default) if default is not None else None
    shown = {"name": field.name, "kind": field.kind, "label": field.label, "help": field.help}
    return {**shown, "choices": [key for key, _label in field.choices], "value": kept.get(field.name, plain)}


def change_settings() -> Response:
    """Set some values by name; null takes the default again. They count at once."""
    only()
    body, known = read_object(), _fields()
    values = _checked(body, known)

    def work(ctx: Context) -> Response:
        for name, value in values.items():
            settings.put(ctx, name, value, plugin=known[name][1])
        kept = settings.read(ctx.session.connection(), org_id=ctx.actor.org_id)
        return answer({"items": [_setting(known[name][0], kept) for name in values]})

    response = write(work)
    host().cache.pop("branding", None)
    return response


def _checked(body: dict[str, Any], known: dict[str, tuple[FieldSpec, str]]) -> dict[str, Any]:
    errors: list[FieldError] = []
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name not in known:
            errors.append(FieldError(name[:80], msg("There is no field {name}.", name=name[:80]), "unknown_field"))
            continue
        field = known[name][0]
        try:
            found[name] = None if value is None else KINDS[field.kind].dump(KINDS[field.kind].parse(value, field))
        except BadValue as error:
            errors.append(FieldError(name, error.message))
    if errors:
        raise Invalid(errors=errors)
    check_values([known[name][0] for name in found], found)
    return found


def add_currency() -> Response:
    """Offer one more currency."""
    only()
    data = read(read_object(), CURRENCY, required=("code", "name"))

    def work(ctx: Context) -> Response:
        money_settings.add(ctx, data["code"], data["name"], data.get("symbol", ""), data.get("digits", 2))
        return answer(_currency(ctx, data["code"]), 201)

    return write(work)


def change_currency(code: str) -> Response:
    """Offer a currency or not (`active`), or state totals in it (`base`: true)."""
    only()
    data = read(read_object(), {"active": of_kind("boolean"), "base": of_kind("boolean")})

    def work(ctx: Context) -> Response:
        if "active" in data:
            money_settings.offer(ctx, code, data["active"])
        if data.get("base"):
            money_settings.set_base(ctx, code)
        return answer(_currency(ctx, code))

    return write(work)


def _currency(ctx: Context, code: str) -> dict[str, Any]:
    known = money_settings.all_currencies(ctx.session.connection(), ctx.actor.org_id)
    found = next((one for one in known if one.code == code), None)
    if found is None:
        raise NotFound
    return asdict(found)


def add_choice(name: str) -> Response:
    """A new value at the end of a list."""
    only()
    data = read_object()
    return _on_list(lambda ctx: answer(_choice(choices.add(ctx, name, data)), 201))


def _choice(found: Any) -> dict[str, Any]:
    names = ("key", "label", "kind", "colour", "active", "position")
    return {name: getattr(found, name) for name in names} | {"labels": dict(found.labels)}


def change_choice(name: str, key: str) -> Response:
    """Label, labels, colour, kind, or whether a value is offered."""
    only()
    data = read_object()

    def work(ctx: Context) -> Response:
        choices.change(ctx, name, key, data)
        return answer({"key": key, **data})

    return _on_list(work)


def remove_choice(name: str, key: str) -> Response:
    """Remove a value that no record uses; `?into=` puts another one in its place first."""
    only("into")
    into = request.args.get("into")

    def work(ctx: Context) -> Response:
        if into is not None:
            return answer({"changed": choices.merge(ctx, name, key, into)})
        choices.remove(ctx, name, key)
        return nothing()

    return _on_list(work)


def arrange_choices(name: str) -> Response:
    """Put the values of a list into the order of `keys`."""
    only()
    keys: Iterable[str] = read(read_object(), {"keys": many("text")}, required=("keys",))["keys"]

    def work(ctx: Context) -> Response:
        choices.arrange(ctx, name, list(keys))
        return nothing()

    return _on_list(work)


def _on_list(work: Callable[[Context], Response]) -> Response:
    response = write(work)
    current_crm().refresh()
    return response


def _arranging(entity: str) -> Callable[[], Response]:
    def arrange() -> Response:
        """Put pipelines, or the stages of a pipeline, into the order of `ids`; the first pipeline is the default."""
        only()
        ids = read(read_object(), {"ids": many("integer")}, required=("ids",))["ids"]

        def work(ctx: Context) -> Response:
            pipeline_changes.arrange(ctx, entity, ids)
            return nothing()

        return write(work)

    return arrange


def _removing(entity: str) -> Callable[..., Response]:
    act = pipeline_changes.remove_stage if entity == pipeline_changes.STAGE else pipeline_changes.remove_pipeline

    def remove(id: int) -> Response:
        """Remove a pipeline or stage; what uses it moves `into` another one."""
        only()
        data = read(read_object(), {"into": of_kind("integer", may_be_null=True)})
        return write(lambda ctx: answer({"moved": act(ctx, id, data.get("into"))}))

    return remove
