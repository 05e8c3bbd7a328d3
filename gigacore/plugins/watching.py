"""Lets every function that a plugin declares be called under watch: what runs for how long, and whose fault it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from gigacore.plugins.dispatch import Dispatcher

if TYPE_CHECKING:
    from gigacore.jobs import Consumer, Job
    from gigacore.plugins.manifest import Plugin
    from gigacore.ui import BulkAction, RecordAction

Around = Callable[[str, str], AbstractContextManager[None]]
Action = TypeVar("Action", "RecordAction", "BulkAction")


def watched(plugin: Plugin, dispatcher: Dispatcher) -> Plugin:
    """The plugin with its actions, short jobs and short consumers under watch.

    A fault of an action refuses it; a fault of a job or a consumer goes to the queue, which tries again. Long ones open
    their own transactions and may take their time.
    """
    return replace(
        plugin,
        actions=[_action(one, plugin.name, dispatcher.calling) for one in plugin.actions],
        bulk_actions=[_action(one, plugin.name, dispatcher.calling) for one in plugin.bulk_actions],
        jobs=[_job(one, plugin.name, dispatcher.calls.into) for one in plugin.jobs],
        consumers=[_consumer(one, plugin.name, dispatcher.calls.into) for one in plugin.consumers],
    )


def _around(function: Callable[..., Any], around: Around, plugin: str, place: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*values: Any) -> Any:
        with around(plugin, place):
            return function(*values)

    return call


def _action(action: Action, plugin: str, around: Around) -> Action:
    return replace(action, run=_around(action.run, around, plugin, action.name))


def _job(job: Job, plugin: str, around: Around) -> Job:
    return job if job.long else replace(job, handler=_around(job.handler, around, plugin, job.name))


def _consumer(consumer: Consumer, plugin: str, around: Around) -> Consumer:
    if consumer.long:
        return consumer
    return replace(consumer, handle=_around(consumer.handle, around, plugin, consumer.name))


def threads_of(package: str) -> set[threading.Thread]:
    """The threads that run code of a package."""
    return {thread for thread in threading.enumerate() if package and _runs(thread, package)}


def _runs(thread: threading.Thread, package: str) -> bool:
    target = getattr(thread, "_target", None)  # the only word about it that Python keeps
    modules = type(thread).__module__, getattr(target, "__module__", "") or ""
    return any(name == package or name.startswith(f"{package}.") for name in modules)
