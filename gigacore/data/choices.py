"""The rows of choice lists, which administrators edit; open lists grow by whoever edits a record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.data.generation import bump_generation
from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB
from gigacore.entity.folding import fold
from gigacore.ids import uuid7

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import ChoiceList

_KEY_LENGTH: Final = 60

core_choice: Final = sa.Table(
    "core_choice",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("list", sa.String(80), nullable=False),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("label", sa.String(120), nullable=False),
    sa.Column("labels", JsonB(), nullable=False),
    sa.Column("colour", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("plugin", sa.String(30), nullable=False),
    sa.UniqueConstraint("list", "key"),
    sqlite_autoincrement=True,
)


def choice_key(label: str) -> str:
    """The stable key that a label typed by a person gets: `Île-de-France` -> `ile_de_france`."""
    return re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[:_KEY_LENGTH] or "value"


def add_choice(ctx: Context, choices: ChoiceList, label: str) -> str:
    """Add a value to an open list unless it is there, and give its key. Within the caller's unit of work."""
    key, connection = choice_key(label), ctx.session.connection()
    table = core_choice.c
    known = sa.select(table.key).where(table.list == choices.name, table.key == key)
    if connection.execute(known).first() is None:
        last = sa.select(sa.func.coalesce(sa.func.max(table.position), -1) + 1).where(table.list == choices.name)
        row = {"uid": uuid7(), "list": choices.name, "key": key, "label": label[:120], "labels": {}, "colour": ""}
        position = connection.execute(last).scalar_one()
        more = {"kind": "", "position": position, "active": True, "plugin": choices.plugin}
        connection.execute(sa.insert(core_choice).values(**row, **more))
        bump_generation(connection)
    return key
