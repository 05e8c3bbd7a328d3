"""Editing choice lists, each call in the caller's unit of work; the change holds for sessions opened after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.access import require
from gigacore.data import audit, bump_generation
from gigacore.data.choices import choice_key, core_choice, free_key, sounds_like
from gigacore.entity import Choice, ChoiceList
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.plugins import choice_uses

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.choice"
CHANGEABLE: Final = frozenset({"label", "labels", "colour", "kind", "active"})
_LABEL: Final = 120
_COLOUR: Final = re.compile(r"[a-z]{0,20}|#[0-9a-f]{6}")
_LOCALE: Final = re.compile(r"[a-z]{2}(_[A-Z]{2})?")
_C: Final = core_choice.c


def add(ctx: Context, list_name: str, data: Mapping[str, Any]) -> Choice:
    """Adds a choice at the end of a list.

    `data` holds `label` and may hold `key` (else made from the label), `labels` by language, `colour`, `kind` and
    `active`. Raises NotFound for an unknown list, Invalid, or Forbidden without the right to edit choice lists.
    """
    require(ctx, "edit", TOOL)
    known = _list(ctx, list_name)
    values = _checked(known, {"label": "", "labels": {}, "colour": "", "kind": "", "active": True, **data})
    given = values.pop("key", None)
    key = choice_key(str(given or values["label"]))
    present = known.get(key)
    if present is not None and not given and not sounds_like(present.label, values["label"]):
        key = free_key(key, {choice.key for choice in known.choices})
    elif present is not None:
        raise Invalid.of("key", msg("There is a choice {name} already.", name=key), "unique")
    position = max((choice.position for choice in known.choices), default=-1) + 1
    row = {"uid": uuid7(), "list": list_name, "key": key, "position": position, "plugin": ""}
    ctx.session.connection().execute(sa.insert(core_choice).values(**row, **values))
    _note(ctx, "created", list_name, key, values)
    return Choice(key, position=position, **values)


def change(ctx: Context, list_name: str, key: str, data: Mapping[str, Any]) -> None:
    """Changes label, labels, colour, kind or whether a choice is offered; its key never changes.

    Raises NotFound, Invalid, Forbidden, or Conflict when the list would lose the last choice of a kind.
    """
    require(ctx, "edit", TOOL)
    known = _list(ctx, list_name)
    present = _choice(known, key)
    values = _checked(known, data)
    values.pop("key", None)
    if values.get("kind", present.kind) != present.kind or values.get("active") is False:
        _keep_kind(known, present)
    if values:
        ctx.session.connection().execute(
            sa.update(core_choice).where(_C.list == list_name, _C.key == key).values(values)
        )
        _note(ctx, "changed", list_name, key, values)


def remove(ctx: Context, list_name: str, key: str) -> None:
    """Removes a choice that no record uses.

    Raises NotFound, Forbidden, or Conflict when records use it or the list would lose the last choice of a kind.
    """
    require(ctx, "edit", TOOL)
    known = _list(ctx, list_name)
    _keep_kind(known, _choice(known, key))
    used = choice_uses.count(ctx, list_name, key)
    if used:
        raise Conflict(
            msg("{count} records use this choice.", count=used),
            fix=msg("Put another choice in its place, or switch it off."),
        )
    ctx.session.connection().execute(sa.delete(core_choice).where(_C.list == list_name, _C.key == key))
    _note(ctx, "removed", list_name, key, {})


def merge(ctx: Context, list_name: str, key: str, into: str) -> int:
    """Puts another choice in the place of one, in every record that uses it, and removes it; gives their number.

    Raises what `remove` raises, Invalid for the same choice twice, and what the change of a record raises.
    """
    require(ctx, "edit", TOOL)
    known = _list(ctx, list_name)
    leaving, other = _choice(known, key), _choice(known, into)
    if leaving.key == other.key:
        raise Invalid.of("into", msg("Choose another value."))
    if leaving.kind != other.kind:
        _keep_kind(known, leaving)
    done = choice_uses.replace_everywhere(ctx, list_name, key, into)
    ctx.session.connection().execute(sa.delete(core_choice).where(_C.list == list_name, _C.key == key))
    _note(ctx, "merged", list_name, key, {"into": into, "records": done})
    return done


def arrange(ctx: Context, list_name: str, keys: Sequence[str]) -> None:
    """Puts the choices of a list into this order; those that are not named follow. Raises what `change` raises."""
    require(ctx, "edit", TOOL)
    known = _list(ctx, list_name)
    named = [_choice(known, key).key for key in dict.fromkeys(keys)]
    rest = [choice.key for choice in known.choices if choice.key not in named]
    connection = ctx.session.connection()
    for position, key in enumerate(named + rest):
        connection.execute(sa.update(core_choice).where(_C.list == list_name, _C.key == key).values(position=position))
    _note(ctx, "arranged", list_name, "", {"keys": named})


def _list(ctx: Context, name: str) -> ChoiceList:
    found = ctx.session.registry.choice_lists.get(name)
    if found is None:
        raise NotFound(msg("There is no choice list {name}.", name=name))
    return found


def _choice(known: ChoiceList, key: str) -> Choice:
    found = known.get(key)
    if found is None:
        raise NotFound(msg("There is no choice {name}.", name=key))
    return found


def _checked(known: ChoiceList, data: Mapping[str, Any]) -> dict[str, Any]:
    for name in data:
        if name not in CHANGEABLE | {"key"}:
            raise Invalid.of(name, msg("There is no field {name}.", name=name), "unknown_field")
    values = dict(data)
    if "label" in values:
        values["label"] = _text("label", values["label"])
    if "labels" in values:
        values["labels"] = _labels(values["labels"])
    if not _COLOUR.fullmatch(str(values.get("colour", ""))):
        raise Invalid.of("colour", msg("A colour is a name or reads like #1f6feb."))
    if values.get("kind") and values["kind"] not in {choice.kind for choice in known.choices}:
        raise Invalid.of("kind", msg("This is not one of the possible values."))
    if not isinstance(values.get("active", True), bool):
        raise Invalid.of("active", msg("This must be yes or no."))
    return values


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(_LOCALE.fullmatch(str(locale)) for locale in value):
        raise Invalid.of("labels", msg("Labels are given by language, for instance fr."))
    return {str(locale): _text("labels", label) for locale, label in value.items() if label}


def _text(path: str, value: object) -> str:
    clean = " ".join(value.split()) if isinstance(value, str) else ""
    if not clean or not clean.isprintable() or len(clean) > _LABEL:
        raise Invalid.of(path, msg("A label has 1 to {count} characters.", count=_LABEL))
    return clean


def _keep_kind(known: ChoiceList, leaving: Choice) -> None:
    """Rules ask for a kind (won, lost); a list that had none of it any more would break them."""
    same = [c for c in known.choices if c.active and c.kind == leaving.kind and c.key != leaving.key]
    if leaving.kind and leaving.active and not same:
        raise Conflict(
            msg("This is the last choice of the kind “{kind}”, which rules rely on.", kind=leaving.kind),
            fix=msg("Add another choice of this kind first."),
        )


def _note(ctx: Context, verb: str, list_name: str, key: str, values: Mapping[str, Any]) -> None:
    bump_generation(ctx.session.connection())
    audit.record(ctx, TOOL, verb, values={"list": list_name, "key": key, **values})
