"""What an author did wrong is told with what to do about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from gigacore import Entity, EntityMeta, Plugin, PluginError, field, hookimpl
from gigacore.plugins.dispatch import Dispatcher
from gigacore.plugins.registration import check

ROOT = Path(__file__).parents[2]
TOLD = {"PluginError", "ConfigurationError"}
PLACES = ("gigacore/plugins", "gigacore/entity", "gigacore/migrate", "gigacore/measures.py", "host_app/scaffold")


def speechless(source: str) -> Iterator[str]:
    """The first words of each error that names no next step."""
    for node in ast.walk(ast.parse(source)):
        told = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TOLD
        if told and not any(one.arg == "fix" for one in node.keywords):  # type: ignore[attr-defined]
            words = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            yield str(words[0] if words else ast.unparse(node))


@pytest.mark.parametrize("place", PLACES)
def test_every_error_of_an_author_names_the_next_step(place: str) -> None:
    files = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    found = [f"{file.relative_to(ROOT)}: {words}" for file in files for words in speechless(file.read_text())]
    assert found == []


def test_the_check_finds_an_error_without_one() -> None:
    assert list(speechless('raise PluginError("x", msg("It broke."))')) == ["x"]
    assert list(speechless('raise PluginError("x", msg("It broke."), fix=msg("Mend it."))')) == []


def dispatched(hook: Any) -> None:
    Dispatcher(strict=True).add(Plugin("annex", hooks=[hook]))


class Misspelt:
    @hookimpl
    def before_svae(self, entity: object) -> None: ...


class Overreaching:
    @hookimpl
    def before_save(self, weather: object) -> None: ...


@pytest.mark.parametrize(("hook", "step"), [(Misspelt, "Call it before_save."), (Overreaching, "docs/hooks.md")])
def test_a_hook_that_does_not_fit_is_told_by_the_name_that_was_meant(hook: type, step: str) -> None:
    with pytest.raises(PluginError) as caught:
        dispatched(hook())
    assert step in str(caught.value)


def test_a_name_outside_the_plugin_is_told_with_the_one_it_should_have() -> None:
    with pytest.raises(PluginError, match=r"Call it annex\.far\."):
        check(Plugin("annex", settings=[field_spec("visits.far")]))


def field_spec(name: str) -> Any:
    from gigacore import FieldSpec

    return FieldSpec(name, "text", "Far")


def test_an_entity_that_is_there_already_and_a_field_of_no_kind_say_where_and_what_to_do() -> None:
    class Barn(Entity):
        __entity__ = EntityMeta("annex.barn", plural="barns", title="name")
        name: Mapped[str] = field(max_length=10)

    with pytest.raises(PluginError, match=r"annex\.barn.*another name"):

        class Twin(Entity):
            __entity__ = EntityMeta("annex.barn", plural="twins", title="name")
            name: Mapped[str] = field(max_length=10)

    with pytest.raises(TypeError, match=r"annex\.shed\.door .* field\(kind="):

        class Shed(Entity):
            __entity__ = EntityMeta("annex.shed", plural="sheds", title="door")
            door: Mapped[complex] = field()

    with pytest.raises(PluginError, match=r"Name one of these in title=: name\."):

        class Loft(Entity):
            __entity__ = EntityMeta("annex.loft", plural="lofts", title="nmae")
            name: Mapped[str] = field(max_length=10)
