"""Plugins that go wrong, made from the registry of hooks: a new hook gets its faults by itself."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from gigacore import Plugin, hookimpl
from gigacore.plugins import hookspecs
from gigacore.ui import Note

HOOKS: dict[str, hookspecs.Failure] = {
    name: failure
    for spec, failure in hookspecs.SPECS.items()
    for name, _ in inspect.getmembers(spec, inspect.isfunction)
}
ARGUMENTS = {
    name: [one for one in inspect.signature(function).parameters if one != "self"]
    for spec in hookspecs.SPECS
    for name, function in inspect.getmembers(spec, inspect.isfunction)
}
Fault = Callable[[dict[str, Any]], object]


def nothing(_given: dict[str, Any]) -> object:
    return None


def raise_error(_given: dict[str, Any]) -> object:
    raise RuntimeError("no luck")


def leave_the_program(_given: dict[str, Any]) -> object:
    raise SystemExit(3)


def commit(given: dict[str, Any]) -> object:
    """Commits the session where the hook has one, and otherwise fails as one that has none does."""
    given["ctx"].session.commit()
    return None


def roll_back(given: dict[str, Any]) -> object:
    given["ctx"].session.rollback()
    return None


def give_too_much(_given: dict[str, Any]) -> Iterator[Note]:
    return itertools.repeat(Note("x" * 1000))


def give_nonsense(_given: dict[str, Any]) -> object:
    return 42


FAULTS: dict[str, Fault] = {
    found.__name__: found for found in (raise_error, leave_the_program, commit, roll_back, give_too_much, give_nonsense)
}


def hook(name: str, behave: Fault) -> SimpleNamespace:
    """An object that implements one hook, with every argument it may take."""
    arguments = ", ".join(ARGUMENTS[name])
    space: dict[str, Any] = {"behave": behave}
    exec(f"def {name}({arguments}): return behave(dict({', '.join(f'{a}={a}' for a in ARGUMENTS[name])}))", space)
    return SimpleNamespace(**{name: hookimpl(space[name])})


def witness(name: str, seen: set[str]) -> Plugin:
    """A sound plugin that notes which of its hooks are called."""

    def note(one: str) -> Fault:
        return lambda _given: seen.add(one)  # gives None, as set.add does

    return Plugin(name, hooks=[hook(one, note(one)) for one in HOOKS])
