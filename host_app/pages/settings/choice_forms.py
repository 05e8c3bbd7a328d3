"""What forms of choice lists hold: a value as it was typed, and a value moved by one place."""

from __future__ import annotations

from typing import Any

from flask import request

from gigacore.entity import ChoiceList
from gigacore.errors import NotFound


def typed() -> dict[str, Any]:
    """Label, its translation and colour as they were typed; an empty translation is left to the catalogue."""
    form = request.form
    data: dict[str, Any] = {"label": form.get("label", ""), "colour": form.get("colour", "")}
    if form.get("french", "").strip():
        data["labels"] = {"en": form.get("label", ""), "fr": form["french"]}
    return data


def moved(entry: ChoiceList, key: str, step: int) -> list[str]:
    """The keys of a list after one of them moved by a step. Raises NotFound."""
    keys = [choice.key for choice in entry.choices]
    if key not in keys:
        raise NotFound
    at = keys.index(key)
    to = max(0, min(len(keys) - 1, at + step))
    keys.insert(to, keys.pop(at))
    return keys
