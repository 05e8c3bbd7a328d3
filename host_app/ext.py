"""What a plugin's `web` and `cli` modules may use of the host; nothing else of `host_app` is for them.

`web.py` defines `register(routes)`; `cli.py` defines `command`, a click command that is called `giga <plugin>`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import cast

from flask import g

from gigacore import Crm
from gigacore.context import Context
from host_app.api.answers import answer as json_answer
from host_app.api.body import read_object
from host_app.auth import current
from host_app.context import current_crm, say
from host_app.extensions import Routes, asset_url
from host_app.installation import Installation, pass_installation, tell
from host_app.pages.frame import bounded_page as render
from host_app.sizes import download

__all__ = [
    "Crm",
    "Installation",
    "Routes",
    "asset_url",
    "current",
    "current_crm",
    "download",
    "json_answer",
    "pass_installation",
    "read_object",
    "reading",
    "render",
    "say",
    "tell",
    "writing",
]


def reading() -> Context:
    """The request's reading: it finds what the caller may view."""
    return cast(Context, g.ctx)


def writing() -> AbstractContextManager[Context]:
    """One transaction of the caller, for a `with` block."""
    return current_crm().unit_of_work(current(), source="web")
