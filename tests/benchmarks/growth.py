"""How our own lists and searches grow with the data, for people who see little, some and all of it.

Requests run in this process, without HTTP: what does not grow is not in the way.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from werkzeug.test import EnvironBuilder

from gigacore import Crm
from host_app.app import create_app
from tests.benchmarks.product import Person, Product

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TIMES: Final = 60
WARM: Final = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What one kind of request took: the median in milliseconds, and the statements of the last one."""

    milliseconds: float
    statements: int


Side = tuple[Product, Person]


def measured(few: Side, many: Side, paths: Callable[[int], str]) -> tuple[Answer, Answer]:
    """One kind of request, asked by turns where there are few and where there are many leads."""
    with _application(few[0]) as small, _application(many[0]) as large:
        sides = [(small, few[1], list[float]()), (large, many[1], list[float]())]
        for number in range(TIMES):
            for (_, app), person, spent in sides:
                found = _ask(app, paths(number), person)
                spent += [found] if number >= WARM else []
        first, second = (_answer(*side, path=paths(TIMES)) for side in sides)
    return first, second


@contextmanager
def _application(product: Product) -> Iterator[tuple[Crm, WSGIApplication]]:
    with Crm(product.settings) as crm:
        crm.start()
        yield crm, create_app(crm, product.settings)


def _answer(place: tuple[Crm, WSGIApplication], person: Person, spent: list[float], *, path: str) -> Answer:
    counts = list[int]()
    for _ in range(2):  # every two seconds a request also asks whether fields have changed
        with _counting(place[0].engine) as seen:
            _ask(place[1], path, person)
        counts.append(len(seen))
    return Answer(statistics.median(spent) * 1000, min(counts))


def _ask(app: WSGIApplication, path: str, person: Person) -> float:
    headers = {"Authorization": f"Bearer {person.token}", "Cookie": f"giga={person.session}"}
    if path.startswith("/api"):
        del headers["Cookie"]
    else:
        del headers["Authorization"]
    environ = EnvironBuilder(path, headers=list(headers.items())).get_environ()
    status: list[str] = []
    begun = time.perf_counter()
    body = b"".join(app(environ, lambda code, *_: status.append(code)))  # type: ignore[arg-type]
    spent = time.perf_counter() - begun
    if not status[0].startswith("200"):
        raise SystemExit(f"{path} answered {status[0]}: {body[:300]!r}")
    return spent


@contextmanager
def _counting(engine: sa.Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)
