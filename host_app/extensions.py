"""What plugins add to the host: routes from their `web` module, commands from their `cli` module."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import mimetypes
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import wraps
from importlib.resources import files
from types import ModuleType
from typing import Any, Final

from flask import Flask, Response, g
from flask.typing import ResponseReturnValue
from jinja2 import BaseLoader, ChoiceLoader, PackageLoader
from werkzeug.exceptions import HTTPException

from gigacore import access
from gigacore.context import Actor
from gigacore.errors import Forbidden, NotFound, PluginError
from gigacore.messages import msg
from gigacore.plugins import Plugin
from gigacore.plugins.calls import STOPS
from gigacore.values import dataclass
from host_app import surfaces
from host_app.context import current_crm, host
from host_app.routing import Policy, V, View, public_route, route
from host_app.sizes import bounded

Declare = Callable[[V], V]
Declaration = Callable[[Flask], object]
WEB: Final = "its pages"
FOREVER: Final = "public, max-age=31536000, immutable"


def policy_named(name: str) -> Policy:
    """A policy in the words of `gigacore.ui`: `signed_in`, `super_admin`, `crm.lead.view`."""

    def check(_actor: Actor, _arguments: Mapping[str, Any]) -> None:
        if not access.permits(g.ctx, name):
            raise Forbidden(msg("Your roles do not allow this."), fix=msg("Ask an administrator for this right."))

    return Policy(name, check)


def _of_plugin(plugin: str, policy: str) -> Policy:
    """The policy of a plugin's own route: a module that is closed to the caller is closed with all its pages."""
    named = policy_named(policy)

    def check(actor: Actor, arguments: Mapping[str, Any]) -> None:
        if plugin in current_crm().guard.rights(g.ctx.session).closed_modules:
            raise Forbidden(msg("This module is open to some people only."), fix=msg("Ask an administrator."))
        if named.check is not None:
            named.check(actor, arguments)

    return Policy(named.name, check)


@dataclass(slots=True)
class Routes:
    """The routes of one plugin, all below its own name; each declares its policy.

    They come into being together once the plugin's `register(routes)` has returned.
    """

    plugin: str
    declarations: list[Declaration] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    """The addresses declared so far, in their order."""

    def page(self, rule: str, *, policy: str, methods: Iterable[str] = ("GET",)) -> Declare[V]:
        """A page at `/<plugin><rule>`. `policy` is `signed_in`, `super_admin` or `<entity>.<verb>`."""
        return self._declare(f"/{self.plugin}{rule}", policy, methods)

    def api(self, rule: str, *, policy: str, methods: Iterable[str] = ("GET",)) -> Declare[V]:
        """A route of the API at `/api/v1/<plugin><rule>`."""
        return self._declare(f"/api/v1/{self.plugin}{rule}", policy, methods)

    def public(self, rule: str, *, reason: str, methods: Iterable[str] = ("GET",), csrf: bool = True) -> Declare[V]:
        """A page at `/<plugin><rule>` for everybody; `reason` says why that is right."""
        path, known = f"/{self.plugin}{rule}", tuple(methods)

        def declare(view: V) -> V:
            name, seen = self._name(view), self._watched(path, view)
            self.rules.append(path)
            self.declarations.append(
                lambda app: public_route(app, path, reason=reason, methods=known, endpoint=name, csrf=csrf)(seen)
            )
            return view

        return declare

    def surface(self, entity: str, name: str) -> Declare[V]:
        """Replaces one derived surface of any entity: `list`, `detail`, `form`, `new`, `api.list` or `api.detail`.

        The rights are those of the derived one, and it is back when the plugin does not run. The view of `detail` and
        `form` takes `record_id`, that of `api.detail` takes `id`.
        """

        def declare(view: V) -> V:
            seen = self._watched(f"{name} of {entity}", view)
            self.declarations.append(lambda app: surfaces.replace(app, self.plugin, entity, name, seen))
            return view

        return declare

    def _declare(self, path: str, policy: str, methods: Iterable[str]) -> Declare[V]:
        if not policy:
            raise PluginError(self.plugin, msg("Route {rule} declares no policy.", rule=path))
        known = tuple(methods)

        def declare(view: V) -> V:
            name, checked, seen = self._name(view), _of_plugin(self.plugin, policy), self._watched(path, view)
            self.rules.append(path)
            self.declarations.append(lambda app: route(app, path, policy=checked, methods=known, endpoint=name)(seen))
            return view

        return declare

    def _watched(self, path: str, view: View) -> View:
        """The view under watch: a fault of its own, or an answer that is too large, is told as the plugin's."""

        @wraps(view)
        def call(**arguments: Any) -> ResponseReturnValue:
            if not any(one.name == self.plugin for one in host().crm.plugins.enabled):
                raise NotFound
            with host().crm.hooks.calling(self.plugin, path):
                try:
                    return bounded(self.plugin, view(**arguments))
                except HTTPException as error:  # `abort(404)` is an answer, not a fault
                    answer = error
            raise answer

        return call

    def _name(self, view: View) -> str:
        return f"{self.plugin}_{view.__name__}"


def register(app: Flask) -> None:
    """Take in the `web` module and the templates of each running plugin.

    What a plugin breaks is left out and kept with its reason for administrators; with strict settings it is raised.
    """
    app.jinja_env.globals["plugin_asset"] = asset_url
    crm = host(app).crm
    for plugin in crm.plugins.enabled:
        try:
            with crm.calls.into(plugin.name, WEB):
                _take_in(app, plugin)
        except STOPS:
            raise
        except BaseException as error:  # a plugin may raise anything; the host must start
            if host(app).settings.strict:
                raise
            crm.calls.note(plugin.name, WEB, error)


def _take_in(app: Flask, plugin: Plugin) -> None:
    _serve_assets(app, plugin)
    module = conventional(plugin, "web")
    if module is None:
        return
    routes = Routes(plugin.name)
    module.register(routes)
    for declaration in routes.declarations:
        declaration(app)
    if importlib.util.find_spec(f"{plugin.package}.templates") is not None:
        own: list[BaseLoader] = [app.jinja_env.loader] if app.jinja_env.loader else []
        app.jinja_env.loader = ChoiceLoader([*own, PackageLoader(plugin.package)])


def asset_url(plugin: str, name: str) -> str:
    """The address of a file that the running `plugin` names in `assets`; it changes with the file's content."""
    return f"/{plugin}/assets/{name}?{hashlib.sha256(_asset(plugin, name)).hexdigest()[:12]}"


def _asset(plugin: str, name: str) -> bytes:
    """The content of a plugin's asset, read once per application. Raises NotFound."""
    kept: dict[tuple[str, str], bytes] = host().cache.setdefault("plugin_assets", {})
    if (plugin, name) not in kept:
        found = next((one for one in host().crm.plugins.enabled if one.name == plugin), None)
        if found is None or name not in found.assets:
            raise NotFound
        kept[plugin, name] = files(found.package).joinpath(found.assets[name]).read_bytes()
    return kept[plugin, name]


def _serve_assets(app: Flask, plugin: Plugin) -> None:
    """Declare the route of the plugin's scripts and styles, if it has any."""
    if not plugin.assets:
        return

    def asset(name: str) -> Response:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(_asset(plugin.name, name), content_type=kind, headers={"Cache-Control": FOREVER})

    path, endpoint = f"/{plugin.name}/assets/<name>", f"{plugin.name}_assets"
    public_route(app, path, reason="scripts and styles hold no data", endpoint=endpoint)(asset)


def conventional(plugin: Plugin, name: str) -> ModuleType | None:
    """The plugin's submodule of that name, if it has one."""
    if not plugin.package or importlib.util.find_spec(f"{plugin.package}.{name}") is None:
        return None
    return importlib.import_module(f"{plugin.package}.{name}")
