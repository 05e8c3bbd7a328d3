"""Value classes: what `dataclasses.dataclass(slots=True)` makes, in a quarter of the time that making a class takes it.

The standard decorator compiles six functions for each class, and hundreds of classes were a fifth of the start. Here
`__init__` is compiled; what compares, shows and guards a value is shared. `field`, `replace` and `asdict` are still the
standard's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, Literal, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(field_specifiers=(dataclasses.field,))
def dataclass(
    *, slots: Literal[True], frozen: bool = False, eq: bool = True, kw_only: bool = False
) -> Callable[[type[T]], type[T]]:
    """As `dataclasses.dataclass` with the same arguments; frozen classes of the two do not inherit from each other."""

    def made(cls: type[T]) -> type[T]:
        built = dataclasses.dataclass(  # noqa: TID251 - this is the place
            init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
        )(cls)
        fields = dataclasses.fields(built)  # type: ignore[arg-type]  # it is a dataclass now
        methods: dict[str, object] = {"__init__": _initialiser(built, fields, frozen), "__repr__": _shown}
        if eq:
            methods |= _comparing([one.name for one in fields if one.compare], frozen)
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse, "__setstate__": _restore}
        for name in methods.keys() - cls.__dict__.keys():
            setattr(built, name, methods[name])
        return built

    return made


def _initialiser(cls: type, fields: Sequence[Field[Any]], frozen: bool) -> object:
    names: dict[str, Any] = {"_set": object.__setattr__, "_absent": MISSING}
    names |= {f"_default_{one.name}": one.default for one in fields if one.default is not MISSING}
    names |= {f"_make_{one.name}": one.default_factory for one in fields if one.default_factory is not MISSING}
    template = "_set(self, {0!r}, {1})" if frozen else "self.{0} = {1}"
    lines = [template.format(one.name, value) for one in fields if (value := _initial(one))]
    after = ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    head = ", ".join(["self", *_parameters(fields)])
    exec(f"def __init__({head}):\n " + "\n ".join([*lines, *after, "pass"]), names)  # noqa: S102 - of the class's own text
    made = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {one.name: one.type for one in fields if one.init} | {"return": None}
    return made


def _parameters(fields: Iterable[Field[Any]]) -> Iterator[str]:
    taken = [one for one in fields if one.init]
    yield from (_parameter(one) for one in taken if not one.kw_only)
    named = [_parameter(one) for one in taken if one.kw_only]
    yield from ["*", *named] if named else []


def _parameter(one: Field[Any]) -> str:
    if one.default_factory is not MISSING:
        return f"{one.name}=_absent"
    return one.name if one.default is MISSING else f"{one.name}=_default_{one.name}"


def _initial(one: Field[Any]) -> str:
    """The expression for a field's first value; none where `__post_init__` gives it."""
    if one.default_factory is not MISSING:
        made = f"_make_{one.name}()"
        return f"{made} if {one.name} is _absent else {one.name}" if one.init else made
    if one.init:
        return one.name
    return "" if one.default is MISSING else f"_default_{one.name}"


def _comparing(names: Sequence[str], frozen: bool) -> dict[str, object]:
    values: Callable[[object], object] = attrgetter(*names) if names else lambda _: ()

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed if frozen else None}


@recursive_repr()
def _shown(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, *_value: object) -> NoReturn:
    raise FrozenInstanceError(f"{type(self).__qualname__} is frozen: {name!r} cannot be changed")


def _restore(self: object, state: tuple[None, dict[str, Any]]) -> None:
    """For `copy` and `pickle`, which else set attributes one by one."""
    for name, value in state[1].items():
        object.__setattr__(self, name, value)
