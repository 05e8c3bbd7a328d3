"""Nothing that a person reads lacks its French text."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from gigacore.text import Catalogue, Translator

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "gigacore",
    "host_app",
    *sorted(path.name for path in ROOT.glob("plugins/*/gigacore_*") if find_spec(path.name) is not None),
]


@pytest.fixture(scope="module")
def french() -> Translator:
    return Catalogue.load(PACKAGES).translator("fr")


def sources(package: str) -> Iterator[Path]:
    spec = find_spec(package)
    assert spec is not None
    for place in spec.submodule_search_locations or ():
        yield from (path for path in Path(place).rglob("*.py") if "migrations" not in path.parts)


def marked(path: Path) -> Iterator[str]:
    """The texts in calls of `msg`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "msg" and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


@pytest.mark.parametrize("package", PACKAGES)
def test_every_marked_text_is_translated(package: str, french: Translator) -> None:
    missing = {text for path in sources(package) for text in marked(path) if text not in french.texts}
    assert sorted(missing) == []


def test_translations_keep_the_placeholders(french: Translator) -> None:
    wrong = {
        text: forms
        for text, forms in french.texts.items()
        if text and any(names(form) - names(text) for form in forms if form)
    }
    assert wrong == {}


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_french_puts_a_no_break_space_before_double_signs(french: Translator) -> None:
    wrong = [form for forms in french.texts.values() for form in forms for sign in "?!;" if f" {sign}" in form]
    assert wrong == []
