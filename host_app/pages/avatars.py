"""The small picture of a record: its photo or logo, else the initials of its title."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from gigacore.entity import EntitySpec, FieldSpec
from host_app.pages.cells import initials
from host_app.pages.columns import title_of, value_of

Draw = Callable[[Mapping[str, Any]], Markup]
PICTURE: Final = Markup('<img class="av" src="/files/{}?show=1" alt="" loading="lazy">')
LETTERS: Final = Markup('<span class="av" aria-hidden="true">{}</span>')


def picture_of(spec: EntitySpec, readable: Iterable[str]) -> FieldSpec | None:
    """The field that holds the picture of a record, if the entity has one and the reader may see it."""
    names = frozenset(readable)
    return next((one for one in spec.fields.values() if one.image is not None and one.name in names), None)


def drawer_of(spec: EntitySpec, field: FieldSpec | None) -> Draw | None:
    """The function that draws the picture of a record as `records` gives it; None where records have none."""
    if field is None:
        return None
    name = field.name

    def draw(item: Mapping[str, Any]) -> Markup:
        value = value_of(item, name)
        if value is None or value.get("name") is None:
            return LETTERS.format(initials(title_of(spec, item)))
        return PICTURE.format(value["uid"])

    return draw
