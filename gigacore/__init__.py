"""The CRM library: entities, access, automation, plugins; no web framework.

Every public name is loaded when it is first asked for, so that importing one part costs only that part.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.clock import Clock, FixedClock, SystemClock
    from gigacore.context import Actor, Context
    from gigacore.entity import (
        Child,
        ChildMeta,
        Choice,
        ChoiceList,
        Entity,
        EntityMeta,
        Extension,
        ExtensionMeta,
        FieldSpec,
        Money,
        Registry,
        Transition,
        children,
        choice,
        computed,
        field,
        ref,
        rollup,
    )
    from gigacore.errors import Abort, Forbidden, GigaError, Invalid, Locked, Misuse, NotFound, PluginError
    from gigacore.jobs import Consumer, Job, Schedule
    from gigacore.messages import Msg, msg
    from gigacore.plugins import Plugin, RoleGrant, hookimpl
    from gigacore.settings import Settings

_HOMES: Final = MappingProxyType(
    {
        "gigacore.application": "Crm",
        "gigacore.clock": "Clock FixedClock SystemClock",
        "gigacore.context": "Actor Context",
        "gigacore.entity": "Child ChildMeta Choice ChoiceList Entity EntityMeta Extension ExtensionMeta FieldSpec "
        "Money Registry Transition children choice computed field ref rollup",
        "gigacore.errors": "Abort Forbidden GigaError Invalid Locked Misuse NotFound PluginError",
        "gigacore.jobs": "Consumer Job Schedule",
        "gigacore.messages": "Msg msg",
        "gigacore.plugins": "Plugin RoleGrant hookimpl",
        "gigacore.settings": "Settings",
    }
)

__all__ = [
    "Abort",
    "Actor",
    "Child",
    "ChildMeta",
    "Choice",
    "ChoiceList",
    "Clock",
    "Consumer",
    "Context",
    "Crm",
    "Entity",
    "EntityMeta",
    "Extension",
    "ExtensionMeta",
    "FieldSpec",
    "FixedClock",
    "Forbidden",
    "GigaError",
    "Invalid",
    "Job",
    "Locked",
    "Misuse",
    "Money",
    "Msg",
    "NotFound",
    "Plugin",
    "PluginError",
    "Registry",
    "RoleGrant",
    "Schedule",
    "Settings",
    "SystemClock",
    "Transition",
    "children",
    "choice",
    "computed",
    "field",
    "hookimpl",
    "msg",
    "ref",
    "rollup",
]


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names.split():
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'gigacore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
