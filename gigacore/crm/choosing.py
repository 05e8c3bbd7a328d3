"""Asking the CRM's choice lists by meaning: administrators rename, add and switch off choices, never the kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigacore.entity import Registry


def kind_of(registry: Registry, name: str, key: str | None) -> str:
    """What a choice of the list `crm.<name>` means; empty when unknown."""
    found = registry.choice_lists.get(f"crm.{name}")
    return found.kind_of(key) if found is not None else ""


def key_of(registry: Registry, name: str, *kinds: str) -> str | None:
    """The first active choice of the list `crm.<name>` with one of these kinds, asked for in their order."""
    found = registry.choice_lists.get(f"crm.{name}")
    if found is not None:
        for kind in kinds:
            if (key := found.first_of(kind)) is not None:
                return key
    return None


def label_of(registry: Registry, name: str, key: str | None) -> str:
    """The English label of a choice."""
    found = registry.choice_lists.get(f"crm.{name}")
    choice = found.get(key) if found is not None and key is not None else None
    return choice.label if choice is not None else key or ""
