"""The application factory: one `Crm`, one Flask application, no module-level state."""

from __future__ import annotations

import os
from typing import Final

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from gigacore import Crm
from gigacore.records.garbage import uncollected
from gigacore.settings import Settings
from gigacore.text import Catalogue
from host_app import api, extensions, live, monitoring, pages
from host_app.auth import identify
from host_app.context import EXTENSION, Globals, Host, correlation, give_back, say
from host_app.csrf import csrf_token
from host_app.headers import add_headers
from host_app.keys import derive, with_keys
from host_app.live import Live
from host_app.problems import handle_errors
from host_app.routing import LateRule, RecordNumber, refuse_double_slashes, require_policies
from host_app.spooling import SpooledRequest

MAX_BODY: Final = 4 * 1024 * 1024
MAX_FORM_PARTS: Final = 2000
ASSET_AGE: Final = 31_536_000


def create_app(crm: Crm | None = None, settings: Settings | None = None) -> Flask:
    """The web application around `crm`, or around a new one made from `settings` (default: the environment).

    Raises ConfigurationError if a secret is weak or a route declares no policy.
    """
    with uncollected():
        if crm is None:
            crm = Crm(with_keys(settings or Settings.from_env(os.environ)))
            crm.start()
        return _build(crm, with_keys(settings or crm.settings))


def _build(crm: Crm, settings: Settings) -> Flask:
    app = Flask("host_app", static_folder=None)
    app.app_ctx_globals_class = Globals
    app.request_class = SpooledRequest
    app.url_rule_class = LateRule
    app.url_map.converters["int"] = RecordNumber
    app.extensions[EXTENSION] = _host(crm, settings)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_PARTS=MAX_FORM_PARTS, SEND_FILE_MAX_AGE_DEFAULT=ASSET_AGE)
    app.jinja_env.globals.update(t=say, csrf_token=csrf_token)
    app.url_map.merge_slashes = False
    app.teardown_request(give_back)
    refuse_double_slashes(app)
    handle_errors(app)
    add_headers(app, secure=app.extensions[EXTENSION].secure, plugins=crm.plugins.enabled)
    crm.database.correlation = correlation
    monitoring.register(app)
    api.register(app)
    pages.register(app)
    live.register(app)
    extensions.register(app)
    require_policies(app)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    return app


def _host(crm: Crm, settings: Settings) -> Host:
    packages = ["gigacore", "host_app", *(plugin.package for plugin in crm.plugins.enabled if plugin.package)]
    return Host(crm, settings, derive(settings, "csrf"), identify, Catalogue.load(dict.fromkeys(packages)), Live(crm))
