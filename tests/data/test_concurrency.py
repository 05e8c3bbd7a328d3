"""Many writers at once: no busy errors, no gaps, no lost change; each with what happens without the measure."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from gigacore.data import Database, audit, counters, create_engine
from gigacore.data.engine import _begin_sqlite
from gigacore.data.tables import core_counter
from gigacore.errors import Conflict, StaleVersion
from tests.data.sample import ANNA, Customer

THREADS, TURNS = 4, 25


def run(work: Callable[[], None], threads: int = THREADS) -> list[BaseException]:
    """What went wrong when this many threads did the work."""
    wrong: list[BaseException] = []
    start = threading.Barrier(threads)

    def body() -> None:
        start.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test looks at whatever it is
            wrong.append(error)

    workers = [threading.Thread(target=body) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return wrong


def test_concurrent_writers_all_get_through(database: Database) -> None:
    def work() -> None:
        for _ in range(TURNS):
            with database.unit_of_work(ANNA) as ctx:
                ctx.session.scalars(sa.select(Customer).limit(1)).all()
                ctx.session.add(Customer(name="x"))

    assert run(work) == []
    with database.read(ANNA) as ctx:
        assert ctx.session.scalar(sa.select(sa.func.count(Customer.id))) == THREADS * TURNS
    with database.begin() as connection:
        assert audit.seal(connection, database.clock.now()) == THREADS * TURNS
        assert audit.verify(connection) == []


def test_control_deferred_transactions_on_sqlite_fail_when_they_start_to_write(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'c.sqlite3'}")
    core_counter.create(engine)
    event.remove(engine, "begin", _begin_sqlite)

    def deferred(connection: sa.Connection) -> None:
        connection.connection.dbapi_connection.execute("BEGIN")

    event.listen(engine, "begin", deferred)
    row = {"org_id": 1, "series": "x", "year": 1, "value": 0}
    with engine.begin() as connection:
        connection.execute(sa.insert(core_counter).values(**row))

    def work() -> None:
        for _ in range(TURNS):
            with engine.begin() as connection:
                value = connection.scalar(sa.select(core_counter.c.value))
                connection.execute(sa.update(core_counter).values(value=value + 1))

    assert any(isinstance(error, OperationalError) for error in run(work))
    engine.dispose()


def issue(database: Database, take: Callable[[sa.Connection], int], numbers: list[int]) -> Callable[[], None]:
    def work() -> None:
        for turn in range(TURNS):
            try:
                with database.unit_of_work(ANNA) as ctx:
                    number = take(ctx.session.connection())
                    if turn % 5 == 0:
                        raise RuntimeError
            except RuntimeError:
                continue
            numbers.append(number)

    return work


def test_numbers_have_neither_gaps_nor_doubles(database: Database) -> None:
    numbers: list[int] = []

    def work() -> None:
        for turn in range(TURNS):
            try:
                with database.unit_of_work(ANNA) as ctx:
                    number = counters.next_number(ctx.session, "INV", 2026)
                    if turn % 5 == 0:
                        raise RuntimeError
            except RuntimeError:
                continue
            numbers.append(number)

    assert run(work) == []
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.postgres
def test_control_one_more_than_the_last_gives_doubles(postgres_shop: Callable[[Path], str], tmp_path: Path) -> None:
    engine = create_engine(postgres_shop(tmp_path))
    numbers: list[int] = []
    together = threading.Barrier(THREADS)

    def work() -> None:
        with engine.begin() as connection:
            number = (connection.scalar(sa.select(sa.func.max(core_counter.c.year))) or 0) + 1
            together.wait()
            row = {"org_id": threading.get_ident(), "series": "x", "year": number, "value": 0}
            connection.execute(sa.insert(core_counter).values(**row))
            numbers.append(number)

    assert run(work) == []
    assert len(set(numbers)) < len(numbers)
    engine.dispose()


def test_of_many_changes_from_one_version_exactly_one_wins(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        record = Customer(name="x")
        ctx.session.add(record)
    won: list[int] = []

    def work() -> None:
        with database.unit_of_work(ANNA) as ctx:
            found = ctx.session.get(Customer, record.id)
            if found.version != 1:
                raise StaleVersion(found.version)
            found.city = "mine"
        won.append(1)

    wrong = run(work)
    assert (len(won), len(wrong)) == (1, THREADS - 1)
    assert all(isinstance(error, StaleVersion | Conflict) for error in wrong)
