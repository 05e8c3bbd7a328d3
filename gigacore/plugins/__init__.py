"""Plugins: their manifest, how they are found, ordered and started, and how their hooks are called."""

from gigacore.plugins.discovery import Candidate, discover
from gigacore.plugins.dispatch import Contribution, Dispatcher
from gigacore.plugins.hookspecs import Failure, hookimpl, hookspec
from gigacore.plugins.manager import PluginManager, PluginState, PluginStatus
from gigacore.plugins.manifest import API_LEVEL, ENTRY_POINT_GROUP, Plugin, RoleGrant
from gigacore.plugins.order import arrange, dependents

__all__ = [
    "API_LEVEL",
    "ENTRY_POINT_GROUP",
    "Candidate",
    "Contribution",
    "Dispatcher",
    "Failure",
    "Plugin",
    "PluginManager",
    "PluginState",
    "PluginStatus",
    "RoleGrant",
    "arrange",
    "dependents",
    "discover",
    "hookimpl",
    "hookspec",
]
