"""The rows of choice lists, which administrators edit; open lists grow by whoever edits a record."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import chain, count
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
_LABEL_LENGTH: Final = 120
_LOOSE: Final = re.compile(r"[\s_.,;:'’\-/]+")

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
    label, connection, table = label.strip()[:_LABEL_LENGTH], ctx.session.connection(), core_choice.c
    key, present = choice_key(label), _alike(connection, choices, choice_key(label))
    same = next((known for known, text in present.items() if sounds_like(text, label)), None)
    if same is not None:
        return same
    key = free_key(key, present)
    last = sa.select(sa.func.coalesce(sa.func.max(table.position), -1) + 1).where(table.list == choices.name)
    row = {"uid": uuid7(), "list": choices.name, "key": key, "label": label, "labels": {}, "colour": ""}
    position = connection.execute(last).scalar_one()
    more = {"kind": "", "position": position, "active": True, "plugin": choices.plugin}
    connection.execute(sa.insert(core_choice).values(**row, **more))
    bump_generation(connection)
    return key


def _alike(connection: sa.Connection, choices: ChoiceList, key: str) -> dict[str, str]:
    """Label by key of the values whose key begins with this one: `C`, `C++` and `C#` would all be `c`."""
    table = core_choice.c
    wanted = sa.select(table.key, table.label).where(table.list == choices.name)
    return {row.key: row.label for row in connection.execute(wanted.where(table.key.startswith(key, autoescape=True)))}


def sounds_like(label: str, other: str) -> bool:
    """Whether two labels differ only in what people write now this way, now that way."""
    return _LOOSE.sub(" ", fold(label)).strip() == _LOOSE.sub(" ", fold(other)).strip()


def free_key(key: str, taken: Container[str]) -> str:
    """The key, or with a number behind it where it is taken."""
    numbered = (f"{key}_{number}" for number in count(2))
    return next(one for one in chain([key], numbered) if one not in taken)
