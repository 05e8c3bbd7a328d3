"""A revision file spells column types so that it means the same when the classes have moved on."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore.data import create_engine
from gigacore.entity import columns
from gigacore.migrate import History, write_revision


class Colour(enum.Enum):
    red = "red"


class Odd(sa.TypeDecorator[str]):
    impl = sa.Numeric(24, 10)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(sa.String(40) if dialect.name == "sqlite" else sa.Numeric(24, 10))


def test_own_types_are_named_and_foreign_ones_spelled_out(tmp_path: Path) -> None:
    metadata = sa.MetaData()
    sa.Table(
        "shop_item",
        metadata,
        sa.Column("id", columns.BigId, primary_key=True),
        sa.Column("price", columns.ExactDecimal),
        sa.Column("at", columns.UtcDateTime),
        sa.Column("data", columns.JsonB()),
        sa.Column("colour", columns.EnumText(Colour)),
        sa.Column("rate", Odd),
    )
    history = History("shop", tmp_path, frozenset({"shop_item"}))
    path = write_revision(history, metadata, create_engine("sqlite://"), "Items")
    assert path is not None
    source = path.read_text()
    for spelled in (
        "columns.BigId",
        "columns.ExactDecimal()",
        "columns.UtcDateTime()",
        "columns.JsonB()",
        "sa.String(40)",
        'sa.Numeric(precision=24, scale=10).with_variant(sa.String(length=40), "sqlite")',
    ):
        assert spelled in source
    assert "Colour" not in source
    compile(source, str(path), "exec")
