"""An engine per database and a small owner of tables, so that migrations are tested without any product table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.migrate import History, operation, write_revision


@pytest.fixture
def metadata() -> sa.MetaData:
    found = sa.MetaData()
    sa.Table("shop_item", found, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
    line = sa.Table("shop_line", found, sa.Column("id", sa.Integer, primary_key=True))
    line.append_column(sa.Column("item_id", sa.Integer, sa.ForeignKey("shop_item.id", ondelete="CASCADE")))
    sa.Table("other_thing", found, sa.Column("id", sa.Integer, primary_key=True))
    return found


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History("shop", tmp_path / "migrations", frozenset({"shop_item", "shop_line"}))


def scratch() -> sa.Engine:
    return sa.create_engine("sqlite://", poolclass=sa.StaticPool)


@pytest.fixture
def first(history: History, metadata: sa.MetaData) -> Path:
    path = write_revision(history, metadata, scratch(), "Items and lines")
    assert path is not None
    return path


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[sa.Engine]:
    data = pytest.importorskip("gigacore.data")
    engine = data.create_engine(empty_database_url)
    yield engine
    with operation(engine) as connection:
        for table in reversed(sorted(sa.inspect(connection).get_table_names())):
            cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f'DROP TABLE "{table}"{cascade}')
    engine.dispose()
