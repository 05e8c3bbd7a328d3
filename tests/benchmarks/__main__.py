"""`python3 dev.py bench`: the product beside the same requests written by hand, interleaved in one run.

Only the ratios of one run mean anything; the machine's own speed is in both sides.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from gigacore.plugins.discovery import discover
from tests.benchmarks import by_hand
from tests.benchmarks.data import rows
from tests.benchmarks.growth import measured
from tests.benchmarks.imports import import_by_hand, import_of_a_file, import_through_product
from tests.benchmarks.lines import HEAD, Line
from tests.benchmarks.plugins import install
from tests.benchmarks.product import Person, Product, prepare, prepare_shared
from tests.benchmarks.rules import cost_of_a_rule
from tests.benchmarks.servers import Client, Server, serving
from tests.benchmarks.works import Work, our_paths, reading_works, works

ROOT: Final = Path(__file__).parent.parent.parent
ROUNDS: Final = 15
STARTS: Final = 3
ONE_TEAM: Final = ("W1", "W2", "W3", "W3c", "W4", "W5", "W6", "W7")
SMALL: Final = 100_000
SHARES: Final = ("0.1 %", "10 %", "90 %", "100 %")
GROWTH: Final = {"W3": 2.5, "W3c": 2.5, "W7": 10.0}
"""How many times as long a request may take with ten times the leads."""

Serving = Callable[[], AbstractContextManager[Server]]


def compare(work: Work, ours: Client, other: Client) -> Line:
    """Medians of both sides asked by turns, a few times each, so that a busy moment of the machine meets both."""
    sides = [_Side(ours, work.ours), _Side(other, work.by_hand)]
    for turn in range(ROUNDS + 1):
        for side in sides:
            side.ask(work.times // ROUNDS, kept=turn > 0)  # the first turn fills caches
    mine, theirs = (statistics.median(side.spent) * 1000 for side in sides)
    goal = "" if work.limit is None else f"<= {work.limit}"
    passed, processor = work.limit is None or mine / theirs <= work.limit, sides[0].busy / sides[1].busy
    return Line(work.name, mine, theirs, "ms", goal, passed, processor)


@dataclass(slots=True)
class _Side:
    client: Client
    call: Callable[[Client, int], None]
    spent: list[float] = field(default_factory=list)
    busy: float = 0.0
    asked: int = 0

    def ask(self, times: int, *, kept: bool) -> None:
        busy, spent = self.client.server.busy(), list[float]()
        for _ in range(times):
            begun = time.perf_counter()
            self.call(self.client, self.asked)
            spent.append(time.perf_counter() - begun)
            self.asked += 1
        if kept:
            self.spent += spent
            self.busy += self.client.server.busy() - busy


def custom_beside_built_in(lines: Mapping[str, Line]) -> Iterator[Line]:
    """The list filtered by a custom field beside the one by a built-in field, both ours."""
    by_name = {name.split()[0]: line for name, line in lines.items()}
    if "W3" in by_name and "W3c" in by_name:
        custom, built_in = by_name["W3c"].ours, by_name["W3"].ours
        yield Line("W3c beside our W3", custom, built_in, "ms", "<= 1.3", custom <= 1.3 * built_in)


def start_up(ours: Serving, other: Serving, plugins: int) -> list[Line]:
    """Start-up by turns and idle memory, with ten plugins. Of the starts the fastest counts: other work only adds."""
    found: list[list[float]] = []
    for _ in range(STARTS + 1):
        with ours() as mine, other() as theirs:
            busy = mine.busy() / theirs.busy()
            time.sleep(1)
            found.append([mine.started_in, theirs.started_in, mine.memory(), theirs.memory(), busy])
    columns = list(zip(*found[1:], strict=True))
    own, hand = map(min, columns[:2])
    memory, by_hand_memory, busy = map(statistics.median, columns[2:])
    return [
        Line(f"W5 start-up, {plugins} plugins", own, hand, "s", "<= 1.2 s", own <= 1.2, busy),
        Line(f"W5 idle memory, {plugins} plugins", memory, by_hand_memory, "MB", "<= 90 MB", memory <= 90),
    ]


def imports(product: Product, engine: sa.Engine, size: int, folder: Path) -> list[Line]:
    """Rows per second of an import with validation and change log, and the memory that the command takes for a file."""
    mine = import_through_product(product, list(rows(size, seed=11, start=3 * 10**7)))
    theirs = import_by_hand(engine, list(rows(size, seed=11, start=4 * 10**7)))
    few, many = (import_of_a_file(product, folder, count) for count in (size // 10, size))
    return [
        Line("W1 import", mine, theirs, "rows/s", ">= 0.5", mine / theirs >= 0.5),
        Line("W1 memory, all / a tenth of a file", many, few, "MB", "<= 200 MB", many <= 200),
    ]


def growth(small: Product, large: Product) -> Iterator[Line]:
    """What ten times the leads cost those who see little, some and all of them: our side alone, by turns."""
    for name, paths in our_paths().items():
        for share, before, after in zip(SHARES, small.people, large.people, strict=True):
            if (limit := GROWTH.get(name)) is None or share == SHARES[2]:
                continue
            few, many = measured((small, before), (large, after), paths)
            passed = many.milliseconds <= limit * few.milliseconds and many.statements == few.statements
            title = f"W8 {name}, sees {share}, {many.statements}/{few.statements} statements"
            yield Line(title, many.milliseconds, few.milliseconds, "ms", f"<= {limit}", passed)


def shares(product: Product, by_hand_url: str) -> Iterator[Line]:
    """Lists and search of people who see little, some and all of the leads, beside the same by hand."""
    with serving(*_ours(product)) as ours, serving(*_by_hand(by_hand_url)) as other:
        for share, person in zip(SHARES, product.people, strict=True):
            api, page, hand = _clients(ours, other, person)
            for work in reading_works() if share != SHARES[2] else ():
                yield compare(
                    replace(work, name=f"{work.name.split()[0]} sees {share}"), page if work.page else api, hand
                )


def _ours(product: Product) -> tuple[str, dict[str, str], Path]:
    return "host_app.app:create_app()", product.environment(), ROOT


def _by_hand(url: str) -> tuple[str, dict[str, str], Path]:
    return "tests.benchmarks.by_hand:from_environment()", {"BY_HAND_URL": url, "PYTHONPATH": str(ROOT)}, ROOT


def _clients(ours: Server, other: Server, person: Person) -> tuple[Client, Client, Client]:
    """Who asks ours over the API and as a browser does, and who asks the side written by hand."""
    bearer = {"Authorization": f"Bearer {person.token}"}
    return (
        ours.client(bearer),
        ours.client({"Cookie": f"giga={person.session}"}),
        other.client(bearer | {"Cookie": f"sid={person.token}"}),
    )


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, on how many leads; where further plugins lie; an empty PostgreSQL's address."""

    rows: int
    works: tuple[str, ...]
    site: Path
    postgres: str
    prefix: str

    def wants(self, *names: str) -> bool:
        """Whether one of these figures is asked for."""
        return not self.works or any(name.startswith(self.works) for name in names)

    def database(self, kind: str, folder: Path, name: str) -> str:
        """The address of an empty database."""
        if kind == "sqlite":
            return f"sqlite:///{folder / name}.sqlite3"
        base, name = self.postgres.rpartition("/")[0], f"{self.prefix}_{name}"
        engine = sa.create_engine(self.postgres, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}"'))
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        return f"{base}/{name}"


def run(kind: str, folder: Path, options: Options) -> Iterator[Line]:
    """Every figure on one kind of database."""
    if options.wants(*ONE_TEAM):
        yield from one_team(kind, folder, options)
    if options.wants("shares"):
        product, url = _shared(kind, folder, options, min(options.rows, SMALL)), options.database(kind, folder, "hand2")
        _fill_by_hand(url, product, min(options.rows, SMALL), imported=False)
        yield from shares(product, url)
    if options.wants("W8") and options.rows > SMALL:
        yield from growth(*(_shared(kind, folder, options, size) for size in (SMALL, options.rows)))


def _shared(kind: str, folder: Path, options: Options, size: int) -> Product:
    place = folder / f"shared{size}"
    place.mkdir(exist_ok=True)
    return prepare_shared(place, options.database(kind, place, f"shared{size}"), rows(size), options.site)


def _fill_by_hand(url: str, product: Product, size: int, *, imported: bool) -> sa.Engine:
    engine = by_hand.engine_for(url)
    by_hand.fill(engine, rows(size), product.people, product.owners(), imported=imported)
    return engine


def one_team(kind: str, folder: Path, options: Options) -> Iterator[Line]:
    """Start-up, memory, every kind of request and imports, where one team has all the leads."""
    theirs = options.database(kind, folder, "by_hand")
    product = prepare(folder, options.database(kind, folder, "ours"), rows(options.rows), options.site)
    engine = _fill_by_hand(theirs, product, options.rows, imported=True)
    if options.wants("W5"):
        ours, other = partial(serving, *_ours(product)), partial(serving, *_by_hand(theirs))
        yield from start_up(ours, other, len(discover()) + 1)
    with serving(*_ours(product)) as mine, serving(*_by_hand(theirs)) as hand:
        api, page, other_client = _clients(mine, hand, product.person)
        lines = dict[str, Line]()
        for work in filter(lambda one: options.wants(one.name), works()):
            lines[work.name] = compare(work, page if work.page else api, other_client)
            yield lines[work.name]
        yield from custom_beside_built_in(lines)
    if options.wants("W6"):
        yield from cost_of_a_rule(product)
    if options.wants("W1"):
        yield from imports(product, engine, min(options.rows, 20_000), folder)
    engine.dispose()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=SMALL, help="how many leads; above 100000 W8 is measured")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--works", default="", help="only these figures: W3,W7,shares,W8")
    parser.add_argument("--prefix", default="giga_bench", help="what the databases on PostgreSQL are called")
    given = parser.parse_args()
    postgres = os.environ.get("GIGA_TEST_DATABASE_URL", "")
    kinds = [k for k in ("sqlite", "postgres") if given.only in (None, k) and (k == "sqlite" or postgres)]
    with tempfile.TemporaryDirectory() as apart:
        wanted = tuple(filter(None, given.works.split(",")))
        options = Options(given.rows, wanted, install(Path(apart)), postgres, given.prefix)
        for kind in kinds:
            print(f"\n{kind}, {given.rows:,} leads\n{HEAD}")
            with tempfile.TemporaryDirectory() as folder:
                for line in run(kind, Path(folder), options):
                    print(line, flush=True)
    if "postgres" not in kinds:
        print("\nPostgreSQL was left out: GIGA_TEST_DATABASE_URL names none.")


if __name__ == "__main__":
    main()
