"""Values of open choice lists, which whoever edits a record may add to on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gigacore.data.choices import add_choice
from gigacore.entity import ChoiceList, EntitySpec, fold

if TYPE_CHECKING:
    from gigacore.context import Context


def settle_open_choices(ctx: Context, spec: EntitySpec, values: dict[str, Any]) -> None:
    """Replace labels of open lists by keys in `values`, adding choices that are not there yet."""
    for name, value in values.items():
        field = spec.fields.get(name)
        choices = ctx.session.registry.choice_list(field) if field is not None and value else None
        if choices is None or not choices.open:
            continue
        if isinstance(value, list):
            values[name] = list(dict.fromkeys(_key(ctx, choices, item) for item in value if item.strip()))
        else:
            values[name] = _key(ctx, choices, value)


def _key(ctx: Context, choices: ChoiceList, text: str) -> str:
    if choices.get(text) is not None:
        return text
    wanted = fold(text)
    same = next((c.key for c in choices.choices if fold(c.label) == wanted), None)
    return same or add_choice(ctx, choices, text)
