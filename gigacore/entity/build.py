"""From a field's declaration to its mapped columns and its `FieldSpec`."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import Any, Final, get_origin

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import MappedColumn, mapped_column

from gigacore.entity.columns import KeyText
from gigacore.entity.kinds import KINDS, PYTHON_KINDS, TEXT_LENGTH
from gigacore.entity.money import MoneyAttribute
from gigacore.entity.spec import FieldSpec
from gigacore.values import dataclass

_UNINDEXED: Final = frozenset({"json", "choices", "longtext"})


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """The placeholder that `field()` and its like leave in the class body until it is mapped."""

    spec: FieldSpec
    required: bool | None = None


def label_of(name: str) -> str:
    """The English label that a name implies: `next_action_at` -> `Next action at`, `company_id` -> `Company`."""
    return name.removesuffix("_id").replace("_", " ").capitalize()


def attach(
    cls: Any, name: str, declared: FieldDecl, hint: Any, optional: bool, *, entity: str, plugin: str, is_title: bool
) -> FieldSpec:
    """Put the columns of one field onto the class being declared and give its description."""
    spec = _complete(declared, name, hint, optional, entity, plugin, is_title)
    cls.__annotations__.pop(name, None)  # SQLAlchemy would evaluate what the columns say already
    if spec.kind == "money":
        _attach_money(cls, name, spec, optional)
    else:
        setattr(cls, name, column_for(spec, nullable=optional))
    if spec.key_column:
        setattr(cls, spec.key_column, mapped_column(KeyText(), nullable=True))
    return spec


def index_of(table: str, spec: FieldSpec, *, nullable: bool) -> Index | None:
    """The index of one field. Rows without a value stay out of it: most optional fields are empty in most rows."""
    if spec.key_column:
        wanted = spec.sort or spec.indexed or spec.unique or spec.kind in ("email", "phone")
    else:
        wanted = (spec.indexed or spec.sort) and not spec.unique and spec.kind not in _UNINDEXED
    if not wanted:
        return None
    column = spec.key_column or spec.column
    filled = sa.column(column).is_not(None) if nullable else None
    unique = spec.unique and spec.key_column is not None
    return Index(f"ix_{table}_{column}", column, unique=unique, sqlite_where=filled, postgresql_where=filled)


def _complete(
    declared: FieldDecl, name: str, hint: Any, optional: bool, entity: str, plugin: str, is_title: bool
) -> FieldSpec:
    spec = declared.spec
    kind = spec.kind or _kind_of(hint, f"{entity}.{name}")
    members = hint if isinstance(hint, type) and issubclass(hint, enum.Enum) else None
    spec = replace(
        spec,
        name=name,
        kind=kind,
        label=spec.label or label_of(name),
        entity=entity,
        plugin=plugin,
        attribute=f"{name}_value" if kind == "money" else name,
        column=name,
        enum=members,
        choices=tuple((str(m.value), _member_label(m)) for m in members) if members else (),
        max_length=spec.max_length or (TEXT_LENGTH if kind in ("text", "url", "email", "phone") else None),
        search=spec.search or is_title,
        sort=spec.sort or is_title,
    )
    required = declared.required if declared.required is not None else not optional and spec.default is None
    keyed = spec.is_text and (spec.search or spec.sort or spec.indexed or spec.unique or kind in ("email", "phone"))
    return replace(spec, required=required and kind != "boolean", key_column=f"{name}_key" if keyed else None)


def _member_label(member: enum.Enum) -> str:
    """The label that a member gives itself, else the one that its value implies."""
    return str(getattr(member, "label", "")) or label_of(str(member.value))


def _kind_of(hint: Any, where: str) -> str:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "enum"
    bare = get_origin(hint) or hint
    kind = PYTHON_KINDS.get(bare)
    if kind is None:
        known = ", ".join(sorted(one.__name__ for one in PYTHON_KINDS))
        raise TypeError(f"{where} has no kind for {hint!r}: annotate it with one of {known}, or pass field(kind=...)")
    return kind


def column_for(spec: FieldSpec, *, nullable: bool) -> MappedColumn[Any]:
    """The mapped column of any field but money."""
    args: list[Any] = [KINDS[spec.kind].column(spec)]
    if spec.target and not spec.soft:
        rule = {"restrict": "RESTRICT", "set_null": "SET NULL", "cascade": "CASCADE"}[spec.on_delete or "restrict"]
        args.append(ForeignKey(f"{spec.target.replace('.', '_')}.id", ondelete=rule))
    return mapped_column(
        *args,
        nullable=nullable,
        unique=True if spec.unique and not spec.is_text else None,
        default=_column_default(spec),
    )


def _column_default(spec: FieldSpec) -> Any:
    if spec.default is not None or spec.rollup is None:
        return spec.default
    return 0 if spec.rollup.function == "count" else None


def _attach_money(cls: Any, name: str, spec: FieldSpec, optional: bool) -> None:
    setattr(cls, name, MoneyAttribute(name))
    amount = KINDS["money"].column(spec)
    setattr(cls, f"{name}_value", mapped_column(name, amount, nullable=optional))
    setattr(cls, f"{name}_currency", mapped_column(f"{name}_currency", String(3), nullable=optional))
