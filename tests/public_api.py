"""Writes tests/public_api.txt, the frozen contract of plugins and embedders: `python -m tests.public_api`."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gigacore
from gigacore.plugins import API_LEVEL, ENTRY_POINT_GROUP, hookspecs

SNAPSHOT = Path(__file__).parent / "public_api.txt"
MODULES = (
    "gigacore",
    "gigacore.ui",
    "gigacore.records",
    "gigacore.measures",
    "gigacore.ports",
    "gigacore.reports",
    "host_app.ext",
    "gigacore.testing.fixtures",
)
OURS = ("gigacore", "host_app")


def text() -> str:
    """The whole contract, one line for each thing that somebody may rely on."""
    lines = [f"API level {'.'.join(map(str, API_LEVEL))}, entry points {ENTRY_POINT_GROUP}"]
    for name in MODULES:
        lines += ["", f"[{name}]"]
        module = importlib.import_module(name)
        for public in public_names(module):
            known = name != "gigacore" and public in gigacore.__all__
            lines += [f"{public} (as above)"] if known else described(public, getattr(module, public))
    return "\n".join([*lines, "", "[hooks]", *hooks()]) + "\n"


def public_names(module: types.ModuleType) -> list[str]:
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    own = (name for name, value in vars(module).items() if is_own(module, name, value))
    return sorted(name for name in own if not name.startswith("_"))


def is_own(module: types.ModuleType, name: str, value: object) -> bool:
    if inspect.isclass(value) or inspect.isfunction(value) or "fixture" in type(value).__name__.lower():
        return getattr(value, "__module__", module.__name__) == module.__name__
    return (name.isupper() and name != "TYPE_CHECKING") or isinstance(value, types.UnionType)


def described(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, types.UnionType):
        yield f"{name} = {' | '.join(part.__name__ for part in value.__args__)}"
    elif type(value).__module__.startswith("_pytest"):
        yield f"{name}: a fixture"
    elif not getattr(value, "__module__", "gigacore").startswith(OURS):
        yield name
    elif inspect.isclass(value):
        yield from of_class(name, value)
    elif inspect.isfunction(value):
        yield f"{name}{signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def of_class(name: str, cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(cls, enum.Enum):
        yield from (f"  {name}.{item.name} = {item.value!r}" for item in cls)
        return
    if dataclasses.is_dataclass(cls):
        yield from (f"  {name}.{field}" for field in parameters(cls))
    elif "__init__" in vars(cls) and not getattr(cls, "_is_protocol", False):
        yield f"  {name}{signature(cls.__init__)}"
    for member in sorted({member for one in cls.__mro__ if one.__module__.startswith(OURS) for member in vars(one)}):
        if not member.startswith("_"):
            yield from of_member(name, member, inspect.getattr_static(cls, member))


def of_member(owner: str, name: str, value: Any) -> Iterator[str]:
    function = getattr(value, "fget", None) or getattr(value, "func", None)
    if isinstance(value, property) or function is not None:
        yield f"  {owner}.{name} -> {inspect.signature(function).return_annotation}"
    elif isinstance(value, classmethod | staticmethod):
        yield f"  {owner}.{name}{signature(value.__func__)}"
    elif inspect.isfunction(value):
        yield f"  {owner}.{name}{signature(value)}"


def parameters(cls: type) -> Iterator[str]:
    """The fields that its constructor takes, which are those that may be given."""
    return (str(plain(one)) for one in inspect.signature(cls).parameters.values())


def signature(function: Any) -> str:
    found = inspect.signature(function)
    kept = [plain(one) for one in found.parameters.values() if one.name not in ("self", "cls")]
    return str(found.replace(parameters=kept, return_annotation=bare(found.return_annotation)))


class Bare:
    """A text that shows itself without quotes."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def __repr__(self) -> str:
        return self.shown


def bare(annotation: Any) -> Any:
    return Bare(annotation) if isinstance(annotation, str) else annotation


def plain(parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter with texts that are the same in every process."""
    value: Any = parameter.default
    if isinstance(value, enum.Enum):
        value = Bare(f"{type(value).__name__}.{value.name}")
    elif value is not inspect.Parameter.empty and re.search(r" at 0x|^<", repr(value)):
        value = Bare("...")
    return parameter.replace(default=value, annotation=bare(parameter.annotation))


def hooks() -> Iterator[str]:
    for spec, failure in hookspecs.SPECS.items():
        for name, function in inspect.getmembers(spec, inspect.isfunction):
            yield f"{name}{signature(function)} [{spec.__name__}, a failure: {failure.value}]"


if __name__ == "__main__":
    SNAPSHOT.write_text(text(), "utf-8")
