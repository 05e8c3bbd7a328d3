"""Derived surfaces that a plugin may replace, one at a time: its page or answer instead of the one for every entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

from flask import Flask, current_app
from flask.typing import ResponseReturnValue

from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.policies import on_entity
from host_app.context import host
from host_app.routing import View, route

KEPT: Final = "surfaces"


@dataclass(frozen=True, slots=True)
class Surface:
    """One derived page or answer: the tail of its address, the verb that it takes, the endpoint that serves it."""

    tail: str
    verb: str
    endpoint: str
    api: bool = False


SURFACES: Final[Mapping[str, Surface]] = MappingProxyType(
    {
        "list": Surface("", "view", "list"),
        "detail": Surface("/<int:record_id>", "view", "pages_record_show"),
        "form": Surface("/<int:record_id>/edit", "edit", "pages_form_edit"),
        "new": Surface("/new", "create", "pages_form_new"),
        "api.list": Surface("", "view", "api_records_list_records", api=True),
        "api.detail": Surface("/<int:id>", "view", "api_records_get_record", api=True),
    }
)


def replace(app: Flask, plugin: str, entity: str, name: str, view: View) -> None:
    """Serve `view` as the surface `name` of `entity`, under the rights of the derived one.

    The view takes the number of the record where the derived one does. While the plugin does not run, the derived
    surface is back. Raises PluginError for an unknown entity or surface, or one that another plugin replaced already.
    """
    surface, spec = SURFACES.get(name), host(app).crm.registry.entities.get(entity)
    if surface is None or spec is None:
        raise PluginError(
            plugin,
            msg("There is no surface {name} of {entity} to replace.", name=name, entity=entity),
            fix=msg("Surfaces are: {names}.", names=", ".join(SURFACES)),
        )
    taken: dict[tuple[str, str], str] = host(app).cache.setdefault(KEPT, {})
    if (other := taken.setdefault((entity, name), plugin)) != plugin:
        raise PluginError(
            plugin,
            msg("{plugin} replaces the surface {name} of {entity} already.", plugin=other, name=name, entity=entity),
        )
    base = f"/api/v1/{spec.api_path}" if surface.api else f"/{spec.plugin}/{spec.plural}"
    fixed = {"plugin": spec.plugin, "plural": spec.plural}
    shown = _while_running(plugin, surface, fixed, view)
    endpoint = f"{plugin}_{name}_{entity}".replace(".", "_")
    route(app, f"{base}{surface.tail}", policy=on_entity(surface.verb, spec.name), endpoint=endpoint)(shown)


def _while_running(
    plugin: str, surface: Surface, fixed: Mapping[str, str], view: View
) -> Callable[..., ResponseReturnValue]:
    def show(**arguments: int) -> ResponseReturnValue:
        if any(one.name == plugin for one in host().crm.plugins.enabled):
            return view(**arguments)
        derived = cast(View, current_app.view_functions[surface.endpoint])
        return derived(**fixed, **arguments)

    return show
