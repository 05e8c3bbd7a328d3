"""Texts for people: translations, formats of dates, numbers and money, and sandboxed templates."""

from typing import TYPE_CHECKING, Any

from gigacore.text.catalogue import Catalogue, Translator
from gigacore.text.formats import Formats

if TYPE_CHECKING:
    from gigacore.text.templates import render, validate

__all__ = ["Catalogue", "Formats", "Translator", "render", "validate"]


def __getattr__(name: str) -> Any:
    """Loads the templates, and jinja2 with them, when they are first asked for."""
    if name not in ("render", "validate"):
        raise AttributeError(name)
    from gigacore.text import templates

    return getattr(templates, name)
