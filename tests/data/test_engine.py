"""The profile of the engine, and the check of one that was made elsewhere."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.data import Database, check_engine, create_engine, prepare_engine
from gigacore.errors import ConfigurationError


def test_our_engine_passes_its_own_check(url: str) -> None:
    engine = create_engine(url)
    check_engine(engine)
    engine.dispose()


def test_sqlite_is_durable_and_keeps_references(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with engine.connect() as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted
    engine.dispose()


def test_an_embedders_plain_engine_is_refused_and_told_why(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with pytest.raises(ConfigurationError) as refused:
        check_engine(engine)
    assert {"foreign_keys=0", "BEGIN IMMEDIATE"} <= set(str(refused.value.message.params["list"]).split(", "))
    engine.dispose()


def test_an_embedders_prepared_engine_passes(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    prepare_engine(engine)
    check_engine(engine)
    engine.dispose()


def test_another_database_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        create_engine("mysql://localhost/x")


@pytest.mark.parametrize(
    "text", ["Éloïse", "ÅNGSTRÖM", "straße", "ﬁancée", "Ǆ", "Ωμέγα", "plain", "", "a\u0301b", "İI"]
)
def test_the_database_folds_as_python_does(database: Database, text: str) -> None:
    from gigacore.entity import fold

    with database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.giga_fold(text))) == fold(text)
        assert connection.scalar(sa.select(sa.func.giga_fold(sa.null()))) is None


def test_a_connection_that_died_while_idle_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("a file cannot hang up")
    with database.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    killer = sa.create_engine(database.engine.url, poolclass=sa.NullPool)
    with killer.connect() as other:
        other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    monkeypatch.setattr("gigacore.data.engine.IDLE_SECONDS", 0.0)
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_postgresql_compiles_no_statements(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite compiles every statement to its own code")
    with database.connect() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar() == "off"
