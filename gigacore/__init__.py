"""The CRM library: entities, access, automation, plugins; no web framework.

Every public name is loaded when it is first asked for, so that importing one part costs only that part.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gigacore.clock import Clock, FixedClock, SystemClock
    from gigacore.context import Actor, Context
    from gigacore.errors import Abort, Forbidden, GigaError, Invalid, Locked, Misuse, NotFound, PluginError
    from gigacore.messages import Msg, msg
    from gigacore.plugins import Plugin, RoleGrant, hookimpl
    from gigacore.settings import Settings

_HOMES: Final = MappingProxyType(
    {
        "gigacore.clock": ("Clock", "FixedClock", "SystemClock"),
        "gigacore.context": ("Actor", "Context"),
        "gigacore.errors": (
            "Abort",
            "Forbidden",
            "GigaError",
            "Invalid",
            "Locked",
            "Misuse",
            "NotFound",
            "PluginError",
        ),
        "gigacore.messages": ("Msg", "msg"),
        "gigacore.plugins": ("Plugin", "RoleGrant", "hookimpl"),
        "gigacore.settings": ("Settings",),
    }
)

__all__ = [
    "Abort",
    "Actor",
    "Clock",
    "Context",
    "FixedClock",
    "Forbidden",
    "GigaError",
    "Invalid",
    "Locked",
    "Misuse",
    "Msg",
    "NotFound",
    "Plugin",
    "PluginError",
    "RoleGrant",
    "Settings",
    "SystemClock",
    "hookimpl",
    "msg",
]


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'gigacore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
