"""Every text that a person may read has its French translation, and every translation its text."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points

import pytest

from gigacore.entity import ChildSpec, EntitySpec
from gigacore.plugins import Plugin
from gigacore.text.catalogue import read_package
from gigacore.text.extract import as_po, labels, literal_texts, package_texts, placeholders, typography

LANGUAGE = "fr"
BUILTIN = {"gigacore": "gigacore.crm:plugin"}
INSTALLED = {point.module.partition(".")[0]: point.value for point in entry_points(group="gigacore.plugins.v1")}
PACKAGES = ["gigacore", "host_app", *sorted(INSTALLED)]


def manifest(package: str) -> Plugin | None:
    value = (BUILTIN | INSTALLED).get(package)
    if value is None:
        return None
    module, _, name = value.partition(":")
    found: Plugin = getattr(importlib.import_module(module), name)
    return found


@cache
def used(package: str) -> dict[str, str]:
    """What the package shows: texts of its files, and labels that follow from its declarations."""
    found = package_texts(package)
    plugin = manifest(package)
    if plugin is None:
        return found
    for declared in plugin.entities:
        spec: EntitySpec = declared.__giga__
        found |= {text: place for text, place in labels(spec).items() if text not in found}
        for child in spec.children.values():
            found |= {text: place for text, place in child_labels(child).items() if text not in found}
    for extension in plugin.extensions:
        found |= {text: place for text, place in labels(extension.__fields__).items() if text not in found}
    return labels(plugin) | found


def child_labels(child: ChildSpec) -> dict[str, str]:
    return labels(child.fields, child.name) | {child.label: child.name}


@cache
def translated(package: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    parts = [package, "gigacore.crm"] if package == "gigacore" else [package]
    for locale, file in (found for part in parts for found in read_package(part)):
        if locale == LANGUAGE:
            entries |= {text: "\n".join(forms) for text, forms in file.texts.items()}
    return entries


@cache
def counted(package: str, locale: str) -> dict[str, tuple[str, ...]]:
    """The texts that have a form for one and another for many."""
    parts = [package, "gigacore.crm"] if package == "gigacore" else [package]
    found = (read for part in parts for read in read_package(part))
    return {text: forms for name, file in found if name == locale for text, forms in file.texts.items() if forms[1:]}


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_lacks_its_translation(package: str) -> None:
    known = set(translated(package)) | set(translated("gigacore"))
    missing = [text for text in used(package) if text not in known]
    assert not missing, f"add to {package}/translations/fr.po:\n\n{as_po(missing, used(package).__getitem__)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_translation_is_left_over(package: str) -> None:
    every = set(used(package)) | literal_texts(package)
    if package == "gigacore":  # whoever builds on it may use its words
        every |= {text for other in PACKAGES for text in used(other)} | {"today", "yesterday", "tomorrow"}
    unused = sorted(set(translated(package)) - every)
    assert not unused, f"take out of {package}/translations/fr.po: {unused}"


@pytest.mark.parametrize("package", PACKAGES)
def test_translations_fill_in_the_same_names(package: str) -> None:
    wrong = [text for text, french in translated(package).items() if placeholders(text) != placeholders(french)]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_french_typography(package: str) -> None:
    wrong = {text: french for text, french in translated(package).items() if typography(french)}
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_what_follows_a_number_in_english_does_in_french_and_every_form_tells_the_same(package: str) -> None:
    english, french = counted(package, "en"), counted(package, LANGUAGE)
    assert sorted(set(english) - set(french)) == []
    assert [text for text, forms in english.items() if forms[1] != text] == []
    every = [(text, form) for text, forms in [*english.items(), *french.items()] for form in forms]
    assert [form for text, form in every if placeholders(text) != placeholders(form)] == []
