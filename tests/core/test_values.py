"""Value classes behave as those of the standard decorator, which is asked beside them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest

from gigacore import values


class Shape:
    """Every kind of field that is in use."""

    name: str
    sizes: list[int] = field(default_factory=list)
    secret: str = field(default="s", repr=False)
    memo: dict[str, int] = field(init=False, compare=False, default_factory=dict)
    doubled: str = field(init=False)
    colour: str = field(default="red", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "doubled", self.name * 2)


def made(decorate: Callable[..., Any], **options: Any) -> Any:
    space = {name: value for name, value in vars(Shape).items() if name not in ("__dict__", "__weakref__")}
    return decorate(slots=True, **options)(type("Shape", (), space))


@pytest.fixture(params=["ours", "standard"])
def decorate(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return values.dataclass if request.param == "ours" else dataclasses.dataclass


def test_fields_get_what_is_given_or_their_defaults(decorate: Callable[..., Any]) -> None:
    shape = made(decorate)("ab", colour="blue")
    assert (shape.name, shape.sizes, shape.secret, shape.memo, shape.doubled, shape.colour) == (
        "ab", [], "s", {}, "abab", "blue",
    )  # fmt: skip
    assert made(decorate)("x").sizes is not made(decorate)("x").sizes


@pytest.mark.parametrize("given", [(), ("a", [], "s", "red")])
def test_too_few_and_too_many_values_are_refused(decorate: Callable[..., Any], given: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"__init__\(\)"):
        made(decorate)(*given)


def test_equal_values_are_equal_and_others_are_not(decorate: Callable[..., Any]) -> None:
    kind = made(decorate)
    first, second = kind("a"), kind("a")
    second.memo["x"] = 1
    assert first == second
    assert first != kind("b")
    assert first != made(decorate)("a"), "of another class"


def test_only_frozen_values_have_a_hash(decorate: Callable[..., Any]) -> None:
    kind = made(decorate, frozen=True)
    assert hash(kind("a", ())) == hash(kind("a", ()))
    with pytest.raises(TypeError, match="unhashable"):
        hash(made(decorate)("a"))


def test_without_eq_only_the_same_object_is_equal(decorate: Callable[..., Any]) -> None:
    kind = made(decorate, frozen=True, eq=False)
    assert kind("a") != kind("a")
    assert len({kind("a"), kind("a")}) == 2


def test_frozen_values_cannot_be_changed(decorate: Callable[..., Any]) -> None:
    shape = made(decorate, frozen=True)("a")
    with pytest.raises(FrozenInstanceError, match="'name'"):
        shape.name = "b"
    with pytest.raises(FrozenInstanceError, match="'name'"):
        del shape.name
    changed = made(decorate)("a")
    changed.name = "b"
    assert changed.name == "b", "the control: others can"


def test_what_is_shown_leaves_out_secrets(decorate: Callable[..., Any]) -> None:
    assert repr(made(decorate)("a")) == "Shape(name='a', sizes=[], memo={}, doubled='aa', colour='red')"


def test_a_value_that_holds_itself_is_shown(decorate: Callable[..., Any]) -> None:
    shape = made(decorate)("a")
    shape.sizes.append(shape)
    assert "sizes=[...]" in repr(shape)


def test_replaced_and_copied_values_are_whole(decorate: Callable[..., Any]) -> None:
    shape = made(decorate, frozen=True)("a", [1])
    assert replace(shape, name="b").doubled == "bb"
    assert copy.copy(shape) == shape
    assert copy.deepcopy(shape).sizes is not shape.sizes


def test_all_fields_may_be_given_by_name_only(decorate: Callable[..., Any]) -> None:
    kind = made(decorate, kw_only=True)
    assert kind(name="a", colour="red").name == "a"
    with pytest.raises(TypeError, match="keyword-only"):
        kind("a", colour="red")


@values.dataclass(slots=True, frozen=True)
class Own:
    """With a method that the decorator would have made."""

    name: str

    def __repr__(self) -> str:
        return "mine"


def test_a_class_keeps_the_methods_that_it_has() -> None:
    assert repr(Own("a")) == "mine"


def test_frozen_values_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Own("a"))) == Own("a")
