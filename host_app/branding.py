"""The settings of the installation itself: what it is called, and its accent colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gigacore.entity import FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg

GENERAL: Final = (
    FieldSpec("core.brand_name", "text", label="Name of this CRM", max_length=40, help="Shown at the top of the menu."),
    FieldSpec(
        "core.brand_accent",
        "text",
        label="Accent colour",
        max_length=7,
        help="Such as #4c5fd7, or empty. Texts in it are shaded until they are readable, in light and dark.",
    ),
)


def check(fields: Sequence[FieldSpec], typed: dict[str, Any]) -> None:
    """Raise Invalid for a number out of its range or a colour that is none."""
    errors = []
    for field in fields:
        value = typed[field.name]
        if field.name == "core.brand_accent" and value and not _is_colour(value):
            errors.append(FieldError(field.name, msg("This must be a colour such as #4c5fd7.")))
    if errors:
        raise Invalid(errors=errors)


def _is_colour(text: str) -> bool:
    return len(text) == 7 and text[0] == "#" and all(char in "0123456789abcdefABCDEF" for char in text[1:])
