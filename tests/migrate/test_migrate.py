"""Migrations go up, down and up again on both engines, whole or not at all, and tell what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.data import create_engine
from gigacore.entity import metadata as declared
from gigacore.errors import ConfigurationError, Conflict
from gigacore.migrate import History, check, current, downgrade, operation, state, upgrade, write_revision
from gigacore.plugins.histories import core_history, core_tables

SECOND = '''"""Second"""
from alembic import op
import sqlalchemy as sa
revision = "shop_0002"
down_revision = "shop_0001"
def upgrade() -> None:
    {upgrade}
def downgrade() -> None:
    {downgrade}
'''
REBUILD = """
    with op.batch_alter_table('shop_item') as batch:
        batch.alter_column('name', type_=sa.Text())"""


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names())


def add_second(history: History, upgrade: str, downgrade: str = "pass") -> None:
    (history.versions / "0002_second.py").write_text(SECOND.format(upgrade=upgrade, downgrade=downgrade))


def fill(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO shop_item (id, name) VALUES (1, 'lamp')"))
        connection.execute(sa.text("INSERT INTO shop_line (id, item_id) VALUES (1, 1)"))


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())


def test_up_down_up_leaves_nothing_and_brings_all_back(engine: sa.Engine, history: History, first: Path) -> None:
    with operation(engine) as connection:
        assert upgrade(connection, history) == ["shop_0001"]
    assert tables(engine) == {"shop_item", "shop_line", "core_version_shop"}
    with operation(engine) as connection:
        downgrade(connection, history)
    assert tables(engine) == set()
    with operation(engine) as connection:
        assert upgrade(connection, history) == ["shop_0001"]
        assert upgrade(connection, history) == []
        assert current(connection, history) == "shop_0001"


def test_a_failing_operation_changes_nothing(engine: sa.Engine, history: History, first: Path) -> None:
    with operation(engine) as connection:
        upgrade(connection, history)
    add_second(history, "op.add_column('shop_item', sa.Column('price', sa.Integer)); op.drop_table('nowhere')")
    with pytest.raises(sa.exc.DBAPIError), operation(engine) as connection:
        upgrade(connection, history)
    with engine.connect() as connection:
        assert current(connection, history) == "shop_0001"
        assert "price" not in {c["name"] for c in sa.inspect(connection).get_columns("shop_item")}


def test_rebuilding_a_table_keeps_the_rows_that_cascade_from_it(
    engine: sa.Engine, history: History, first: Path
) -> None:
    with operation(engine) as connection:
        upgrade(connection, history)
    fill(engine)
    add_second(history, REBUILD)
    with operation(engine) as connection:
        upgrade(connection, history)
    assert count(engine, "shop_line") == 1


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_without_the_operation_the_rebuild_deletes_them(engine: sa.Engine, history: History, first: Path) -> None:
    """The control of the test above: what happens when foreign keys stay on."""
    with operation(engine) as connection:
        upgrade(connection, history)
    fill(engine)
    add_second(history, REBUILD)
    with engine.begin() as connection:
        upgrade(connection, history)
    assert count(engine, "shop_line") == 0


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_reference_left_dangling_rolls_the_operation_back(engine: sa.Engine, history: History, first: Path) -> None:
    with operation(engine) as connection:
        upgrade(connection, history)
    fill(engine)
    add_second(history, "op.execute('DELETE FROM shop_item')")
    with pytest.raises(Conflict, match="shop_line"), operation(engine) as connection:
        upgrade(connection, history)
    assert count(engine, "shop_item") == 1
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_database_newer_than_the_code_is_refused_with_the_next_step(
    engine: sa.Engine, history: History, first: Path
) -> None:
    with operation(engine) as connection:
        upgrade(connection, history)
        connection.execute(sa.text("UPDATE core_version_shop SET version_num = 'shop_0099'"))
    for act in (upgrade, downgrade):
        told = pytest.raises(ConfigurationError, match=r"shop_0099.*Install the version that wrote it")
        with told, operation(engine) as connection:
            act(connection, history)
    with engine.connect() as connection, pytest.raises(ConfigurationError, match="shop_0099"):
        state(connection, history).check_up_to_date()


def test_missing_migrations_are_counted(engine: sa.Engine, history: History, first: Path) -> None:
    with engine.connect() as connection:
        found = state(connection, history)
        assert found.pending == ("shop_0001",)
        with pytest.raises(ConfigurationError, match="giga db upgrade"):
            found.check_up_to_date()


def test_drift_is_told_for_the_owners_tables_only(
    engine: sa.Engine, history: History, metadata: sa.MetaData, first: Path
) -> None:
    with operation(engine) as connection:
        upgrade(connection, history)
        assert check(connection, history, metadata) == []
        connection.exec_driver_sql("CREATE TABLE foreign_table (id INTEGER)")
        assert check(connection, history, metadata) == []
    metadata.tables["shop_item"].append_column(sa.Column("price", sa.Integer))
    with engine.connect() as connection:
        (line,) = check(connection, history, metadata)
    assert "price" in line


def test_a_revision_is_written_once_and_names_no_foreign_table(
    history: History, metadata: sa.MetaData, first: Path
) -> None:
    source = first.read_text()
    assert "shop_item" in source
    assert "other_thing" not in source
    assert write_revision(history, metadata, create_engine("sqlite://"), "Again") is None
    metadata.tables["shop_item"].append_column(sa.Column("price", sa.Integer))
    second = write_revision(history, metadata, create_engine("sqlite://"), "A price for items")
    assert second is not None
    assert second.name == "0002_a_price_for_items.py"
    assert 'down_revision = "shop_0001"' in second.read_text()
    assert history.revisions() == ["shop_0001", "shop_0002"]


def test_two_revisions_after_the_same_one_are_refused(history: History, first: Path) -> None:
    add_second(history, "pass")
    (history.versions / "0003.py").write_text(SECOND.format(upgrade="pass", downgrade="pass").replace("0002", "0003"))
    with pytest.raises(ConfigurationError, match="shop_0002, shop_0003"):
        history.head()


def test_the_core_goes_up_down_and_up_and_fits_its_declarations(engine: sa.Engine) -> None:
    history = core_history()
    for _ in range(2):
        with operation(engine) as connection:
            upgrade(connection, history)
            assert check(connection, history, declared) == []
        assert core_tables() <= tables(engine)
        with operation(engine) as connection:
            downgrade(connection, history)
        assert tables(engine) == set()


def test_audit_rows_cannot_be_changed_in_the_database(engine: sa.Engine) -> None:
    with operation(engine) as connection:
        upgrade(connection, core_history())
    row = (
        "INSERT INTO core_audit (id, at, actor_kind, actor_name, correlation_id, entity, verb, fields, commitment) "
        "VALUES ('00000000000000000000000000000001', '2026-01-01', 'system', 's', 'c', 'e', 'v', '[]', 'x')"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(row)
    for statement in ("UPDATE core_audit SET verb = 'x'", "DELETE FROM core_audit"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
