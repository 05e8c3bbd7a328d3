"""An engine per database and a small owner of tables, so that migrations are tested without any product table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.data import create_engine
from gigacore.migrate import History, write_revision


@pytest.fixture
def metadata() -> sa.MetaData:
    found = sa.MetaData()
    sa.Table("shop_item", found, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
    line = sa.Table("shop_line", found, sa.Column("id", sa.Integer, primary_key=True))
    item = sa.ForeignKey("shop_item.id", ondelete="CASCADE", name="fk_shop_line_item_id")
    line.append_column(sa.Column("item_id", sa.Integer, item))
    sa.Table("other_thing", found, sa.Column("id", sa.Integer, primary_key=True))
    return found


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History("shop", tmp_path / "migrations", frozenset({"shop_item", "shop_line"}))


@pytest.fixture
def first(history: History, metadata: sa.MetaData) -> Path:
    path = write_revision(history, metadata, create_engine("sqlite://"), "Items and lines")
    assert path is not None
    return path


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()
